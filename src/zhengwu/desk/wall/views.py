"""The wall (监察大屏), the leaders' digest on a phone (领导简报), and the open cases that press.

What all viewers of one reach see is made once for all of them and kept for a few seconds. A screen
asks for the board alone every few seconds and says which one it shows (`If-None-Match`); while
nothing has changed it gets 304. Without script the page comes again by itself.
"""

from __future__ import annotations

from threading import Lock
from typing import cast

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import CITY, Actor, Reach
from zhengwu.desk.entry import desk
from zhengwu.desk.wall import drawing
from zhengwu.domain.refusal import Refusal
from zhengwu.supervision import wall as reading
from zhengwu.supervision.wall import ACT
from zhengwu.web import words
from zhengwu.web.clock import now
from zhengwu.web.kept import Answer, Kept

FRESH = 1.5  # seconds: with a poll every three nothing on a screen is older than five
EVERY, DIGEST_EVERY = 3, 15  # seconds between two looks of a screen, of a phone
RELOAD = 15  # seconds after which a page without script comes again
LONGEST = 100
# (template, table twins instead of pictures) of the boards there are.
BOARD, TABLES, BRIEF = ("board", False), ("board", True), ("brief", False)
_boards = Kept(8 * 1024 * 1024, fresh=FRESH)
_making = Lock()


@require_safe
@desk(ACT)
def wall(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The whole screen. ``?tables=1`` shows tables for pictures; ``?part=1`` is the board alone."""
    tables = bool(request.GET.get("tables"))
    return _page(request, actor, "wall", TABLES if tables else BOARD, EVERY)


@require_safe
@desk(ACT)
def digest(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The same on a phone, the state of things first. ``?part=1`` as above."""
    return _page(request, actor, "digest", BRIEF, DIGEST_EVERY)


def _page(
    request: HttpRequest, actor: Actor, name: str, kind: tuple[str, bool], every: int
) -> HttpResponse:
    answer = _board(reading.reach(actor), reading.acts(actor), reading.shows_people(actor), kind)
    if request.GET.get("part"):
        response = HttpResponse(answer.body)
        response["ETag"] = answer.etag
        # Given a response it answers with one.
        return cast(
            HttpResponse, get_conditional_response(request, etag=answer.etag, response=response)
        )
    context = {
        "actor": actor,
        "board": answer.body.decode(),
        "etag": answer.etag,
        "tables": kind == TABLES,
        "every": every,
        "reload": RELOAD,
        "whole": _whole(reading.reach(actor), actor),
        "weekday": words.WEEKDAYS[words.local(now()).weekday()],
    }
    return render(request, f"desk/wall/{name}.html.j2", context)


def _whole(reach: Reach, actor: Actor) -> str:
    """Of whom the figures are, in words."""
    if reach.everything:
        return "全市"
    return actor.agency_name or "本级"


def _board(reach: Reach, acts: Reach, people: bool, kind: tuple[str, bool]) -> Answer:
    """Kept, or made by the first who asks while the others wait for it."""
    key = (reach, acts, people, kind, words.local(now()).date())
    answer = _boards.get(key)
    if answer is None:
        with _making:
            answer = _boards.get(key) or _boards.put(key, _made(reach, acts, people, kind))
    return answer


def _made(reach: Reach, acts: Reach, people: bool, kind: tuple[str, bool]) -> bytes:
    """Drawn for nobody: what is kept for several holds nothing of a session."""
    name, tables = kind
    nobody = HttpRequest()
    nobody.method = "GET"
    nobody.user = AnonymousUser()
    wall = reading.wall(reach, acts=acts, people=people, at=now())
    context = {**drawing.board(wall), "tables": tables, "people": people}
    return render_to_string(f"desk/wall/{name}.html.j2", context, nobody).encode()


# --- the cases behind -------------------------------------------------------------------------------


@require_safe
@desk(ACT)
def cases(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The open cases that press, the worst first. ``?light=over|red|yellow&district=&after=``"""
    at = now()
    light = request.GET.get("light") or None
    district = request.GET.get("district")
    after = request.GET.get("after", "")
    if any(one and (len(one) > LONGEST or not one.isprintable()) for one in (district, after)):
        raise Refusal("wall.filter", "地址里的条件看不懂。请从大屏上重新点开。")
    region = None if not district else "" if district == "-" else district
    rows = reading.listed(
        reading.reach(actor), people=reading.shows_people(actor), at=at, light=light,
        district=region, after=after, most=reading.PAGE + 1,
    )  # fmt: skip
    shown = rows[: reading.PAGE]
    context = {
        "actor": actor,
        "folder": "wall",
        "rows": shown,
        "further": reading.mark(shown[-1]) if len(rows) > reading.PAGE else "",
        "begun": bool(after),
        "title": f"{_district_zh(region)}{reading.LIGHTS[light] if light else '超期与临期'}的办件",
        "light": light or "",
        "lights": reading.LIGHTS,
        "shapes": drawing.SHAPES,
        "district": district or "",
        "people": reading.shows_people(actor),
        "sees": actor.may("case.see"),
    }
    return render(request, "desk/wall/cases.html.j2", context)


def _district_zh(code: str | None) -> str:
    if code is None:
        return ""
    if code == CITY:
        return "市本级"
    return dict(accounts.regions()).get(code, code) or "没有说明区划的"
