"""The log as a payroll report was asked for: up to a position, or what had happened by a moment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters.reading.source import Source
from domain.kernel import Event, Recorded
from domain.payroll.events import PeriodClosed, StatementIssued
from domain.payroll.model import PERIOD, STATEMENT
from domain.payroll.records import Records
from domain.shared.periods import Period
from domain.shared.rejections import UnknownRep
from domain.team.model import REP
from projections.asking import Axis, View
from projections.payroll.previews import Pay, Payday, payday, preview, previews

if TYPE_CHECKING:
    from adapters.wiring import Engine


class Ledger:
    """`view` says of what the answers are true; its tables can't be asked. Raises EmptyLog where it matters.

    Asked for the present, the view moves on to where the records end that are read.
    """

    def __init__(self, parts: "Engine", view: View, *, present: bool) -> None:
        self._parts, self._present = parts, present
        self.view = view

    @property
    def source(self) -> Source:
        return Source(self.view, self._parts.store.load, self._parts.store.at)

    def load(self, streams: Iterable[str]) -> list[Recorded[Event]]:
        """What counts of the streams, in the order of the log."""
        loaded = self._parts.store.load(streams).values()
        return sorted(self._counted(loaded), key=lambda fact: fact.position)

    def at(self, positions: Iterable[int]) -> list[Recorded[Event]]:
        """The events at these positions."""
        return self._parts.store.at(positions)

    def records(self) -> Records:
        """All that payroll rests on."""
        from services.ports import EmptyLog

        if not self._present and self.view.position == 0:
            raise EmptyLog
        upto = None if self._present else self.view.position
        counted = None if self.view.axis == "recorded" else self._counts
        position, records = self._parts.books.records(upto, counted)
        self.view = replace(self.view, position=position)
        return records

    def records_of(self, rep: str) -> Records:
        """What the rep's pay rests on, and maybe more."""
        if not self._present:
            return self.records()
        position, records = self._parts.books.of_rep(rep)
        self.view = replace(self.view, position=position)
        return records

    def pay(self, rep: str, period: Period) -> Pay:
        """The rep's statement. Raises UnknownRep, UnknownPeriod or UnknownStatement."""
        from domain.payroll.closing import UnknownStatement

        closed = self._close(period)
        if closed is None:
            records = self.records_of(rep)
            return preview(records, rep, period, position=self.view.position, moment=self.view.moment)
        stream = STATEMENT.stream(f"{period}/{rep}")
        for fact in self._parts.store.load([stream])[stream]:
            if isinstance(fact.event, StatementIssued):
                return Pay(fact.event, closed=True, checkpoint=self._note(closed))
        if not self.load([REP.stream(rep)]):
            raise UnknownRep(rep=rep)
        reason = "the period is closed, and the rep had none"
        raise UnknownStatement(statement=f"{period}/{rep}", reason=reason)

    def payday(self, period: Period) -> Payday:
        """Everybody's statements. Raises UnknownPeriod."""
        closed = self._close(period)
        if closed is not None:
            issued = self._parts.store.load_beneath(STATEMENT.stream(f"{period}/"))
            return payday(period, closed, issued, self._note(closed))
        records = self.records()
        return previews(records, period, position=self.view.position, moment=self.view.moment)

    def frozen(self, rep: str, periods: Iterable[Period]) -> list[Pay]:
        """The rep's statements of these closed periods, in order; some may be missing."""
        facts = self.load(STATEMENT.stream(f"{period}/{rep}") for period in periods)
        return [Pay(fact.event, closed=True) for fact in facts if isinstance(fact.event, StatementIssued)]

    def closes(self) -> list[tuple[Period, PeriodClosed]]:
        """The closed periods, in order."""
        facts = self._counted([self._parts.store.load_beneath(PERIOD.stream(""))])
        closed = [(fact.entity, fact.event) for fact in facts if isinstance(fact.event, PeriodClosed)]
        return [(Period.parse(period), event) for period, event in closed]

    def recomputed(self, closes: Sequence[tuple[Period, PeriodClosed]]) -> Iterator[Records]:
        """For each of the closes the records that it rested on."""
        return self._parts.books.at_closes([closed for _, closed in closes])

    def _close(self, period: Period) -> PeriodClosed | None:
        """The close of the period, if it counts; its statements then do too."""
        facts = self.load([PERIOD.stream(str(period))])
        return next((fact.event for fact in facts if isinstance(fact.event, PeriodClosed)), None)

    def _note(self, closed: PeriodClosed) -> str | None:
        """What was signed of the log as the close saw it."""
        return self._parts.checkpoints.note_of(closed.cutoff_position)

    def _counted(self, loaded: Iterable[Sequence[Recorded[Event]]]) -> list[Recorded[Event]]:
        return [fact for facts in loaded for fact in facts if self._counts(fact)]

    def _counts(self, fact: Recorded[Event]) -> bool:
        if fact.position > self.view.position:
            return False
        return self.view.axis == "recorded" or fact.occurred_at <= self.view.moment


def ledger_at(parts: "Engine", position: int | None, moment: datetime | None, axis: Axis) -> Ledger:
    """The log as of that position or moment, on that axis; the present with neither."""
    present = position is None and moment is None
    return Ledger(parts, _view(parts, position, moment, axis), present=present)


def _view(parts: "Engine", position: int | None, moment: datetime | None, axis: Axis) -> View:
    from adapters.wiring import now

    head = parts.store.head()
    if position is not None:
        position = min(position, head)
        facts = parts.store.at([position]) if moment is None else ()
        moment = moment or (facts[0].recorded_at if facts else now())
    elif moment is None or axis == "occurred":
        position, moment = head, moment or now()
    else:
        position = parts.store.position_at(moment)
    return View(_no_tables, moment, axis, position, parts.settings.timezone.key)


def _no_tables(sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
    raise LookupError(f"a ledger has no tables to ask: {sql}")
