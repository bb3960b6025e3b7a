"""The demo (演示): the city 江城市, its halls, its items, a few simulated cases, and who signs in.

Only under ZHENGWU_DEMO. Every context builds its own part; here they are put together. The
passwords and the token of the demo's own system are made once, stand in
`home/demo_sign_ins.json` (0600) and nowhere else.
"""

from __future__ import annotations

import json
import os
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from zhengwu.config.environment import home
from zhengwu.domain.guide import as_limit

if TYPE_CHECKING:
    from zhengwu.catalog.shipped import Office

SEED = 420100
CASES = 60
CASES_SEED = 7
# Long before any moved demo clock, so that everybody holds their post at every moment of the demo.
IN_OFFICE = datetime(2020, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
# Told apart when read from a screen: without 0 O 1 l I.
LETTERS = ("abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789")
LENGTH = 12

# What people say, and what items are called by.
WORDS = (
    ("开饭店", ("食品经营",)),
    ("开公司", ("公司设立登记",)),
    ("房产证", ("房屋所有权", "不动产")),
    ("过户", ("转移登记",)),
    ("打井", ("取水许可",)),
    ("挖路", ("挖掘城市道路",)),
)
# What the list says, the name to sign in with, the person's code in the city.
CAST = (
    ("市水务局窗口人员", "water-clerk", "p-420100-d16-clerk-a"),
    ("市水务局审查人员", "water-reviewer", "p-420100-d16-reviewer-a"),
    ("市水务局审批人员", "water-approver", "p-420100-d16-approver-a"),
    ("市水务局负责人", "water-head", "p-420100-d16-head-a"),
    ("市水务局法制机构", "water-legal", "p-420100-d16-legal"),
    ("市水务局收费人员", "water-cashier", "p-420100-d16-cashier"),
    ("市市场监督管理局窗口人员", "market-clerk", "p-420100-d23-clerk-a"),
    ("市市场监督管理局审查人员", "market-reviewer", "p-420100-d23-reviewer-a"),
    ("临江区水务局窗口人员", "district-clerk", "p-420102-b16-clerk-a"),
    ("政务服务中心管理人员", "centre-manager", "p-420100-c00-centre-manager"),
    ("政务服务中心管理人员（二）", "centre-manager-2", "p-420100-c00-centre-manager-b"),
    ("政府法制机构（市司法局）", "legal-office", "p-420100-d08-legal-office"),
    ("监察人员", "supervisor", "p-420100-c00-supervisor"),
    ("系统管理员", "system-admin", "p-420100-c00-system-admin"),
    ("安全管理员", "security-admin", "p-420100-c00-security-admin"),
    ("审计管理员", "audit-admin", "p-420100-c00-audit-admin"),
)

# Another system of the water bureau, to try the interface with, and whom it may act for.
SYSTEM, SYSTEM_ZH = "water-demo", "市水务局演示系统"
ACTING = ("p-420100-d16-clerk-a", "p-420100-d16-reviewer-a", "p-420100-d16-approver-a")


@dataclass(frozen=True, slots=True)
class SignIn:
    """A demo sign-in: the role in Chinese, the name to sign in with, the password."""

    role: str
    username: str
    password: str


def _file() -> Path:
    return home() / "demo_sign_ins.json"


def _opened() -> bool:
    """Whether this database is complete: the sign-ins are opened last, in one transaction."""
    from zhengwu.accounts import city

    return city.can_sign_in({username for _, username, _ in CAST})


def loaded(*, at: datetime | None = None) -> bool:
    """Whether the city stands in this database, its sign-ins in this home folder, and the token that
    stands there holds (at a moment; None: now)."""
    return _file().exists() and _opened() and _connected(_file(), at=at)


def load(say: Callable[[str], None], *, progress: Callable[[int, int], None] | None = None) -> None:
    """Build what is missing, at the present moment of the demo. progress: cases made, of how many."""
    from zhengwu.web.clock import now

    build(at=now(), say=say, progress=progress)


def build(
    *,
    at: datetime,
    say: Callable[[str], None] = lambda line: None,
    cases: int = CASES,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[SignIn, ...]:
    """City, halls, items, `cases` simulated cases, sign-ins; a second run changes nothing.

    Where only the file of passwords is lost, new ones are made.
    """
    if not _opened():
        _build(at=at, say=say, cases=cases, progress=progress)
    return _open(at=at)


def _build(
    *,
    at: datetime,
    say: Callable[[str], None],
    cases: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    from django.db import transaction

    from zhengwu.accounts import city
    from zhengwu.calendars import services as calendars
    from zhengwu.cases import simulate
    from zhengwu.catalog import shipped
    from zhengwu.halls import services as halls
    from zhengwu.ledger import services as ledger

    calendars.load_shipped(at=IN_OFFICE)
    new = city.build_city(seed=SEED, at=IN_OFFICE)
    with transaction.atomic():
        for hall in city.halls():
            halls.add_hall(
                hall.code, name=hall.name, region=hall.region, address=hall.address,
                hours=city.HOURS,
            )  # fmt: skip
            for window, agency, name in hall.windows:
                halls.add_window(window, hall=hall.code, agency=agency, name=name)
    say(f"  区域、机构、岗位、人员：新建 {new} 条。")
    offices, below = offices_of_the_city()
    report = shipped.import_items(
        agencies=city.department_codes(), at=at, offices=offices, below=below,
        own_words=_own_words,
    )  # fmt: skip
    say(
        f"  事项：现行有效 {report.in_force} 项，已取消 {report.retired} 项，"
        f"没有通过 {report.count('refused')} 项。"
    )
    say(f"  事项变更：{_changes(at=at)} 份在办；同义词：{_words(at=at)} 个。")
    papers = _authorise(at=at)
    say(f"  书面授权：{papers} 份。")
    # As many again for the two bureaus whose people can sign in, so that their desks have work.
    codes = city.department_codes()
    busy = (codes["市水务局"], codes["市市场监督管理局"])
    for turn, agencies in enumerate((None, busy)):

        def made(count: int, before: int = turn * cases) -> None:
            if progress:
                progress(before + count, 2 * cases)

        result = simulate.run(
            cases, seed=CASES_SEED + turn, at=at, agencies=agencies, progress=made
        )  # fmt: skip
        say(f"  模拟办件：{result.cases} 件。")
        for code, count in sorted(result.refused.items()):
            say(f"  模拟时被拒绝 {code}：{count} 次。")
    ledger.catch_up()


def offices_of_the_city() -> tuple[dict[str, Office], dict[str, list[Office]]]:
    """Where every department and bureau does its items; department → the bureaus it guides."""
    from zhengwu.accounts import city
    from zhengwu.catalog.shipped import Office
    from zhengwu.web.jinja import SITE

    halls = {hall.code: hall for hall in city.halls()}

    def office(agency: str, name: str, hall: str, window: str | None, seat: str) -> Office:
        plan = halls[hall]
        return Office(
            agency=agency, region=plan.region, name=name, uscc=city.uscc(agency),
            place=f"{plan.address} {plan.name} {window} 窗口" if window else "",
            hours=city.HOURS, phone=SITE.hotline, court=f"{seat}人民法院",
            review_body=f"{city.NAME if plan.region == city.CITY else seat}人民政府",
        )  # fmt: skip

    first = city.NAME + city.districts()[0].name
    offices = {
        one.code: office(one.code, one.full_name, city.HALL, one.window, first)
        for one in city.departments()
    }
    below: dict[str, list[Office]] = {}
    for one in city.bureaus():
        if one.parent and one.window:
            seat = city.NAME + one.district.name
            below.setdefault(one.parent, []).append(
                office(one.code, one.name, one.district.hall, one.window, seat)
            )
    return offices, below


def _own_words(city: Mapping[str, Any], office: Office) -> dict[str, Any]:
    """Now and then a district promises less time, asks for a paper less or waives a fee."""
    chance = random.Random(f"{SEED} {office.agency} {city['name']}")  # noqa: S311 - a made-up city
    own: dict[str, Any] = {}
    promised = city.get("promised", {})
    if promised.get("unit") == "working_day" and promised["value"] >= 4 and chance.random() < 0.12:
        own["promised"] = {**promised, "value": promised["value"] * chance.choice((5, 6, 8)) // 10}
    if len(city.get("materials", ())) >= 3 and chance.random() < 0.05:
        own["materials"] = city["materials"][:-1]
    if city.get("fees") and chance.random() < 0.1:
        own["fees"] = []
    return own


def _changes(*, at: datetime) -> int:
    """A shorter promise on its way, and a draft on somebody's desk; a second run finds them."""
    from dataclasses import replace

    from zhengwu.accounts import queries as accounts
    from zhengwu.catalog import changes
    from zhengwu.catalog import queries as catalog

    made = 0
    force = at.astimezone(IN_OFFICE.tzinfo).date() + timedelta(days=30)
    for item, who, days, submitted in (
        ("C.XK0036", "p-420100-d16-reviewer-a", 15, True),
        ("C.XK0057", "p-420100-d23-reviewer-a", 10, False),
    ):
        found, actor = catalog.in_force(item, at.date()), accounts.actor(who)
        if found is None or found.promised is None or found.promised.value <= days:
            continue
        key = f"demo:{item}"
        change = changes.one(actor, changes.begin(actor, item=item, key=key, at=at))
        if change.state == "drafting" and change.version == 1:
            shorter = replace(found.promised, value=days)
            own = {**change.own, "promised": as_limit(shorter)}
            revision = changes.Revision(own=own, since=force, transition=True)
            change = changes.revise(
                actor, change.id, revision, version=1, key=f"{key}:revised", at=at
            )
        if submitted and change.state == "drafting":
            changes.step(
                actor, [change.id], "submitted", changes.Given(), key=f"{key}:submitted", at=at
            )
        made += 1
    return made


def _words(*, at: datetime) -> int:
    """The first words of the centre's list; those that stand are left alone."""
    from zhengwu.accounts import city
    from zhengwu.accounts import queries as accounts
    from zhengwu.catalog import words

    actor = accounts.actor(f"p-{city.CENTRE.lower()}-centre-manager")
    there = {one.word for one in words.listed()}
    for word, means in WORDS:
        if word not in there:
            words.add(actor, word, means, at=at)
    return len(words.listed())


def _authorise(*, at: datetime) -> int:
    """Every head lets both people at the window decide the organ's immediate items (书面授权).

    A second run finds its own keys. Returns how many papers there are.
    """
    from itertools import groupby

    from zhengwu.accounts import queries as accounts
    from zhengwu.catalog import authorisations
    from zhengwu.catalog import queries as catalog

    immediate = sorted(
        (one for one in catalog.all_in_force(at.date()) if one.kind == "immediate"),
        key=lambda one: (one.agency, one.code),
    )
    papers = 0
    for agency, items in groupby(immediate, key=lambda one: one.agency):
        staff = accounts.window_staff(agency)
        if not staff:
            continue
        head = accounts.actor(f"p-{agency.lower()}-head-a")
        short = row.short if (row := accounts.agency(agency)) else ""
        listed = list(items)
        for held in staff:
            drafts = [
                authorisations.Draft(
                    agency=agency,
                    hall=held.hall,
                    window=held.window,
                    item=item.code,
                    person=held.person,
                    powers=frozenset(authorisations.POWERS_ZH),
                    since=IN_OFFICE.date(),
                    until=None,
                    number=f"{short}授〔{IN_OFFICE.year}〕1号",
                )
                for item in listed
            ]
            key = f"demo:{held.person}"
            papers += len(authorisations.issue_all(head, drafts, key=key, at=at))
    return papers


def _open(*, at: datetime) -> tuple[SignIn, ...]:
    """Open the sign-ins with the passwords of the file, and a token; it is made the first time."""
    from django.db import transaction

    from zhengwu.accounts import services

    path = _file()
    known = path.exists()
    if not known:
        _write(path, [asdict(SignIn(role, name, _password())) for role, name, _ in CAST])
    given = _read(path)
    if not (known and _opened()):
        with transaction.atomic():
            for one, (_, _, person) in zip(given, CAST, strict=True):
                services.open_sign_in(person, username=one.username, password=one.password)
    if not _connected(path, at=at):
        _connect(path, at=at)
    return given


def _connected(path: Path, *, at: datetime | None) -> bool:
    """Whether the token of the file holds."""
    from zhengwu.accounts import systems
    from zhengwu.web.clock import now

    held = system(path)
    return held is not None and systems.bearer(held["token"], at=at or now()) is not None


def _connect(path: Path, *, at: datetime) -> None:
    """Register the demo's system; a new token for it, in the file; those of before are revoked."""
    from uuid import uuid4

    from zhengwu.accounts import queries as accounts
    from zhengwu.accounts import systems
    from zhengwu.accounts.scopes import SCOPES

    by = accounts.actor("p-420100-c00-security-admin")
    id = systems.register(
        by, code=SYSTEM, name=SYSTEM_ZH, agency=str(accounts.actor(ACTING[0]).agency),
        role="agency_system", place="", key=f"demo:{SYSTEM}", at=at,
    )  # fmt: skip
    row = systems.system(by, id, at=at)
    for old in row.valid if row else ():
        systems.revoke(by, old.id, key=str(uuid4()), at=at)
    issued = systems.issue(
        by, id, scopes=SCOPES, days=systems.LONGEST, key=str(uuid4()), at=at
    )  # fmt: skip
    entry = {
        "role": f"接入系统：{SYSTEM_ZH}", "system": SYSTEM, "token": issued.secret,
        "acting_persons": list(ACTING),
    }  # fmt: skip
    _write(path, [*(asdict(one) for one in _read(path)), entry])


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Complete or not at all: a start that is broken off leaves no half file behind."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(rows, file, ensure_ascii=False, indent=1)
    draft.rename(path)


def _password() -> str:
    """Drawn until every kind of letter is in it, as the rules for passwords ask."""
    while True:
        made = "".join(secrets.choice("".join(LETTERS)) for _ in range(LENGTH))
        if all(set(made) & set(kind) for kind in LETTERS):
            return made


def _read(path: Path) -> tuple[SignIn, ...]:
    return tuple(SignIn(**one) for one in json.loads(path.read_text("utf-8")) if "username" in one)


def system(path: Path | None = None) -> dict[str, Any] | None:
    """The entry of the demo's system in the file: `system`, `token`, `acting_persons`."""
    path = path or _file()
    if not path.exists():
        return None
    rows: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return next((one for one in rows if "token" in one), None)


def who_may_sign_in() -> tuple[SignIn, ...]:
    """The sign-ins of this home folder; none where their file is lost."""
    return _read(_file()) if _file().exists() else ()


def sign_ins() -> str:
    """Who may sign in, one a line: role, name, password."""
    if not _file().exists():
        return "演示账号的密码文件不见了。请运行 zhengwu demo 重新生成。"
    lines = [f"{'角色':\u3000<14}{'登录名':\u3000<9}密码"]
    lines += [f"{one.role:\u3000<14}{one.username:<18}{one.password}" for one in _read(_file())]
    if held := system():
        lines.append(f"{held['role']:\u3000<14}令牌 {held['token']}")
        lines.append(
            "接口怎么用：网址 /api/v1/docs；代办人员见 demo_sign_ins.json 的 acting_persons。"
        )
    return "\n".join(lines)
