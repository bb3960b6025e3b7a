"""The demo city's list is filled to the size of a real one, marked, lawful, and only once."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from xml.etree.ElementTree import fromstring

import pytest
from click.testing import CliRunner

from tests.accounts.city import small_city
from tests.catalog.districts import departing
from tests.conftest import Kept
from zhengwu.catalog import exporting, filling, forms, queries
from zhengwu.catalog.exporting import Selection
from zhengwu.commands import main
from zhengwu.domain import guide
from zhengwu.domain.guide import Level
from zhengwu.web import words
from zhengwu.web.clock import now

AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
TODAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def _departing(db: None, kept: Kept) -> None:
    kept.again("departing", departing)


def filled(items: int = 40, *, districts: bool = True) -> filling.Filled:
    return filling.fill(items=items, forms=5, districts=districts, at=AT)


def municipal() -> list[queries.ItemVersionRow]:
    return [one for one in queries.all_in_force(TODAY) if one.region == "420100"]


def test_the_list_is_filled_up_to_the_number_and_a_second_time_nothing_is_made() -> None:
    real = len(municipal())
    made = filled()
    assert len(municipal()) == 40
    assert (made.items, made.forms, made.refused) == (40 - real, 5, 0)
    assert made.places > 0
    before = exporting.count(Selection())
    assert filled() == filling.Filled(0, 0, 0, 0)
    assert exporting.count(Selection()) == before
    assert filled(items=42).items == 2


def test_what_is_made_up_says_so_and_has_no_real_name() -> None:
    names = {one.name for one in municipal()}
    filled()
    made = [one for one in queries.all_in_force(TODAY) if one.generated]
    assert made
    for one in made:
        assert "（演示）" in one.name
        assert one.name not in names
        assert one.basis.startswith("演示依据")
        assert one.score >= 60  # the place is the office's to say
    assert len({one.name for one in municipal()}) == 40


def test_districts_depart_from_the_list_only_in_the_applicants_favour() -> None:
    filled(items=90)
    departed = 0
    for one in queries.all_in_force(TODAY):
        if not one.generated:
            continue
        above = queries.standing(f"C.{one.base}", TODAY)
        assert above is not None
        found = guide.faults(one.own, above.whole, level=Level.IMPLEMENTATION, flow=one.steps)
        assert found == []
        departed += bool({"promised", "materials", "visits", "channels"} & one.own.keys())
    assert departed > 0


def test_without_districts_only_the_city_has_them() -> None:
    assert filled(districts=False).places == 0


def test_the_forms_are_real_documents_and_hang_on_their_materials() -> None:
    filled()
    digests = {
        material.blank
        for one in municipal()
        if one.generated
        for material in one.materials
        if material.blank
    }
    there = forms.found(digests)
    assert digests
    assert there.keys() == digests
    for digest in digests:
        row, data = there[digest], forms.content(digest)
        assert (row.generated, row.filename.endswith("申请表（演示）.docx")) == (True, True)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for part in archive.namelist():
                fromstring(archive.read(part))
            text = archive.read("word/document.xml").decode()
        assert row.filename.removesuffix(".docx") in text
        assert "不能用于办理真实的事项" in text


def test_the_same_seed_makes_the_same_items(kept: Kept) -> None:
    filled(items=12)
    first = [(one.name, one.whole) for one in municipal()]
    kept.again("departing", departing)
    filled(items=12)
    assert [(one.name, one.whole) for one in municipal()] == first


def test_a_department_that_is_not_in_the_words_gets_items_too(kept: Kept) -> None:
    kept.clean()
    small_city()
    assert filled(items=4).items == 4


def test_the_command_fills_and_says_how_much() -> None:
    done = CliRunner().invoke(main, ["catalog", "fill", "--items", "20", "--forms", "2"])
    assert done.exit_code == 0, done.output
    assert "表格新增 2 份" in done.stdout
    today = words.local(now()).date()
    city = [one for one in queries.all_in_force(today) if one.region == "420100"]
    assert len(city) == 20
