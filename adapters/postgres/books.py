"""What payroll rests on, read from the log and the read tables: services.ports.PayrollBooks."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo

from adapters.postgres.lookups import view_of
from adapters.postgres.projecting.projector import Projector
from adapters.postgres.store import PostgresStore
from domain.deals.events import DealOpened, DealWon
from domain.kernel import Event, Recorded
from domain.leads.events import LeadMerged
from domain.payroll.events import Line, PeriodClosed, StatementIssued
from domain.payroll.records import Records
from domain.shared.periods import Period
from projections.payroll.concerned import deals_of, payments_of
from projections.payroll.reading import RESTS_ON, Reading, read_records
from projections.payroll.selling import products
from services.ports import EmptyLog

_NAMES = [event.stored_name for event in RESTS_ON]
_COMMON = ("rep-", "plan-", "assignment-", "rate-", "period-")
"""Streams that every rep's pay rests on: few beside deals, leads and payments."""


class Books:
    """`zone` and `currency` are the company's; `projector` needs the projections named in `READS` only."""

    READS = ("leads", "deals", "payments")

    def __init__(self, store: PostgresStore, projector: Projector, *, zone: ZoneInfo, currency: str) -> None:
        self._store, self._projector = store, projector
        self.zone, self._currency = zone, currency

    def records(
        self, upto: int | None = None, counted: Callable[[Recorded[Event]], bool] | None = None
    ) -> tuple[int, Records]:
        """The position (the log's end, or `upto`) and what the log says up to it; `counted` picks events.

        Raises EmptyLog.
        """
        head = self._store.head()
        position = head if upto is None else min(upto, head)
        facts = chain.from_iterable(self._store.read(0, position, names=_NAMES))
        if counted is None:
            return position, self._read(facts)
        return position, self._read(filter(counted, facts), gaps=True)

    def of_rep(self, rep: str) -> tuple[int, Records]:
        """The log's end, and all that the rep's pay rests on; of other reps' deals it may lack any.

        Streams are read instead of the whole log, unless tables that name them have stopped. Raises EmptyLog.
        """
        if self._projector.catch_up():
            return self.records()
        with self._projector.snapshot(self.READS) as snapshot:
            view = view_of(snapshot)
            facts = self._store.load_beneath(*_COMMON)
            reps = _credited_to(self._read(facts), rep)
            issued = self._issued(rep, facts)
            lines = [line for fact in issued for line in _lines(fact.event)]
            paid_on = {line.deal for line in lines if line.deal is not None}
            deals = self._load("deal", {*paid_on, *deals_of(view, reps)})
            payments = payments_of(view, {fact.entity for fact in deals})
            facts += issued + deals + self._leads(_won_without_owner(deals))
            facts += self._load("payment", {*payments, *(line.earning for line in lines if line.earning)})
        facts = [fact for fact in facts if fact.position <= view.position]
        return view.position, self._read(sorted(facts, key=lambda fact: fact.position))

    def at_closes(self, closes: Sequence[PeriodClosed]) -> Iterator[Records]:
        """What the log said up to each close's cutoff, in one reading, by the settings of then.

        The closes are in order. It is the same Records each time, which go on when the next are asked for.
        """
        began_at, reached = self._began_at(), 0
        zone = ZoneInfo(closes[0].timezone) if closes else self.zone
        reading = Reading(Records(zone, Period.at(began_at, zone), self._currency), began_at)
        for close in closes:
            for fact in chain.from_iterable(self._store.read(reached, close.cutoff_position, names=_NAMES)):
                reading.note(fact)
            reached = close.cutoff_position
            reading.records.currency = close.currency
            yield reading.records

    def products(self) -> frozenset[str]:
        """See the port."""
        self._projector.catch_up()
        with self._projector.snapshot(("deals",)) as snapshot:
            return products(view_of(snapshot))

    def _issued(self, rep: str, facts: Iterable[Recorded[Event]]) -> list[Recorded[Event]]:
        """What concerns the rep's statements of the periods that are closed in these facts."""
        closed = [fact.entity for fact in facts if isinstance(fact.event, PeriodClosed)]
        return self._load("statement", {f"{period}/{rep}" for period in closed})

    def _leads(self, leads: set[str]) -> list[Recorded[Event]]:
        """What happened to the leads, and to those that they were merged into."""
        facts: list[Recorded[Event]] = []
        known: set[str] = set()
        while leads:
            found = self._load("lead", leads)
            known |= leads
            leads = {fact.event.into for fact in found if isinstance(fact.event, LeadMerged)} - known
            facts += found
        return facts

    def _load(self, category: str, entities: Iterable[str]) -> list[Recorded[Event]]:
        streams = [f"{category}-{entity}" for entity in entities]
        return list(chain.from_iterable(self._store.load(streams).values()))

    def _read(self, facts: Iterable[Recorded[Event]], *, gaps: bool = False) -> Records:
        return read_records(
            facts, began_at=self._began_at(), zone=self.zone, currency=self._currency, gaps=gaps
        )

    def _began_at(self) -> datetime:
        for page in self._store.read(0, 1):
            return page[0].recorded_at
        raise EmptyLog


def _credited_to(common: Records, rep: str) -> set[str]:
    """Whose credit may pay the rep: their own, and that of everybody who was ever directly below a head."""
    held = [common.plans[one.plan, one.number].plan for one in common.assignments.get(rep, ())]
    if all(plan.override is None for plan in held):
        return {rep}
    below = {one.id for one in common.reps.values() if any(head == rep for _, head in one.managers)}
    return {rep, *below}


def _lines(event: Event) -> Sequence[Line]:
    return event.lines if isinstance(event, StatementIssued) else ()


def _won_without_owner(deals: Iterable[Recorded[Event]]) -> set[str]:
    """The leads of those deals."""
    lead_of: dict[str, str] = {}
    found = set()
    for fact in deals:
        match fact.event:
            case DealOpened(lead=lead):
                lead_of[fact.entity] = lead
            case DealWon(owner=None):
                found.add(lead_of[fact.entity])
    return found
