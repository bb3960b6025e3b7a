"""The door of a web process in a rush: who is let in, who waits, who is told to come again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import OperationalError, connection, connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory, override_settings
from psycopg import errors

from zhengwu.config import overload
from zhengwu.config.overload import ACT, DOWNLOAD, PAGE, Admit, Busy, Gate

SOON = 10.0  # seconds after which a test has failed
factory = RequestFactory()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


class Line:
    """People who come to a gate one after another, each in a thread; `served` is their order."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.served: list[str] = []
        self.away: list[int] = []
        self.threads: list[threading.Thread] = []

    def comes(self, name: str, kind: float) -> None:
        waiting = self.gate.waiting

        def go() -> None:
            try:
                seat = self.gate.enter(kind)
            except Busy as busy:
                self.away.append(busy.seconds)
                return
            self.served.append(name)
            self.gate.leave(seat)

        thread = threading.Thread(target=go)
        thread.start()
        self.threads.append(thread)
        until(lambda: self.gate.waiting > waiting or not thread.is_alive())

    def all_gone(self) -> None:
        for one in self.threads:
            one.join(SOON)
            assert not one.is_alive()


def test_an_act_goes_before_a_page_and_a_page_before_an_export() -> None:
    gate = Gate(seats=1, line=10, patience=SOON)
    seat = gate.enter(PAGE)
    line = Line(gate)
    for name, kind in (("export", DOWNLOAD), ("page", PAGE), ("act", ACT), ("act 2", ACT)):
        line.comes(name, kind)
    gate.leave(seat)
    line.all_gone()
    assert line.served == ["act", "act 2", "page", "export"]
    assert gate.waiting == 0


def test_nothing_steps_in_front_of_what_has_waited_longer_than_that() -> None:
    moment = [0.0]
    gate = Gate(seats=1, line=10, patience=SOON, clock=lambda: moment[0])
    seat = gate.enter(PAGE)
    line = Line(gate)
    line.comes("page", PAGE)
    line.comes("export", DOWNLOAD)
    moment[0] = 6.0
    line.comes("act", ACT)
    gate.leave(seat)
    line.all_gone()
    assert line.served == ["page", "export", "act"]


def test_exports_leave_half_of_the_seats_to_the_others() -> None:
    gate = Gate(seats=4, line=10, patience=SOON)
    first, second = gate.enter(DOWNLOAD), gate.enter(DOWNLOAD)
    line = Line(gate)
    line.comes("third export", DOWNLOAD)
    page = gate.enter(PAGE)  # two seats are free, and at once
    assert line.served == []
    gate.leave(page)
    assert line.served == []
    gate.leave(first)
    line.all_gone()
    assert line.served == ["third export"]
    gate.leave(second)


def test_whoever_would_wait_too_long_is_told_so_at_once_and_when_to_come_again() -> None:
    gate = Gate(seats=1, line=100, patience=2.0)
    gate.mean = 0.9
    seat = gate.enter(PAGE)
    line = Line(gate)
    line.comes("first", PAGE)
    line.comes("second", PAGE)
    began = time.monotonic()
    with pytest.raises(Busy) as found:
        gate.enter(PAGE)  # the third would be served after 2.7 seconds
    assert time.monotonic() - began < 1
    assert found.value.seconds == 3
    gate.leave(seat)
    line.all_gone()
    assert line.served == ["first", "second"]


def test_the_line_has_an_end_and_patience_too() -> None:
    gate = Gate(seats=1, line=1, patience=0.2)
    seat = gate.enter(ACT)
    line = Line(gate)
    line.comes("waits in vain", ACT)
    with pytest.raises(Busy):
        gate.enter(ACT)
    line.all_gone()
    assert line.away == [1]
    gate.leave(seat)  # the one who has gone is passed over
    assert gate.waiting == 0
    gate.leave(gate.enter(PAGE))


def test_no_seat_is_lost_when_many_come_and_go() -> None:
    gate = Gate(seats=3, line=40, patience=0.02)
    busy, most, counts = [0], [0], [0, 0]
    lock = threading.Lock()

    def go(n: int) -> None:
        for turn in range(60):
            try:
                seat = gate.enter((ACT, PAGE, DOWNLOAD)[(n + turn) % 3])
            except Busy:
                counts[1] += 1
                continue
            with lock:
                busy[0] += 1
                most[0] = max(most[0], busy[0])
            time.sleep(0.0005)
            with lock:
                busy[0] -= 1
                counts[0] += 1
            gate.leave(seat)

    crew = [threading.Thread(target=go, args=(n,)) for n in range(24)]
    for one in crew:
        one.start()
    for one in crew:
        one.join(60)
    assert most[0] <= 3
    assert counts[0] > 0
    assert gate.waiting == 0
    assert len(gate._free) == 3
    assert gate._loading == 0


