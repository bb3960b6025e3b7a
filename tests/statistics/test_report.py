"""The monthly report says what the figures say, on paper and as a workbook, and again when corrected."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pypdf
import pytest
from python_calamine import CalamineWorkbook

from tests.accounts.city import small_city
from tests.cases import people
from tests.cases.people import COMPANY, moment
from tests.conftest import Kept
from zhengwu.domain.periods import of
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger
from zhengwu.statistics import report
from zhengwu.statistics.queries import EVERYWHERE

NOW = moment("11-23 09:00")
OCTOBER = of("2026-10")


@pytest.fixture
def told(db: None, kept: Kept) -> None:
    def build() -> None:
        small_city()
        people.items()
        people.golden()
        other = people.received("10-13 09:00", item=people.FOOD, who="p-market-clerk")
        other.do("p-market-clerk", "accepted", "10-13 10:00")
        other.do("p-market-reviewer", "step_taken", "10-14 10:00")
        other.do("p-market-clerk", "withdrawn", "10-15 10:00")
        ledger.catch_up()

    kept.again("a month to report", build)


def written(data: bytes) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


@pytest.mark.usefixtures("told")
def test_the_report_says_the_month_on_paper_and_in_the_workbook() -> None:
    found = report.content(EVERYWHERE, OCTOBER, at=NOW, scope="全市")
    said = {one.figure.code: one.said for one in found.summary}
    assert said["received"] == "1"
    assert said["closed"] == str(found.whole["closed"]) != "0"
    assert said["granted"] == "1"
    tables = {one.title: one for one in found.tables}
    agencies = tables["各部门"]
    closed = agencies.heads.index("办结")
    assert sum(int(row[closed] or 0) for row in agencies.rows) == found.whole["closed"]
    for title in ("各区", "各类办件", "办结最多的事项"):
        of_these = tables[title]
        nth = of_these.heads.index("办结")
        assert sum(int(row[nth] or 0) for row in of_these.rows) == found.whole["closed"], title
    assert tables["移交"].rows
    paper = written(report.pdf(found))
    for words in ("政务服务统计月报（2026 年 10 月）", "江城市市场监督管理局", "按时办结率", "怎样核对",
                  "zhengwu report --month 2026-10", "不评判"):  # fmt: skip
        assert words.replace(" ", "") in paper.replace(" ", "").replace("\n", ""), words
    assert COMPANY.name not in paper
    book = CalamineWorkbook.from_filelike(io.BytesIO(report.xlsx(found)))
    assert book.sheet_names == ["概况", *tables, "指标定义", "怎样核对"]
    rows = {row[0]: row[1] for row in book.get_sheet_by_name("概况").to_python()}
    assert rows["办结"] == found.whole["closed"]


@pytest.mark.usefixtures("told")
def test_the_same_figures_make_the_same_paper_and_a_correction_is_told() -> None:
    first = report.content(EVERYWHERE, OCTOBER, at=NOW, scope="全市")
    again = report.content(EVERYWHERE, OCTOBER, at=NOW, scope="全市")
    assert report.pdf(first) == report.pdf(again)
    assert "更正" in {one.title for one in first.tables}
    late = people.received("10-20 09:00", item=people.FOOD, who="p-market-clerk")
    late.do("p-market-clerk", "accepted", "10-20 10:00")
    ledger.catch_up()
    corrected = report.content(EVERYWHERE, OCTOBER, at=NOW, scope="全市")
    assert corrected.whole["received"] == first.whole["received"] + 1
    told = next(one for one in corrected.tables if one.title == "更正")
    assert any(row[3] == "收件" and row[1] == "2026-10-20" for row in told.rows)


@pytest.mark.usefixtures("told")
def test_a_month_without_cases_is_a_report_too() -> None:
    found = report.content(EVERYWHERE, of("2025-02"), at=NOW, scope="全市")
    assert found.trend.empty
    assert "没有。" in written(report.pdf(found))
    assert report.xlsx(found).startswith(b"PK")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-12", "statistics.future"),
        ("2026", "statistics.month"),
        ("2026-Q3", "statistics.month"),
        ("soon", "period.unreadable"),
        ("2026-10-05", "statistics.month"),
    ],
)
def test_only_a_month_that_has_begun_is_reported(text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        report.month(text, today=date(2026, 11, 23))
    assert refused.value.code == code


@pytest.mark.usefixtures("told")
def test_the_command_writes_the_file_or_says_why_not(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from zhengwu.commands import report as command

    body = command.report.callback
    assert body is not None
    # Without the start of a server: the database of the tests is there.
    bare = getattr(body, "__wrapped__", body)
    bare("2026-10", tmp_path / "a.pdf", False, True)
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    bare("2026-10", tmp_path / "a.xlsx", False, True)
    assert (tmp_path / "a.xlsx").read_bytes().startswith(b"PK")
    said = CliRunner().invoke(command.report, ["--month", "2026-10"])
    assert said.exit_code == 2
