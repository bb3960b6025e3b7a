"""Legal bases (设定依据) read into citations, and statutes cut into their articles.

`parse` finds in a text each law with the articles named after it, and where it stands, so that a
page can link that piece and print the rest as it is. `split_law` gives the text of each article.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from zhengwu.domain.refusal import Refusal

# An article: 42, or (120, 1) for one put in later (第一百二十条之一).
Article = int | tuple[int, int]

DIGITS = "零一二三四五六七八九"
HIGHEST = 9999  # 民法典, the longest statute in force, has 1260 articles
LONGEST_RANGE = 300  # a range over more articles is a slip of the pen: only its ends are taken


@dataclass(frozen=True, slots=True)
class Citation:
    """A law and the articles cited (引用). text is original[start:end].

    law: its name without 《》 and 中华人民共和国, or the number of the order that made it.
    article: the first of articles, None where the whole law is cited.
    edition: what a bracket beside it says of it ("2019修正", "583号"), "" where nothing.
    """

    text: str
    law: str
    article: Article | None
    articles: tuple[Article, ...]
    start: int
    end: int
    edition: str = ""


def number_zh(value: int) -> str:
    """A number in the characters statutes use: 42 is 四十二, 101 is 一百零一, 110 is 一百一十."""
    if not 0 <= value <= HIGHEST:
        raise Refusal("citation.number", f"条款号应在 0 到 {HIGHEST} 之间。请核对。")
    if value < 10:
        return DIGITS[value]
    written, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // unit % 10
        if digit:
            written += ("零" if gap else "") + DIGITS[digit] + name
            gap = False
        elif written:
            gap = True
    return written.removeprefix("一") if value < 20 else written


def number(text: str) -> int:
    """The number written in characters or figures: 四十二, 一百零一, 二〇, 42, ４２."""
    value = _value(text)
    if value is None:
        raise Refusal("citation.number", "这不是条款号。请写成“四十二”或者“42”。")
    return value


def _value(text: str) -> int | None:
    if re.fullmatch(r"\d{1,4}", text):
        return int(text)
    plain = text.translate({ord("〇"): "零", ord("○"): "零", ord("两"): "二"})
    if re.fullmatch(f"[{DIGITS}]{{1,4}}", plain):  # 二〇, figure by figure
        return int("".join(str(DIGITS.index(c)) for c in plain))
    figure = f"[{DIGITS[1:]}]"
    found = re.fullmatch(
        rf"(?:({figure})千)?零?(?:({figure})百)?零?(?:({figure})?(十))?零?({figure})?", plain
    )
    if found is None or not any(found.groups()):
        return None
    thousands, hundreds, tens, ten, ones = found.groups()
    return (
        1000 * _figure(thousands)
        + 100 * _figure(hundreds)
        + (10 * (_figure(tens) or 1) if ten else 0)  # 十五 is 一十五
        + _figure(ones)
    )


def _figure(character: str | None) -> int:
    return DIGITS.index(character) if character else 0


def article_zh(article: Article) -> str:
    """第四十二条; 第一百二十条之一."""
    if isinstance(article, int):
        return f"第{number_zh(article)}条"
    return f"第{number_zh(article[0])}条之{number_zh(article[1])}"


HAN = "\u3400-\u9fff"
NUM = r"(?:\d{1,4}|[〇○零一二两三四五六七八九十百千]{1,9})"
TO = r"\s*[-\uff0d\u2010-\u2015~\uff5e至到]\s*"
AND = r"\s*[、,，和及与或]\s*"
NUMBERS = rf"{NUM}(?:(?:{TO}|{AND}){NUM})*"
INSERT = rf"之{NUM}(?![款项目])"
# 第二款, 第（三）项, 第一、二项; and the same again after 、.
PARAGRAPH = rf"(?:{AND})?第\s*[（(]?{NUM}[）)]?(?:(?:{TO}|{AND}){NUM})*\s*[款项目]"
ONE = rf"第\s*{NUMBERS}\s*条(?:{INSERT})?(?:{PARAGRAPH})*起?"
ARTICLES = rf"{ONE}(?:(?:{TO}|{AND}){ONE})*"
WHERE = rf"(?:{ARTICLES}|第\s*{NUM}\s*项)"
BRACKET = r"[（(][^（）()]{0,200}[）)]"

ENDS = "法典|法|条例|办法|规定|细则|规则|决定|通则|规程"
QUOTED = r"《[^《》]*(?:[《〈][^《》〈〉]*[》〉][^《》]*)?》"
ORDER = rf"[{HAN}]{{1,20}}?令\s*第?\s*(?:\d+(?:/\d+)*|{NUM})\s*号"
LETTER = rf"[{HAN}]{{1,12}}[〔\[［（(【]\d{{4}}[〕\]］）)】]\s*\d+\s*号"
# As short as it can be, but 招标投标法实施条例 is not 招标投标法.
NAME = rf"[{HAN}]{{1,60}}?(?:{ENDS})(?=\s*第\s*{NUM}|[^{HAN}]|$)"
CITED = re.compile(
    rf"(?:(?P<quoted>{QUOTED})|(?P<order>{ORDER})|(?P<letter>{LETTER})"
    rf"|(?P<name>{NAME})(?P<no>\d+号)?)"
    rf"(?P<bracket>\s*{BRACKET})?(?P<where>\s*{WHERE})?"
)
# A piece without a name of its own goes on with the law before it: 行政许可法 第42条; 第43条.
GOES_ON = re.compile(rf"(?<=[;；。、\n])[ \t\u3000]*(?P<where>{ARTICLES})")
# What a sentence puts before a law: 申请人依照行政许可法.
LEADS = re.compile("^.*(?:依照|依据|根据|按照|参照|违反|现行)")
LINKS = re.compile("^(?:以及|或者|和|及|与|或)")
THOSE = re.compile("^.*的")
SAME = re.compile(rf"^(?:本|该|同|上述|前述)(?:{ENDS})$")
VAGUE = re.compile(
    "(?:国务院|政府|国家|有关|相关|法律|法规|部门|上级|另有|其他|省|市)(?:规定|决定|办法|规则)$"
)
EDITION = re.compile(
    rf"\s*[（(]\s*((?:19|20)\d{{2}}[^（）()]{{0,80}}|[^（）()]{{0,80}}?{NUM}\s*号)\s*[）)]"
)
SEPARATORS = ";；、\n"
CLOSES = re.compile(rf"\s*(?:$|[{SEPARATORS}(（])")


def parse(text: str) -> tuple[Citation, ...]:
    """The citations in `text`, in order; they do not overlap. What names no law is none."""
    found: list[Citation] = []
    at = 0
    while at < len(text):
        last = found[-1] if found else None
        cited = CITED.search(text, at)
        onward = GOES_ON.search(text, at, cited.start() if cited else len(text)) if last else None
        if last and onward:
            one = _citation(text, last.law, onward.span("where"), onward["where"], last.edition)
        elif cited:
            read = _read(text, cited, last)
            at = cited.end()
            if read is None:
                continue
            one = read
        else:
            break
        found.append(one)
        at = one.end
    return tuple(found)


def pieces(text: str) -> tuple[str | Citation, ...]:
    """`text` as a page prints it: plain pieces and citations, with nothing lost between them."""
    parts: list[str | Citation] = []
    at = 0
    for one in parse(text):
        if one.start > at:
            parts.append(text[at : one.start])
        parts.append(one)
        at = one.end
    if at < len(text):
        parts.append(text[at:])
    return tuple(parts)


def _read(text: str, cited: re.Match[str], last: Citation | None) -> Citation | None:
    """The citation of one match; None where the words look like a law and are none."""
    where, bracket = cited["where"] or "", cited["bracket"] or ""
    start = cited.start()
    if cited["quoted"]:
        name = cited["quoted"][1:-1]
        if not where and not re.search(rf"(?:{ENDS})(?:{BRACKET})?$", name):
            return None  # 《营业执照》
    else:
        said = cited["name"] or cited["order"] or cited["letter"]
        name = _name(said, after_another=last is not None and last.end == start)
        start += len(said) - len(name)
    if cited["name"]:
        if SAME.match(name):  # 本法 is the law named before, if there is one
            if last is None or not where:
                return None
            return _citation(text, last.law, (start, cited.end()), where, last.edition)
        if not where and not cited["no"] and not _stands_alone(text, cited, name):
            return None
    edition = EDITION.fullmatch(bracket)
    end = cited.end() if where or edition else cited.end() - len(bracket)
    own = EDITION.search(name)  # 《…条例（2017修订）》
    after = EDITION.match(text, end) if where else None  # 第22条(2018修正)
    told = next((one[1] for one in (edition, own, after) if one), cited["no"] or "")
    return _citation(text, name[: own.start()] if own else name, (start, end), where, told)


def _name(said: str, *, after_another: bool) -> str:
    """The name of a law without the words a sentence puts before it; 已取得的 is such a word too."""
    name = said
    for words, fewest in ((LEADS, 2), (LINKS, 2), (THOSE, 3)):
        lead = words.match(name)
        if lead and len(name) - lead.end() >= fewest and (after_another or words is not LINKS):
            name = name[lead.end() :]
    return name


def _stands_alone(text: str, cited: re.Match[str], name: str) -> bool:
    """Whether a name fills its piece; else only its last syllable would say that it is a law."""
    before = cited.start()
    while before and text[before - 1] in " \t\u3000":
        before -= 1
    opens = before == 0 or text[before - 1] in SEPARATORS
    closes = CLOSES.match(text, cited.end("name"))
    return opens and closes is not None and "的" not in name and not VAGUE.search(name)


def _citation(text: str, law: str, span: tuple[int, int], where: str, edition: str) -> Citation:
    start, end = span
    articles = tuple(dict.fromkeys(_articles(where)))
    return Citation(
        text[start:end],
        law.removeprefix("中华人民共和国"),
        articles[0] if articles else None,
        articles,
        start,
        end,
        edition.strip(),
    )


def _articles(where: str) -> Iterator[Article]:
    """Every article that 第9-11条、第十四条第二款 names; paragraphs and items are not articles."""
    last, end = 0, 0
    for one in re.finditer(rf"第\s*({NUMBERS})\s*条(?:之({NUM})(?![款项目]))?", where):
        numbers = [value for value in _numbers(one[1]) if value]
        if not numbers:
            continue
        if last and re.fullmatch(f"起?{TO}", where[end : one.start()]):  # 第九条至第十一条
            yield from _between(last, numbers[0])
        insert = _value(one[2]) if one[2] else None
        yield from numbers[:-1] if insert else numbers
        if insert:
            yield numbers[-1], insert
        last, end = numbers[-1], one.end()


def _numbers(text: str) -> Iterator[int]:
    """9、12 and 9-11 and 9-11、14; 0 for what is no number."""
    for one in re.split(AND, text):
        ends = [_value(end) or 0 for end in re.split(TO, one)]
        yield ends[0]
        for low, high in itertools.pairwise(ends):
            yield from _between(low, high)
            yield high


def _between(low: int, high: int) -> range:
    return range(low + 1, high) if low and high - low <= LONGEST_RANGE else range(0)


# 第四十二条 and then a space: in 第四十二条规定的 a line only happens to begin with a reference.
HEAD = re.compile(rf"[\s#>*]*第({NUM})条(?:之({NUM}))?\**(?:[ \t\u3000\u00a0]+|(?=【)|$)")
TITLE = re.compile(rf"\s*(?:#|第{NUM}[编章节](?:[\s\u3000]|$))")

INVISIBLE = dict.fromkeys((0x200B, 0x2060, 0xFEFF))  # copied along from a page, or a mark of order


def split_law(text: str) -> dict[Article, str]:
    """The articles of a statute (法条), in order, each with all its paragraphs, without its number.

    Title, history, table of contents and the headings of parts, chapters and sections are left
    out, and so is what follows a heading without being an article (an annex).
    """
    articles: dict[Article, list[str]] = {}
    current: list[str] | None = None
    last = (0, 0)
    for line in text.translate(INVISIBLE).splitlines():
        head = HEAD.match(line)
        key = ((_value(head[1]) or 0), (_value(head[2] or "") or 0)) if head else last
        if head and key > last:  # what does not come after the one before is a reference to it
            last = key
            current = articles[key if key[1] else key[0]] = [line[head.end() :].strip()]
        elif TITLE.match(line):
            current = None
        elif current is not None and line.strip():
            current.append(line.strip())
    return {key: "\n".join(lines).strip() for key, lines in articles.items()}
