"""Statistics at the desk (统计): the whole in pictures and tables, and the cases behind every number."""
