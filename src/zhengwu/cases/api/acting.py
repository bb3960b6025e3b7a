"""What people do, done through another system (接口办理): receive, every act, undo, many at once.

The same services as behind the pages decide; the person named in X-Acting-Person is responsible. An
act says on which version of the case it was decided: 409 when something came in between. Every act
has an address and a form of its own, made from what the act asks for (`cases.verbs`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, ConfigDict, Field, create_model

from zhengwu.accounts import api as entry
from zhengwu.accounts.api import Door
from zhengwu.accounts.scopes import SCOPES
from zhengwu.cases import services, tracking
from zhengwu.cases.acts import VERBS
from zhengwu.cases.api.clock import plain
from zhengwu.cases.api.reading import router
from zhengwu.cases.parties import AGENTS, IDENTIFIERS, KINDS, Agent, Applicant, Contact, Identifier
from zhengwu.cases.services import MOST, Done, Moved, Reception
from zhengwu.cases.verbs import TICKS, Ask, Verb
from zhengwu.domain import lifecycle
from zhengwu.domain.refusal import Refusal
from zhengwu.web import problems
from zhengwu.web.answering import Shape, reply
from zhengwu.web.clock import now

WRITE = (400, 401, 403, 404, 409, 411, 413, 422, 429)
LONGEST = 4_000
acts = Router()
if TYPE_CHECKING:
    IdentifierKind = str
    AgentRole = str
    ApplicantKind = str
    Tick = str
    BatchAct = str
else:
    IdentifierKind = Literal[tuple(IDENTIFIERS)]
    AgentRole = Literal[tuple(AGENTS)]
    ApplicantKind = Literal[tuple(KINDS)]
    Tick = Literal[tuple(code for code, _ in TICKS)]
    BatchAct = Literal[tuple(VERBS)]
Text = Annotated[str, Field(max_length=LONGEST)]
Short = Annotated[str, Field(max_length=200)]


class Strict(BaseModel):
    """What is not known is refused: a slip of the pen must not be an answer to another question.

    A model of pydantic itself: the library's own reads what is given like an object, and loses what
    has no name of its own.
    """

    model_config = ConfigDict(extra="forbid")


# --- receiving ------------------------------------------------------------------------------------


class IdentifierGiven(Strict):
    """One further number of the applicant with its days."""

    kind: IdentifierKind
    value: Short
    country: Short = ""
    since: date | None = None
    until: date | None = None


class ContactGiven(Strict):
    """Whom to call."""

    name: Short
    phone: Short


class AgentGiven(Strict):
    """Who comes for the applicant. letter: an uploaded file."""

    role: AgentRole
    name: Short
    identifier_kind: Short
    identifier: Short
    phone: Short
    letter: UUID | None = None
    scope: Short = ""
    until: date | None = None


class ApplicantGiven(Strict):
    """Who applies. Personal data."""

    kind: ApplicantKind
    name: Short
    identifier_kind: Short
    identifier: Short
    phone: Short
    country: Short = ""
    others: list[IdentifierGiven] = Field(default=[], max_length=10)
    contact: ContactGiven | None = None
    agent: AgentGiven | None = None


class ReceptionGiven(Strict):
    """What is handed in. materials: code of the item's list → received, missing, faulty or held;
    whys: why one is not in order, or where the city holds it; files: code → uploaded files."""

    item: Short
    applicant: ApplicantGiven
    materials: dict[str, Tick]
    whys: dict[str, Text] = Field(default_factory=dict)
    files: dict[str, list[UUID]] = Field(default_factory=dict)


class ReceivedAnswer(Shape):
    """query_code: tell it to the applicant. document: the check code of the receipt. repeated: the
    answer to a key that was used before."""

    number: str
    version: int
    query_code: str
    document: str | None
    repeated: bool


def _applicant(given: ApplicantGiven) -> Applicant:
    contact, agent = given.contact, given.agent
    return Applicant(
        kind=given.kind, name=given.name, identifier_kind=given.identifier_kind,
        identifier=given.identifier, phone=given.phone, country=given.country,
        others=tuple(
            Identifier(
                kind=one.kind, value=one.value, country=one.country, since=one.since,
                until=one.until,
            )
            for one in given.others
        ),
        contact=Contact(name=contact.name, phone=contact.phone) if contact else None,
        agent=Agent(
            role=agent.role, name=agent.name, identifier_kind=agent.identifier_kind,
            identifier=agent.identifier, phone=agent.phone, letter=agent.letter,
            scope=agent.scope, until=agent.until,
        ) if agent else None,
    )  # fmt: skip


@router.post(
    "",
    response={201: ReceivedAnswer},
    auth=Door("cases.receive"),
    summary="收件",
    description="以所代人员的窗口岗位收件，出具收件回执。行政许可法第二十九条、第三十二条。",
    tags=["acts"],
    url_name="receive",
    openapi_extra=problems.documented(*WRITE),
)
def receive(request: HttpRequest, body: ReceptionGiven) -> Any:
    caller = entry.caller(request)
    problems.only(request)
    reception = Reception(
        item=body.item,
        applicant=_applicant(body.applicant),
        materials=body.materials,
        whys=body.whys,
        scans={code: tuple(ids) for code, ids in body.files.items()},
    )
    got = services.receive(caller.actor, reception, key=entry.key_of(request, caller), at=now())
    answer = ReceivedAnswer(
        number=got.number, version=1, query_code=got.query_code, document=got.document,
        repeated=got.repeated,
    )  # fmt: skip
    return reply(request, answer, status=201, cache="no-store")


# --- one act --------------------------------------------------------------------------------------


class DoneAnswer(Shape):
    """version: of the case now. document: the check code of the paper that was issued, if any."""

    number: str
    version: int
    sentence: str
    document: str | None
    repeated: bool


def _done(request: HttpRequest, done: Done) -> HttpResponse:
    answer = DoneAnswer(
        number=done.number, version=done.version, sentence=done.sentence,
        document=done.document, repeated=done.repeated,
    )  # fmt: skip
    return reply(request, answer, cache="no-store")


def moved(request: HttpRequest, found: Moved) -> HttpResponse:
    """409: what came in between, and which version the case has now."""
    came = "、".join(
        dict.fromkeys(
            lifecycle.BY_CODE[e.kind].zh for e in found.between if e.kind in lifecycle.BY_CODE
        )
    )
    return problems.problem(
        409,
        "case.moved",
        problems.MEANS[409],
        f"这个办件已有新进展{f'（{came}）' if came else ''}，没有办理。请重新读取办件，"
        "核对以后用新的版本和新的编号再办。",
        version=found.now,
    )


def _field(ask: Ask) -> tuple[Any, Any]:
    """The type of one field of an act's form, and what it says."""
    kind: Any = Text
    if ask.kind == "choice" and ask.choices:
        kind = Literal[tuple(code for code, _ in ask.choices)]
    elif ask.kind == "several":
        kind = Annotated[list[Short], Field(max_length=50)]
    elif ask.kind == "file":
        kind = Annotated[list[UUID], Field(max_length=20)]
    elif ask.kind == "days":
        kind = Annotated[int, Field(ge=1, le=99_999)]
    said = ask.zh + (f"。{ask.hint}" if ask.hint else "")
    choices = "；".join(f"{code}：{zh}" for code, zh in ask.choices)
    said += f"（{choices}）" if choices else ""
    if ask.required:
        return kind, Field(description=said)
    return kind | None, Field(default=None, description=said)


