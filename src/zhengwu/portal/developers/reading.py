"""The OpenAPI document as people read it (接口说明): by tag, every operation with its fields.

What is sent is laid open to the last field; what is answered leads to a shape, which many share.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

PLAIN = {"string": "文字", "integer": "整数", "number": "数", "boolean": "true 或者 false",
         "null": "null", "object": "对象", "array": "列表"}  # fmt: skip
FORMATS = {"date": "日期", "date-time": "时刻（带时区）", "uuid": "UUID", "binary": "文件"}
PLACES = {"path": "地址", "query": "问号后", "header": "请求头", "cookie": "Cookie"}
WRITES = ("post", "put", "patch", "delete")
DEEP = 6  # a form of forms
SHAPES = "#/components/schemas/"
EXAMPLES = "#/components/examples/"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the name of a type. shape: of which it speaks, "" for plain words."""

    text: str
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, a field of a form or of a shape. place: where a parameter stands."""

    name: str
    type: tuple[Piece, ...]
    required: bool
    says: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """What answers hold. says: in the words of the code."""

    name: str
    says: str
    fields: tuple[Field, ...]

    @property
    def english(self) -> bool:
        """For whoever reads the page aloud: what the code says of itself is English."""
        return self.says[:1].isascii()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that is no fault. example: as text."""

    status: str
    says: str
    media: str
    type: tuple[Piece, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. scopes: code and what it opens, any of them will do; faults: the statuses."""

    id: str
    method: str
    path: str
    summary: str
    says: str
    public: bool
    scopes: tuple[tuple[str, str], ...]
    token: bool
    session: bool
    query_code: bool
    parameters: tuple[Field, ...]
    media: str
    fields: tuple[Field, ...]
    curl: str
    answers: tuple[Answer, ...]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The operations of a tag."""

    tag: str
    zh: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """A status of a "no", with an example."""

    status: str
    says: str
    example: str


@dataclass(frozen=True, slots=True)
class Description:
    """The whole page. scopes: code and what it opens."""

    title: str
    version: str
    says: str
    scopes: tuple[tuple[str, str], ...]
    groups: tuple[Group, ...]
    faults: tuple[Fault, ...]
    shapes: tuple[Shape, ...]

    @property
    def count(self) -> int:
        return sum(len(one.operations) for one in self.groups)


def read(document: Any, *, site: str, scopes: Mapping[str, str]) -> Description:
    """site: where the interface stands, for the examples; scopes: code → what it opens."""
    reader = _Reader(document, site, scopes)
    tags = {one["name"]: one.get("x-displayName", one["name"]) for one in document.get("tags", ())}
    by_tag: dict[str, list[Operation]] = {tag: [] for tag in tags}
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            tag = (told.get("tags") or [""])[0]
            by_tag.setdefault(tag, []).append(reader.operation(method, path, told))
    info = document["info"]
    return Description(
        info["title"],
        info["version"],
        info.get("description", ""),
        tuple(scopes.items()),
        tuple(Group(tag, tags.get(tag, tag), tuple(ops)) for tag, ops in by_tag.items() if ops),
        tuple(reader.faults[status] for status in sorted(reader.faults)),
        tuple(reader.shapes()),
    )


def spelled(text: str) -> Markup:
    """Text with what stands between backticks as code."""
    made = Markup("")
    for number, part in enumerate(text.split("`")):
        made += Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
    return made


class _Reader:
    """Reads one document; gathers the shapes that are spoken of and the faults on its way."""

    def __init__(self, document: Any, site: str, scopes: Mapping[str, str]) -> None:
        self.schemas: Mapping[str, Any] = document["components"]["schemas"]
        self.examples: Mapping[str, Any] = document["components"].get("examples", {})
        self.site = site
        self.scopes = scopes
        self.faults: dict[str, Fault] = {}
        self._spoken_of: dict[str, None] = {}

    def operation(self, method: str, path: str, told: Any) -> Operation:
        security = told.get("security")
        tokens = [one["Token"] for one in security or () if "Token" in one]
        body = told.get("requestBody", {}).get("content", {})
        media = next(iter(body), "")
        content = body.get(media, {})
        parameters = tuple(
            Field(
                one["name"],
                self.type(one["schema"], default=True),
                bool(one.get("required")),
                one.get("description", ""),
                PLACES[one["in"]],
            )
            for one in told.get("parameters", ())
        )
        return Operation(
            id=told["operationId"],
            method=method.upper(),
            path=path,
            summary=told["summary"],
            says=told.get("description", ""),
            public=security is None,
            scopes=tuple((one, self.scopes.get(one, "")) for each in tokens for one in each),
            token=bool(tokens),
            session=any("Session" in one for one in security or ()),
            query_code=any("QueryCode" in one for one in security or ()),
            parameters=parameters,
            media=media,
            fields=tuple(self.laid_open(content.get("schema", {}))),
            curl=self.curl(method, path, told, media, content),
            answers=tuple(self.answers(told["responses"])),
            faults=tuple(self.gathered(told["responses"])),
        )

    def answers(self, responses: Any) -> Iterator[Answer]:
        for status, told in responses.items():
            if int(status) >= 400:
                continue
            for media, content in told.get("content", {"": {}}).items():
                says = "" if told["description"] in ("OK", "Created") else told["description"]
                kind = self.type(content["schema"], shapes=True) if "schema" in content else ()
                yield Answer(str(status), says, media, kind, self.example(content))

    def gathered(self, responses: Mapping[Any, Any]) -> Iterator[str]:
        """The statuses of faults, in order; each is told once for the whole page."""
        for status in sorted(str(one) for one in responses if int(one) >= 400):
            told = responses.get(status) or responses[int(status)]
            content: Any = next(iter(told.get("content", {}).values()), {})
            known = self.faults.get(status)
            if known is None or not known.example:
                self.faults[status] = Fault(status, told["description"], self.example(content))
            yield status

    def example(self, content: Any) -> str:
        """As text that is read and copied; "" where there is none."""
        value = content.get("example")
        if value is None:
            for one in content.get("examples", {}).values():
                name = one.get("$ref", "").removeprefix(EXAMPLES)
                value = self.examples.get(name, one).get("value")
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)

    # --- types ----------------------------------------------------------------------------------

    def type(
        self, schema: Any, *, default: bool = False, shapes: bool = False
    ) -> tuple[Piece, ...]:
        """The name of a type. default: with what holds where nothing is written; shapes: what it
        speaks of is told on the page."""
        pieces = list(self._type(schema, shapes=shapes))
        if default and schema.get("default") not in (None, ""):
            pieces.append(Piece(f"；不写就是 {schema['default']}"))
        return tuple(pieces)

    def _type(self, schema: Any, *, shapes: bool) -> Iterator[Piece]:
        if reference := schema.get("$ref", ""):
            name = reference.removeprefix(SHAPES)
            if shapes:
                self._spoken_of.setdefault(name)
            yield Piece(name, name if shapes else "")
        elif "anyOf" in schema or "oneOf" in schema:
            options = schema.get("anyOf") or schema["oneOf"]
            for number, one in enumerate(one for one in options if one.get("type") != "null"):
                if number:
                    yield Piece(" 或者 ")
                yield from self._type(one, shapes=shapes)
            if shapes and any(one.get("type") == "null" for one in options):
                yield Piece(" 或者 null")
        elif "enum" in schema:
            yield Piece("之一：" + "、".join(str(one) for one in schema["enum"]))
        elif "const" in schema:
            yield Piece(str(schema["const"]))
        elif schema.get("type") == "array":
            yield Piece("列表：" if schema.get("items") else "列表")
            yield from self._type(schema.get("items") or {"type": ""}, shapes=shapes)
        elif isinstance(schema.get("additionalProperties"), dict):
            yield Piece("代码 → ")
            yield from self._type(schema["additionalProperties"], shapes=shapes)
        else:
            yield Piece(_plain(schema))

    def shapes(self) -> Iterator[Shape]:
        """What the answers speak of, and what that speaks of, by name."""
        done: dict[str, Shape] = {}
        while waiting := [one for one in self._spoken_of if one not in done]:
            for name in waiting:
                schema = self.schemas[name]
                required = schema.get("required", ())
                fields = tuple(
                    Field(
                        field, self.type(one, shapes=True), field in required,
                        one.get("description", ""),
                    )
                    for field, one in schema.get("properties", {}).items()
                )  # fmt: skip
                done[name] = Shape(name, " ".join(schema.get("description", "").split()), fields)
        yield from (done[name] for name in sorted(done))

    def laid_open(self, schema: Any, name: str = "", deep: int = 0) -> Iterator[Field]:
        """The fields of what is sent, a form within a form by dots, one of many by []."""
        schema = self.resolved(schema)
        required = schema.get("required", ())
        for field, one in schema.get("properties", {}).items():
            whole = f"{name}.{field}" if name else field
            says = str(one.get("description", ""))
            inner, many = self.inside(one)
            if inner and deep < DEEP:
                rows = list(self.laid_open(inner, whole + ("[]" if many else ""), deep + 1))
                if rows:
                    yield Field(
                        whole, (Piece("列表" if many else "对象"),), field in required, says
                    )
                    yield from rows
                    continue
            yield Field(whole, self.type(one, default=True), field in required, says)

    def resolved(self, schema: Any) -> Any:
        if reference := schema.get("$ref", ""):
            return self.schemas[reference.removeprefix(SHAPES)]
        return schema

    def inside(self, schema: Any) -> tuple[Any, bool]:
        """The form that a field holds, and whether it holds many; None for a plain field."""
        options = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        if len(options) == 1:
            schema = options[0]
        many = schema.get("type") == "array"
        if many:
            schema = schema.get("items", {})
        if "$ref" not in schema:
            return None, False
        found = self.resolved(schema)
        return (found, many) if found.get("properties") else (None, False)

    # --- asking ---------------------------------------------------------------------------------

    def curl(self, method: str, path: str, told: Any, media: str, content: Any) -> str:
        """A line to try in a shell; $TOKEN is set before."""
        query: dict[str, str] = {}
        headers: list[str] = []
        security = told.get("security")
        if any("Token" in one for one in security or ()):
            headers.append('"Authorization: Bearer $TOKEN"')
        for one in told.get("parameters", ()):
            example = one.get("example")
            if one["in"] == "path" and example is not None:
                path = path.replace(f"{{{one['name']}}}", str(example))
            elif one["in"] == "query" and (example is not None or one.get("required")):
                query[one["name"]] = _said(example) if example is not None else "…"
            elif one["in"] == "header" and one.get("required"):
                headers.append(
                    '"Idempotency-Key: $(uuidgen)"'
                    if one["name"] == "Idempotency-Key"
                    else f"'{one['name']}: {example or '人员代码'}'"
                )
        where = f"{self.site}{path}" + (f"?{urlencode(query)}" if query else "")
        parts = ["curl -sS"] + [f"-H {one}" for one in headers]
        if method in WRITES:
            if media == "multipart/form-data":
                parts += [f"-F '{one.name}=@扫描件.pdf'" if _is_file(one) else
                          f"-F '{one.name}={_first(one)}'"
                          for one in self.laid_open(content["schema"]) if one.required]  # fmt: skip
            else:
                body = json.dumps(content.get("example", {}), ensure_ascii=False)
                quoted = body.replace("'", "'\\''")
                parts += [f"-H 'Content-Type: {media}'", f"-d '{quoted}'"]
        return " \\\n  ".join([*parts, f"'{where}'"])


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_file(field: Field) -> bool:
    return any(one.text == FORMATS["binary"] for one in field.type)


def _first(field: Field) -> str:
    """The first of what can be chosen, else the name of the field."""
    text = "".join(one.text for one in field.type)
    return text.removeprefix("之一：").split("、")[0] if text.startswith("之一：") else field.name


def _plain(schema: Any) -> str:
    kind = schema.get("type", "")
    text = FORMATS.get(schema.get("format", ""), "") or PLAIN.get(kind, "任意")
    bounds = [schema.get("minimum"), schema.get("maximum")]
    if None not in bounds:
        text += f"，{bounds[0]} 到 {bounds[1]}"
    if (most := schema.get("maxLength")) is not None:
        text += f"，最多 {most} 个字"
    return text
