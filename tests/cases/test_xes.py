"""XES is read with its types and written back as it was; what is hostile or broken is refused in words."""

from __future__ import annotations

import gzip
import math
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhengwu.cases import replay, xes, xes_writing
from zhengwu.cases.xes import Attribute
from zhengwu.domain.refusal import Refusal

letters = st.characters(codec="utf-8", exclude_categories=["Cs"]).filter(
    lambda one: one in "\t\n\r" or (ord(one) >= 32 and one not in "\ufffe\uffff")
)
words = st.text(letters, max_size=20)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
values: dict[str, st.SearchStrategy[Any]] = {
    "string": words,
    "id": st.uuids().map(str),
    "int": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False),
    "boolean": st.booleans(),
    "date": st.datetimes(
        datetime(1, 1, 3), datetime(9999, 12, 29), timezones=offsets  # noqa: DTZ001
    ),
}  # fmt: skip


def plain(
    kind: str, inside: st.SearchStrategy[Attribute] | None = None
) -> st.SearchStrategy[Attribute]:
    return st.builds(
        Attribute, st.text(letters, min_size=1, max_size=12), st.just(kind), values[kind],
        st.lists(inside, max_size=2).map(tuple) if inside is not None else st.just(()),
    )  # fmt: skip


def deeper(inside: st.SearchStrategy[Attribute]) -> st.SearchStrategy[Attribute]:
    key, held = st.text(letters, min_size=1, max_size=12), st.lists(inside, max_size=3).map(tuple)
    return st.one_of(
        *(plain(kind, inside) for kind in values),
        st.builds(Attribute, key, st.just("list"), held, st.lists(inside, max_size=2).map(tuple)),
        st.builds(Attribute, key, st.just("container"), held),
    )


attributes = st.lists(
    st.recursive(st.one_of(*(plain(kind) for kind in values)), deeper, max_leaves=6),
    max_size=4,
).map(tuple)
cases = st.lists(st.tuples(attributes, st.lists(attributes, max_size=3)), max_size=3)


def saved(folder: Path, text: str) -> Path:
    path = folder / "log.xes"
    path.write_text(text, encoding="utf-8", newline="")
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(attributes, cases)
def test_what_is_written_is_read_back_equal(
    tmp_path: Path,
    of_log: tuple[Attribute, ...],
    written: Sequence[tuple[tuple[Attribute, ...], list[tuple[Attribute, ...]]]],
) -> None:
    path = saved(tmp_path, "".join(xes_writing.log(of_log, written)))
    read = list(xes.logged(path))
    assert [(one.attributes, list(one.events)) for one in read] == [
        (of_trace, events) for of_trace, events in written
    ]
    assert xes.readable(path) == len(written)


def test_a_float_that_is_no_number_comes_back_as_none(tmp_path: Path) -> None:
    given = (Attribute("a", "float", math.nan), Attribute("b", "float", -math.inf))
    (trace,) = xes.logged(saved(tmp_path, "".join(xes_writing.log((), [(given, [])]))))
    first, second = trace.attributes
    assert math.isnan(first.value)  # type: ignore[arg-type]
    assert second.value == -math.inf


def test_a_value_of_another_type_is_not_written() -> None:
    for one in (
        Attribute("a", "int", "1"), Attribute("a", "int", True), Attribute("a", "boolean", 1),
        Attribute("a", "date", datetime(2026, 1, 1)), Attribute("a", "duration", "1"),  # noqa: DTZ001
    ):  # fmt: skip
        with pytest.raises(ValueError, match="a: "):
            xes_writing.attribute(one)


def test_what_xml_cannot_hold_is_replaced_and_an_offset_of_seconds_is_told_in_utc() -> None:
    assert 'value="a\ufffdb"' in xes_writing.attribute(Attribute("k", "string", "a\x00b"))
    odd = timezone(timedelta(hours=8, minutes=5, seconds=43))
    said = xes_writing.attribute(Attribute("k", "date", datetime(1900, 1, 1, 8, 5, 43, tzinfo=odd)))
    assert 'value="1900-01-01T00:00:00+00:00"' in said


def test_the_beginning_of_a_log_declares_what_it_uses() -> None:
    said = xes_writing.head()
    for prefix in ("concept", "time", "org", "lifecycle"):
        assert f'prefix="{prefix}" uri="http://www.xes-standard.org/{prefix}.xesext"' in said
    assert '<global scope="event">' in said
    assert '<classifier name="Activity" keys="concept:name"/>' in said


# --- bad input ------------------------------------------------------------------------------------

EVENT = '<event><string key="concept:name" value="{name}"/><date key="time:timestamp" value="{at}"/></event>'
FINE = EVENT.format(name="T01", at="2011-10-11T13:45:40.276+02:00")
TRACE = '<log><trace><string key="concept:name" value="case-1"/>{}</trace></log>'


