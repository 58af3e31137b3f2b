"""Actions as they come from outside: CloudEvents JSON, checked and typed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.kernel import Rejected
from domain.shared.actors import Actor
from domain.shared.rejections import InvalidData
from services.payloads import PAYLOADS, Name, NoOffset, Payload, read_moment
from services.problems import problem

AHEAD_MAX = timedelta(minutes=5)


class Malformed(Rejected):
    """This is not an action: {problem}."""

    code = "malformed"


class UnknownType(Rejected):
    """There is no action {type!r}."""

    code = "unknown_type"


class NaiveTime(Rejected):
    """{field}: {value} has no offset from UTC. Write it as 2026-10-02T09:15:00+03:00."""

    code = "naive_time"


class FutureTime(Rejected):
    """{field}: {value} is more than five minutes ahead of the clock, {now}."""

    code = "future_time"


@dataclass(frozen=True, slots=True)
class Action:
    """Somebody did something, in the sender's words. `recorded_at` only comes from an older system."""

    source: str
    id: str
    type: str
    subject: str | None
    occurred_at: datetime
    actor: Actor
    data: Payload
    recorded_at: datetime | None = None
    correlation_id: str | None = None
    causation_id: str | None = None


class _Envelope(BaseModel):
    """The CloudEvents attributes that mean something here; others are let by."""

    model_config = ConfigDict(extra="ignore")

    specversion: str
    id: Name
    source: Name
    type: str
    subject: Name | None = None
    time: str
    actor: Name
    data: dict[str, Any] | None = Field(default=None)
    recordedtime: str | None = None
    correlationid: Name | None = None
    causationid: Name | None = None


_envelope_of = _Envelope.__pydantic_validator__.validate_json


def parse(raw: bytes | Mapping[str, Any], *, now: datetime) -> Action:
    """An action from its JSON (UTF-8), or from the object that the JSON would give.

    Raises Rejected: Malformed, UnknownType, InvalidData naming the field, NaiveTime or FutureTime.
    """
    text = raw if isinstance(raw, bytes) else _dump(raw)
    if b"\\u0000" in text:
        raise Malformed(problem="it holds a NUL character (\\u0000), which no text may")
    try:
        envelope = _envelope_of(text)
    except ValidationError as error:
        raise _refused(error, text) from None
    if envelope.specversion != "1.0":
        raise InvalidData(field="specversion", problem="must be '1.0'")
    payload = PAYLOADS.get(envelope.type)
    if payload is None:
        raise UnknownType(type=envelope.type)
    if payload.needs_subject and envelope.subject is None:
        raise InvalidData(field="subject", problem=f"{envelope.type} needs the id of what it is about")
    try:
        data = payload.__pydantic_validator__.validate_python(envelope.data or {})
    except ValidationError as error:
        raise _refused_field(error) from None
    return Action(
        source=envelope.source,
        id=envelope.id,
        type=envelope.type,
        subject=envelope.subject,
        occurred_at=_moment("time", envelope.time, now),
        actor=Actor.of(envelope.actor),
        data=data,
        recorded_at=_moment("recordedtime", envelope.recordedtime, now) if envelope.recordedtime else None,
        correlation_id=envelope.correlationid,
        causation_id=envelope.causationid,
    )


def _dump(raw: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(raw, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise Malformed(problem=str(error)) from None


def _moment(field: str, text: str, now: datetime) -> datetime:
    try:
        moment = read_moment(text)
    except NoOffset:
        raise NaiveTime(field=field, value=text) from None
    except ValueError as wrong:
        raise InvalidData(field=field, problem=str(wrong)) from None
    if moment > now + AHEAD_MAX:
        raise FutureTime(field=field, value=text, now=now.isoformat(timespec="seconds"))
    return moment


def _refused(error: ValidationError, text: bytes) -> Rejected:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return Malformed(problem=_why_no_json(text, first["ctx"]["error"]))
    if not first["loc"]:
        return Malformed(problem="it is not a JSON object")
    return _refused_field(error)


def _refused_field(error: ValidationError) -> Rejected:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    if isinstance(first.get("ctx", {}).get("error"), NoOffset):
        return NaiveTime(field=field, value=first["input"])
    return InvalidData(field=field, problem=problem(first))


def _why_no_json(text: bytes, problem: str) -> str:
    try:
        text.decode()
    except UnicodeDecodeError as broken:
        return f"byte {broken.start + 1} is not UTF-8"
    what, _, where = problem.partition(" at line ")
    line, _, column = where.partition(" column ")
    return f"its JSON is broken, {what}" + (f" at character {column}" if line == "1" else "")
