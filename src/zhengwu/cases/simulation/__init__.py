"""A simulated year (模拟年度): an instrument, documented in docs/algorithms/simulation.md.

`year.run` plays it into a demo city: `scene` reads the catalogue, the staff and the calendar,
`planning` tells the stories of the cases day by day from a seed (`stories` honest ones, `foreign`
those of other systems, `faults` what is planted), `rows` writes them as rows of the tables, `filing`
puts these into the log.
"""
