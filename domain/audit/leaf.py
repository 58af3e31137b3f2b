"""An event as one line of JSON: what the log's hashes are made of, and what its NDJSON export holds."""

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic_core import from_json

from domain.kernel import Rejected

_quoted = json.JSONEncoder(ensure_ascii=False).encode
_LEAF = hashlib.sha256(b"\x00")

_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_LINE = re.compile(
    rb'\{"position":(\d{1,19}),"recorded_at":"([^"]*)","stream":(TEXT),"version":(\d{1,19}),"name":(TEXT)'
    rb',"event_version":(\d{1,19}),"action_seq":(\d{1,19}),"occurred_at":"([^"]*)","actor":(TEXT)'
    rb',"source":(TEXT),"action":(TEXT),"correlation_id":(TEXT|null),"causation_id":(TEXT|null)'
    rb',"migrated":(true|false),"data":(\{.*\})\}'.replace(b"TEXT", _TEXT),
    re.DOTALL,
)


class MalformedLine(Rejected):
    """This is not the line of an event: {problem}."""

    code = "malformed_line"


class Leaf(NamedTuple):
    """An event with all that is stored of it, in the order of its line. `state` is its data's exact bytes."""

    position: int
    recorded_at: datetime
    stream: str
    version: int
    name: str
    event_version: int
    action_seq: int
    occurred_at: datetime
    actor: str
    source: str
    action: str
    correlation_id: str | None
    causation_id: str | None
    migrated: bool
    state: bytes

    def line(self) -> bytes:
        """The leaf data, without a line end. Raises ValueError for a time without offset."""
        shared = about_action(*self[7:14])
        return line(self.position, stamp(self.recorded_at), tail(*self[2:7], shared, self.state))


def about_action(
    occurred_at: datetime,
    actor: str,
    source: str,
    action: str,
    correlation_id: str | None,
    causation_id: str | None,
    migrated: bool,
) -> str:
    """What the lines of one action's events share. Raises ValueError for a time without offset."""
    return (
        f',"occurred_at":"{stamp(occurred_at)}","actor":{_quoted(actor)},"source":{_quoted(source)}'
        f',"action":{_quoted(action)},"correlation_id":{_optional(correlation_id)}'
        f',"causation_id":{_optional(causation_id)},"migrated":{"true" if migrated else "false"}'
    )


def tail(
    stream: str, version: int, name: str, event_version: int, action_seq: int, shared: str, state: bytes
) -> bytes:
    """All of the line that is known before the event has its place. `shared` is what `about_action` gave."""
    return b'%b,"data":%b}' % (
        (
            f',"stream":{_quoted(stream)},"version":{version},"name":{_quoted(name)}'
            f',"event_version":{event_version},"action_seq":{action_seq}{shared}'
        ).encode(),
        state,
    )


def line(position: int, recorded_at: str, tail: bytes) -> bytes:
    """The leaf data: before what `tail` gave the event's place, with its time as `stamp` writes it."""
    return b'{"position":%d,"recorded_at":"%b"%b' % (position, recorded_at.encode(), tail)


def stamp(moment: datetime) -> str:
    """In UTC to the microsecond: 2026-10-02T06:15:00.000000Z. Raises ValueError for a time without offset."""
    if moment.tzinfo is None:
        raise ValueError("a time has no offset")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def leaf_hash(line: bytes) -> bytes:
    """SHA-256 over a zero byte and the line (RFC 9162, 2.1.1): 32 bytes."""
    found = _LEAF.copy()
    found.update(line)
    return found.digest()


def parse(line: bytes) -> Leaf:
    """What the line says. Raises MalformedLine unless it is, to the byte, the line of just that."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise MalformedLine(problem="its keys and values are not those of an event, in their order")
    try:
        leaf = _leaf(found.groups())
        same = leaf.line() == line
    except (ValueError, OverflowError) as bad:
        raise MalformedLine(problem=str(bad)) from bad
    if not same:
        raise MalformedLine(problem="the same is written otherwise")
    if leaf.position == 0:
        raise MalformedLine(problem="positions begin with 1")
    _must_be_json(leaf.state)
    return leaf


def _leaf(parts: tuple[bytes, ...]) -> Leaf:
    texts = [_unquoted(parts[at]) for at in (2, 4, 8, 9, 10, 11, 12)]
    stream, name, actor, source, action, correlation_id, causation_id = texts
    return Leaf(
        int(parts[0]),
        datetime.fromisoformat(parts[1].decode()),
        stream,
        int(parts[3]),
        name,
        int(parts[5]),
        int(parts[6]),
        datetime.fromisoformat(parts[7].decode()),
        actor,
        source,
        action,
        correlation_id,
        causation_id,
        parts[13] == b"true",
        parts[14],
    )


def _must_be_json(state: bytes) -> None:
    try:
        from_json(state, allow_inf_nan=False)
    except ValueError as bad:
        raise MalformedLine(problem=f"its data is not JSON: {bad}") from bad


def _unquoted(part: bytes) -> Any:
    """A JSON string's text, None for null. Raises ValueError."""
    plain = part[:1] == b'"' and b"\\" not in part
    return part[1:-1].decode() if plain else json.loads(part.decode())


def _optional(text: str | None) -> str:
    return "null" if text is None else _quoted(text)
