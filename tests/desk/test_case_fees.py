"""Paying and handing out: the cashier's page, what is refused at delivery, the delivery record."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tests.desk import walk
from zhengwu.catalog import services as catalog
from zhengwu.domain.procedure import Limit

CASHIER = "p-water-cashier"


@pytest.fixture(autouse=True)
def _items(shop: None) -> None:
    catalog.publish(
        catalog.Draft(
            code="XK0099", name="水土保持方案审批", type="行政许可", agency="420100-water",
            kind="promised", statutory=Limit(20, basis="行政许可法 第四十二条"),
            promised=Limit(10, basis="办事指南"), promised_is="stated", materials=("申请书",),
            result="批复", basis="水土保持法 第二十五条", fee="水土保持补偿费 1.5 元/平方米",
            note="", since=date(2020, 1, 1), pay_first=True,
        ),
        by=None,
        at=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip


def decided(clerk: Client, **changes: str) -> str:
    """Granted, its licence made, taken back at the window; the fee is not paid."""
    number = walk.register(
        clerk, key=str(uuid4()), item="水土保持方案审批", **{"material-02": "", "material-03": ""},
        **changes,
    )  # fmt: skip
    reviewer, approver = walk.sign_in("p-water-reviewer"), walk.sign_in("p-water-approver")
    for client, kind, form in (
        (reviewer, "step_taken", {}), (reviewer, "step_done", {"opinion": "符合"}),
        (approver, "step_taken", {}), (approver, "granted", {}), (approver, "licence_made", {}),
        (clerk, "step_taken", {}), (clerk, "ready", {}),
    ):  # fmt: skip
        done = walk.do(client, number, kind, **form)
        assert done.status_code == 302, (kind, walk.text(done))
    return number


def test_the_cashier_ticks_and_the_window_hands_out(clerk: Client) -> None:
    number = decided(clerk)
    shown = walk.text(clerk.get(f"/desk/cases/{number}"))
    for words in (
        "送达前须缴费",
        "水土保持补偿费 1.5 元/平方米",
        "还没有缴",
        "水土保持法 第二十五条",
    ):
        assert words in shown
    unpaid = walk.do(clerk, number, "delivered", means="signature", proof="何晓岚")
    assert unpaid.status_code == 422
    assert 'href="#id_delivered_means"' in walk.text(unpaid)

    cashier = walk.sign_in(CASHIER)
    for where in ("/desk/fees", f"/desk/fees?q={number.lower()}"):
        assert number in walk.text(cashier.get(where)), where
    found: Any = cashier.post("/desk/fees", {"q": "江城清源水务有限公司"})
    assert found.status_code == 303
    assert re.fullmatch(r"/desk/fees\?s=[0-9a-f]{8}", found["Location"])
    assert number in walk.text(cashier.get(found["Location"]))
    none = walk.text(cashier.post("/desk/fees", {"q": "别人"}, follow=True))
    assert "没有找到" in none
    assert number not in none
    assert "不在了" in walk.text(cashier.get("/desk/fees?s=made-up"))
    listed = walk.text(cashier.get("/desk/fees"))
    key, version = walk.KEY.search(listed), re.search(r'name="version" value="(\d+)"', listed)
    assert key
    assert version
    form = {"key": key.group(1), "version": version.group(1), "number": number, "how": "paid"}
    for wrong in ("", "票;据", "x" * 90, "\x00"):
        refused: Any = cashier.post("/desk/fees", form | {"ticket": wrong})
        assert refused.status_code == 422, wrong
        assert f'href="#ticket-{number}"' in walk.text(refused)
    assert cashier.post("/desk/fees", form | {"version": "1"}).status_code == 422
    paid: Any = cashier.post("/desk/fees", form | {"ticket": "ab-0012"})
    assert paid.status_code == 302
    assert number not in walk.text(cashier.get("/desk/fees?q=" + number)).replace(
        f'value="{number}"', ""
    ).split("</ul>")[-1].replace(f"{number}：", "")
    shown = walk.text(clerk.get(f"/desk/cases/{number}"))
    assert "已缴费，票据号 AB0012" in shown
    assert "还没有缴" not in shown
    done = walk.do(clerk, number, "delivered", means="signature", proof="何晓岚")
    assert done.status_code == 302, walk.text(done)
    shown = walk.text(clerk.get(f"/desk/cases/{number}"))
    assert "送达回证" in shown
    assert "何晓岚" in shown

    other = decided(clerk, identifier=walk.uscc("91420100MA4K7Q2R6"), name="江城清波有限公司")
    listed = walk.text(cashier.get("/desk/fees"))
    version = re.search(r'name="version" value="(\d+)"', listed)
    assert version
    form |= {"key": str(uuid4()), "version": version.group(1), "number": other}
    twice: Any = cashier.post("/desk/fees", form | {"ticket": "ab 0012"})
    assert twice.status_code == 422
    assert "已经用在另一个办件上" in walk.text(twice)
    free: Any = cashier.post("/desk/fees", form | {"how": "free", "ticket": "", "why": ""})
    assert f'href="#why-{other}"' in walk.text(free)
    free = cashier.post("/desk/fees", form | {"how": "free", "ticket": "", "why": "公益项目免征"})
    assert free.status_code == 302
    assert "公益项目免征" in walk.text(clerk.get(f"/desk/cases/{other}"))


def test_only_cashiers_have_the_page() -> None:
    for code in ("p-water-clerk", "p-water-head", "p-system_admin"):
        assert walk.sign_in(code).get("/desk/fees").status_code == 403


def test_delivery_by_post_and_with_a_signature_is_checked_at_its_fields(clerk: Client) -> None:
    number = decided(clerk)
    cashier = walk.sign_in(CASHIER)
    assert walk.do(cashier, number, "fee_paid", how="paid", ticket="AB01").status_code == 302
    for wrong in ("12", "邮寄单号邮寄单号", "x" * 31):
        refused = walk.do(clerk, number, "delivered", means="post", proof=wrong)
        assert refused.status_code == 422
        assert 'href="#id_delivered_proof"' in walk.text(refused)
    page = walk.text(clerk.get(f"/desk/cases/{number}"))
    assert "交付的文书" in page
    piece = page[page.index(f"/desk/cases/{number}/acts/delivered") :]
    key, version = walk.KEY.search(piece), re.search(r'name="version" value="(\d+)"', piece)
    assert key
    assert version
    picture = BytesIO(b"%PDF-1.4 not a picture")
    picture.name = "签名.png"
    form: dict[str, Any] = {
        "key": key.group(1), "version": version.group(1), "means": "signature", "proof": "何晓岚",
        "signature": picture,
    }  # fmt: skip
    refused = clerk.post(f"/desk/cases/{number}/acts/delivered", form)
    assert refused.status_code == 422
    assert 'href="#id_delivered_signature"' in walk.text(refused)
    assert 'value="何晓岚"' in walk.text(refused)
    done = walk.do(clerk, number, "delivered", means="post", proof="em123456789cn")
    assert done.status_code == 302, walk.text(done)

    other = decided(clerk, identifier=walk.uscc("91420100MA4K7Q2R6"), name="江城清波有限公司")
    assert walk.do(cashier, other, "fee_paid", how="paid", ticket="AB02").status_code == 302
    twice = walk.do(clerk, other, "delivered", means="post", proof="EM123456789CN")
    assert twice.status_code == 422
    assert 'href="#id_delivered_proof"' in walk.text(twice)
    assert "另一位申请人" in walk.text(twice)
