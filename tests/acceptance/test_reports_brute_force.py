"""Every figure of the reports against brute force: random companies, past moments, both axes, four zones."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import brute_force
import psycopg
import pytest
from brute_force import World
from histories import History

from adapters.postgres.embedded import Embedded
from adapters.postgres.lookups import view_of
from adapters.postgres.projecting.as_of import AsOf
from adapters.reading import moments
from projections import contacts, cycle_time, funnel, neglected, owner, queue, scorecard, timeline
from projections.asking import Axis, View, answer
from projections.grouping import DIMENSIONS, Range

BY = (None, *DIMENSIONS)
AXES: tuple[Axis, ...] = ("recorded", "occurred")
RANGES = ((None, None), ("2026-02-01", "2026-03-08"), ("2026-03-29", None))  # Clocks change on both dates.
ACTIONS = 420
COMPANIES = {1: "America/New_York", 2: "Europe/Berlin", 3: "UTC", 4: "Pacific/Auckland"}
"""Time zones by the seed of the history."""


class Company:
    """A history, and looks at it: what brute force says of a moment beside the view that reports ask."""

    def __init__(self, url: str, seed: int, zone: str, keep: ExitStack) -> None:
        self.history = History(url, seed)
        keep.callback(self.history.close)
        self.history.live(ACTIONS)
        self.zone = ZoneInfo(zone)
        events = self.history.events()
        assert self.history.projector.catch_up() == []
        self.looks: list[tuple[World, View]] = []
        for axis in AXES:
            for text in ("2026-02-03", "2026-03-28", "2026-05-20T12:00:00+02:00", "2026-09-30"):
                moment = moments.last_instant(text, self.zone)
                snapshot = self.history.projector.snapshot(at=AsOf(moment=moment, axis=axis))
                view = replace(view_of(keep.enter_context(snapshot), zone), axis=axis)
                self.looks.append((World(events, moment, axis, zone), view))

    def span(self, start: str | None, end: str | None) -> Range:
        return Range(
            None if start is None else moments.start(start, self.zone),
            None if end is None else moments.until(end, self.zone),
        )


@pytest.fixture(
    scope="module",
    params=list(COMPANIES.items()),
    ids=lambda one: one[1],
)
def company(request: pytest.FixtureRequest, server: Embedded, template: str) -> Iterator[Company]:
    seed, zone = request.param
    name = f"brute_force_{seed}"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy'.encode())
        with ExitStack() as keep:
            yield Company(server.url(name), seed, zone, keep)
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def said(view: View, report: object) -> dict[str, Any]:
    """The report as `--json` gives it."""
    found: dict[str, Any] = json.loads(json.dumps(answer(view, report)))
    return found


def differences(want: Any, got: Any, path: str = "") -> list[str]:
    """Where two answers part; of an object only what is wanted is looked at."""
    if isinstance(want, dict) and isinstance(got, dict) and want.keys() <= got.keys():
        return [one for key in want for one in differences(want[key], got[key], f"{path}.{key}")]
    if isinstance(want, list | tuple) and isinstance(got, list | tuple) and len(want) == len(got):
        return [
            one
            for place, (left, right) in enumerate(zip(want, got, strict=True))
            for one in differences(left, right, f"{path}[{place}]")
        ]
    if isinstance(want, Decimal):
        same = isinstance(got, str) and Decimal(got) == want
    elif isinstance(want, datetime):
        same = isinstance(got, str) and datetime.fromisoformat(got) == want
    elif isinstance(want, float) and isinstance(got, int | float):
        same = abs(want - got) < 1e-8
    else:
        same = bool(want == got)
    return [] if same else [f"{path}: {want!r} is told as {got!r}"]


def by_key(groups: list[dict[str, Any]]) -> dict[str | None, dict[str, Any]]:
    found = {group["key"]: group for group in groups}
    assert len(found) == len(groups)
    return found


def test_the_histories_have_what_makes_reports_go_wrong(company: Company) -> None:
    accepted = company.history.accepted
    for rare in ("deal.reopen", "deal.split", "deal.amend", "lead.merge", "lead.unmerge", "lead.release"):
        assert accepted.get(rare, 0) > 0, rare
    world, _ = next((world, view) for world, view in company.looks[3:4])
    assert world.aliases
    assert any(deal.closed_at and deal.closed_at < deal.opened_at for deal in world.deals.values())
    assert any(sum(one.outcome == "won" for one in deal.closes) > 1 for deal in world.deals.values())
    assert any(deal.status == "won" and deal.amount is None for deal in world.deals.values())
    assert len({deal.currency for deal in world.deals.values()}) > 2


@pytest.mark.parametrize("kind", ["cohort", "flow"])
def test_funnel(company: Company, kind: Any) -> None:
    for world, view in company.looks:
        for pipeline in world.stages:
            for start, end in RANGES:
                span = company.span(start, end)
                for by in BY:
                    want = brute_force.funnel(world, pipeline, kind, by, span.start, span.end)
                    found = funnel.funnel(view, pipeline=pipeline, kind=kind, by=by, span=span)
                    got = said(view, found)
                    if by is not None:
                        got["groups"] = by_key(got["groups"])
                        assert got["groups"].keys() == want["groups"].keys()
                    assert differences(want, got) == [], (view.axis, view.moment, pipeline, by, start)


def test_cycle_time(company: Company) -> None:
    for world, view in company.looks:
        for pipeline in world.stages:
            for by in BY:
                for outcome in ("won", "lost", "closed"):
                    for since in ("deal", "lead"):
                        want = brute_force.cycle_time(world, pipeline, by, outcome, since)
                        found = cycle_time.cycle_time(
                            view,
                            pipeline=pipeline,
                            by=by,
                            outcome=outcome,
                            since=since,
                        )
                        got = by_key(said(view, found)["groups"])
                        assert got.keys() == want.keys()
                        assert differences(want, got) == [], (view.axis, view.moment, pipeline, by, outcome)


def test_owner_lead_and_pool(company: Company) -> None:
    for world, view in company.looks:
        for lead in [*world.leads, *world.aliases]:
            stands = world.stands_for(lead)
            if stands not in world.leads:
                continue  # Dated before the lead that it means: on the occurred axis there is none yet.
            want = brute_force.owned(world, lead) | {"lead": stands, "status": world.status(stands)}
            assert differences(want, said(view, owner.owner(view, lead=lead))) == [], (view.axis, lead)
            if view.axis == "recorded" and world.status(stands) != "disqualified":
                # By dates alone a win may come before the opening or the merge that it belongs to.
                assert want["status"] == world.status_by_deals(stands), lead
            story = said(view, timeline.lead_story(view, company.history.store.load, lead=lead))
            story["deals"].sort()
            known = {
                "lead": stands,
                "status": world.status(stands),
                "registered_at": world.leads[stands].registered_at,
                "deals": sorted(deal.id for deal in world.deals_of(stands)),
            }
            assert differences(known, story) == [], (view.axis, lead)
        assert {item["lead"] for item in said(view, owner.pool(view))["items"]} == brute_force.pool(world)


def test_the_history_of_a_lead_says_who_owned_it_at_any_moment(company: Company) -> None:
    *before, (last, view) = [look for look in company.looks if look[1].axis == "recorded"]
    asked = 0
    for lead in last.leads:
        if last.leads[lead].merged_into is not None:
            continue
        holdings = [one for one in owner.owner(view, lead=lead).history if one.lead == lead]
        for then, _ in before:
            if lead not in then.leads or then.leads[lead].merged_into is not None:
                continue
            held = [
                one.owner
                for one in holdings
                if one.since <= then.moment and (one.until is None or then.moment < one.until)
            ]
            assert held[-1:] == [then.owner(lead)], (lead, then.moment)
            asked += 1
    assert asked > 10


def test_deal(company: Company) -> None:
    for world, view in company.looks:
        for deal in world.deals.values():
            want = {
                "lead": world.stands_for(deal.lead),
                "rep": world.rep_of(deal),
                "pipeline": deal.pipeline,
                "status": deal.status,
                "stage": deal.stage,
                "stage_since": deal.stage_since,
                "amount": deal.amount,
                "currency": deal.currency,
                "opened_at": deal.opened_at,
                "closed_at": deal.closed_at,
                "loss_reason": deal.reason,
                "shares": deal.shares,
            }
            story = timeline.deal_story(view, company.history.store.load, deal=deal.id)
            assert differences(want, said(view, story)) == [], (view.axis, view.moment, deal.id)


def test_neglected_overdue_encroachments_and_refusals(company: Company) -> None:
    for world, view in company.looks:
        items = said(view, neglected.neglected(view))["items"]
        assert {tuple(item[key] for key in ("kind", "lead", "deal", "rep")) for item in items} == (
            brute_force.neglected(world)
        )
        items = said(view, neglected.overdue(view))["items"]
        assert {tuple(item[key] for key in ("task", "lead", "rep")) for item in items} == (
            brute_force.overdue(world)
        )
        items = said(view, contacts.encroachments(view))["items"]
        assert [tuple(item[key] for key in ("position", "lead", "owner", "by")) for item in items] == (
            brute_force.encroachments(world)
        )
        items = said(view, owner.refusals(view))["items"]
        assert [tuple(item[key] for key in ("position", "lead", "rep", "owner")) for item in items] == (
            brute_force.refusals(world)
        )


def test_queue(company: Company) -> None:
    keys = ("kind", "lead", "deal", "task", "overdue")
    for world, view in company.looks:
        for rep in world.reps:
            items = said(view, queue.queue(view, rep=rep))["items"]
            got = [tuple(item[key] for key in keys) for item in items]
            assert got == brute_force.queue(world, rep), (view.axis, view.moment, rep)
            shown = {item["task"] for item in items} | {item["lead"] for item in items}
            for task, lead, whose in brute_force.overdue(world):
                assert whose != rep or {task, lead} & shown, "what is overdue is in somebody's queue"


def test_scorecard(company: Company) -> None:
    for world, view in company.looks:
        every = {rep: brute_force.scorecard(world, rep) for rep in world.reps}
        for rep in world.reps:
            got = said(view, scorecard.scorecard(view, rep=rep))
            team = brute_force.team_of(world, rep)
            assert got["team"] == team
            money = every[rep].pop("won_amount") if "won_amount" in every[rep] else {}
            told = {name: figure["rep"] for name, figure in got["figures"].items()}
            assert differences(every[rep], told) == [], (view.axis, rep)
            earned = {currency: Decimal(one) for currency, one in got["won_amount"]["rep"].items()}
            assert {key: one for key, one in earned.items() if one} == {k: v for k, v in money.items() if v}
            for name, figure in got["figures"].items():
                values = [every[one][name] for one in team if every[one][name] is not None]
                assert differences(float(median(values)) if values else None, figure["team_median"]) == []
                best = min if name in scorecard.LESS_IS_BETTER else max
                assert figure["team_best"] == (pytest.approx(best(values)) if values else None)


def test_moments_of_the_looks_are_ends_of_days_there(company: Company) -> None:
    """The clocks change between these looks: a day ends where the next one begins."""
    for world, view in company.looks[:2]:
        then = world.moment + timedelta(microseconds=1)
        assert then.astimezone(company.zone).time() == datetime.min.time()
        as_of = said(view, owner.pool(view))["as_of"]
        assert as_of == world.moment.astimezone(company.zone).isoformat()
        assert as_of[11:26] == "23:59:59.999999"
