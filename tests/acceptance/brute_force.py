"""What every report must say, worked out from the log by brute force: loops, no SQL, no projection.

Written from the specification. Events are read as an auditor would (the view log.events), taken as of a
moment on one axis of time, and told in the order of their positions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Told:
    """One event of the log."""

    position: int
    stream: str
    name: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    data: dict[str, Any]

    @property
    def category(self) -> str:
        return self.stream.split("-", 1)[0]

    @property
    def entity(self) -> str:
        return self.stream.split("-", 1)[1]


@dataclass
class Claim:
    """A right to a lead: since when and by which event, and what it was last worked with."""

    rep: str
    since: datetime
    position: int
    worked_at: datetime
    worked_by: int  # The event from which the term runs.
    days: int

    @property
    def expires_at(self) -> datetime:
        return self.worked_at + self.days * DAY


@dataclass
class Lead:
    id: str
    registered_at: datetime
    data: dict[str, Any]
    claim: Claim | None = None
    freed: tuple[datetime, int] | None = None  # since when nobody's, and by which event
    merged_into: str | None = None
    disqualified: bool = False
    open_deals: set[str] = field(default_factory=set)
    won_deals: set[str] = field(default_factory=set)


@dataclass
class Close:
    at: datetime
    outcome: str
    stage: str
    reason: str | None
    amount: Decimal | None
    currency: str | None


@dataclass
class Deal:
    id: str
    lead: str
    pipeline: str
    opened_at: datetime
    data: dict[str, Any]
    status: str = "open"
    stage: str = ""
    stage_since: datetime | None = None
    amount: Decimal | None = None
    currency: str | None = None
    closed_at: datetime | None = None
    closed_owner: str | None = None
    reason: str | None = None
    shares: list[dict[str, Any]] = field(default_factory=list)
    visits: list[tuple[str, datetime, datetime | None]] = field(default_factory=list)
    closes: list[Close] = field(default_factory=list)


@dataclass
class Task:
    id: str
    lead: str
    planned: dict[str, Any]
    planned_at: datetime
    status: str = "planned"
    ended_at: datetime | None = None

    @property
    def due_at(self) -> datetime:
        return datetime.fromisoformat(self.planned["due_at"])


class World:
    """Everything as the events up to `moment` on `axis` leave it."""

    def __init__(self, events: Iterable[Told], moment: datetime, axis: str, zone: str) -> None:
        self.moment, self.zone = moment, ZoneInfo(zone)
        self.stages: dict[str, list[str]] = {}
        self.every_stage: dict[str, list[str]] = defaultdict(list)
        self.reps: dict[str, dict[str, Any]] = {}
        self.leads: dict[str, Lead] = {}
        self.aliases: dict[str, str] = {}
        self.deals: dict[str, Deal] = {}
        self.tasks: dict[tuple[str, str], Task] = {}
        self.contacts: list[Told] = []
        self.refusals: list[Told] = []
        self.told = [
            one for one in events if (one.recorded_at if axis == "recorded" else one.occurred_at) <= moment
        ]
        self.position = max((one.position for one in self.told), default=0)
        for one in self.told:
            tell: Callable[[Told], None] | None = {
                "pipeline": self._pipeline,
                "rep": self._rep,
                "lead": self._lead,
                "deal": self._deal,
                "activity": self._activity,
            }.get(one.category)
            if tell is not None:
                tell(one)

    # What happened

    def _pipeline(self, one: Told) -> None:
        self.stages[one.entity] = [stage["name"] for stage in one.data["stages"]]

    def _rep(self, one: Told) -> None:
        if one.name == "team.RepLeft":
            self.reps[one.entity]["employed"] = False
        elif one.name != "shared.NothingChanged":
            self.reps[one.entity] = {**one.data, "employed": True}

    def _lead(self, one: Told) -> None:
        data, kind = one.data, one.name.removeprefix("leads.")
        if kind == "SubjectAliased":
            self.aliases[one.entity] = data["lead"]
            return
        if kind == "LeadRegistered":
            self.leads[one.entity] = Lead(one.entity, one.occurred_at, data)
            self.leads[one.entity].freed = (one.recorded_at, one.position)
            return
        if kind == "ClaimRefused":
            self.refusals.append(one)
        lead = self.leads.get(one.entity)
        if lead is None:
            return
        self._deals_by_lead(lead, kind, data)
        if kind in ("LeadClaimed", "LeadAssigned"):
            lead.claim = Claim(
                data["rep"],
                one.recorded_at,
                one.position,
                one.recorded_at,
                one.position,
                data["protection_days"],
            )
        elif kind == "LeadWorked" and lead.claim is not None and data["protection_days"] is not None:
            lead.claim.worked_at, lead.claim.days = one.recorded_at, data["protection_days"]
            lead.claim.worked_by = one.position
        elif kind == "ClaimLapsed" and lead.claim is not None:
            lead.claim, lead.freed = None, (datetime.fromisoformat(data["lapsed_at"]), one.position)
        elif kind in ("LeadReleased", "LeadDisqualified"):
            if lead.claim is not None:
                lead.freed = (one.recorded_at, one.position)
            lead.claim = None
            lead.disqualified |= kind == "LeadDisqualified"
        elif kind == "LeadMerged":
            lead.merged_into = data["into"]
        elif kind in ("LeadAbsorbed", "LeadUnmerged", "LeadParted"):
            if kind == "LeadUnmerged":
                lead.merged_into = None
            self._given(lead, one)

    def _deals_by_lead(self, lead: Lead, kind: str, data: dict[str, Any]) -> None:
        """Which deals are open and won, as the lead's own stream tells."""
        if kind == "LeadWorked" and data["work"] in ("deal_opened", "deal_won", "deal_lost", "deal_reopened"):
            lead.open_deals.discard(data["deal"])
            lead.won_deals.discard(data["deal"])
            if data["work"] != "deal_lost":
                (lead.won_deals if data["work"] == "deal_won" else lead.open_deals).add(data["deal"])
        elif kind == "LeadAbsorbed":
            lead.open_deals |= set(data["open_deals"])
            lead.won_deals |= set(data["won_deals"])
        elif kind == "LeadUnmerged":
            lead.open_deals, lead.won_deals = set(data["open_deals"]), set(data["won_deals"])
        elif kind == "LeadParted":
            lead.open_deals -= set(data["deals"])
            lead.won_deals -= set(data["deals"])

    def _given(self, lead: Lead, one: Told) -> None:
        owner, had = one.data["owner"], lead.claim
        if owner is None:
            if had is not None:
                lead.freed = (one.recorded_at, one.position)
            lead.claim = None
            return
        worked_at = one.data["worked_at"]
        since, position = one.recorded_at, one.position
        if had is not None and had.rep == owner:
            since, position = had.since, had.position
        lead.claim = Claim(
            owner,
            since,
            position,
            datetime.fromisoformat(worked_at) if worked_at else one.recorded_at,
            one.position,
            one.data["protection_days"],
        )

    def _deal(self, one: Told) -> None:
        data, kind, at = one.data, one.name.removeprefix("deals."), one.occurred_at
        if kind == "DealOpened":
            amount = None if data["amount"] is None else Decimal(data["amount"])
            self.deals[one.entity] = Deal(
                one.entity,
                data["lead"],
                data["pipeline"],
                at,
                data,
                amount=amount,
                currency=data["currency"],
            )
            return
        deal = self.deals.get(one.entity)
        if deal is None:
            return
        if kind == "StageEntered":
            self._leave(deal, at)
            deal.stage, deal.stage_since = data["stage"], at
            deal.visits.append((data["stage"], at, None))
        elif kind == "DealAmended":
            deal.amount, deal.currency = Decimal(data["amount"]), data["currency"]
            if deal.status == "won":
                deal.closes[-1].amount, deal.closes[-1].currency = deal.amount, deal.currency
        elif kind == "DealSplit":
            deal.shares = data["shares"]
        elif kind == "DealWon":
            self._leave(deal, at)
            deal.status, deal.closed_at, deal.closed_owner = "won", at, data["owner"]
            deal.amount = None if data["amount"] is None else Decimal(data["amount"])
            deal.currency = data["currency"]
            deal.closes.append(Close(at, "won", data["stage"], None, deal.amount, deal.currency))
        elif kind == "DealLost":
            self._leave(deal, at)
            deal.status, deal.closed_at, deal.closed_owner = "lost", at, data["owner"]
            deal.reason = data["reason"]
            deal.closes.append(Close(at, "lost", data["stage"], data["reason"], None, None))
        elif kind == "DealReopened":
            self._leave(deal, at)
            deal.status, deal.closed_at, deal.closed_owner, deal.reason = "open", None, None, None
            deal.stage, deal.stage_since = data["stage"], at
            deal.visits.append((data["stage"], at, None))

    def _leave(self, deal: Deal, at: datetime) -> None:
        if deal.visits and deal.visits[-1][2] is None:
            stage, entered, _ = deal.visits[-1]
            deal.visits[-1] = (stage, entered, at)

    def _activity(self, one: Told) -> None:
        data, kind = one.data, one.name.removeprefix("activities.")
        if kind == "ContactRecorded":
            self.contacts.append(one)
        elif kind == "TaskPlanned":
            self.tasks[one.entity, data["task"]] = Task(data["task"], one.entity, data, one.occurred_at)
        elif kind in ("TaskCompleted", "TaskCancelled"):
            task = self.tasks.get((one.entity, data["task"]))
            if task is not None:
                task.status = "done" if kind == "TaskCompleted" else "cancelled"
                task.ended_at = one.occurred_at

    # Who and what it means

    def stands_for(self, lead: str) -> str:
        """The lead that stands for this id, through aliases and merges."""
        seen = set()
        while lead not in seen:
            seen.add(lead)
            known = self.leads.get(lead)
            onward = self.aliases.get(lead) or (known.merged_into if known is not None else None)
            if onward is None:
                return lead
            lead = onward
        return ""  # Merges with wrong dates can point in a circle on the occurred axis.

    def claim(self, lead: str) -> Claim | None:
        """The claim that holds at the moment; past its term it is nobody's."""
        known = self.leads.get(self.stands_for(lead))
        if (
            known is None
            or known.claim is None
            or known.disqualified
            or known.claim.expires_at <= self.moment
        ):
            return None
        return known.claim

    def owner(self, lead: str) -> str | None:
        claim = self.claim(lead)
        return None if claim is None else claim.rep

    def deals_of(self, lead: str) -> list[Deal]:
        return [deal for deal in self.deals.values() if self.stands_for(deal.lead) == lead]

    def status(self, lead: str) -> str:
        """Of the lead itself: open, won, disqualified or merged; unknown if dated before its registration."""
        known = self.leads.get(lead)
        if known is None:
            return "unknown"
        if known.merged_into is not None:
            return "merged"
        if known.disqualified:
            return "disqualified"
        return "won" if known.won_deals and not known.open_deals else "open"

    def status_by_deals(self, lead: str) -> str:
        """The same for a lead that hasn't ended, told from its deals' own streams."""
        statuses = {deal.status for deal in self.deals_of(lead)}
        return "won" if "won" in statuses and "open" not in statuses else "open"

    def rep_of(self, deal: Deal) -> str | None:
        """The lead's owner at the close, or now while open."""
        return self.owner(deal.lead) if deal.status == "open" else deal.closed_owner

    def branch_of(self, deal: Deal) -> str | None:
        own = self._of_lead(deal, "branch")
        rep = self.rep_of(deal)
        return own if own is not None else self.reps.get(rep or "", {}).get("branch")

    def _of_lead(self, deal: Deal, what: str) -> str | None:
        """As the lead that stands for the customer says; where it doesn't, as the deal's own did."""
        for lead in (self.stands_for(deal.lead), deal.lead):
            if lead in self.leads and self.leads[lead].data.get(what) is not None:
                return str(self.leads[lead].data[what])
        return None

    def month(self, at: datetime) -> str:
        return at.astimezone(self.zone).strftime("%Y-%m")

    def key(self, deal: Deal, by: str | None, at: datetime) -> str | None:
        if by == "rep":
            return self.rep_of(deal)
        if by == "branch":
            return self.branch_of(deal)
        if by == "channel":
            return self._of_lead(deal, "channel")
        if by == "product":
            product: str | None = deal.data["product"]
            return product
        return self.month(at) if by == "month" else None


