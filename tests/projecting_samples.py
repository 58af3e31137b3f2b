"""Projections made for tests: every column type, deletes, rows written once, failures on demand."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import ClassVar

from projecting_log import Tables

from adapters.postgres.database import Database
from adapters.postgres.projecting import log
from adapters.postgres.projecting.log import Scope
from adapters.postgres.projecting.memory_fold import MemoryFold
from adapters.postgres.projecting.tables import table_of
from domain.deals.events import DealAmended, DealLost, DealOpened, DealReopened, StageEntered
from domain.kernel import Event, Recorded
from projections.kernel import Projection, Row, Rows


@dataclass(slots=True)
class Odd(Row):
    """A column of every type."""

    table: ClassVar[str] = "odd"
    key: ClassVar[tuple[str, ...]] = ("deal",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("opened_on", "amended"),)

    deal: str
    title: str | None
    amount: Decimal | None
    words: tuple[str, ...]
    maybe_words: tuple[str, ...] | None
    opened_on: date
    opened_at: datetime
    amended: bool
    events: int
    note: str = ""


@dataclass(slots=True)
class OddStage(Row):
    """Deleted when the deal is lost."""

    table: ClassVar[str] = "odd_stage"
    key: ClassVar[tuple[str, ...]] = ("deal", "stage", "entered_on")

    deal: str
    stage: str
    entered_on: date
    times: int = 1


@dataclass(slots=True)
class OddLine(Row):
    """Only ever added."""

    table: ClassVar[str] = "odd_line"
    key: ClassVar[tuple[str, ...]] = ("deal", "position")
    written_once: ClassVar[bool] = True

    deal: str
    position: int


class Odds(Projection):
    """Counts events in a way that shows every one left out or counted twice."""

    name = "odds"
    category = "deal"
    rows = (Odd, OddStage, OddLine)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        deal = fact.entity
        rows.put(OddLine(deal, fact.position))
        match fact.event:
            case DealOpened(title=title, product=product, amount=amount):
                words = tuple(word for word in (title, product) if word is not None)
                on = fact.occurred_at.date()
                rows.put(Odd(deal, title, amount, words, words or None, on, fact.occurred_at, False, 1))
                return
            case StageEntered(stage=stage):
                self._enter(deal, stage, fact, rows)
            case DealAmended(amount=amount):
                rows.change(Odd, deal, amount=amount, amended=True)
            case DealLost(stage=stage):
                rows.delete(OddStage, deal, stage, rows.get(Odd, deal).opened_on)
            case DealReopened(reason=reason):
                before = rows.get(Odd, deal)
                rows.delete(Odd, deal)
                rows.put(replace(before, note=reason))
        rows.change(Odd, deal, events=rows.get(Odd, deal).events + 1)

    def _enter(self, deal: str, stage: str, fact: Recorded[Event], rows: Rows) -> None:
        on = rows.get(Odd, deal).opened_on
        before = rows.find(OddStage, deal, stage, on)
        if before is None:
            rows.put(OddStage(deal, stage, on))
        else:
            rows.change(OddStage, deal, stage, on, times=before.times + 1)


class Touchy(Odds):
    """Fails at the first event of `title`, in the fold or by a value that the database can't keep."""

    name = "touchy"
    title = "boom"

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        super().apply(fact, rows)
        match fact.event:
            case DealOpened(title=self.title):
                raise RuntimeError("can't fold this")
            case DealOpened(title="too big"):
                rows.change(Odd, fact.entity, events=2**70)


def folded(database: Database, projections: tuple[Projection, ...], upto: int | None = None) -> Tables:
    """What the read tables must hold: the log folded in one go, in memory, without a table."""
    fold = MemoryFold(projections, Scope())
    with database.connection() as connection:
        fold.run(connection, log.head(connection) if upto is None else upto, lambda position: None)
    assert fold.failures == []
    tables: Tables = {}
    for rows in fold.folded.values():
        for kind, kept in rows.kept.items():
            table = table_of(kind)
            values = [tuple(getattr(row, name) for name in table.names) for row in kept.values()]
            places = [table.names.index(name) for name in kind.key]
            tables[kind.table] = sorted(values, key=itemgetter(*places))
    return tables
