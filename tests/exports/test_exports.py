"""Exports in the background: what is ordered comes out whole, whatever happens meanwhile; to its owner
alone, and for a while."""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings
from django.test import Client, override_settings
from python_calamine import CalamineWorkbook

from tests.api.system import System, issue, register
from tests.cases import people
from tests.cases.people import FOOD, INTAKE, PERSON, actor
from tests.desk.walk import sign_in
from zhengwu.accounts.models import Look, RoleHolding
from zhengwu.cases import exporting
from zhengwu.config.jobs import Exporters
from zhengwu.documents.sheets import writing as sheet_writing
from zhengwu.domain.refusal import Refusal
from zhengwu.exports import files, queries, registry, running, services, writing
from zhengwu.exports.models import Order
from zhengwu.exports.queries import Export, ExportNotFound
from zhengwu.exports.registry import Column, Table
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
CLERK, MARKET_CLERK, SUPERVISOR = "p-water-clerk", "p-market-clerk", "p-supervisor"
HEAD, AUDIT = "p-water-head", "p-audit_admin"
PATIENCE = 120.0  # seconds for a process to start; nothing is measured


@pytest.fixture(autouse=True)
def folder() -> Path:
    """Where the files go, empty at the beginning."""
    for one in files.folder().iterdir():
        files.remove(one.name.removesuffix(files.UNFINISHED))
    return files.folder()


@pytest.fixture
def three() -> tuple[str, str, str]:
    """A whole story, one just received, and one of the market bureau."""
    return (
        people.golden().number,
        people.received("09-22 10:00", applicant=PERSON).number,
        people.received("09-23 11:00", item=FOOD, who=MARKET_CLERK).number,
    )


def now() -> datetime:
    return datetime.now(UTC)


def order(
    who: str = SUPERVISOR, table: str = "cases", form: str = "csv", **parameters: str
) -> Export:
    return services.order(
        actor(who), table, form=form, parameters=parameters, key=uuid4(), at=now()
    )


def of(export: Export) -> Order:
    return Order.objects.get(id=export.id)


def fetched(export: Export, who: str = SUPERVISOR) -> bytes:
    with services.fetch(actor(who), export.id, at=now()).data as file:
        return file.read()


def made(who: str = SUPERVISOR, table: str = "cases", form: str = "csv", **asked: str) -> bytes:
    export = order(who, table, form, **asked)
    assert running.work() == 1
    return fetched(export, who)


def numbers(data: bytes) -> list[str]:
    return [row["办件编号"] for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig")))]


def sheets(data: bytes) -> list[list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]


def until(happened: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < PATIENCE, "it did not happen"
        time.sleep(0.02)


Rows = Callable[[], Iterator[Sequence[str]]]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Registers a table whose rows are the test's own, and notes after each how far it is."""
    monkeypatch.setattr(registry, "_TABLES", dict(registry._TABLES))
    monkeypatch.setattr(running, "OFTEN", 0.0)
    monkeypatch.setattr(writing, "OFTEN", 1)

    def registered(rows: Rows, *, count: int | None = None) -> str:
        registry.register(
            Table(
                code="own", zh="试验", about="", act="case.see",
                columns=lambda given: (Column("name", "名称"),),
                rows=lambda actor, given, at: rows(), count=lambda actor, given, at: count,
            )
        )  # fmt: skip
        return "own"

    return registered


@pytest.fixture
def process() -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts the process that the worker starts."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-m", "zhengwu.config.jobs"]))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.wait()


# --- what comes out -------------------------------------------------------------------------------


def test_what_is_ordered_is_what_the_list_holds(three: tuple[str, str, str]) -> None:
    question = exporting.Question()
    for form in ("csv", "ndjson"):
        whole = b"".join(exporting.stream(actor(SUPERVISOR), question, form=form))
        assert made(form=form) == whole
    heading, *rows = sheets(made(form="xlsx"))[0]
    assert heading == [zh for _, zh, _, _ in exporting.COLUMNS]
    assert [row[0] for row in rows] == list(three)
    assert numbers(made(CLERK)) == list(three[:2])
    assert numbers(made(item=INTAKE, open="open")) == [three[1]]
    assert numbers(made(since="2026-09-22", until="2026-09-22")) == [three[1]]


