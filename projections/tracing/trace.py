"""A figure taken apart: what counts in it, by which events, and what that comes to when counted again."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from domain.kernel import Event, Recorded
from projections.asking import View
from projections.timeline import History
from projections.tracing.places import Place

Fact = Recorded[Event]
TOLERANCE = 1e-9
"""Relative, and in days or shares: the database and Python add up floats in another order."""


class Log(Protocol):
    """The log behind the read tables."""

    @property
    def history(self) -> History:
        """Every event of each stream asked for."""

    @property
    def at(self) -> Callable[[Iterable[int]], Sequence[Fact]]:
        """The events at positions, in the order of the log."""


@dataclass(frozen=True, slots=True)
class Cause:
    """An event that makes something count."""

    position: int
    event: str
    stream: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class Item:
    """A deal, lead, contact … that counts: `value` is what it gives to the figure, `of` to whose part."""

    kind: str
    id: str
    of: str | None
    value: Any
    events: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """A figure, and what counts in it; `holds` if `recomputed` from the items by the `rule` is `value`."""

    report: str
    figure: str
    value: Any
    recomputed: Any
    holds: bool
    rule: str
    story: tuple[str, ...]
    count: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """What counts, and where its events are: those of `kinds` in the streams, and those at the positions.

    `says` gives what it counts for by these events alone.
    """

    kind: str
    id: str
    value: Any
    of: str | None = None
    streams: tuple[str, ...] = ()
    kinds: tuple[type[Event], ...] = ()
    bears: Callable[[Fact], bool] | None = None
    positions: tuple[int, ...] = ()
    says: Callable[[Sequence[Fact]], Any] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What counts, with its events as the log has them."""

    counted: Counted
    facts: tuple[Fact, ...]

    @property
    def gives(self) -> Any:
        """What it gives to the figure, by its events if they say so."""
        return self.counted.value if self.counted.says is None else self.counted.says(self.facts)

    def item(self) -> Item:
        one = self.counted
        return Item(one.kind, one.id, one.of, self.gives, tuple(map(_cause, self.facts)))


def look_up(view: View, log: Log, counted: Sequence[Counted]) -> list[Found]:
    """The events of each as far as the view knows them, by two queries for all."""
    history = log.history(sorted({stream for one in counted for stream in one.streams}))
    there = {fact.position: fact for fact in log.at({at for one in counted for at in one.positions})}

    def facts(one: Counted) -> Iterable[Fact]:
        mine = {at: there[at] for at in one.positions if at in there}
        for fact in (fact for stream in one.streams for fact in history[stream]):
            if isinstance(fact.event, one.kinds) and (one.bears is None or one.bears(fact)):
                mine[fact.position] = fact
        return (mine[at] for at in sorted(mine) if view.knows(mine[at]))

    return [Found(one, tuple(facts(one))) for one in counted]


def traced(
    report: str,
    place: Place,
    recomputed: Any,
    rule: str,
    found: Iterable[Found],
    story: Sequence[str] = (),
) -> Trace:
    """The figure at the place; whether it holds is found out here."""
    items = tuple(one.item() for one in found)
    holds = same(place.value, recomputed)
    return Trace(report, place.figure, place.value, recomputed, holds, rule, tuple(story), len(items), items)


def same(value: Any, recomputed: Any) -> bool:
    """Whether the figure, as its report's JSON has it, is what was counted again."""
    if isinstance(recomputed, Decimal):
        return isinstance(value, str) and Decimal(value) == recomputed
    if isinstance(recomputed, datetime):
        return isinstance(value, str) and datetime.fromisoformat(value) == recomputed
    if isinstance(value, float) and isinstance(recomputed, float | int):
        return math.isclose(value, recomputed, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(value == recomputed)


def percentile(numbers: Iterable[float], share: float) -> float | None:
    """By linear interpolation, as SQL's percentile_cont; None of nothing."""
    ordered = sorted(numbers)
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


def _cause(fact: Fact) -> Cause:
    return Cause(
        position=fact.position,
        event=fact.event.stored_name,
        stream=fact.stream,
        occurred_at=fact.occurred_at,
        recorded_at=fact.recorded_at,
        actor=fact.actor,
    )
