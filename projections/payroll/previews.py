"""What a rep, or everybody, is paid for a period: frozen by its close, or as things stand."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.kernel import Event, Recorded, Rejected
from domain.payroll.earnings import earnings
from domain.payroll.events import PeriodClosed, StatementIssued
from domain.payroll.records import Records
from domain.payroll.statement import statement as computed
from domain.payroll.statement import statements as all_computed
from domain.shared.periods import Period
from domain.shared.rejections import UnknownRep
from projections.payroll.documents import full, statement_object


class UnknownPeriod(Rejected):
    """There is no payroll for {period}: {reason}."""

    code = "unknown_period"


@dataclass(frozen=True, slots=True)
class Pay:
    """A statement: `closed` if it is frozen, else what it will say if all before it is closed now.

    `checkpoint` is the signed note of the cutoff, if it was sealed.
    """

    issued: StatementIssued
    closed: bool
    checkpoint: str | None = None

    @property
    def id(self) -> str:
        return f"{self.issued.period}/{self.issued.rep}"

    def as_object(self) -> dict[str, Any]:
        """The contract's object, and whether it is closed."""
        return {**statement_object(self.issued, self.checkpoint), "closed": self.closed}


@dataclass(frozen=True, slots=True)
class Payday:
    """All statements of a period, by rep; `totals` by currency; `checkpoint` as of each statement."""

    period: str
    cutoff_position: int
    closed: bool
    totals: Mapping[str, Decimal]
    statements: Sequence[StatementIssued]
    checkpoint: str | None = None

    def as_object(self) -> dict[str, Any]:
        return {
            "period": self.period,
            "cutoff_position": self.cutoff_position,
            "checkpoint": self.checkpoint,
            "closed": self.closed,
            "totals": {currency: full(amount, currency) for currency, amount in self.totals.items()},
            "statements": [statement_object(one, self.checkpoint) for one in self.statements],
        }


def preview(records: Records, rep: str, period: Period, *, position: int, moment: datetime) -> Pay:
    """What the rep would be paid by these records, which end at the position, at that moment.

    Raises UnknownRep or UnknownPeriod.
    """
    if rep not in records.reps:
        raise UnknownRep(rep=rep)
    must_have_begun(records, period, moment)
    return Pay(computed(records, earnings(records), rep, period, position), closed=False)


def previews(records: Records, period: Period, *, position: int, moment: datetime) -> Payday:
    """What everybody would be paid. Raises UnknownPeriod."""
    must_have_begun(records, period, moment)
    issued = all_computed(records, earnings(records), period, position)
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in issued:
        totals[one.currency] += one.total
    return Payday(str(period), position, False, dict(sorted(totals.items())), issued)


def payday(
    period: Period, closed: PeriodClosed, facts: Iterable[Recorded[Event]], checkpoint: str | None
) -> Payday:
    """What the close froze; `facts` hold the statements, `checkpoint` is the cutoff's note."""
    issued = [fact.event for fact in facts if isinstance(fact.event, StatementIssued)]
    issued.sort(key=lambda one: one.rep)
    return Payday(str(period), closed.cutoff_position, True, closed.totals, issued, checkpoint)


def must_have_begun(records: Records, period: Period, moment: datetime) -> None:
    """Raises UnknownPeriod for a period that hadn't begun by then, or that is before the log's first."""
    if period < records.begin:
        raise UnknownPeriod(period=str(period), reason=f"payroll begins with {records.begin}")
    if period > Period.at(moment, records.zone):
        raise UnknownPeriod(period=str(period), reason="it has not begun yet")
