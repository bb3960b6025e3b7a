"""Evidence with an appeal: taken in like any material, shown to whom the finding shows what people
wrote, refused to everybody else; what is wrong with a file stands at its field and enters nothing."""

from __future__ import annotations

import io
import json
import re
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, override_settings
from PIL import Image

from tests.accounts.city import small_city
from tests.cases import people
from tests.conftest import Kept
from tests.desk.walk import Answer, public, sign_in, text
from tests.documents.uploads import locked, pdf
from tests.supervision import acting as play
from tests.supervision.acting import CLERK, HEAD, MANAGER, STRANGE_HEAD, SUPERVISOR, kinds, who
from zhengwu.documents import files
from zhengwu.documents.models import Upload
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger
from zhengwu.supervision import services
from zhengwu.supervision.events import FINDINGS
from zhengwu.web.clock import now

CARD: list[UUID] = []
NOTICE, LOG = "停机公告（何晓岚 签发）.pdf", "监控截图.png"


@pytest.fixture
def card(town: None, kept: Kept) -> UUID:
    """A card of the water bureau's issued an hour ago; kept."""

    def build() -> None:
        small_city()
        people.items()
        play.supervisors()
        told = people.received()
        told.do(CLERK, "accepted", "09-14 10:00")
        CARD.append(play.card(told.number, at=now() - timedelta(hours=1)))

    kept.clean()
    kept.again("card to appeal against", build)
    return CARD[0]


def page_of(id: UUID) -> str:
    return f"/desk/supervision/findings/{id}"


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (80, 40), "white").save(out, "PNG")
    return out.getvalue()


def sent(name: str = NOTICE, data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, pdf() if data is None else data, "application/octet-stream")


def appeal(client: Client, id: UUID, *evidence: SimpleUploadedFile, **form: Any) -> Answer:
    given: dict[str, Any] = {
        "do": "appeal", "key": str(uuid4()), "version": "1", "reason": "system_fault",
        "text": "9 月 14 日系统停机，见停机公告。", "confirmed": "on",
    }  # fmt: skip
    return client.post(page_of(id), given | form | ({"evidence": evidence} if evidence else {}))


def named(id: UUID) -> list[dict[str, str]]:
    """The files in the entry of the appeal."""
    (one,) = (e for e in ledger.stream_events(FINDINGS, id) if e.kind == "appealed")
    return list(one.body.get("files") or ())


def body(client: Client, where: str) -> bytes:
    with closing(client.get(where)) as answer:
        assert answer.status_code == 200
        return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_evidence_reaches_whoever_decides_and_its_names_are_not_in_the_log(card: UUID) -> None:
    head, notice, picture = sign_in(HEAD), pdf(3), png()
    form = text(head.get(page_of(card)))
    assert 'enctype="multipart/form-data"' in form[form.index('id="do-appeal"') :]
    assert "最多 10 个，每个不超过 50 MB" in form
    answer = appeal(head, card, sent(data=notice), sent(LOG, picture))
    assert answer.status_code == 302, text(answer)
    assert kinds(card) == ["issued", "appealed"]
    rows = {row.name: row for row in Upload.objects.all()}
    assert {(row.stream, row.stream_id) for row in rows.values()} == {(FINDINGS, card)}
    assert named(card) == [
        {"file": str(rows[name].id), "digest": rows[name].digest} for name in (NOTICE, LOG)
    ]
    written = json.dumps([e.body for e in ledger.stream_events(FINDINGS, card)], ensure_ascii=False)
    assert "何晓岚" not in written
    assert "png" not in written
    for code in (SUPERVISOR, play.SECOND, HEAD, CLERK):
        client = sign_in(code)
        page = text(client.get(page_of(card)))
        for name, data in ((NOTICE, notice), (LOG, picture)):
            where = f"{page_of(card)}/files/{rows[name].id}"
            assert f'<a href="{where}">{name}</a>' in page, code
            assert body(client, where) == data
    with closing(sign_in(play.SECOND).get(f"{page_of(card)}/files/{rows[NOTICE].id}")) as got:
        assert got["Content-Type"] == "application/octet-stream"
        assert got["Content-Disposition"].startswith("attachment;")
        assert got["X-Content-Type-Options"] == "nosniff"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT person FROM accounts_look WHERE stream_id = %s AND why = %s",
            [card, "下载申诉证据"],
        )
        looked = {row[0] for row in cursor.fetchall()}
    assert looked == {SUPERVISOR, play.SECOND, HEAD, CLERK}


def test_who_may_not_see_the_finding_gets_no_file_of_it(card: UUID) -> None:
    assert appeal(sign_in(HEAD), card, sent()).status_code == 302
    file = named(card)[0]["file"]
    where = f"{page_of(card)}/files/{file}"
    for code in (STRANGE_HEAD, "p-market-clerk", "p-water-clerk2", "p-d102-head", "p-audit_admin"):
        client = sign_in(code)
        assert client.get(where).status_code in (403, 404), code
        assert "Content-Disposition" not in client.get(where)
    assert public().get(where).status_code == 302
    # A centre manager sees the finding and not what people wrote: the same with what they handed in.
    manager = sign_in(MANAGER)
    page = text(manager.get(page_of(card)))
    assert NOTICE in page
    assert where not in page
    assert manager.get(where).status_code == 404
    # Nor is a file had through a finding that is not its own, or by a number of nothing.
    other = play.card(people.received().number, at=now())
    assert sign_in(SUPERVISOR).get(f"{page_of(other)}/files/{file}").status_code == 404
    assert sign_in(SUPERVISOR).get(f"{page_of(card)}/files/{uuid4()}").status_code == 404