def test_every_table_can_be_taken_out_in_every_form(three: tuple[str, str, str]) -> None:
    whose = {"cases": (SUPERVISOR, {}), "catalogue": (SUPERVISOR, {}), "looks": (AUDIT, {}),
             "time": (HEAD, {"since": "2026-09-01", "until": "2026-11-30"}),
             "statistics.figures": (HEAD, {"since": "2026-09-01", "until": "2026-11-28", "by": "agency"}),
             "statistics.cases": (HEAD, {"since": "2026-09-01", "until": "2026-11-28",
                                         "measure": "received"})}  # fmt: skip
    ledger.sequence()
    while ledger.follow("statistics.figures"):
        pass
    for code, (who, asked) in whose.items():
        found = registry.table(code)
        assert found is not None
        columns = found.columns(asked)
        read = list(csv.reader(io.StringIO(made(who, code, "csv", **asked).decode("utf-8-sig"))))
        assert read[0] == [one.zh for one in columns], code
        lines = [json.loads(one) for one in made(who, code, "ndjson", **asked).splitlines()]
        assert len(lines) >= len(read) - 1 > 0, code  # the looks grow by being taken out
        assert list(lines[0]) == [one.name for one in columns], code
        assert sheets(made(who, code, "xlsx", **asked))[0][0] == read[0], code


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(
    three: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet_writing, "MOST_ROWS", 2)
    first, second = sheets(made(form="xlsx"))
    assert first[0] == second[0]
    assert [row[0] for row in first[1:] + second[1:]] == list(three)


def test_an_empty_table_is_its_heading(three: tuple[str, str, str]) -> None:
    assert numbers(made(item="nothing")) == []
    assert made(form="ndjson", item="nothing") == b""
    ((heading, *rows),) = sheets(made(form="xlsx", item="nothing"))
    assert (len(heading), rows) == (len(exporting.COLUMNS), [])


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A0", "+1", "@SUM(A1)", "＝1", "'=1"])
def test_nothing_becomes_a_formula(three: tuple[str, str, str], owner: Owner, name: str) -> None:
    owner.execute("UPDATE cases_case SET item_name = %s WHERE number = %s", [name, three[0]])
    place = [zh for _, zh, _, _ in exporting.COLUMNS].index("事项名称")
    assert list(csv.reader(io.StringIO(made().decode())))[1][place] == "'" + name
    assert sheets(made(form="xlsx"))[0][1][place] == "'" + name
    assert json.loads(made(form="ndjson").splitlines()[0])["item_name"] == name


# --- while it is made -----------------------------------------------------------------------------


def test_it_says_how_far_it_is(table: Callable[..., str], owner: Owner) -> None:
    seen: list[object] = []

    def rows() -> Iterator[Sequence[str]]:
        for one in "abcde":
            yield (one,)
            seen.append(owner.execute("SELECT rows, total, state FROM exports_order").fetchone())

    export = order(table=table(rows, count=5), form="xlsx")
    assert (export.state, export.share) == ("waiting", 0.0)
    running.work()
    assert seen == [(many, 5, "running") for many in range(1, 6)]
    ready = queries.one(actor(SUPERVISOR), export.id)
    assert (ready.state, ready.rows, ready.share) == ("ready", 5, 1.0)
    assert ready.size == len(fetched(export))
    assert ready.until is not None
    assert timedelta(days=6) < ready.until - now() < timedelta(days=settings.EXPORTS_DAYS)


def test_one_that_is_cancelled_in_the_middle_leaves_nothing(
    table: Callable[..., str], folder: Path
) -> None:
    def rows() -> Iterator[Sequence[str]]:
        yield ("a",)
        services.cancel(actor(SUPERVISOR), export.id, at=now())
        yield ("b",)
        raise AssertionError("it went on")

    export = order(table=table(rows), form="xlsx")
    running.work()
    assert of(export).state == "cancelled"
    assert list(folder.iterdir()) == []
    with pytest.raises(Refusal, match=r"exports\.not_ready"):
        services.fetch(actor(SUPERVISOR), export.id, at=now())


def test_one_that_waits_is_cancelled_at_once(three: tuple[str, str, str]) -> None:
    export = order()
    services.cancel(actor(SUPERVISOR), export.id, at=now())
    assert running.work() == 0
    assert of(export).state == "cancelled"


