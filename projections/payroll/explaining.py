"""From a line of a statement back to what happened, in a rep's words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from domain.deals.events import DealOpened
from domain.kernel import Event, Recorded
from domain.payroll.entitlement import Entitlement
from domain.payroll.events import Line, LineKind
from domain.payroll.rating import plain
from projections.payroll.previews import Pay
from projections.payroll.reasons import EARNED, entries_of, reasons
from projections.payroll.sale import Facts
from projections.payroll.wording import about, bearing, money, told


@dataclass(frozen=True, slots=True)
class Step:
    """An event that the line rests on; `since` if it came after the statements before had been closed.

    `bearing` is what it has to do with the line where it is about something else.
    """

    position: int
    event: str
    stream: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    told: str
    since: bool
    bearing: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Before:
    """What a line of an earlier statement paid for the same."""

    line: str
    basis: Decimal
    rate: str | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Explanation:
    """A line, the `story` of how it came about sentence by sentence, and the events behind it."""

    line: str
    statement: str
    closed: bool
    cutoff_position: int
    rep: str
    period: str
    currency: str
    kind: LineKind
    of: str
    deal: str | None
    earning: str
    credited: str
    role: str | None
    for_period: str
    basis: Decimal
    rate: str | None
    share: str | None
    amount: Decimal
    rule: str
    plan: str | None
    plan_version: int | None
    story: tuple[str, ...]
    before: tuple[Before, ...]
    events: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Background:
    """What a line is explained by.

    `facts` are the events that it rests on, the deal's opening and disputes of the line; `history` is what
    was recorded of the deal and its refunds up to the statement's cutoff. `before` are the rep's earlier
    statements, `entries` what was earned in all by this one, and `cutoff_position` that of the period closed
    before it.
    """

    facts: Facts
    history: Facts
    before: Sequence[Pay]
    entries: Entitlement
    cutoff_position: int
    zone: ZoneInfo


def explain(pay: Pay, line: Line, background: Background) -> Explanation:
    """The line of that statement."""
    issued = pay.issued
    before = tuple(_before(line, background.before))
    steps = tuple(_step(fact, line, background) for fact in background.facts)
    return Explanation(
        line=f"{pay.id}/{line.line}",
        statement=pay.id,
        closed=pay.closed,
        cutoff_position=issued.cutoff_position,
        rep=issued.rep,
        period=issued.period,
        currency=issued.currency,
        kind=line.kind,
        of=line.of,
        deal=line.deal,
        earning=line.earning,
        credited=line.credited,
        role=line.role,
        for_period=line.for_period,
        basis=line.basis,
        rate=None if line.rate is None else plain(line.rate),
        share=None if line.share is None else plain(line.share),
        amount=line.amount,
        rule=line.rule,
        plan=line.plan,
        plan_version=line.plan_version,
        story=tuple(_story(pay, line, background, before, steps)),
        before=before,
        events=steps,
    )


def same(line: Line, other: Line) -> bool:
    """Whether both are about the same earning, or the same bound of a period, at whatever percent."""
    return (line.of, line.for_period, line.deal, line.earning, line.credited) == (
        other.of,
        other.for_period,
        other.deal,
        other.earning,
        other.credited,
    )


def _before(line: Line, earlier: Iterable[Pay]) -> Iterable[Before]:
    for pay in earlier:
        for one in pay.issued.lines:
            if same(line, one):
                rate = None if one.rate is None else plain(one.rate)
                yield Before(f"{pay.id}/{one.line}", one.basis, rate, one.amount)


def _step(fact: Recorded[Event], line: Line, background: Background) -> Step:
    return Step(
        position=fact.position,
        event=fact.event.stored_name,
        stream=fact.stream,
        occurred_at=fact.occurred_at,
        recorded_at=fact.recorded_at,
        actor=fact.actor,
        told=told(fact),
        since=line.kind == "adjustment" and fact.position > background.cutoff_position,
        bearing=bearing(fact, line),
        data=fact.event.model_dump(mode="json"),
    )


def _story(
    pay: Pay, line: Line, background: Background, before: Sequence[Before], steps: Sequence[Step]
) -> Iterable[str]:
    currency = pay.issued.currency
    yield f"{_capital(about(line))}{_named(line, background)}."
    yield from reasons(pay, line, background.entries, background.facts, background.history, background.zone)
    if line.kind == "adjustment":
        yield from _change(pay, line, background, before, steps)
    elif line.rate is not None:
        yield (
            f"{money(line.basis, currency)} at {plain(line.rate)} % is {money(line.amount, currency)}: "
            f"{line.rule}."
        )
        if others := _others(pay, line):
            yield f"The rest of the basis is paid at another percent, by line {others}."
    else:
        yield f"So this line is {money(line.amount, currency)}: {line.rule}."


def _change(
    pay: Pay, line: Line, background: Background, before: Sequence[Before], steps: Sequence[Step]
) -> Iterable[str]:
    """What was paid before, what it comes to now, and what came in between."""
    currency = pay.issued.currency
    for one in before:
        at = f" on {money(one.basis, currency)} at {one.rate} %" if one.rate is not None else ""
        yield f"Line {one.line} paid {money(one.amount, currency)}{at}."
    if line.of in ("cap", "draw", "recovery"):
        yield f"It follows from this statement's other corrections of {line.for_period}."
    elif not before and line.of != "dispute":
        yield f"{line.for_period} was closed before this could be paid, and no statement had paid it."
    entries = entries_of(line, background.entries)
    for key, entry in entries:
        at = f" on {money(entry.basis, currency)} at {plain(key.rate)} %" if key.rate is not None else ""
        if entry.basis or entry.amount or not before:
            yield f"By what is recorded now it is {money(entry.amount, currency)}{at}: {entry.rule}."
    if not any(entry.basis or entry.amount for _, entry in entries) and before:
        yield "By what is recorded now there is nothing left to pay for it."
    new = [step for step in steps if step.since]
    if new:
        yield f"What changed it came since: {'; '.join(f'{one.told} (event {one.position})' for one in new)}."
    if others := _others(pay, line):
        yield f"The rest of this change is in line {others} of this statement."
    yield f"The difference, {money(line.amount, currency)}, is this line."


def _others(pay: Pay, line: Line) -> str:
    """The numbers of the statement's other lines about the same."""
    return ", ".join(str(one.line) for one in pay.issued.lines if one is not line and same(line, one))


def _named(line: Line, background: Background) -> str:
    """What the deal is called."""
    for fact in background.facts if line.of in EARNED else ():
        if isinstance(fact.event, DealOpened) and fact.entity == line.deal:
            title = f": {fact.event.title}" if fact.event.title else ""
            return f"{title}, of lead {fact.event.lead}"
    return ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
