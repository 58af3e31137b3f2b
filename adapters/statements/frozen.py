"""The statements of a closed period, and what those named in them are called."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from adapters.postgres.audit.checkpoints import Checkpoints
from adapters.postgres.store import PostgresStore
from domain.deals.events import DealOpened
from domain.kernel import Event, Recorded, Rejected
from domain.payroll.events import PeriodClosed, StatementIssued
from domain.payroll.model import PERIOD
from domain.shared.periods import Period
from domain.team.events import RepHired, RepTransferred

STREAMS_AT_ONCE = 1000


class PeriodOpen(Rejected):
    """The period {period} is not closed: nothing is frozen yet. Close it first (period.close)."""

    code = "period_open"


@dataclass(frozen=True, slots=True)
class Frozen:
    """All statements of a period by rep, with reps' names and deals' titles as of the cutoff.

    `checkpoint` is the signed note of the log as the close saw it, if it was sealed.
    """

    period: Period
    statements: Sequence[StatementIssued]
    names: Mapping[str, str]
    titles: Mapping[str, str]
    checkpoint: str | None = None

    def name(self, rep: str) -> str:
        """What the rep is called; their id if the log doesn't say."""
        return self.names.get(rep, rep)


def frozen(store: PostgresStore, checkpoints: Checkpoints, period: Period, *, titled: bool) -> Frozen:
    """What the close froze, from the log alone; deals' titles only if `titled`. Raises PeriodOpen."""
    stream = PERIOD.stream(str(period))
    closes = [fact.event for fact in store.load([stream])[stream] if isinstance(fact.event, PeriodClosed)]
    if not closes:
        raise PeriodOpen(period=str(period))
    closed = closes[0]
    issued = sorted(_issued(store, period, closed), key=lambda one: one.rep)
    reps = {one.rep for one in issued} | {line.credited for one in issued for line in one.lines}
    deals = {line.deal for one in issued for line in one.lines if line.deal is not None} if titled else set()
    return Frozen(
        period=period,
        statements=issued,
        names=_called(store, "rep", reps, closed.cutoff_position),
        titles=_called(store, "deal", deals, closed.cutoff_position),
        checkpoint=checkpoints.note_of(closed.cutoff_position),
    )


def _issued(store: PostgresStore, period: Period, closed: PeriodClosed) -> Iterator[StatementIssued]:
    """The statements come with the close, so soon after its cutoff; the close says how many."""
    left = closed.statements
    for page in store.read(closed.cutoff_position, names=[StatementIssued.stored_name]):
        for fact in page:
            if isinstance(fact.event, StatementIssued) and fact.event.period == str(period):
                yield fact.event
                left -= 1
        if left <= 0:
            return


def _called(store: PostgresStore, category: str, ids: set[str], cutoff: int) -> dict[str, str]:
    """What the log called each of them last, up to the cutoff: later names change no file."""
    called: dict[str, str] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), STREAMS_AT_ONCE):
        streams = [f"{category}-{entity}" for entity in wanted[start : start + STREAMS_AT_ONCE]]
        for facts in store.load(streams).values():
            called |= {fact.entity: name for fact in facts if fact.position <= cutoff for name in _name(fact)}
    return called


def _name(fact: Recorded[Event]) -> Iterator[str]:
    match fact.event:
        case RepHired(name=name) | RepTransferred(name=name):
            yield name
        case DealOpened(title=str(title)):
            yield title