def test_a_fault_of_ours_is_told_in_words_and_the_next_has_its_turn(
    table: Callable[..., str], folder: Path, three: tuple[str, str, str]
) -> None:
    def rows() -> Iterator[Sequence[str]]:
        yield ("a",)
        raise RuntimeError("何晓岚 13912342046")

    broken, good = order(table=table(rows)), order()
    assert running.work() == 2
    assert (of(broken).state, of(broken).why) == ("failed", running.FAILED)
    assert numbers(fetched(good)) == list(three)
    assert len(list(folder.iterdir())) == 1


def test_no_more_than_its_share_of_the_disk(three: tuple[str, str, str], folder: Path) -> None:
    export = order()
    (folder / "another").write_bytes(b"x")
    with override_settings(EXPORTS_MOST_MB=0):
        running.work()
    assert of(export).state == "failed"
    assert "上限" in of(export).why
    assert [one.name for one in folder.iterdir()] == ["another"]
    (folder / "another").unlink()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_disk_that_is_full_is_told_in_words(
    three: tuple[str, str, str], folder: Path, form: str
) -> None:
    """The kernel itself refuses to write on: no file of this process may pass a hundred bytes."""
    export = order(form=form)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        running.work()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (of(export).state, of(export).why) == ("failed", files.full().sentence)
    assert list(folder.iterdir()) == []


# --- the processes --------------------------------------------------------------------------------


def test_the_worker_has_it_made_by_a_process_apart(three: tuple[str, str, str]) -> None:
    exporters = Exporters()
    assert exporters.tend(now()) == 0
    export = order()
    try:
        assert exporters.tend(now()) == 1
        until(lambda: of(export).state == "ready")
        assert numbers(fetched(export)) == list(three)
        until(lambda: not exporters.busy)
        assert exporters.tend(now()) == 0
    finally:
        exporters.end()


def test_one_whose_process_is_killed_in_the_middle_is_made_again(
    three: tuple[str, str, str], owner: Owner, process: Callable[[], subprocess.Popen[bytes]]
) -> None:
    export = order()
    with owner.transaction():
        owner.execute("LOCK TABLE cases_case")  # it has begun, and gets no further
        killed = process()
        until(lambda: of(export).state == "running")
        assert services.recover(at=now()) == 0
        killed.kill()
        killed.wait()
    until(lambda: services.recover(at=now()) == 1)
    assert (of(export).state, of(export).deaths) == ("waiting", 1)
    assert running.work() == 1
    assert numbers(fetched(export)) == list(three)


def test_one_whose_process_is_asked_to_end_is_put_back(
    three: tuple[str, str, str], owner: Owner, process: Callable[[], subprocess.Popen[bytes]]
) -> None:
    export = order()
    with owner.transaction():
        owner.execute("LOCK TABLE cases_case")
        asked = process()
        until(lambda: of(export).state == "running")
        asked.send_signal(signal.SIGTERM)
    assert asked.wait(PATIENCE) == 0
    assert (of(export).state, of(export).deaths) == ("waiting", 0)
    assert list(files.folder().iterdir()) == []


def test_what_ends_its_process_every_time_is_given_up_with_a_reason(
    three: tuple[str, str, str],
) -> None:
    export = order()
    for _ in range(services.DEATHS):
        row = running.take()
        assert row is not None
        running._unlock(row)  # what the end of its session does
        services.recover(at=now())
    assert (of(export).state, of(export).why) == ("failed", services.DIED)
    assert running.take() is None


def test_a_start_that_was_taken_for_dead_writes_nothing_more(three: tuple[str, str, str]) -> None:
    export = order()
    late = running.take()
    assert late is not None
    running._unlock(late)
    services.recover(at=now())
    running.work()
    assert numbers(fetched(export)) == list(three)
    assert not running._write(late, state="failed", why="too late")
    assert of(export).state == "ready"


def test_one_at_a_time_for_each_person(three: tuple[str, str, str]) -> None:
    mine = [order(), order()]
    other = order(CLERK)
    first, second = running.take(), running.take()
    assert first is not None
    assert second is not None
    assert {first.id, second.id} == {mine[0].id, other.id}
    assert running.take() is None
    for _ in range(services.MOST_WAITING - len(mine)):
        order()
    with pytest.raises(Refusal, match=r"exports\.too_many"):
        order()
    for row in (first, second):
        running._unlock(row)


