"""What OpenAPI says of answers: the reports' objects, and every error by its code."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, get_type_hints

from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel, ConfigDict, create_model
from pydantic.json_schema import models_json_schema

from adapters.http.asked import POSITION
from adapters.http.problems import MEDIA_TYPE, SENTENCES, STATUS
from domain.kernel import Rejected
from projections.asking import Axis

_REFERENCE = "#/components/schemas/{model}"
Responses = dict[int | str, dict[str, Any]]

COMMON = (
    "unauthenticated",
    "forbidden",
    "invalid_data",
    "internal",
    "database_unavailable",
    "issuer_unavailable",
    "stopping",
)
REPORT = ("not_yet", "unknown_position", "projection_stopped")
"""What any report may be answered with, beside what all may."""


class ErrorObject(BaseModel):
    """A stable code, a sentence a person understands, and the facts."""

    code: str
    message: str
    details: dict[str, Any]


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457). `code` is stable; `error` is the same object as everywhere else."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    details: dict[str, Any]
    error: ErrorObject


class Answered(BaseModel):
    """What every report says of itself: what it is true of."""

    model_config = ConfigDict(extra="allow")

    as_of: AwareDatetime
    axis: Axis
    position: int


def problems(*codes: str) -> Responses:
    """The answers to whatever goes wrong with one of these codes, and those that all routes share."""
    by_status: dict[int, list[str]] = {}
    for code in sorted({*codes, *COMMON}):
        by_status.setdefault(STATUS[code], []).append(code)
    return {status: _problem(status, named) for status, named in sorted(by_status.items())}


def report(kind: Any, *codes: str, files: Mapping[str, Any] | None = None) -> Responses:
    """The same with a report's object, which may be had as files of these media types too."""
    position = {"description": "The position that the answer is true of.", "schema": {"type": "integer"}}
    told: Responses = {
        200: {"description": "The report.", "model": kind, "headers": {POSITION: position}},
    }
    if files is not None:
        told[200]["content"] = body(files)
    return told | problems(*codes, *REPORT)


def content(schemas: Mapping[str, Any], description: str) -> Responses:
    """An answer of one of these media types."""
    return {200: {"description": description, "content": body(schemas)}}


def found(model: Any, description: str) -> Responses:
    """An answer that is this object."""
    return {200: {"description": description, "model": model}}


def body(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent, by media type."""
    return {media_type: {"schema": schema} for media_type, schema in schemas.items()}


def taking(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """A body that must be sent, of one of these media types."""
    return {"requestBody": {"required": True, "content": body(schemas)}}


@cache
def answered(kind: type) -> type[BaseModel]:
    """The report of this dataclass as it is told."""
    hints = get_type_hints(kind)
    named: dict[str, Any] = {field.name: (hints[field.name], ...) for field in fields(kind)}
    return create_model(f"{kind.__name__}Report", __base__=Answered, **named)


@cache
def listed(kind: type) -> type[BaseModel]:
    """The list of such items as it is told."""
    assert is_dataclass(kind)
    return create_model(f"{kind.__name__}List", __base__=Answered, count=(int, ...), items=(list[kind], ...))  # type: ignore[valid-type]


def _problem(status: int, codes: Iterable[str]) -> dict[str, Any]:
    sentences = _sentences()
    lines = [f"- `{code}`: {sentences[code]}" for code in codes]
    schema = {
        "allOf": [{"$ref": "#/components/schemas/ProblemDetails"}],
        "properties": {"code": {"enum": [*codes]}},
    }
    return {
        "description": "\n".join([HTTPStatus(status).phrase, "", *lines]),
        "content": {MEDIA_TYPE: {"schema": schema}},
    }


def _sentences() -> Mapping[str, str]:
    """What each code that is known so far means: the sentences of rejections have their facts in braces."""
    told: dict[str, set[str]] = {}
    for kind in _below(Rejected):
        code = getattr(kind, "code", None)
        if code in STATUS:
            told.setdefault(str(code), set()).add(" ".join((kind.__doc__ or "").split()))
    return {code: " / ".join(sorted(lines)) for code, lines in told.items()} | dict(SENTENCES)


def _below(kind: type[Rejected]) -> Iterator[type[Rejected]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def described(app: FastAPI) -> None:
    """Have the document say what a problem is."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _, known = models_json_schema([(ProblemDetails, "serialization")], ref_template=_REFERENCE)
            plain()["components"]["schemas"] |= known["$defs"]
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to change the document
