"""Actions in: one by one, and in batches."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from adapters.http.access import Asking, Caller
from adapters.http.asked import as_json
from adapters.http.batches import elements, lines
from adapters.http.bodies import read_body
from adapters.http.lanes import peek
from adapters.http.openapi import ErrorObject, found, problems, taking
from adapters.http.problems import ACTION_STATUS, Problem, answer
from adapters.http.requests import TOLD
from adapters.http.service import Served, Service
from domain.kernel import Rejected
from services.answers import Answer, error_object

DUPLICATE = "Dealtrail-Duplicate"
ACTION_MAX = 1_048_576
"""Bytes of one action, as in a file that is imported."""
_CORRELATION_SHOWN = 200
"""Characters of it in the log: it is whatever the sender wrote."""
ONE = ("application/cloudevents+json", "application/json")
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
SEVERAL = ("application/cloudevents-batch+json", "application/json", *LINES)

router = APIRouter(tags=["actions"])

_ACTION: dict[str, Any] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "time", "actor"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1},
        "type": {"type": "string"},
        "subject": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "actor": {"type": "string", "minLength": 1},
        "data": {"type": "object"},
    },
}


class Accepted(BaseModel):
    """The action is in the log: its last position, and those of all its events."""

    position: int
    events: list[int]
    lead: str | None = None


class Result(BaseModel):
    """What became of one action of a batch: accepted, or refused with an error."""

    index: int
    position: int | None = None
    events: list[int] | None = None
    lead: str | None = None
    duplicate: bool | None = None
    error: ErrorObject | None = None


class Results(BaseModel):
    """What became of a batch: each action succeeds or fails alone."""

    accepted: int
    duplicates: int
    rejected: int
    results: list[Result]


@router.post(
    "/actions",
    operation_id="act",
    responses=found(Accepted, "Recorded, now or before.")
    | problems(*ACTION_STATUS, "too_large", "unsupported_media_type", "busy"),
    openapi_extra=taking(dict.fromkeys(ONE, _ACTION)),
)
async def act(request: Request, served: Served, caller: Asking) -> Response:
    """Record one action, a CloudEvent. Sent twice, it has one effect, and the second answer equals the first.

    A duplicate is answered with the header Dealtrail-Duplicate.
    """
    most = min(ACTION_MAX, served.parts.settings.body_max)
    caller.may("act")
    _, body = await read_body(request, types=ONE, most=most)
    peeked = peek(body)
    if peeked.correlationid is not None:
        request.scope[TOLD] = {"correlation": peeked.correlationid[:_CORRELATION_SHOWN]}
    caller.may_act_as(peeked.actor)
    (told,) = await served.act([body], [peeked.type])
    if told.error is not None:
        response: Response = answer(told.error)
    else:
        response = as_json(told.as_json(), position=_position(told))
    if told.duplicate:
        response.headers[DUPLICATE] = "true"
    return response


@router.post(
    "/actions/batch",
    operation_id="act_batch",
    responses=found(Results, "What became of each.")
    | problems("malformed", "too_large", "unsupported_media_type", "busy"),
    openapi_extra=taking(
        {kind: {"type": "array", "items": {}} for kind in SEVERAL[:2]}
        | {kind: {"type": "string"} for kind in LINES}
    ),
)
async def act_batch(request: Request, served: Served, caller: Asking) -> Response:
    """Record a batch: a JSON list, or a line for each (NDJSON). Each action succeeds or fails alone.

    So a batch may hold anything: what is no action is answered as one that is refused.
    """
    caller.may("act")
    settings = served.parts.settings
    media_type, body = await read_body(request, types=SEVERAL, most=settings.body_max)
    actions = await served.read(lambda: lines(body) if media_type in LINES else elements(body))
    if len(actions) > settings.batch_max:
        raise Problem(
            "too_large",
            f"The batch has {len(actions):,} actions, more than the {settings.batch_max:,} allowed.",
            unit="actions",
            most=settings.batch_max,
        )
    told = await _act_each(served, caller, actions)
    return as_json(_results(told), position=max(map(_position, told), default=0))


async def _act_each(served: Service, caller: Caller, actions: Sequence[bytes]) -> list[Answer]:
    """One answer each: also where the caller may not name the actor."""
    told: list[Answer | None] = []
    going, types = list[bytes](), list[str | None]()
    for action in actions:
        peeked = peek(action)
        try:
            caller.may_act_as(peeked.actor)
        except Rejected as refused:
            told.append(Answer(error=error_object(refused)))
            continue
        told.append(None)
        going.append(action)
        types.append(peeked.type)
    answers = iter(await served.act(going, types) if going else [])
    return [next(answers) if one is None else one for one in told]


def _results(told: Sequence[Answer]) -> dict[str, Any]:
    rejected = sum(one.error is not None for one in told)
    duplicates = sum(one.duplicate and one.error is None for one in told)
    return {
        "accepted": len(told) - rejected - duplicates,
        "duplicates": duplicates,
        "rejected": rejected,
        "results": [
            {"index": index, **one.as_json()} | ({"duplicate": True} if one.duplicate else {})
            for index, one in enumerate(told)
        ],
    }


def _position(told: Answer) -> int:
    return max(told.positions, default=0)