# --- whose it is ----------------------------------------------------------------------------------


def test_who_lost_the_role_before_it_was_made_gets_nothing(three: tuple[str, str, str]) -> None:
    export = order()
    RoleHolding.objects.filter(person__code=SUPERVISOR).delete()
    running.work()
    assert (of(export).state, of(export).why) == ("failed", running.NO_RIGHT)
    assert list(files.folder().iterdir()) == []


def test_who_lost_the_role_or_sees_less_cannot_fetch_it(three: tuple[str, str, str]) -> None:
    export = order()
    running.work()
    held = RoleHolding.objects.filter(person__code=SUPERVISOR, role="supervisor")
    held.update(scope="420102")  # one district in the place of the city
    with pytest.raises(Refusal, match=r"exports\.less"):
        fetched(export)
    held.update(scope="420100")
    assert numbers(fetched(export)) == list(three)
    held.delete()
    with pytest.raises(Refusal, match=r"exports\.less"):
        fetched(export)


def test_what_somebody_may_not_see_cannot_be_ordered(three: tuple[str, str, str]) -> None:
    for code in ("looks", "nothing"):
        with pytest.raises(Refusal, match=r"exports\.table"):
            order(table=code)
    with pytest.raises(Refusal, match=r"exports\.choice"):
        order(HEAD, "time", since="2026-09-01", until="2026-09-30", agency=people.MARKET)


def test_another_persons_export_is_not_there(three: tuple[str, str, str]) -> None:
    export = order()
    running.work()
    for verb in (services.cancel, services.delete, services.fetch):
        with pytest.raises(ExportNotFound):
            verb(actor(CLERK), export.id, at=now())
    client = sign_in(CLERK)
    for page in ("file", "delete"):
        assert client.get(f"/desk/exports/{export.id}/{page}").status_code == 404
    for page in ("cancel", "delete"):
        assert client.post(f"/desk/exports/{export.id}/{page}").status_code == 404
    assert str(export.id) not in client.get("/desk/exports").content.decode()
    assert of(export).state == "ready"


def test_a_file_is_for_our_own_user_alone_and_named_by_nobody(
    three: tuple[str, str, str], folder: Path
) -> None:
    export = order()
    running.work()
    (file,) = folder.iterdir()
    assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert len(file.name) == 48
    assert str(export.id) not in file.name


# --- how long it is kept ---------------------------------------------------------------------------


def test_it_is_removed_after_its_time_and_strays_with_it(
    three: tuple[str, str, str], folder: Path
) -> None:
    export, kept = order(), order()
    running.work()
    stray = folder / "stray.part"
    stray.write_bytes(b"x")
    os.utime(stray, (0, 0))
    Order.objects.filter(id=export.id).update(until=now())
    assert services.sweep(at=now()) == 2
    assert (of(export).state, of(export).place in os.listdir(folder)) == ("expired", False)
    assert numbers(fetched(kept)) == list(three)
    with pytest.raises(Refusal, match=r"exports\.gone"):
        fetched(export)
    assert services.sweep(at=now()) == 0
    Order.objects.filter(id=export.id).update(ordered=now() - timedelta(days=91))
    assert services.sweep(at=now()) == 1


def test_the_same_key_again_is_the_same_order_and_other_content_is_refused(
    three: tuple[str, str, str],
) -> None:
    key = uuid4()

    def again(form: str) -> UUID:
        return services.order(
            actor(SUPERVISOR), "cases", form=form, parameters={}, key=key, at=now()
        ).id

    assert again("csv") == again("csv")
    with pytest.raises(Refusal, match=r"ledger\.key_reused"):
        again("xlsx")
    assert Order.objects.count() == 1


# --- the pages ------------------------------------------------------------------------------------


