"""Reports whose answers are figures or a story: funnel, cycle time, owners, scorecards, deals, leads."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from adapters.http.asked import AskedFor
from adapters.http.openapi import answered, report
from adapters.reading.moments import span
from projections.cycle_time import CycleTime, cycle_time
from projections.funnel import Funnel, FunnelBy, Kind, funnel
from projections.grouping import Dimension
from projections.owner import Owner, owner
from projections.scorecard import Scorecard, scorecard
from projections.timeline import DealStory, LeadStory, deal_story, lead_story

router = APIRouter(tags=["reports"])
Pipeline = Annotated[str, Query(description="The pipeline asked about.")]
By = Annotated[Dimension | None, Query(description="Tell groups apart by this.")]

DEALS = ("deals", "leads", "pipelines", "team")


@router.get(
    "/funnel",
    operation_id="funnel",
    responses=report(answered(FunnelBy) | answered(Funnel), "unknown_pipeline"),
)
async def get_funnel(
    asked: AskedFor,
    pipeline: Pipeline,
    start: Annotated[str | None, Query(alias="from", description="First day, or first moment.")] = None,
    end: Annotated[str | None, Query(alias="to", description="Last day, or last moment; inclusive.")] = None,
    view: Annotated[
        Kind, Query(description="The deals opened in the range, or the moves made in it.")
    ] = "cohort",
    by: By = None,
) -> Response:
    """How far deals get, where they stop, and how long they stay in each stage."""
    within = span(start, end, asked.zone)
    return await asked.tables(
        "funnel",
        DEALS,
        lambda source: funnel(source.view, pipeline=pipeline, kind=view, by=by, span=within),
    )


@router.get(
    "/cycle-time", operation_id="cycle_time", responses=report(answered(CycleTime), "unknown_pipeline")
)
async def get_cycle_time(
    asked: AskedFor,
    pipeline: Pipeline,
    by: By = None,
    outcome: Literal["won", "lost", "closed"] = "won",
    since: Annotated[
        Literal["deal", "lead"], Query(description="The deal's opening, or its lead's registration.")
    ] = "deal",
) -> Response:
    """How long deals take from opening to close, beside the median that counts open ones as unfinished."""
    return await asked.tables(
        "cycle_time",
        DEALS,
        lambda source: cycle_time(source.view, pipeline=pipeline, by=by, outcome=outcome, since=since),
    )


@router.get("/owners/{lead:whole}", operation_id="owner", responses=report(answered(Owner), "unknown_lead"))
async def get_owner(asked: AskedFor, lead: str) -> Response:
    """Whose a lead is, since when and by which event, and whose it was before."""
    return await asked.tables("owner", ("leads",), lambda source: owner(source.view, lead=lead), lead=lead)


@router.get(
    "/scorecards/{rep:whole}", operation_id="scorecard", responses=report(answered(Scorecard), "unknown_rep")
)
async def get_scorecard(asked: AskedFor, rep: str) -> Response:
    """A rep's figures beside the team's median and best."""
    return await asked.tables(
        "scorecard",
        ("deals", "leads", "next_steps", "contacts", "team"),
        lambda source: scorecard(source.view, rep=rep),
        rep=rep,
    )


@router.get("/deals/{deal:whole}", operation_id="deal", responses=report(answered(DealStory), "unknown_deal"))
async def get_deal(asked: AskedFor, deal: str) -> Response:
    """A deal as it stands, and the events behind it."""
    return await asked.tables(
        "deal",
        ("deals", "leads"),
        lambda source: deal_story(source.view, source.history, deal=deal),
        deal=deal,
    )


@router.get("/leads/{lead:whole}", operation_id="lead", responses=report(answered(LeadStory), "unknown_lead"))
async def get_lead(asked: AskedFor, lead: str) -> Response:
    """A lead as it stands, and the events of it, its steps and its deals."""
    return await asked.tables(
        "lead",
        ("deals", "leads", "next_steps"),
        lambda source: lead_story(source.view, source.history, lead=lead),
        lead=lead,
    )
