"""A file, like a slip's number, is the case's while an entry that counts names it."""

from __future__ import annotations

import io
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from tests.cases.people import GAUGES, Told, actor, moment, received
from tests.cases.test_outcomes import CASHIER, decided, refused
from tests.documents import uploads
from zhengwu.cases import loading, queries, services
from zhengwu.cases.services import undo
from zhengwu.documents import files
from zhengwu.domain.event import Event

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
CLERK, REVIEWER = "p-water-clerk", "p-water-reviewer"


def sent(who: str = CLERK, data: bytes | None = None) -> files.File:
    return files.keep(
        actor(who), purpose="material", name="身份证.pdf",
        data=io.BytesIO(uploads.pdf() if data is None else data), at=moment("09-14 10:00"),
    )  # fmt: skip


def scanned(case: Told, file: files.File, when: str = "09-14 10:00") -> None:
    case.do(CLERK, "scanned", when, {"material": "01", "files": str(file.id)})


def shown(case: Told, who: str = CLERK) -> list[queries.Scan]:
    view = queries.case(actor(who), case.number, at=moment("09-14 12:00"))
    return [*(one for m in view.materials for one in m.scans), *view.scans]


def last(case: Told, who: str = CLERK) -> Event:
    return loading.load(actor(who), case.number).events[-1]


def undone(case: Told, when: str, who: str = CLERK) -> None:
    by = actor(who, when)
    version = loading.load(by, case.number).version
    undo(by, case.number, version=version, key=str(uuid4()), at=moment(when))


def test_every_act_names_its_files_with_their_digests() -> None:
    case, scan = received(), sent()
    scanned(case, scan)
    assert last(case).body["files"] == [
        {"material": "01", "file": str(scan.id), "digest": scan.digest}
    ]
    signed = sent()
    form = {"what": "改了面积", "signer": "何晓岚", "files": str(signed.id)}
    case.do(CLERK, "corrected_on_spot", "09-14 10:05", form)
    assert last(case).body["files"] == [
        {"material": "material", "file": str(signed.id), "digest": signed.digest}
    ]


def test_the_receipt_names_its_scans_with_their_digests() -> None:
    from dataclasses import replace

    from tests.cases.people import reception

    scan = sent()
    given = services.receive(
        actor(CLERK), replace(reception(), scans={"01": (scan.id,)}), key=str(uuid4()),
        at=moment("09-14 10:00"),
    )  # fmt: skip
    (named,) = loading.load(actor(CLERK), given.number).events[0].body["files"]
    assert named["digest"] == scan.digest


def test_a_file_that_is_not_what_the_log_says_is_not_shown(owner: Owner) -> None:
    case, scan = received(), sent()
    scanned(case, scan)
    (one,) = shown(case)
    with files.open_file(one.id, digest=one.digest):
        pass
    # The file and the row were changed together: only the log still knows what was sent.
    other = sent(data=uploads.pdf(3))
    owner.execute("UPDATE documents_upload SET digest = %s WHERE id = %s", (other.digest, scan.id))
    files._place(scan.id).write_bytes(uploads.pdf(3))
    (one,) = shown(case)
    assert refused(lambda: files.download(one.id, digest=one.digest)).code == "files.tampered"
    assert (
        refused(lambda: files.page_image(one.id, 1, width=600, mark="x", digest=one.digest)).code
        == "files.tampered"
    )


def test_the_same_form_with_the_same_file_sent_twice_is_done_once() -> None:
    case, by, key, data = received(), actor(CLERK), str(uuid4()), uploads.pdf()

    def submit(data: bytes) -> services.Done:
        form = {"material": "01", "files": str(sent(data=data).id)}
        at = moment("09-14 10:00")
        return services.perform(by, case.number, "scanned", version=1, key=key, form=form, at=at)

    first, again = submit(data), submit(data)
    assert (again.repeated, again.version) == (True, first.version)
    assert refused(lambda: submit(uploads.pdf(2))).code == "ledger.key_reused"


def test_a_file_scanned_into_the_wrong_case_leaves_it_and_goes_into_the_right_one() -> None:
    wrong, right, scan = received(), received(), sent()
    scanned(wrong, scan)
    undone(wrong, "09-14 10:00")
    assert shown(wrong) == []
    assert files.found([scan.id])[scan.id].stream_id is None
    scanned(right, scan)
    assert [one.id for one in shown(right)] == [scan.id]
    assert shown(wrong) == []


def test_a_freed_file_waits_seven_days_from_then_on() -> None:
    case, scan = received(), sent()
    scanned(case, scan, "09-30 10:00")
    undone(case, "09-30 10:00")
    files.sweep(at=moment("09-30 11:00"))
    assert scan.id in files.found([scan.id])
    files.sweep(at=moment("09-30 11:00") + timedelta(days=8))
    assert scan.id not in files.found([scan.id])


def test_the_number_of_an_entry_that_counts_no_more_is_free_again(owner: Owner) -> None:
    first, second = decided(GAUGES, at="market"), decided(GAUGES, at="market")
    tick = {"how": "paid", "ticket": "4201-0000123"}
    first.do(CASHIER, "fee_paid", "09-15 14:05", tick)
    undone(first, "09-15 14:05", CASHIER)
    second.do(CASHIER, "fee_paid", "09-15 14:10", tick)
    again = refused(lambda: first.do(CASHIER, "fee_paid", "09-15 14:11", tick))
    assert again.code == "case.ticket_twice"
    kept = owner.execute("SELECT counts FROM cases_slip ORDER BY id").fetchall()
    assert kept == [(False,), (True,)]


def test_a_withdrawal_that_is_withdrawn_takes_number_and_file_back() -> None:
    case = decided(GAUGES, at="market")
    case.do(CASHIER, "fee_paid", "09-15 14:05", {"how": "paid", "ticket": "4201-0000123"})
    loaded = loading.load(actor(CASHIER), case.number)
    scan = sent("p-market-clerk")
    case.do("p-market-clerk", "scanned", "09-15 14:06", {"material": "01", "files": str(scan.id)})
    bound = {"named": {scan.id}, "at": moment("09-15 15:00")}
    files.rebind("case", loaded.id, counting=set(), **bound)  # type: ignore[arg-type]
    assert files.of("case", loaded.id) == []
    files.rebind("case", loaded.id, counting={scan.id}, **bound)  # type: ignore[arg-type]
    assert [one.id for one in files.of("case", loaded.id)] == [scan.id]
    from zhengwu.cases import slips
    from zhengwu.cases.verbs import Slip

    ticket = Slip("ticket", "42010000123")
    another = decided(GAUGES, at="market")
    other = loading.load(actor(CASHIER), another.number).id
    slips.recount(loaded.id, standing={1})
    slips.recount(loaded.id, standing={1, loaded.version})
    taken = refused(lambda: slips.keep(ticket, case=other, version=9, party=None))
    assert taken.code == "case.ticket_twice"