def test_ordered_watched_fetched_and_deleted_at_the_desk(
    three: tuple[str, str, str],
) -> None:
    client = sign_in(SUPERVISOR)
    page = client.get("/desk/exports/new?table=cases&open=open").content.decode()
    assert '<option value="open" selected>' in page
    given = {"table": "cases", "form": "csv", "open": "open", "key": str(uuid4())}
    for _ in range(2):  # a second click is the same order
        assert client.post("/desk/exports/new", given).status_code == 302
    (row,) = Order.objects.all()
    page = client.get("/desk/exports").content.decode()
    assert "排队中" in page
    assert "hx-get" in page
    seen = page.partition("rows?seen=")[2][:16]
    assert client.get(f"/desk/exports/rows?seen={seen}").status_code == 204
    assert "exports/told" in client.get("/desk/time").content.decode()
    assert "hx-get" in client.get("/desk/exports/told").content.decode()

    running.work()
    told = client.get("/desk/exports/told").content.decode()
    assert ("可以下载" in told, "hx-get" in told) == (True, False)
    renewed: Any = client.get(f"/desk/exports/rows?seen={seen}")
    assert renewed.status_code == 200
    assert f"/desk/exports/{row.id}/file" in renewed.content.decode()
    assert "hx-get" not in renewed.content.decode()
    assert "exports/told" not in client.get("/desk/time").content.decode()

    answer: Any = client.get(f"/desk/exports/{row.id}/file")
    data = b"".join(answer.streaming_content)
    assert numbers(data) == [three[1], three[2]]
    assert answer["Content-Length"] == str(len(data))
    assert "filename*=UTF-8''" in answer["Content-Disposition"]
    looks = Look.objects.filter(stream="export", stream_id=row.id).order_by("id")
    assert [one.why.partition("：")[0] for one in looks] == ["申请导出", "下载导出"]
    assert {one.person for one in looks} == {SUPERVISOR}
    assert "导出" in sign_in(AUDIT).get(f"/desk/audit?q={row.id}").content.decode()

    where = f"/desk/exports/{row.id}/delete"
    assert "不能恢复" in client.get(where).content.decode()
    assert client.post(where).status_code == 302
    assert list(files.folder().iterdir()) == []
    assert client.get(where).status_code == 404


def test_a_wrong_condition_is_told_at_its_field(three: tuple[str, str, str]) -> None:
    client: Client = sign_in(SUPERVISOR)
    given = {"table": "cases", "form": "csv", "since": "2026-13-01", "key": str(uuid4())}
    page: Any = client.post("/desk/exports/new", given)
    assert page.status_code == 422
    assert 'id="id_since_error"' in page.content.decode()
    assert client.get("/desk/exports/new?table=looks").status_code == 404
    assert not Order.objects.exists()


# --- other systems --------------------------------------------------------------------------------


def test_a_system_orders_asks_fetches_and_deletes(three: tuple[str, str, str]) -> None:
    water = System(issue(register(), "cases.export"))
    asked = {"table": "cases", "form": "ndjson", "parameters": {}}
    key = str(uuid4())
    found = water.post("/exports", asked, key=key).json()
    assert water.post("/exports", asked, key=key).json()["id"] == found["id"]
    where = f"/exports/{found['id']}"
    assert water.get(where).json()["state"] == "waiting"
    assert water.get(f"{where}/file").json()["code"] == "exports.not_ready"
    running.work()
    assert water.get(where).json()["rows"] == 2
    answer: Any = water.get(f"{where}/file")
    lines = b"".join(answer.streaming_content).splitlines()
    assert [json.loads(one)["number"] for one in lines] == list(three[:2])
    other = System(issue(register("market-oa", agency=people.MARKET), "cases.export"))
    for page in (where, f"{where}/file"):
        assert other.get(page).status_code == 404
    assert other.post(f"{where}/delete", {}).status_code == 404
    assert water.post(f"{where}/delete", {"state": "running"}).json()["code"] == "exports.moved_on"
    assert water.post(f"{where}/delete", {}).status_code == 200
    assert water.get(where).status_code == 404


def test_a_system_whose_token_is_gone_gets_nothing_made(three: tuple[str, str, str]) -> None:
    from zhengwu.accounts.models import Token

    water = System(issue(register(), "cases.export"))
    water.post("/exports", {"table": "cases", "form": "csv"})
    Token.objects.update(revoked=now(), revoked_by="p-security_admin")
    running.work()
    assert Order.objects.get().why == running.NO_RIGHT
