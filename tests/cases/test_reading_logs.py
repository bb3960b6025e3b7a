"""Event logs are read one case at a time; what is broken or hostile is refused in words."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from zhengwu.cases import replay
from zhengwu.cases.xes import traces
from zhengwu.domain.refusal import Refusal

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"the real data is not at {DATA}")

LOG = """<?xml version="1.0"?><log xmlns="http://www.xes-standard.org/">
<trace><string key="concept:name" value="case-1"/>
<date key="startdate" value="2011-10-11T13:42:22.688+02:00"/>
<date key="enddate" value="2011-11-01T10:00:00.000+01:00"/>
<date key="deadline" value="2011-12-06T13:41:31.788+01:00"/>
<event><string key="concept:name" value="Confirmation of receipt"/>
<date key="time:timestamp" value="2011-10-11T13:45:40.276+02:00"/>
<string key="org:resource" value="Resource21"/></event>
<event><date key="time:timestamp" value="2011-10-12T08:26:25.398+02:00"/></event>
<event><string key="concept:name" value="T02"/><date key="time:timestamp" value="soon"/></event>
<event><string key="concept:name" value="T03"/>
<date key="time:timestamp" value="2011-10-13T08:00:00.000+02:00"/></event>
</trace></log>"""


def written(folder: Path, text: str) -> Path:
    path = folder / "log.xes"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_trace_becomes_receipt_steps_claims_and_closing(tmp_path: Path) -> None:
    (trace,) = traces(written(tmp_path, LOG))
    rejects: list[replay.Reject] = []
    seen = replay.observations(trace, replay.load_mapping("receipt"), rejects)
    assert [one.kind for one in seen] == ["received", "step", "claim", "closed"]
    receipt = seen[0]
    assert receipt.occurred == datetime(2011, 10, 11, 11, 42, 22, 688000, tzinfo=UTC)
    assert receipt.recorded == datetime(2011, 10, 11, 11, 45, 40, 276000, tzinfo=UTC)
    assert seen[2].body["claim"] == {"kind": "deadline", "due": "2011-12-06T12:41:31.788000Z"}


def test_nameless_and_timeless_events_are_reported_and_not_imported(tmp_path: Path) -> None:
    (trace,) = traces(written(tmp_path, LOG))
    rejects: list[replay.Reject] = []
    replay.observations(trace, replay.load_mapping("receipt"), rejects)
    assert [(r.index, r.rule) for r in rejects] == [(1, "replay.nameless"), (2, "replay.no_time")]


def test_a_key_stays_the_same_however_often_the_log_is_read(tmp_path: Path) -> None:
    (trace,) = traces(written(tmp_path, LOG))
    mapping = replay.load_mapping("receipt")
    first = [one.key for one in replay.observations(trace, mapping, [])]
    assert first == [one.key for one in replay.observations(trace, mapping, [])]
    assert len(set(first)) == len(first)


def test_a_time_without_offset_is_read_in_the_zone_of_the_mapping() -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    assert replay.instant("2011-06-16 12:19:47", zone) == datetime(
        2011, 6, 16, 10, 19, 47, tzinfo=UTC
    )
    assert replay.instant("soon", zone) is None
    assert replay.instant("0001-01-01T00:00:00+02:00", zone) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "xes.broken"),
        ("<log><trace>", "xes.broken"),
        ("<html></html>", "xes.not_a_log"),
        ('<!DOCTYPE l [<!ENTITY a "b">]><log>&a;</log>', "xes.broken"),
    ],
)
def test_a_file_that_is_no_log_is_refused_in_words(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        list(traces(written(tmp_path, text)))
    assert refused.value.code == code


def test_a_broken_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.xes.gz"
    path.write_bytes(gzip.compress(LOG.encode())[:-20])
    with pytest.raises(Refusal):
        list(traces(path))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal):
        list(traces(tmp_path / "nothing.xes"))


@needs_data
@pytest.mark.parametrize("name", ["xmlbomb.xml", "xmlbomb2.xml", "quadratic.xml", "external.xml"])
def test_xml_bombs_are_refused(name: str) -> None:
    with pytest.raises(Refusal):
        list(traces(DATA / "bad-inputs" / "xml" / name))


def test_an_unknown_mapping_names_the_known_ones() -> None:
    with pytest.raises(Refusal, match="receipt"):
        replay.load_mapping("nothing-like-this")


@needs_data
def test_the_real_receipt_log_has_the_figures_its_publishers_give() -> None:
    mapping = replay.load_mapping("receipt")
    rejects: list[replay.Reject] = []
    cases = events = closings = 0
    for trace in traces(DATA / "permit-logs" / "receipt.xes.gz"):
        cases += 1
        events += len(trace.events)
        closings += any(
            one.kind == "closed" for one in replay.observations(trace, mapping, rejects)
        )
    assert (cases, events, closings, rejects) == (1434, 8577, 1329, [])
