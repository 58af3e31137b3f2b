"""Do closed statements say what the log said at their cutoff?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from domain.payroll.earnings import earnings
from domain.payroll.events import PeriodClosed, StatementIssued
from domain.payroll.records import Records
from domain.payroll.statement import statements
from domain.shared.periods import Period
from projections.payroll.documents import statement_object


@dataclass(frozen=True, slots=True)
class Difference:
    """What was frozen, and what the log gives at the cutoff; None where there is no such statement.

    `totals` is about the close itself, not one statement.
    """

    period: str
    statement: str | None
    problem: Literal["differs", "missing", "unfounded", "totals"]
    frozen: Any
    recomputed: Any


@dataclass(frozen=True, slots=True)
class Verified:
    """The periods looked at, how many statements they have, and what is wrong with them."""

    periods: tuple[str, ...]
    statements: int
    count: int
    items: tuple[Difference, ...]


def differences(
    period: Period, closed: PeriodClosed, frozen: Sequence[StatementIssued], records: Records
) -> Iterable[Difference]:
    """Compare to the byte. `records` end at the close's cutoff."""
    fresh = statements(records, earnings(records), period, closed.cutoff_position)
    recomputed = {one.rep: one for one in fresh}
    held = {one.rep: one for one in frozen}
    for rep in sorted(held.keys() | recomputed.keys()):
        one, other = held.get(rep), recomputed.get(rep)
        if one is None or other is None or one.model_dump_json() != other.model_dump_json():
            problem: Literal["differs", "missing", "unfounded"] = (
                "missing" if one is None else "unfounded" if other is None else "differs"
            )
            yield Difference(str(period), f"{period}/{rep}", problem, _object(one), _object(other))
    totals = {
        currency: sum(one.total for one in fresh if one.currency == currency)
        for currency in sorted({one.currency for one in fresh})
    }
    if (closed.totals, closed.statements) != (totals, len(fresh)):
        yield Difference(
            str(period),
            None,
            "totals",
            {"statements": closed.statements, "totals": closed.totals},
            {"statements": len(fresh), "totals": totals},
        )


def _object(issued: StatementIssued | None) -> Any:
    return None if issued is None else statement_object(issued)