# --- the middleware -------------------------------------------------------------------------------


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ZHENGWU_SERVED", "1")
    with override_settings(WEB_AT_ONCE=1, WEB_LINE=1, WEB_PATIENCE=1):
        yield


def shut(admit: Admit) -> None:
    """Somebody sits on the only seat, and the line is full."""
    admit.gate.enter(PAGE)
    admit.gate.most = 0


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"done")


def test_where_granian_does_not_serve_there_is_no_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZHENGWU_SERVED", raising=False)
    with pytest.raises(MiddlewareNotUsed):
        Admit(plain)


def test_a_program_is_told_503_in_its_own_words(served: None) -> None:
    admit = Admit(plain)
    shut(admit)
    answer = admit(factory.post("/api/v1/cases"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert answer["Content-Type"] == "application/problem+json"
    told = json.loads(answer.content)  # type: ignore[attr-defined]
    assert (told["code"], told["status"]) == ("server.busy", 503)
    assert "什么都没有办" in told["detail"]


def test_a_person_is_told_503_on_a_page_that_loads_nothing(served: None) -> None:
    admit = Admit(plain)
    shut(admit)
    answer = admit(factory.get("/desk/"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    text = answer.content.decode()  # type: ignore[attr-defined]
    assert "请 1 秒后再试" in text
    assert '<html lang="zh-Hans">' in text
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_whoever_asks_whether_we_live_never_waits(served: None) -> None:
    admit = Admit(plain)
    shut(admit)
    for path in ("/healthz", "/readyz", "/metrics", "/static/zw/zw.css"):
        assert admit(factory.get(path)).status_code == 200


def test_the_seat_is_free_again_whatever_happened(served: None) -> None:
    def breaks(request: HttpRequest) -> HttpResponse:
        raise RuntimeError

    admit = Admit(breaks)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            admit(factory.get("/desk/"))
    admit.get_response = plain
    assert admit(factory.get("/desk/")).status_code == 200


@pytest.mark.usefixtures("db")
def test_threads_share_the_connections_of_the_seats(served: None) -> None:
    sessions: list[tuple[int, str, str]] = []

    def asks(request: HttpRequest) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
            cursor.execute("SHOW statement_timeout")
            (statement,) = cursor.fetchone()
            cursor.execute("SHOW lock_timeout")
            (lock,) = cursor.fetchone()
        sessions.append((pid, statement, lock))
        return HttpResponse(b"")

    admit = Admit(asks)
    for _ in range(4):
        thread = threading.Thread(target=admit, args=(factory.get("/desk/"),))
        thread.start()
        thread.join(SOON)
    assert len(sessions) == 4
    assert set(sessions) == {(sessions[0][0], "30s", "10s")}
    admit.gate._free[0].connection.close()


@pytest.mark.usefixtures("db")
def test_a_streamed_answer_keeps_its_seat_until_it_is_taken_or_left(served: None) -> None:
    def streams(request: HttpRequest) -> StreamingHttpResponse:
        def pieces() -> Iterator[bytes]:
            for n in range(3):
                with connection.cursor() as cursor:
                    cursor.execute("SELECT %s::text", [n])
                    yield cursor.fetchone()[0].encode()

        return StreamingHttpResponse(pieces())

    admit = Admit(streams)
    free = admit.gate._free
    whole = admit(factory.get("/desk/list.csv"))
    assert free == []
    assert b"".join(whole) == b"012"
    assert len(free) == 1
    whole.close()
    assert len(free) == 1
    left = admit(factory.get("/desk/list.csv"))
    assert next(iter(left)) == b"0"
    assert free == []
    left.close()
    assert len(free) == 1
    untouched = admit(factory.get("/desk/list.csv"))
    untouched.close()
    assert len(free) == 1
    free[0].connection.close()
    assert "default" not in {one.alias for one in connections.all(initialized_only=True)}


def test_what_the_database_gave_up_is_a_rush_too(served: None) -> None:
    admit = Admit(plain)
    for cause in (errors.QueryCanceled(), errors.LockNotAvailable(), errors.TooManyConnections()):
        problem = OperationalError()
        problem.__cause__ = cause
        answer = admit.process_exception(factory.get("/desk/"), problem)
        assert answer is not None
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert admit.process_exception(factory.get("/desk/"), ValueError()) is None


def test_acts_are_those_of_whoever_is_known() -> None:
    act = factory.post("/desk/cases/JC1/acts/accepted")
    assert overload.kind_of(act) == PAGE
    act.COOKIES[settings.SESSION_COOKIE_NAME] = "x"
    assert overload.kind_of(act) == ACT
    bearer = factory.post("/api/v1/cases", headers={"authorization": "Bearer x"})
    assert overload.kind_of(bearer) == ACT
    assert overload.kind_of(factory.get("/desk/")) == PAGE
    for path in ("/api/v1/cases/export", "/desk/list.csv", "/desk/catalogue/download"):
        assert overload.kind_of(factory.get(path)) == DOWNLOAD
