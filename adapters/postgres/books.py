"""What payroll rests on, read from the log and the read tables: services.ports.PayrollBooks."""

from collections.abc import Callable
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo

from adapters.postgres.lookups import view_of
from adapters.postgres.projecting.projector import Projector
from adapters.postgres.store import PostgresStore
from domain.kernel import Event, Recorded
from domain.payroll.records import Records
from projections.payroll.reading import RESTS_ON, read_records
from projections.payroll.selling import products

_NAMES = [event.stored_name for event in RESTS_ON]


class Books:
    """`zone` and `currency` are the company's; `projector` needs the projections named in `READS` only."""

    READS = ("deals",)

    def __init__(self, store: PostgresStore, projector: Projector, *, zone: ZoneInfo, currency: str) -> None:
        self._store, self._projector = store, projector
        self._zone, self._currency = zone, currency

    def records(
        self, upto: int | None = None, counted: Callable[[Recorded[Event]], bool] | None = None
    ) -> tuple[int, Records]:
        """The position (the log's end, or `upto`) and what the log says up to it; `counted` picks events.

        LookupError for a log that is empty up to there.
        """
        head = self._store.head()
        position = head if upto is None else min(upto, head)
        facts = chain.from_iterable(self._store.read(0, position, names=_NAMES))
        records = read_records(
            facts if counted is None else filter(counted, facts),
            began_at=self._began_at(),
            zone=self._zone,
            currency=self._currency,
        )
        return position, records

    def products(self) -> frozenset[str]:
        """See the port."""
        self._projector.catch_up()
        with self._projector.snapshot(self.READS) as snapshot:
            return products(view_of(snapshot))

    def _began_at(self) -> datetime:
        for page in self._store.read(0, 1):
            return page[0].recorded_at
        raise LookupError("the log is empty")
