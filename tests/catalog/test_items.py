"""The list of items goes in row by row, once; what the rules forbid is refused with the rule."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime

import psycopg
import pytest

from tests.conftest import Kept
from zhengwu.catalog import finding, queries, services, shipped
from zhengwu.domain.procedure import Limit, Unit
from zhengwu.domain.refusal import Refusal

pytestmark = pytest.mark.usefixtures("city")
AT = datetime(2026, 1, 5, tzinfo=UTC)
TODAY = date(2026, 11, 23)
Owner = psycopg.Connection[tuple[object, ...]]


def departments() -> dict[str, str]:
    """Every department that the list names, as if the city had it."""
    with shipped.ITEMS.open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {row["department"]: "420100-water" for row in rows}


def whole_list() -> shipped.Report:
    return shipped.import_items(agencies=departments(), at=AT)


def _list() -> None:
    assert whole_list().count("refused") == 0


@pytest.fixture
def listed(city: None, kept: Kept) -> None:
    """The whole list, published once and put back."""
    kept.again("the list of items", _list)


def draft() -> services.Draft:
    return services.Draft(
        code="XK9001",
        name="试验许可",
        type="行政许可",
        agency="420100-water",
        kind="promised",
        statutory=Limit(20, Unit.WORKING_DAY, "某条例 第一条"),
        promised=Limit(10),
        promised_is="proposed",
        materials=("申请书",),
        result="决定书",
        basis="某条例 第一条",
        fee="无",
        note="",
        since=date(2026, 1, 1),
    )


def test_ninety_nine_rows_eighty_nine_in_force_ten_retired(owner: Owner) -> None:
    report = whole_list()
    assert [row for row in report.rows if row.outcome == "refused"] == []
    assert (len(report.rows), report.in_force, report.retired) == (99, 89, 10)
    assert len(queries.all_in_force(TODAY)) == 89
    assert len(queries.retired()) == 10
    row = owner.execute("SELECT count(*) FROM ledger_event e WHERE stream = 'item'").fetchone()
    versions = owner.execute("SELECT count(*) FROM catalog_itemversion").fetchone()
    assert row == versions


@pytest.mark.usefixtures("listed")
def test_a_second_import_changes_nothing(owner: Owner) -> None:
    before = owner.execute("SELECT count(*) FROM ledger_event").fetchone()
    again = whole_list()
    assert {row.outcome for row in again.rows} == {"unchanged"}
    assert owner.execute("SELECT count(*) FROM ledger_event").fetchone() == before


@pytest.mark.usefixtures("listed")
def test_one_changed_row_changes_one_item() -> None:
    with shipped.ITEMS.open(encoding="utf-8") as file:
        lines = file.read().replace("取水许可,行政许可,市水务局,市水务局,promised,45,working_day,,,45,working_day,,20", "取水许可,行政许可,市水务局,市水务局,promised,45,working_day,,,45,working_day,,15").splitlines(keepends=True)  # fmt: skip
    report = shipped.import_items(lines, agencies=departments(), at=AT)
    assert [row.name for row in report.rows if row.outcome == "changed"] == ["取水许可"]
    assert report.count("unchanged") == 98
    now, before = queries.in_force("XK0036", TODAY), queries.version("XK0036", 2)
    assert now is not None
    assert now.promised is not None
    assert before.promised is not None
    assert (now.version, now.promised.value, before.promised.value) == (3, 15, 20)


@pytest.mark.usefixtures("listed")
def test_where_the_law_is_silent_the_general_limit_or_a_promise_stands() -> None:
    greenery = queries.in_force("QT0028", TODAY) or queries.in_force("XK0028", TODAY)
    change = queries.in_force("QT0080", TODAY)
    assert greenery is not None
    assert change is not None
    assert change.statutory is None
    assert "没有规定" in change.statutory_zh
    months = queries.in_force("XK0072", TODAY)
    assert months is not None
    assert months.statutory == Limit(3, Unit.MONTH, months.basis)


@pytest.mark.usefixtures("listed")
def test_every_flow_adds_up_to_no_more_than_its_promise() -> None:
    for item in queries.all_in_force(TODAY):
        item.flow.check(promised=item.promised, statutory=item.statutory)
        if item.kind != "immediate" and item.promised and item.promised.value:
            assert item.flow.longest_path() == item.promised.value


@pytest.mark.usefixtures("listed")
def test_the_version_in_force_is_that_of_the_day() -> None:
    then = queries.in_force("XK0019", date(2010, 6, 1))
    now = queries.in_force("XK0019", TODAY)
    assert then is not None
    assert now is not None
    assert then.statutory is not None
    assert now.statutory is not None
    assert (then.statutory.value, now.statutory.value) == (15, 7)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"promised": Limit(30)}, "flow.promise_longer_than_law"),
        ({"promised": Limit(40), "statutory": Limit(2, Unit.MONTH)}, "limit.incomparable"),
        ({"basis": " "}, "item.no_basis"),
        ({"name": ""}, "item.name"),
        ({"kind": "magic"}, "item.kind"),
        ({"until": date(2025, 1, 1)}, "item.dates"),
    ],
)  # fmt: skip
def test_what_the_rules_forbid_is_not_published(change: dict[str, object], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        services.publish(replace(draft(), **change), by=None, at=AT)  # type: ignore[arg-type]
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("department", "不存在的局", "item.department"),
        ("limit", "很快", "item.limit"),
        ("limit", "99999", "item.limit"),
        ("seq", "x", "item.seq"),
        ("basis", "", "item.no_basis"),
        ("promised", "60", "flow.promise_longer_than_law"),
    ],
)
def test_a_bad_row_is_reported_with_its_field_and_the_rest_goes_in(
    column: str, value: str, rule: str
) -> None:
    with shipped.ITEMS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    good, bad = rows[35], dict(rows[36])
    bad[column] = value
    import io

    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(good))
    writer.writeheader()
    writer.writerows([good, bad])
    report = shipped.import_items(
        out.getvalue().splitlines(keepends=True), agencies=departments(), at=AT
    )
    assert [row.outcome for row in report.rows] == ["created", "refused"]
    assert report.rows[1].rule == rule


def test_two_rows_with_one_name_are_one_item_and_one_report() -> None:
    with shipped.ITEMS.open(encoding="utf-8") as file:
        lines = file.read().splitlines(keepends=True)
    report = shipped.import_items([*lines, lines[-1]], agencies=departments(), at=AT)
    assert report.rows[-1].rule == "item.name_twice"


@pytest.mark.usefixtures("listed")
def test_search_finds_by_name_code_and_department() -> None:
    assert {row.name for row in finding.search("取水", TODAY).rows} == {"取水许可"}
    assert finding.search("XK0036", TODAY).total == 1
    assert finding.search("", TODAY).total == 89
    assert finding.search("%_'\\", TODAY).total == 0


@pytest.mark.usefixtures("listed")
def test_a_changed_fee_is_a_new_version_and_history_stands() -> None:
    with shipped.ITEMS.open(encoding="utf-8") as file:
        lines = file.read().replace("水资源费(另行征收)", "无").splitlines(keepends=True)
    report = shipped.import_items(lines, agencies=departments(), at=AT)
    assert [row.name for row in report.rows if row.outcome == "changed"] == ["取水许可"]
    assert report.count("refused") == 0
    assert [row.version for row in queries.history("XK0036")] == [3, 2, 1]


def test_what_was_published_before_can_be_published_again() -> None:
    first = draft()
    assert services.publish(first, by=None, at=AT) == "created"
    second = replace(first, fee="10 元")
    assert services.publish(second, by=None, at=datetime(2026, 2, 1, tzinfo=UTC)) == "changed"
    assert services.publish(first, by=None, at=datetime(2026, 3, 1, tzinfo=UTC)) == "changed"
    now = queries.in_force("XK9001", TODAY)
    assert now is not None
    assert (now.version, now.fee) == (3, "无")


def test_a_date_that_is_no_date_is_one_refused_row() -> None:
    with shipped.ITEMS.open(encoding="utf-8") as file:
        lines = file.read().replace(",2011-01-21,", ",someday,").splitlines(keepends=True)
    report = shipped.import_items(lines, agencies=departments(), at=AT)
    assert [row.rule for row in report.rows if row.outcome == "refused"] == ["item.retired_on"]