# Figures


def percentile(values: Sequence[float], share: float) -> float | None:
    """Linear interpolation, as SQL's percentile_cont."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def purse(deals: Iterable[Deal]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for deal in deals:
        if deal.amount is not None and deal.currency is not None:
            sums[deal.currency] += deal.amount
    return dict(sums)


def days(span: timedelta) -> float:
    return span / DAY


def kaplan_meier_median(ended: Sequence[float], running: Sequence[float]) -> float | None:
    """When half have ended, by the product-limit estimate; None where fewer than half ever do."""
    survival = 1.0
    everyone = [*ended, *running]
    for at, deaths in sorted(Counter(ended).items()):
        survival *= 1 - deaths / sum(one >= at for one in everyone)
        if survival <= 0.5 + 1e-12:
            return at
    return None


def cohort(world: World, deals: Sequence[Deal], stages: Sequence[str]) -> dict[str, Any]:
    """The deals given, whatever became of them."""
    won = [deal for deal in deals if deal.status == "won"]
    lost = [deal for deal in deals if deal.status == "lost"]
    furthest = {
        deal.id: len(stages)
        if deal.status == "won"
        else max((stages.index(stage) for stage, _, _ in deal.visits if stage in stages), default=-1)
        for deal in deals
    }
    reached = [sum(furthest[deal.id] >= place for deal in deals) for place in range(len(stages))]
    retired = sorted({stage for deal in deals for stage, _, _ in deal.visits} - set(stages))
    rows = []
    for place, stage in enumerate([*stages, *retired]):
        spent = [
            sum(
                days((left or world.moment) - entered) for name, entered, left in deal.visits if name == stage
            )
            for deal in deals
            if any(name == stage for name, _, _ in deal.visits)
        ]
        rows.append(
            {
                "stage": stage,
                "reached": reached[place] if place < len(stages) else len(spent),
                "current": sum(deal.status == "open" and deal.stage == stage for deal in deals),
                "lost": sum(deal.stage == stage for deal in lost),
                "conversion": rate([*reached, len(won)][place + 1], reached[place])
                if place < len(stages)
                else None,
                "median_days": percentile(spent, 0.5),
                "p90_days": percentile(spent, 0.9),
            }
        )
    return {
        "leads": len({world.stands_for(deal.lead) for deal in deals}),
        "deals": len(deals),
        "open": len(deals) - len(won) - len(lost),
        "won": len(won),
        "lost": len(lost),
        "won_amount": purse(won),
        "win_rate_closed": rate(len(won), len(won) + len(lost)),
        "win_rate_all": rate(len(won), len(deals)),
        "stages": rows,
        "loss_reasons": dict(Counter(deal.reason for deal in lost)),
    }


def flow(
    world: World,
    deals: Sequence[Deal],
    stages: Sequence[str],
    start: datetime | None,
    end: datetime | None,
) -> dict[str, Any]:
    """The moves made in the range by the deals given: each deal counts once for whatever it did then."""
    reached: dict[str, set[str]] = defaultdict(set)
    spent: dict[str, dict[str, timedelta]] = defaultdict(lambda: defaultdict(timedelta))
    closes: dict[str, dict[str, Close]] = {"won": {}, "lost": {}}
    moved = {}
    for deal in deals:
        came_from = -1
        for stage, entered, left in deal.visits:
            place = stages.index(stage) if stage in stages else None
            if within(entered, start, end):
                moved[deal.id] = deal
                passed = [stage] if place is None else [stage, *stages[came_from + 1 : place + 1]]
                for one in passed:
                    reached[one].add(deal.id)
                spent[stage][deal.id] += (left or world.moment) - entered
            came_from = -1 if place is None else place
        for close in deal.closes:
            if within(close.at, start, end):
                moved[deal.id] = deal
                closes[close.outcome][deal.id] = close
                if close.outcome == "won":
                    first = stages.index(close.stage) + 1 if close.stage in stages else 0
                    for one in stages[first:]:
                        reached[one].add(deal.id)
    won, lost = closes["won"], closes["lost"]
    retired = sorted(set(reached) - set(stages))
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for close in won.values():
        if close.amount is not None and close.currency is not None:
            amounts[close.currency] += close.amount
    rows = []
    for place, stage in enumerate([*stages, *retired]):
        onward = len(reached[stages[place + 1]]) if place + 1 < len(stages) else len(won)
        times = [days(one) for one in spent[stage].values()]
        rows.append(
            {
                "stage": stage,
                "reached": len(reached[stage]),
                "current": sum(one.status == "open" and one.stage == stage for one in moved.values()),
                "lost": sum(close.stage == stage for close in lost.values()),
                "conversion": rate(onward, len(reached[stage])) if place < len(stages) else None,
                "median_days": percentile(times, 0.5),
                "p90_days": percentile(times, 0.9),
            }
        )
    return {
        "leads": len({world.stands_for(deal.lead) for deal in moved.values()}),
        "deals": len(moved),
        "open": len(moved.keys() - won.keys() - lost.keys()),
        "won": len(won),
        "lost": len(lost),
        "won_amount": dict(amounts),
        "win_rate_closed": rate(len(won), len(won) + len(lost)),
        "win_rate_all": rate(len(won), len(moved)),
        "stages": rows,
        "loss_reasons": dict(Counter(close.reason for close in lost.values())),
    }


def within(at: datetime, start: datetime | None, end: datetime | None) -> bool:
    """`end` is the first moment after the range."""
    return (start is None or at >= start) and (end is None or at < end)


def funnel(
    world: World,
    pipeline: str,
    view: str = "cohort",
    by: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> dict[str, Any]:
    """Of the deals opened within the range, or of the moves made in it; `groups` are by key."""
    stages = world.stages[pipeline]

    def figures(deals: Sequence[Deal]) -> dict[str, Any]:
        return cohort(world, deals, stages) if view == "cohort" else flow(world, deals, stages, start, end)

    deals = [deal for deal in world.deals.values() if deal.pipeline == pipeline]
    if view == "cohort":
        deals = [deal for deal in deals if within(deal.opened_at, start, end)]
    found = figures(deals)
    if by is not None:
        groups: dict[str | None, list[Deal]] = defaultdict(list)
        for deal in deals:
            groups[world.key(deal, by, deal.opened_at)].append(deal)
        found["groups"] = {key: told for key, some in groups.items() if (told := figures(some))["deals"]}
    return found


def cycle_time(
    world: World, pipeline: str, by: str | None = None, outcome: str = "won", since: str = "deal"
) -> dict[str | None, dict[str, Any]]:
    """Per key: over the deals closed so, and beside it the median that counts the others as unfinished."""
    wanted = ("won", "lost") if outcome == "closed" else (outcome,)

    def began(deal: Deal) -> datetime:
        """A customer known by two leads is known since the first of them."""
        known = [world.leads.get(lead) for lead in (deal.lead, world.stands_for(deal.lead))]
        registered = min((lead.registered_at for lead in known if lead is not None), default=None)
        return deal.opened_at if since == "deal" or registered is None else registered

    groups: dict[str | None, list[Deal]] = defaultdict(list)
    if by is None:
        groups[None] = []
    for deal in world.deals.values():
        if deal.pipeline == pipeline and (deal.closed_at or by != "month"):
            groups[world.key(deal, by, deal.closed_at or world.moment)].append(deal)
    found = {}
    for key, deals in groups.items():
        ended = [
            days(deal.closed_at - began(deal)) for deal in deals if deal.closed_at and deal.status in wanted
        ]
        running = [
            days((deal.closed_at or world.moment) - began(deal))
            for deal in deals
            if deal.status not in wanted
        ]
        found[key] = {
            "n": len(ended),
            "mean_days": sum(ended) / len(ended) if ended else None,
            "median_days": percentile(ended, 0.5),
            "p90_days": percentile(ended, 0.9),
            "min_days": min(ended, default=None),
            "max_days": max(ended, default=None),
            "censored_median_days": kaplan_meier_median(ended, running),
            "at_risk": len(ended) + len(running),
            "negative": sum(one < 0 for one in ended),
        }
    return found


# Next steps


def planned(world: World, lead: str) -> list[Task]:
    """Open steps with the lead and with those it stands for."""
    return [
        task
        for task in world.tasks.values()
        if task.status == "planned" and world.stands_for(task.lead) == lead
    ]


def covers(step: Task, deal: Deal) -> bool:
    return step.planned["deal"] in (None, deal.id)


def neglected(world: World) -> set[tuple[str, str, str | None, str | None]]:
    """(kind, lead, deal, rep) of whatever is open and has no step planned."""
    found: set[tuple[str, str, str | None, str | None]] = set()
    for lead in world.leads:
        if world.status(lead) == "open" and not planned(world, lead):
            found.add(("lead", lead, None, world.owner(lead)))
    for deal in world.deals.values():
        lead = world.stands_for(deal.lead)
        if deal.status == "open" and not any(covers(step, deal) for step in planned(world, lead)):
            found.add(("deal", lead, deal.id, world.owner(lead)))
    return found


def overdue(world: World) -> set[tuple[str, str, str | None]]:
    """(task, lead, whose) of steps whose due time has passed."""
    found = set()
    for task in world.tasks.values():
        lead = world.stands_for(task.lead)
        if task.status == "planned" and task.due_at < world.moment and world.status(lead) != "disqualified":
            found.add((task.id, lead, task.planned["assignee"] or world.owner(lead)))
    return found


def queue(world: World, rep: str) -> list[tuple[str, str, str | None, str | None, bool]]:
    """(kind, lead, deal, task, overdue) in order: what the rep sells, owns and has promised to do.

    Every open deal and every open lead without one comes with its first step; a step of the rep's that none
    of them stands for comes by itself.
    """
    items: list[tuple[Any, ...]] = []

    def add(kind: str, lead: str, deal: Deal | None, step: Task | None, named: str | None) -> None:
        late = step is not None and step.due_at < world.moment
        stages = world.stages.get(deal.pipeline, []) if deal else []
        place = stages.index(deal.stage) if deal and deal.stage in stages else -1
        due = step.due_at.timestamp() if step else float("inf")
        item = (kind, lead, named, step.id if step else None, late)
        items.append((not late, -place, due, lead, named or "~", step.id if step else "", item))

    for deal in world.deals.values():
        lead = world.stands_for(deal.lead)
        if deal.status == "open" and world.owner(lead) == rep:
            add(
                "deal",
                lead,
                deal,
                first(step for step in planned(world, lead) if covers(step, deal)),
                deal.id,
            )
    for lead in world.leads.keys() | {world.stands_for(task.lead) for task in world.tasks.values()}:
        if world.status(lead) in ("merged", "disqualified"):
            continue
        offers = [deal for deal in world.deals_of(lead) if deal.status == "open"]
        mine = world.owner(lead) == rep
        alone = mine and world.status(lead) == "open" and not offers
        if alone:
            step = first(planned(world, lead))
            add("lead", lead, None, step, step.planned["deal"] if step else None)
        for step in planned(world, lead):
            shown = alone or (mine and any(covers(step, deal) for deal in offers))
            if (step.planned["assignee"] or world.owner(lead)) == rep and not shown:
                add("task", lead, None, step, step.planned["deal"])
    return [item[-1] for item in sorted(items, key=lambda item: item[:-1])]


def first(steps: Iterable[Task]) -> Task | None:
    return min(steps, key=lambda step: (step.due_at, step.id), default=None)


def refusals(world: World) -> list[tuple[int, str, str | None, str]]:
    """(position, lead, by, owner) of attempts on owned leads, the latest first."""
    return [
        (one.position, world.stands_for(one.entity), one.data["rep"], one.data["owner"])
        for one in reversed(world.refusals)
    ]


def pool(world: World) -> set[str]:
    """Open leads that nobody owns."""
    return {lead for lead in world.leads if world.status(lead) == "open" and world.owner(lead) is None}


def encroachments(world: World) -> list[tuple[int, str, str, str]]:
    """(position, lead, owner, by) of contacts that went past the owner, the latest first."""
    return [
        (one.position, world.stands_for(one.entity), one.data["encroached_on"], one.actor)
        for one in reversed(world.contacts)
        if one.data["encroached_on"] is not None
    ]


def owned(world: World, lead: str) -> dict[str, Any]:
    """Whose the lead is, since when and by which event."""
    stands = world.stands_for(lead)
    known, claim = world.leads[stands], world.claim(lead)
    if claim is not None:
        return {"owner": claim.rep, "since": claim.since, "by_position": claim.position}
    if known.claim is not None and not known.disqualified:
        return {"owner": None, "since": known.claim.expires_at, "by_position": known.claim.worked_by}
    assert known.freed is not None
    return {"owner": None, "since": known.freed[0], "by_position": known.freed[1]}


def scorecard(world: World, rep: str) -> dict[str, Any]:
    """The rep's own figures."""
    won = [deal for deal in world.deals.values() if deal.status == "won" and deal.closed_owner == rep]
    lost = [deal for deal in world.deals.values() if deal.status == "lost" and deal.closed_owner == rep]
    return {
        "leads": sum(world.status(lead) == "open" and world.owner(lead) == rep for lead in world.leads),
        "deals_open": sum(
            deal.status == "open" and world.owner(deal.lead) == rep for deal in world.deals.values()
        ),
        "deals_won": len(won),
        "deals_lost": len(lost),
        "win_rate_closed": rate(len(won), len(won) + len(lost)),
        "median_cycle_days": percentile(
            [days(deal.closed_at - deal.opened_at) for deal in won if deal.closed_at], 0.5
        ),
        "contacts": sum(one.actor == rep for one in world.contacts),
        "neglected": sum(one[3] == rep for one in neglected(world)),
        "overdue": sum(one[2] == rep for one in overdue(world)),
        "encroachments": sum(one[3] == rep for one in encroachments(world)),
        "won_amount": purse(won),
    }


def team_of(world: World, rep: str) -> list[str]:
    """The rep and the employed with the same head; without a head, all."""
    head = world.reps[rep]["manager"]
    return sorted(
        other
        for other, known in world.reps.items()
        if other == rep or (known["employed"] and (head is None or known["manager"] == head))
    )
