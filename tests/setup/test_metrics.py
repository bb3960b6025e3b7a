"""The figures: true, complete, and for those alone who may ask."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from tests.cases import people
from zhengwu.config import metrics as page
from zhengwu.config.reporting import Report
from zhengwu.config.worker import Timed, Worker
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger
from zhengwu.web.forms import Form

pytestmark = pytest.mark.usefixtures("town")
ROOT = Path(__file__).resolve().parents[2]
Owner = psycopg.Connection[tuple[object, ...]]
TOKEN = "only-for-this-test-0123456789"


@pytest.fixture(autouse=True)
def _asked_anew() -> None:
    page._known.clear()
    Path(settings.HOME).mkdir(exist_ok=True)


def figures() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def value(name: str, **labels: str) -> float:
    return figures().get((name, tuple(sorted(labels.items()))), 0.0)


def test_strangers_are_told_nothing() -> None:
    def asked(token: str = "", **extra: Any) -> int:
        headers = {"authorization": token} if token else {}
        answer = Client().get("/metrics", headers=headers, **extra)
        if answer.status_code == 401:
            assert answer["WWW-Authenticate"].startswith("Bearer")
            assert b"zhengwu_" not in answer.content
        return answer.status_code

    assert asked() == 200  # the demo, from this machine
    assert asked(REMOTE_ADDR="192.0.2.7") == 401
    assert asked(HTTP_X_FORWARDED_FOR="192.0.2.7") == 401
    with override_settings(DEMO=False):
        assert asked() == 401
    with override_settings(METRICS_TOKEN=TOKEN):
        assert asked() == 401
        assert asked(f"Bearer {TOKEN}", REMOTE_ADDR="192.0.2.7") == 200
        assert asked(f"bearer {TOKEN}") == 200
        for wrong in (f"Bearer {TOKEN}x", "Bearer ", f"Basic {TOKEN}", TOKEN, "Bearer 令牌"):
            assert asked(wrong) == 401
        assert (
            Client().post("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code
            == 405
        )


def test_requests_are_counted_by_name_and_never_by_path() -> None:
    number = people.received().number
    before = value("zhengwu_requests_total", route="desk:case", method="GET", status="3xx")
    Client().get(f"/desk/cases/{number}")
    Client().get("/nowhere/at-all")
    Client().generic("BREW", "/help")
    told = figures()
    assert (
        told[
            "zhengwu_requests_total", (("method", "GET"), ("route", "desk:case"), ("status", "3xx"))
        ]
        == before + 1
    )
    assert told["zhengwu_request_seconds_count", (("route", "desk:case"),)] >= 1
    assert value("zhengwu_requests_total", route="none", method="GET", status="4xx") >= 1
    text = Client().get("/metrics").content.decode()
    assert number not in text
    assert "at-all" not in text
    assert "BREW" not in text


def test_refusals_that_people_and_programs_are_told_are_counted() -> None:
    code = "api.unknown"
    before = value("zhengwu_refusals_total", code="drafts.full")
    Form({}).refuse(Refusal("drafts.full", "满了。请先删去一些。"))
    assert value("zhengwu_refusals_total", code="drafts.full") == before + 1
    told = {key[1][0][1] for key in figures() if key[0] == "zhengwu_refusals_total"}
    answer = Client().get("/api/v1/calendar/add", {"wrong": "1"})
    assert answer.status_code == 422
    assert answer.json()["code"] in told | {
        key[1][0][1] for key in figures() if key[0] == "zhengwu_refusals_total"
    }
    assert code not in told


def test_events_are_counted_each_once_across_restarts() -> None:
    def told() -> dict[str, float]:
        return {
            dict(labels)["kind"]: count
            for (name, labels), count in figures().items()
            if name == "zhengwu_events_total"
        }

    def true() -> dict[str, float]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT kind, count(*) FROM ledger_event GROUP BY kind")
            return {kind: float(count) for kind, count in cursor.fetchall()}

    people.golden()
    ledger.catch_up()
    first = Report()
    first.write()
    assert told() == true()
    first.write()
    assert told() == true()
    people.received("09-15 09:20")
    ledger.catch_up()
    Report().write()  # another worker
    assert told() == true()
    first.write()
    assert told() == true()


def test_the_workers_jobs_are_told_with_their_failures() -> None:
    def fails(at: datetime) -> int:
        raise ValueError

    worker = Worker(timed=(Timed("good", 60, lambda at: 3), Timed("bad", 60, fails)))
    worker.turn()
    worker.report.write()
    begun = datetime.now(UTC).timestamp()
    assert value("zhengwu_job_runs_total", job="good") == 1
    assert value("zhengwu_job_failures_total", job="good") == 0
    assert value("zhengwu_job_failures_total", job="bad") == 1
    assert abs(value("zhengwu_job_last_success_timestamp_seconds", job="good") - begun) < 60
    assert value("zhengwu_job_last_success_timestamp_seconds", job="bad") == 0
    assert value("zhengwu_worker_present") == 0  # it told, and does not hold the lock


def test_the_log_and_the_cases_are_told_as_they_stand() -> None:
    people.received()
    ledger.sequence()
    people.received("09-15 09:20")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(position), (SELECT count(*) FROM ledger_event) FROM ledger_position"
        )
        last, events = cursor.fetchone()
    with CaptureQueriesContext(connection) as asked:
        told = figures()
    assert len(asked) <= 12
    assert told["zhengwu_log_position", ()] == last
    assert told["zhengwu_log_unsequenced", ()] == events - last > 0
    assert told["zhengwu_open_cases", (("state", "received"),)] == 2
    assert told["zhengwu_database_up", ()] == 1


def test_every_alarm_names_figures_that_there_are() -> None:
    scrape = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    assert scrape["scrape_configs"][0]["metrics_path"] == "/metrics"
    alarms = yaml.safe_load((ROOT / "deploy/prometheus/zhengwu-alerts.yml").read_text())
    (group,) = alarms["groups"]
    note = Path(settings.HOME) / "backup.json"
    note.write_text(json.dumps({"at": datetime.now(UTC).isoformat(), "bytes": 7}))
    Client().get("/help")
    text = Client().get("/metrics").content.decode()
    known = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        endings = {"histogram": ("_bucket", "_sum", "_count")}.get(kind, ("",))
        known |= {name + ending for ending in endings}
    assert len(group["rules"]) >= 12
    for rule in group["rules"]:
        assert set(rule) >= {"alert", "expr", "labels", "annotations"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["action"]
        named = set(re.findall(r"zhengwu_\w+", rule["expr"]))
        assert named <= known, (rule["alert"], named - known)
        assert named or rule["alert"] == "ZhengwuDown"


def test_several_processes_are_added_up_and_the_dead_hold_nothing(tmp_path: Path) -> None:
    def process(code: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", f"from zhengwu.web import figures\n{code}"],
            env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    count = "figures.answered('help', 'GET', 200, 0.02); figures.DRAWERS.inc()"
    process(count)
    process(f"{count}; {count}")
    said = process(f"{count}\nprint(figures.text().decode())")
    assert 'zhengwu_requests_total{method="GET",route="help",status="2xx"} 4.0' in said
    assert 'zhengwu_request_seconds_bucket{le="0.025",route="help"} 4.0' in said
    assert "zhengwu_draw_processes_busy 1.0" in said  # of the one that is alive
