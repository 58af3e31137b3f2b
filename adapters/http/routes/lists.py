"""Reports whose answers are lists: neglected, overdue, queue, encroachments, refusals, pool."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from adapters.http.asked import AskedFor, Rep
from adapters.http.openapi import listed, report
from projections.contacts import Encroachment, encroachments
from projections.neglected import Neglect, Overdue, neglected, overdue
from projections.owner import PoolLead, Refused, pool, refusals
from projections.queue import Work, queue

router = APIRouter(tags=["lists"])

STEPS = ("leads", "deals", "next_steps", "team")


@router.get("/neglected", operation_id="neglected", responses=report(listed(Neglect), "unknown_rep"))
async def get_neglected(asked: AskedFor, rep: Rep = None) -> Response:
    """Open leads and deals with no next step planned, the longest idle first."""
    return await asked.tables("neglected", STEPS, lambda source: neglected(source.view, rep=rep), rep=rep)


@router.get("/overdue", operation_id="overdue", responses=report(listed(Overdue), "unknown_rep"))
async def get_overdue(asked: AskedFor, rep: Rep = None) -> Response:
    """Planned steps whose due time has passed, the longest first."""
    return await asked.tables("overdue", STEPS, lambda source: overdue(source.view, rep=rep), rep=rep)


@router.get("/queue/{rep:whole}", operation_id="queue", responses=report(listed(Work), "unknown_rep"))
async def get_queue(asked: AskedFor, rep: str) -> Response:
    """What a rep should do next: overdue steps, then deals nearest the finish, then by due time."""
    reads = ("leads", "deals", "next_steps", "pipelines", "team")
    return await asked.tables("queue", reads, lambda source: queue(source.view, rep=rep), rep=rep)


@router.get(
    "/encroachments", operation_id="encroachments", responses=report(listed(Encroachment), "unknown_rep")
)
async def get_encroachments(asked: AskedFor, rep: Rep = None) -> Response:
    """Contacts that somebody else's rep had with an owned lead; with `rep` those of either side."""
    reads = ("leads", "contacts", "team")
    return await asked.tables(
        "encroachments", reads, lambda source: encroachments(source.view, rep=rep), rep=rep
    )


@router.get(
    "/refusals", operation_id="refusals", responses=report(listed(Refused), "unknown_rep", "unknown_lead")
)
async def get_refusals(
    asked: AskedFor,
    rep: Rep = None,
    lead: Annotated[str | None, Query(description="Only attempts on this lead.")] = None,
) -> Response:
    """Attempts on leads that were another's: what a dispute over ownership is settled from."""
    return await asked.tables(
        "refusals",
        ("leads", "team"),
        lambda source: refusals(source.view, rep=rep, lead=lead),
        rep=rep,
        lead=lead,
    )


@router.get("/pool", operation_id="pool", responses=report(listed(PoolLead)))
async def get_pool(asked: AskedFor) -> Response:
    """Open leads that nobody owns, the longest waiting first."""
    return await asked.tables("pool", ("leads",), lambda source: pool(source.view))
