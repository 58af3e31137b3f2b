"""Reports without what the caller may not see: others' lines and shares, texts that say who somebody is."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from adapters.access.entitlements import Scope
from domain.deals.events import DealSplit
from domain.deals.model import DEAL
from domain.kernel import Event
from domain.payroll.events import PlanPublished
from domain.shared.personal import SEALED, personal_fields
from projections.asking import Listing
from projections.payroll.explaining import Explanation
from projections.scorecard import MoneyBeside, Scorecard
from projections.timeline import DealStory, Happening, LeadStory

Team = AbstractSet[str]
Data = Mapping[str, Any]

WHOSE: Mapping[str, tuple[str, ...] | None] = {
    "neglected": ("rep",),
    "overdue": ("rep", "owner"),
    "encroachments": ("owner", "by"),
    "refusals": ("rep", "owner"),
    "exceptions": ("rep",),
    "disputes": ("rep",),
    "assignments": ("rep",),
    "queue": None,
}
"""By which fields an item of a list is somebody's; it is shown to whoever has one of them in their team.

None where all of the list is theirs who may ask for it. One that isn't here is an error, not shown whole.
"""


def shown(
    operation: str, report: Any, *, scope: Scope, team: Team, deals: AbstractSet[str] = frozenset()
) -> Any:
    """The report as somebody with this scope gets it; `team` are the reps whose data are theirs to see.

    Of the deals of a lead that are in its story, `deals` concern one of them now.
    """
    match scope:
        case Scope.ALL:
            return report
        case Scope.OWN:
            return _own(operation, report, team, deals)
        case Scope.SEALED:
            return _sealed(report)
        case Scope.NONE:
            raise ValueError(f"nothing of {operation} is shown")


def _own(operation: str, report: Any, team: Team, deals: AbstractSet[str]) -> Any:
    match report:
        case Listing(items=items) if (names := WHOSE[operation]) is not None:
            return Listing.of([one for one in items if any(getattr(one, name) in team for name in names)])
        case Scorecard(won_amount=money) if not set(report.team) <= team:
            # Beside one or two colleagues a median or the best is somebody's own figure.
            return replace(report, won_amount=MoneyBeside(money.rep, {}, {}))
        case DealStory(shares=shares, timeline=timeline):
            return replace(report, shares=_shares(shares, team), timeline=_timeline(timeline, team))
        case LeadStory():
            return _own_lead(report, team, deals)
        case {"statements": statements}:
            return {**report, **_own_statements(statements, team)}
        case Explanation():
            return _own_explanation(report, team)
    return report


def _own_statements(statements: Sequence[Data], team: Team) -> Data:
    theirs = [one for one in statements if one["rep"] in team]
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in theirs:
        totals[one["currency"]] += Decimal(one["total"])
    return {
        "statements": theirs,
        "totals": {currency: format(total, "f") for currency, total in sorted(totals.items())},
    }


def _own_lead(story: LeadStory, team: Team, seen: AbstractSet[str]) -> LeadStory:
    """Without the deals that concern only others now, such as those won before the lead changed hands."""
    others = {deal for deal in story.deals if deal not in seen}
    streams = {DEAL.stream(deal) for deal in others}
    return replace(
        story,
        deals=[deal for deal in story.deals if deal not in others],
        timeline=_timeline([one for one in story.timeline if one.stream not in streams], team),
    )


def _timeline(timeline: Sequence[Happening], team: Team) -> list[Happening]:
    return [replace(one, data=_own_data(one.event, one.data, team)) for one in timeline]


def _own_explanation(report: Explanation, team: Team) -> Explanation:
    """The story tells in the same words of events that came since."""
    own, story = tuple(_own_step(one, team) for one in report.events), report.story
    for step, cut in zip(report.events, own, strict=True):
        told, instead = (f"{one.told} (event {one.position})" for one in (step, cut))
        story = tuple(text.replace(told, instead) for text in story)
    return replace(report, events=own, story=story)


def _own_step(step: Any, team: Team) -> Any:
    """What is told of a split in words names everybody's share too."""
    data = _own_data(step.event, step.data, team)
    if step.event != DealSplit.stored_name or data == step.data:
        return replace(step, data=data)
    deal = step.stream.removeprefix(DEAL.stream(""))
    parts = ", ".join(
        f"{share['rep']} {share['percent']} %" for share in data["shares"] if share["percent"] is not None
    )
    return replace(step, data=data, told=f"the credit of deal {deal} was split: {parts or 'among others'}")


def _own_data(event: str, data: Data, team: Team) -> Data:
    """An event as stored, without others' shares and quotas."""
    if event == DealSplit.stored_name:
        return {**data, "shares": _shares(data["shares"], team)}
    if event == PlanPublished.stored_name and data["plan"].get("quota"):
        plan, quota = data["plan"], data["plan"]["quota"]
        theirs = {rep: amount for rep, amount in (quota.get("reps") or {}).items() if rep in team}
        return {**data, "plan": {**plan, "quota": {**quota, "reps": theirs}}}
    return data


def _shares(shares: Sequence[Data], team: Team) -> list[Data]:
    return [share if share["rep"] in team else {**share, "percent": None} for share in shares]


def _sealed(report: Any) -> Any:
    match report:
        case Listing(items=items):
            return Listing.of([_without(one, "name") for one in items])
        case Scorecard():
            return _without(report, "name")
        case DealStory(timeline=timeline):
            return replace(_without(report, "title"), timeline=_sealed_events(timeline))
        case LeadStory(timeline=timeline):
            return replace(_without(report, "name"), timeline=_sealed_events(timeline))
        case Explanation(events=steps, story=story):
            titles = [title for one in steps if (title := one.data.get("title"))]
            for title in titles:
                story = tuple(text.replace(f": {title}, of lead", f": {SEALED}, of lead") for text in story)
            return replace(report, story=story, events=tuple(_sealed_events(steps)))
    return report


def _sealed_events(events: Sequence[Any]) -> list[Any]:
    return [
        replace(one, data=_sealed_data(personal_fields(Event.catalogue[one.event]), one.data))
        for one in events
    ]


def _sealed_data(personal: Collection[str], data: Data) -> Data:
    return {name: _seal(value) if name in personal else value for name, value in data.items()}


def _seal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _seal(one) for name, one in value.items()}
    return None if value is None else SEALED


def _without(one: Any, name: str) -> Any:
    if name not in (field.name for field in fields(one)) or getattr(one, name) is None:
        return one
    return replace(one, **{name: SEALED})
