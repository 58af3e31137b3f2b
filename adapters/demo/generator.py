"""The whole story of the company, from its first day to the end asked for, as a stream of actions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from adapters.demo.accounts import Accounts
from adapters.demo.arrivals import Arrivals
from adapters.demo.catalogue import DEFINITIONS, REVISED
from adapters.demo.disputes import Disputes
from adapters.demo.office import Office
from adapters.demo.pool import Pool
from adapters.demo.selling import Selling
from adapters.demo.team import Change
from adapters.demo.working_time import DAY, WorkingTime

DAYS = 548


@dataclass(frozen=True, slots=True)
class Demo:
    """Which company: equal demos have equal actions. `end` is aware; nothing happens after it."""

    seed: int
    leads: int
    end: datetime

    @property
    def source(self) -> str:
        """The `source` of the demo's actions, which tells it from every other."""
        return f"demo/{self.seed}/{self.leads}/{self.end.isoformat()}"

    @classmethod
    def of(cls, source: str) -> "Demo | None":
        """The demo whose actions have that source; None if it isn't a demo's."""
        try:
            kind, seed, leads, end = source.split("/")
            return cls(int(seed), int(leads), datetime.fromisoformat(end)) if kind == "demo" else None
        except ValueError:
            return None


def generate(
    seed: int, leads: int, end: datetime, *, days: int = DAYS, zone: tzinfo = UTC
) -> Iterator[dict[str, Any]]:
    """Actions of `leads` customers' leads in the `days` calendar days before `end`, for a migration import.

    Each action is a CloudEvents object with a `recordedtime`; these never decrease, and none is after `end`.
    Working hours are those of `zone`. The same arguments give the same actions everywhere. Memory is
    proportional to the leads that are still being worked. Raises ValueError for a naive `end`.
    """
    if end.tzinfo is None:
        raise ValueError("the end of the demo needs a time zone")
    clock = WorkingTime(end, days, zone)
    office = Office(seed, leads, clock, Demo(seed, leads, end).source)
    accounts = Accounts(office, seed)
    selling = Selling(office, accounts)
    pool = Pool(office, selling)
    arrivals = Arrivals(office, selling, pool, Disputes(office, pool))
    for day, coming in enumerate(clock.arrivals(leads)):
        office.go_to(day * DAY)
        _begin_day(day, office, pool, accounts)
        yield from office.journal.taken()
        arrivals.expect(coming)
        evening = min((day + 1) * DAY, clock.end)
        while office.do_next(before=evening):
            yield from office.journal.taken()


def _begin_day(day: int, office: Office, pool: Pool, accounts: Accounts) -> None:
    if day == 0:
        for pipeline, definition in DEFINITIONS:
            office.announce("pipeline.define", pipeline, definition)
    if day == office.clock.days // 2:
        office.announce("pipeline.define", *REVISED)
        office.revised = True
    accounts.begin_day(day)
    for change in office.team.changes_on(day):
        if change.leaves:
            _say_goodbye(change, office, pool)
        else:
            rep = change.rep
            hired = {"name": rep.name, "branch": rep.branch or None}
            if rep.head is not None:
                hired["manager"] = rep.head.id
            office.announce("rep.hire", rep.id, {key: value for key, value in hired.items() if value})
            accounts.bind(rep)


def _say_goodbye(change: Change, office: Office, pool: Pool) -> None:
    """All open leads of who leaves go to the heir, or to the pool."""
    office.announce("rep.leave", change.rep.id, {"successor": change.heir.id} if change.heir else {})
    for lead in list(change.rep.leads.values()):
        if not lead.holds(office.today):
            lead.end()
        elif change.heir is None:
            pool.put(lead)
        else:
            office.heir_of(lead, change.heir)