def form_model(verb: Verb) -> type[BaseModel]:
    """The form of an act. Where the fields depend on the case, others are taken as well; GET
    /cases/{number}/acts says which they are.
    """
    fields: dict[str, Any] = {ask.name: _field(ask) for ask in verb.asks}
    base = OpenForm if verb.asks_of else Strict
    name = "".join(part.title() for part in verb.kind.split("_"))
    form: type[BaseModel] = create_model(f"{name}Form", __base__=base, **fields)
    form.__doc__ = f"{verb.zh}：要填的内容。"
    given: type[BaseModel] = create_model(
        f"{name}Given",
        __base__=Strict,
        version=(Version, Field(description="读到的办件版本；此后有别的办理就答 409，不会盖掉")),
        form=(form, Field(description="要填的内容") if fields else Field(default_factory=form)),
    )
    given.__doc__ = f"{verb.zh}。"
    return given


class OpenForm(BaseModel):
    """Fields by the case beside the named ones: text, or lists of codes and files."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Text | int | Annotated[list[Short], Field(max_length=50)]]


Version = Annotated[int, Field(ge=1, le=1_000_000)]


def words(form: BaseModel) -> dict[str, str]:
    """The form as the services take it: text; lists parted by commas; nothing where nothing is."""
    told: dict[str, str] = {}
    for name, value in {**form.__dict__, **(form.__pydantic_extra__ or {})}.items():
        if value is None:
            continue
        if len(name) > 100:
            raise Refusal("request.unreadable", "表单里有的字段名太长。请改正。", field="form")
        told[name] = ",".join(str(one) for one in value) if isinstance(value, list) else str(value)
    return told


def _scope_of(verb: Verb) -> tuple[str, ...]:
    """The scopes of which one opens this act."""
    wanted = {verb.may}
    if verb.kind in services.DECISIONS:
        wanted.add("case.decide_at_once")
    found = tuple(code for code, scope in SCOPES.items() if scope.acts & wanted)
    return found or ("cases.handle", "cases.decide")  # what everybody may who has a hand in it


def _act(verb: Verb) -> Callable[..., Any]:
    model = form_model(verb)

    def act(request: HttpRequest, number: str, body: Any) -> Any:
        caller = entry.caller(request)
        problems.only(request)
        key = entry.key_of(request, caller)
        try:
            done = services.perform(
                caller.actor, plain(tracking.capitals(number)), verb.kind, version=body.version,
                key=key, form=words(body.form), at=now(),
            )  # fmt: skip
        except Moved as found:
            return moved(request, found)
        return _done(request, done)

    act.__name__ = f"act_{verb.kind}"
    act.__annotations__["body"] = model
    return act


def _mount(verb: Verb) -> None:
    law = lifecycle.BY_CODE[verb.kind]
    said = [f"依据：{law.article}。" if law.article else ""]
    if law.document:
        said.append(f"出具{law.document}。")
    if verb.confirm:
        said.append(f"办理前请让人核对：{verb.confirm}")
    if verb.asks_of:
        said.append("有的字段随办件而不同，见 GET /cases/{number}/acts。")
    router.post(
        f"/{{number}}/acts/{verb.kind}",
        response=DoneAnswer,
        auth=Door(*_scope_of(verb)),
        summary=verb.zh,
        description="".join(said) or None,
        tags=["acts"],
        url_name=f"act-{verb.kind.replace('_', '-')}",
        openapi_extra=problems.documented(*WRITE),
    )(_act(verb))


for _verb in VERBS.values():
    _mount(_verb)


class VersionGiven(Strict):
    """On which version of the case it was decided."""

    version: Version


@router.post(
    "/{number}/undo",
    response=DoneAnswer,
    auth=Door("cases.handle", "cases.decide", "cases.receive"),
    summary="撤回自己刚做的一步",
    description="一分钟之内，还没有出具文书的。",
    tags=["acts"],
    url_name="act-undo",
    openapi_extra=problems.documented(*WRITE),
)
def undo(request: HttpRequest, number: str, body: VersionGiven) -> Any:
    caller = entry.caller(request)
    problems.only(request)
    key = entry.key_of(request, caller)
    try:
        done = services.undo(
            caller.actor, plain(tracking.capitals(number)), version=body.version, key=key, at=now()
        )
    except Moved as found:
        return moved(request, found)
    return _done(request, done)


# --- many at once ---------------------------------------------------------------------------------


class Picked(Strict):
    """A case and the version that was seen."""

    number: Annotated[str, Field(max_length=40)]
    version: Version


class BatchGiven(Strict):
    """The same act with the same form on several cases."""

    cases: Annotated[list[Picked], Field(min_length=1, max_length=MOST)]
    form: OpenForm = Field(default_factory=lambda: OpenForm.model_validate({}))


class BatchLine(Shape):
    """What became of one case. done: null where it was not done; detail says why."""

    number: str
    done: DoneAnswer | None
    detail: str
    article: str | None


class BatchAnswer(Shape):
    """One line for each case, in the order given."""

    results: list[BatchLine]


@acts.post(
    "/{act}/batch",
    response=BatchAnswer,
    auth=Door("cases.handle", "cases.decide"),
    summary="同一动作办多件",
    description=f"一次最多 {MOST} 件，每件各自成败，逐件说明。决定只能对同一事项、同一版本的办件。",
    url_name="acts-batch",
    openapi_extra=problems.documented(*WRITE),
)
def batch(request: HttpRequest, act: BatchAct, body: BatchGiven) -> Any:
    caller = entry.caller(request)
    problems.only(request)
    if not caller.actor.may(VERBS[act].may) and not any(
        caller.actor.may(one) for one in ("case.decide", "case.decide_at_once")
    ):
        raise Refusal("case.not_permitted", f"所代人员没有“{VERBS[act].zh}”的权限。", field="act")
    results = services.perform_many(
        caller.actor,
        [(tracking.capitals(one.number), one.version) for one in body.cases],
        act,
        key=entry.key_of(request, caller),
        form=words(body.form),
        at=now(),
    )
    lines = [
        BatchLine(
            number=one.number,
            done=DoneAnswer(
                number=one.done.number, version=one.done.version, sentence=one.done.sentence,
                document=one.done.document, repeated=one.done.repeated,
            ) if one.done else None,
            detail=one.sentence,
            article=one.article,
        )
        for one in results
    ]  # fmt: skip
    return reply(request, BatchAnswer(results=lines), cache="no-store")


class ActAnswer(Shape):
    """An act as the law and the house know it. scopes: one of these opens it."""

    act: str
    zh: str
    article: str | None
    document: str | None
    scopes: list[str]


class ActsAnswer(Shape):
    """All acts that people do on a case."""

    acts: list[ActAnswer]


@acts.get(
    "",
    response=ActsAnswer,
    auth=Door(),
    summary="有哪些动作，依据哪一条，要什么权限",
    url_name="acts",
    openapi_extra=problems.documented(304, 401, 403, 422, 429),
)
def every_act(request: HttpRequest) -> Any:
    problems.only(request)
    found = []
    for verb in VERBS.values():
        law = lifecycle.BY_CODE[verb.kind]
        found.append(
            ActAnswer(
                act=verb.kind, zh=verb.zh, article=law.article or None,
                document=law.document or None, scopes=list(_scope_of(verb)),
            )
        )  # fmt: skip
    return reply(request, ActsAnswer(acts=found))
