"""Search by pairs of characters: nothing that stands in a text is missed."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from zhengwu.domain.bigrams import fold, lexeme, matches, query, tokens, vector
from zhengwu.domain.identifiers.names import DOTS

LEXEME = re.compile(r"'((?:[^'\\]|''|\\.)*)'(:\*)?")
# Rare characters of names, code points younger than Python's tables among them.
HAN = "取水许可证核发张三〇々㐀䶿鿿\ufa0e\U00020000\U0002a6dd\U0002b820\U0002ebf0\U00030000\U00031350\U000323af"
written = st.text(
    st.one_of(
        st.sampled_from(HAN),
        st.sampled_from("aZß09Ｘ０ （）、，。《》'\\\"&|!:*()<->\t\n\u3000" + DOTS),
        st.characters(),
    ),
    max_size=40,
)


def read(text: str) -> list[tuple[str, bool]]:
    """The lexemes of a tsvector or tsquery as PostgreSQL reads them, and which are prefixes."""
    rest = LEXEME.sub("", text)
    assert set(rest) <= set(" &"), rest
    return [
        (re.sub(r"\\(.)|''", lambda m: m[1] or "'", found), bool(prefix))
        for found, prefix in LEXEME.findall(text)
    ]


def found(haystack: str, needle: str) -> bool:
    """What PostgreSQL answers to vector(haystack) @@ query(needle)."""
    kept = {token for token, _ in read(vector(haystack))}
    return all(
        any(one.startswith(token) for one in kept) if prefix else token in kept
        for token, prefix in read(query(needle) or "")
    )


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("取水许可证核发", "取水许可证核发"),
        ("ＸＫ００３６", "xk0036"),
        ("  取水　许可 \n 核发 ", "取水 许可 核发"),
        ("《取水许可证》（新办）——审批。", "取水许可证 新办 审批"),
        ("买买提•艾合买提", "买买提艾合买提"),
        ("面积 1.5 亩", "面积 1 5 亩"),
        ("3·15 投诉", "3 15 投诉"),
        ("䶮\U000e0100\ufe00", "䶮"),
        ("许\u200b可\ufeff", "许可"),
        ("⼋一", "八一"),  # a Kangxi radical for a character
        ("①㎡", "1m2"),
        ("’‘'\\\0\ud800", ""),
        ("", ""),
    ],
)
def test_one_writing_for_what_is_read_as_the_same(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize("dot", [*DOTS, ".", " · ", ""])
def test_a_name_is_the_same_with_any_dot_and_with_none(dot: str) -> None:
    assert fold(f"买买提{dot}艾合买提") == "买买提艾合买提"
    assert matches(f"申请人：买买提{dot}艾合买提", "买买提艾合买提")


def test_no_han_character_of_any_plane_is_lost() -> None:
    blocks = (
        range(0x3400, 0x4DC0),
        range(0x4E00, 0xA000),
        range(0xE000, 0xFB00),
        range(0x20000, 0x2FFFE),
        range(0x30000, 0x3FFFE),
    )
    others = "〇々〆〡〹〻⺀⻳㇀" + "".join(map(chr, range(0x2F00, 0x2FD6)))
    lost = [c for block in blocks for c in map(chr, block) if not fold(c)]
    assert [c for c in lost if not 0xFAD9 < ord(c) < 0xFB00] == []  # not assigned
    assert [c for c in others if not fold(c)] == []


def test_folding_what_is_folded_changes_nothing() -> None:
    for start in range(0, sys.maxunicode + 1, 256):
        once = fold(" ".join(map(chr, range(start, start + 256))))
        assert fold(once) == once, hex(start)
        assert not set(once) & set("'\\\0"), hex(start)


@given(written)
def test_folding_any_text_twice_changes_nothing(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert unicodedata.normalize("NFKC", once) == once


def test_the_pairs_of_every_run() -> None:
    assert tokens("取水许可、XK-0036 水") == [
        *("取水", "水许", "许可", "xk", "00", "03", "36", "水"),
    ]
    assert tokens("A座") == ["a座"]
    assert tokens("、。") == []


@given(written, st.data())
@example("取水许可证", None)
def test_the_pairs_of_a_part_are_among_the_pairs_of_the_whole(
    text: str, data: st.DataObject | None
) -> None:
    runs = [run for run in fold(text).split() if len(run) > 1]
    assume(runs)
    whole = set(tokens(text))
    for run in runs:
        if data is None:
            cuts = [(a, b) for a in range(len(run)) for b in range(a + 2, len(run) + 1)]
        else:
            start = data.draw(st.integers(0, len(run) - 2))
            cuts = [(start, data.draw(st.integers(start + 2, len(run))))]
        for start, end in cuts:
            assert set(tokens(run[start:end])) <= whole


@given(st.text(st.sampled_from(HAN + "aZ09Ｘ０ （）、《》\u3000" + DOTS), max_size=30), st.data())
def test_a_part_of_the_text_as_it_was_written_is_found(text: str, data: st.DataObject) -> None:
    """Also cut within a name with a dot, at any width and in any case."""
    start = data.draw(st.integers(0, len(text)))
    part = text[start : data.draw(st.integers(start, len(text)))]
    assume(fold(part))
    assert found(text, part)
    assert matches(text, part)


@given(written, written)
@example("取水许可证", "水 证")
@example("取 水", "取水")
def test_what_matches_is_always_found_first(haystack: str, needle: str) -> None:
    assert not matches(haystack, needle) or found(haystack, needle)


@given(written)
def test_tokens_are_kept_once_and_read_back_as_they_were(text: str) -> None:
    kept = [token for token, prefix in read(vector(text)) if not prefix]
    assert len(kept) == len(set(kept))
    assert set(tokens(text)) <= set(kept)
    vector(text).encode()  # no half of a surrogate pair
    assert "\0" not in vector(text)


@pytest.mark.parametrize("token", ["it's", "''", "a\\b", "\\'", "许可", "a b", "x:*", "!&|"])
def test_a_lexeme_is_read_back_as_it_was(token: str) -> None:
    assert read(lexeme(token)) == [(token, False)]
    assert lexeme("it's\\") == r"'it''s\\'"


def test_the_last_character_of_a_run_is_kept_for_searches_of_one_character() -> None:
    assert vector("取水许可 取水") == "'取水' '水许' '许可' '可' '水'"
    for one in "取水许可":
        assert found("取水许可", one)
    assert not found("取水许可", "证")


def test_a_query_asks_for_every_pair_of_every_word() -> None:
    assert query("取水 许可证、取水") == "'取水' & '许可' & '可证'"
    assert query("张 护照") == "'张':* & '护照'"
    assert query(" 、（）'\\ ") is None
    assert query("") is None


def test_codes_and_pinyin_initials_are_found_by_any_part() -> None:
    text = "取水许可 XK0036 qsxk"
    for part in ("XK0036", "k003", "0036", "QSXK", "sx", "ｘｋ", "6"):
        assert found(text, part)
        assert matches(text, part)


def test_pairs_that_are_not_in_one_piece_are_sorted_out() -> None:
    assert found("许可取水、水许", "取水许可")
    assert not matches("许可取水、水许", "取水许可")


def test_every_word_must_be_there() -> None:
    assert matches("取水许可证核发", "核发 取水")
    assert not matches("取水许可证核发", "取水 变更")
    assert not matches("取水许可证核发", "、")