def observed(folder: Path, *events: str) -> tuple[list[str], list[replay.Reject]]:
    """The names of what was taken in, and what was not."""
    (trace,) = xes.traces(saved(folder, TRACE.format("".join(events))))
    rejects: list[replay.Reject] = []
    seen = replay.observations(trace, replay.load_mapping("zhengwu"), rejects)
    return [str(one.body["foreign"]["name"]) for one in seen], rejects


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", "30000-01-01T00:00:00Z",
           "-2011-10-11T13:45:40Z", "2011-02-30T00:00:00Z", "soon", ""],
)  # fmt: skip
def test_an_event_of_a_bad_year_is_left_out_and_said(tmp_path: Path, at: str) -> None:
    names, rejects = observed(tmp_path, FINE, EVENT.format(name="T02", at=at))
    assert names == ["T01"]
    (one,) = rejects
    assert (one.trace, one.index, one.rule) == ("case-1", 1, "replay.no_time")
    for word in ("time:timestamp", "1900 年到 2200 年", "请来源系统更正"):
        assert word in one.sentence


def test_an_event_without_a_name_is_left_out_and_said(tmp_path: Path) -> None:
    names, rejects = observed(tmp_path, EVENT.format(name=" ", at="2011-10-11T13:45:40Z"), FINE)
    assert names == ["T01"]
    assert [(one.index, one.rule) for one in rejects] == [(0, "replay.nameless")]
    assert "concept:name" in rejects[0].sentence


def test_an_attribute_of_ten_megabytes_leaves_its_event_out(tmp_path: Path) -> None:
    big = f'<string key="note" value="{"x" * 10_000_000}"/>'
    names, rejects = observed(tmp_path, FINE, FINE.replace("</event>", big + "</event>"), big)
    assert names == ["T01"]
    assert [(one.index, one.rule) for one in rejects] == [
        (None, "replay.too_long"), (1, "replay.too_long")
    ]  # fmt: skip
    assert "note" in rejects[1].sentence
    assert "10,000 字" in rejects[1].sentence
    (trace,) = xes.logged(tmp_path / "log.xes")
    long = [one for one in trace.attributes if one.fault]
    assert [(one.key, len(str(one.value))) for one in long] == [("note", 40)]


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("<event>" * 50 + "</event>" * 50, "xes.too_deep"),
        ("<event/>" * 1_001, "xes.too_many"),
    ],
)
def test_a_trace_without_measure_is_refused(
    tmp_path: Path, inside: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xes, "MOST_ELEMENTS", 1_000)
    with pytest.raises(Refusal) as refused:
        xes.readable(saved(tmp_path, TRACE.format(inside)))
    assert refused.value.code == code
    assert "没有导入任何办件" in refused.value.sentence


def test_a_small_file_that_unpacks_to_one_endless_value_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.xes.gz"
    with gzip.open(path, "wb") as file:
        file.write(b'<log><trace><string key="concept:name" value="')
        for _ in range(40):
            file.write(b"x" * 1_000_000)
        file.write(b'"/></trace></log>')
    with pytest.raises(Refusal) as refused:
        xes.readable(path)
    assert refused.value.code == "xes.endless"
    assert "16 MB" in refused.value.sentence


def test_values_that_are_none_of_their_type_are_told_as_they_stand(tmp_path: Path) -> None:
    bad = "".join(
        f'<{kind} key="{kind}" value="{value}"/>'
        for kind, value in (("int", "1.5"), ("float", "1_0"), ("boolean", "maybe"),
                            ("date", "30000-01-01T00:00:00Z"), ("date", "2011-10-11T13:45:40"))
    )  # fmt: skip
    (trace,) = xes.logged(saved(tmp_path, TRACE.format(bad)))
    assert [one.value for one in trace.attributes if one.fault] == [
        "1.5", "1_0", "maybe", "30000-01-01T00:00:00Z", "2011-10-11T13:45:40"
    ]  # fmt: skip
    assert set(xes.plain(trace.attributes)) == {"concept:name"}


def test_lists_of_the_older_form_are_read_too(tmp_path: Path) -> None:
    old = '<list key="l"><string key="a" value="1"/><int key="b" value="2"/></list>'
    (trace,) = xes.logged(saved(tmp_path, TRACE.format(old)))
    assert xes.plain(trace.attributes)["l"] == (
        Attribute("a", "string", "1"), Attribute("b", "int", 2)
    )  # fmt: skip


@pytest.mark.usefixtures("town")
def test_a_file_that_breaks_off_leaves_nothing_half_done(tmp_path: Path) -> None:
    from zhengwu.cases import queries

    whole = TRACE.format(FINE).removesuffix("</log>")
    with pytest.raises(Refusal):
        replay.run(saved(tmp_path, whole + "<trace><event>"), "zhengwu")
    assert queries.foreign_counts("link:zhengwu")["cases"] == 0
    assert replay.run(saved(tmp_path, whole + "</log>"), "zhengwu").opened == 1