def test_files_of_those_who_may_not_appeal_never_reach_our_disk(card: UUID) -> None:
    assert appeal(sign_in(STRANGE_HEAD), card, sent()).status_code == 404
    for code in (CLERK, SUPERVISOR):
        answer = appeal(sign_in(code), card, sent())
        assert answer.status_code == 422
        assert "负责人提出" in text(answer)
    assert not Upload.objects.exists()
    assert kinds(card) == ["issued"]


BAD: tuple[tuple[str, list[SimpleUploadedFile], str], ...] = (
    ("too large", [sent("大.pdf", pdf() + b"0" * (1024 * 1024))], "文件超过 1 MB。请分成几份"),
    ("wrong type", [sent("程序.pdf", b"MZ" * 50)], "只收 PDF、PNG、JPEG 文件"),
    ("empty", [sent("空.pdf", b"")], "这个文件是空的（0 字节）。请检查原文件"),
    ("locked", [sent("锁.pdf", locked())], "请去掉密码另存一份"),
    ("broken", [sent("坏.pdf", pdf()[:60])], "打不开"),
    ("too many", [sent(f"{nth}.pdf") for nth in range(11)], "一次申诉最多附 10 个证据文件。请合并"),
)


@pytest.mark.parametrize(("what", "evidence", "said"), BAD, ids=[one[0] for one in BAD])
def test_what_is_wrong_with_a_file_stands_at_its_field_and_nothing_is_entered(
    card: UUID, what: str, evidence: list[SimpleUploadedFile], said: str
) -> None:
    for one in evidence:
        one.seek(0)
    with override_settings(UPLOAD_MOST_MB=1):
        answer = appeal(sign_in(HEAD), card, *evidence)
    assert answer.status_code == 422
    page = text(answer)
    (link,) = re.findall(r'<li><a href="#id_appeal_evidence">(.*?)</a></li>', page)
    assert said in link
    if what != "too many":
        assert f"“{evidence[0].name}”没有收下" in link
    assert 'id="id_appeal_evidence_error"' in page
    assert "9 月 14 日系统停机" in page, "what was typed stays"
    assert kinds(card) == ["issued"]
    assert not Upload.objects.exists()


def test_a_good_file_outlives_what_is_wrong_beside_it(card: UUID) -> None:
    head = sign_in(HEAD)
    page = text(appeal(head, card, sent(), sent("程序.pdf", b"MZ" * 50), text=""))
    assert "请填写事实和证据" in page
    assert "“程序.pdf”没有收下" in page
    (kept,) = re.findall(r'name="kept-evidence" value="([^"]+)"[^>]* checked', page)
    assert f"已收下：{NOTICE}" in page
    assert kinds(card) == ["issued"]
    done = appeal(head, card, sent(LOG, png()), **{"kept-evidence": kept})
    assert done.status_code == 302, text(done)
    first, second = named(card)
    assert first["file"] == kept != second["file"]


def test_a_form_that_is_sent_twice_is_one_appeal(card: UUID) -> None:
    head, key, notice = sign_in(HEAD), str(uuid4()), pdf(2)
    for _ in range(2):
        assert appeal(head, card, sent(data=notice), key=key).status_code == 302
    assert kinds(card) == ["issued", "appealed"]
    (one,) = named(card)
    again = appeal(head, card, key=key, **{"kept-evidence": one["file"]})
    assert again.status_code == 302, "the same file, by its number"
    assert Upload.objects.filter(stream_id=card).count() == 1
    other = appeal(head, card, sent(LOG, png()), key=key)
    assert other.status_code == 422, "the same key for other evidence"
    assert len(named(card)) == 1


def test_a_file_that_somebody_else_sent_is_not_made_evidence(card: UUID) -> None:
    theirs = files.keep(
        who(STRANGE_HEAD), purpose="material", name="别人的.pdf", data=io.BytesIO(pdf()), at=now()
    )
    for ids, code in (([theirs.id], "files.not_yours"), ([uuid4()], "supervision.files_gone")):
        with pytest.raises(Refusal) as refused:
            services.appeal(
                who(HEAD), card, "system_fault", "停机。", ids, version=1, key=play.key(), at=now()
            )
        assert (refused.value.code, refused.value.field) == (code, "evidence")
        assert "请重新上传" in refused.value.sentence
    assert kinds(card) == ["issued"]
    assert play.head(card).appeal == ""
    assert appeal(sign_in(HEAD), card, **{"kept-evidence": str(theirs.id)}).status_code == 302
    assert named(card) == []
    assert Upload.objects.get(id=theirs.id).stream_id is None
