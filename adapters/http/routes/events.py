"""The log as CloudEvents: pages, and a stream that goes on."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from adapters.http.access import Asking
from adapters.http.asked import POSITION, POSITION_MAX, AtLeast, Whole, sent
from adapters.http.openapi import content, problems
from adapters.http.service import Served
from adapters.http.streaming import EventStream, event_json, page, stream
from domain.kernel import Event
from domain.shared.rejections import InvalidData

BATCH = "application/cloudevents-batch+json"
STREAM = "text/event-stream"

router = APIRouter(tags=["events"])

_EVENT = {
    "type": "object",
    "required": [
        *("specversion", "id", "source", "type", "subject", "time"),
        *("sequence", "recordedtime", "actor", "data"),
    ],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string"},
        "source": {"type": "string"},
        "type": {"type": "string"},
        "subject": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"const": "application/json"},
        "sequence": {"type": "string"},
        "recordedtime": {"type": "string", "format": "date-time"},
        "actor": {"type": "string"},
        "actionsource": {"type": "string"},
        "actionid": {"type": "string"},
        "streamversion": {"type": "integer"},
        "dataversion": {"type": "integer"},
        "correlationid": {"type": "string"},
        "causationid": {"type": "string"},
        "migrated": {"const": True},
        "data": {"type": "object"},
    },
}


@router.get(
    "/events",
    operation_id="events",
    responses=content(
        {BATCH: {"type": "array", "items": _EVENT}, STREAM: {"type": "string"}},
        f"The events, in order. {POSITION} is the position that was looked at up to: go on behind it.",
    )
    | problems("not_yet", "unknown_position"),
)
async def get_events(
    request: Request,
    served: Served,
    caller: Asking,
    after: Annotated[Whole, Query(ge=0, le=POSITION_MAX, description="Events behind this position.")] = 0,
    limit: Annotated[
        Whole, Query(ge=1, le=5000, description="At most so many; a stream has no limit.")
    ] = 1000,
    names: Annotated[
        str | None, Query(description="Only these, with commas between: deals.DealWon,deals.DealLost.")
    ] = None,
    last_event_id: Annotated[
        Whole | None, Header(ge=0, le=POSITION_MAX, description="A stream goes on behind this position.")
    ] = None,
    at_least: AtLeast = None,
) -> Response:
    """The stored events behind a position; with Accept: text/event-stream a stream that goes on.

    Personal texts stay sealed: whoever takes the events away keeps what can be erased here.
    """
    caller.may("events")
    wanted = _known(names)
    if at_least is not None:
        await served.reach(at_least, ())
    if STREAM in ",".join(request.headers.getlist("accept")):
        return EventStream(served, stream(served, after if last_event_id is None else last_event_id, wanted))

    def read() -> Response:
        reached, rows = page(served.parts.store, after, limit, wanted)
        events = b",".join(event_json(row, served.parts.settings.events_source) for row in rows)
        return sent(b"[%b]" % events, BATCH, position=reached)

    return await served.read(read)


def _known(names: str | None) -> tuple[str, ...] | None:
    """Raises InvalidData for an event that there isn't."""
    if names is None:
        return None
    wanted = tuple(name.strip() for name in names.split(","))
    for name in wanted:
        if name not in Event.catalogue:
            raise InvalidData(field="names", problem=f"there is no event {name!r}")
    return wanted
