"""Who asks the interface (接口调用者): a system by its token, for itself or for somebody.

Every operation names its `Door`. A system shows `Authorization: Bearer zw_…`; whoever acts is named
by `X-Acting-Person`, and is responsible for the act like at the desk. Staff who are signed in may
read with their session. What an operation gets is a `Caller`; sight and rights are then asked of
its actor by the same services and the same filter as for the pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.http import HttpRequest

from zhengwu.accounts import queries, systems
from zhengwu.accounts.queries import Actor
from zhengwu.accounts.scopes import READING, SCOPES
from zhengwu.accounts.systems import Bearer
from zhengwu.domain.refusal import Refusal
from zhengwu.web import problems, throttle
from zhengwu.web.clock import now

PERSON = "X-Acting-Person"
KEY = "Idempotency-Key"
MINUTE = timedelta(minutes=1)
SCHEME = "Token"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. system: None for staff with a session."""

    actor: Actor
    scopes: frozenset[str]
    system: UUID | None

    def sees_applicants(self) -> bool:
        return "cases.applicant" in self.scopes


class Door:
    """Lets in whoever has one of these scopes; none named: any valid token.

    Raises Refused: 401 (no token, or none that holds), 403 (none of the scopes, or nobody to act
    for), 429 (too often).
    """

    def __init__(self, *scopes: str) -> None:
        for scope in scopes:
            assert scope in SCOPES, scope
        self.scopes = scopes
        self.person = any(SCOPES[one].person for one in scopes)
        # The library writes this into the description of the operation.
        self.openapi_security_schema = {"type": "http", "scheme": "bearer"}
        self.openapi_name = SCHEME

    def __call__(self, request: HttpRequest) -> Caller:
        at = now()
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if not secret:
            return self._session(request)
        bearer = systems.bearer(secret.strip(), at=at) if kind.lower() == "bearer" else None
        if bearer is None:
            raise _unknown("令牌不对、已经过期或者已被撤销。请向安全管理员申请新的令牌。")
        _not_too_often(bearer)
        if self.scopes and not bearer.scopes & set(self.scopes):
            raise problems.Refused(
                403,
                "api.scope",
                f"这个令牌没有所需的权限：{' 或 '.join(self.scopes)}"
                f"（{SCOPES[self.scopes[0]].zh}）。请向安全管理员申请。",
            )
        return Caller(self._actor(request, bearer), bearer.scopes, bearer.system)

    def _actor(self, request: HttpRequest, bearer: Bearer) -> Actor:
        person = request.headers.get(PERSON, "")
        if not person:
            if self.person:
                raise problems.Refused(
                    403,
                    "api.person",
                    f"请在请求头 {PERSON} 里写代哪位工作人员办理（人员代码）：每一步都要有人负责。",
                )
            return bearer.actor
        if len(person) > 40 or not person.isprintable():
            found = None
        else:
            found = systems.acting(bearer, person, at=now())
        if found is None:
            raise problems.Refused(
                403,
                "api.person",
                f"请求头 {PERSON} 里的人员不在这个系统可以代办的范围之内。请核对人员代码。",
            )
        return found

    def _session(self, request: HttpRequest) -> Caller:
        """Staff at a browser read with their session; they write by the pages, which guard forms."""
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            raise _unknown("请在请求头 Authorization 里写 Bearer 和令牌。令牌由安全管理员签发。")
        if request.method not in ("GET", "HEAD"):
            raise _unknown("登录的会话只能读取。要办理的，请用令牌，或者在工作台上办。")
        # A page shows names and hides numbers; here a session sees no applicant at all.
        given = frozenset(READING) - {"cases.applicant"}
        return Caller(queries.actor_of(user, at=now()), given, None)


def key_of(request: HttpRequest, caller: Caller) -> str:
    """The idempotency key of a write, made ours so that no two systems can meet. Raises Refusal."""
    given = request.headers.get(KEY, "")
    try:
        read = UUID(given)
    except ValueError:
        raise Refusal(
            "request.key",
            f"请在请求头 {KEY} 里写一个 UUID；重试时写同一个，不会重复办理。",
            field=KEY,
        ) from None
    assert caller.system is not None
    return str(uuid5(caller.system, str(read)))


def caller(request: HttpRequest) -> Caller:
    """Whom the door let in."""
    found: Any = getattr(request, "auth", None)
    assert isinstance(found, Caller)
    return found


def _unknown(sentence: str) -> problems.Refused:
    return problems.Refused(
        401, "api.token", sentence, headers={"WWW-Authenticate": 'Bearer realm="zhengwu"'}
    )


def _not_too_often(bearer: Bearer) -> None:
    most = settings.API_PER_MINUTE
    left = throttle.lease("api", str(bearer.system), most=most, within=MINUTE, at=now())
    if left is not None:
        raise problems.Refused(
            429,
            "api.too_often",
            f"这个系统一分钟内的请求超过 {most} 次。请按 Retry-After 等候，成批的请用批量接口。",
            headers={"Retry-After": str(left)},
        )
