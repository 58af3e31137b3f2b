"""The stored events as CloudEvents: page by page, or as a stream that goes on (server-sent events)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from itertools import islice
from json import JSONEncoder
from time import monotonic

import psycopg
from fastapi.responses import StreamingResponse
from starlette.types import Send

from adapters.http.problems import Problem
from adapters.http.service import Service
from adapters.postgres.codec import RawRow
from adapters.postgres.store import PostgresStore

HEARTBEAT_SECONDS = 15.0
"""A comment is sent as often, so that neither end takes the silence for an end."""
PAGE = 500
"""Events that a stream holds at once."""
LOOKED_AT = 20_000
"""Positions that one page looks at, at most, for events of the names asked for."""

STREAM_SECONDS_MAX = 300.0
"""A stream ends after so long, and whoever listens comes again, but for those whose key was revoked."""
GRACE_SECONDS = 1.0
"""What a reader has to take the rest when the server closes."""

_quoted = JSONEncoder(ensure_ascii=False).encode


def event_json(row: RawRow, source: str) -> bytes:
    """A stored event as a CloudEvent in JSON, without a line end in it.

    `data` are the stored bytes as they are, so personal texts stay sealed. `source` is the log's name.
    """
    stream, version, position, name, data_version, state, occurred_at, recorded_at, *rest = row
    actor, action_source, action_id, correlation_id, causation_id, migrated = rest
    said = (
        f'{{"specversion":"1.0","id":"{position}","source":{_quoted(source)},"type":{_quoted(name)}'
        f',"subject":{_quoted(stream)},"time":"{occurred_at.isoformat()}","datacontenttype":"application/json"'
        f',"sequence":"{position}","recordedtime":"{recorded_at.isoformat()}","actor":{_quoted(actor)}'
        f',"actionsource":{_quoted(action_source)},"actionid":{_quoted(action_id)}'
        f',"streamversion":{version},"dataversion":{data_version}'
    )
    if correlation_id is not None:
        said += f',"correlationid":{_quoted(correlation_id)}'
    if causation_id is not None:
        said += f',"causationid":{_quoted(causation_id)}'
    if migrated:
        said += ',"migrated":true'
    return b'%b,"data":%b}' % (said.encode(), state)


def page(
    store: PostgresStore, after: int, limit: int, names: Sequence[str] | None
) -> tuple[int, list[RawRow]]:
    """Up to `limit` events behind `after`, and the position that was looked at up to."""
    reached, found = after, list[RawRow]()
    looks = store.read_raw(after, page=limit if names is None else LOOKED_AT // 4, names=names)
    for seen, rows in islice(looks, 4):
        found += rows
        if len(found) >= limit:
            return found[limit - 1][2], found[:limit]
        reached = seen
    return reached, found


async def stream(service: Service, after: int, names: tuple[str, ...] | None) -> AsyncIterator[bytes]:
    """Server-sent events from behind `after`, for a while, or until server or database go away.

    Holds one page at most: the next is read when the one before has been sent, so who is slow is waited for.
    Those who have reached the log's end share each page, so a thousand of them cost little more than one.
    """
    source = service.parts.settings.events_source
    yield b"retry: 1000\n\n"
    ends_at = monotonic() + STREAM_SECONDS_MAX

    def going_on() -> bool:
        return not service.closing.done() and monotonic() < ends_at

    while going_on():
        try:
            reached, told = await service.read_together(
                (after, names), partial(_messages, service.parts.store, after, names, source)
            )
        except (Problem, psycopg.OperationalError):
            return  # Whoever listens comes again, with the position that they have.
        if told:
            yield told
        after = reached
        while going_on() and service.end.position <= after:
            if not await service.heard(HEARTBEAT_SECONDS):
                yield b": still here\n\n"


def _messages(
    store: PostgresStore, after: int, names: Sequence[str] | None, source: str
) -> tuple[int, bytes]:
    """A page as it is sent, the same for all who are behind the same position, and where it ends."""
    reached, rows = page(store, after, PAGE, names)
    told = [_message(row, source) for row in rows]
    if reached > (rows[-1][2] if rows else after):
        told.append(b"id: %d\n\n" % reached)
    return reached, b"".join(told)


def _message(row: RawRow, source: str) -> bytes:
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (row[2], row[3].encode(), event_json(row, source))


class EventStream(StreamingResponse):
    """A stream of events. When the server closes, a reader who takes nothing isn't waited for."""

    media_type = "text/event-stream"

    def __init__(self, service: Service, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._closing = service.closing

    async def stream_response(self, send: Send) -> None:
        sending = asyncio.ensure_future(super().stream_response(send))
        try:
            await asyncio.wait({sending, self._closing}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({sending}, timeout=GRACE_SECONDS)
            if sending.done():
                await sending
        finally:
            sending.cancel()
