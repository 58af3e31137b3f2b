"""A seeded log of believable events, written straight into log.event, for tests of whatever reads it."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Identifier

from adapters.postgres.projecting.tables import table_of
from domain.activities.events import ContactRecorded, TaskCompleted, TaskPlanned
from domain.deals.events import (
    DealAmended,
    DealLost,
    DealOpened,
    DealReopened,
    DealSplit,
    DealWon,
    Share,
    StageEntered,
)
from domain.kernel import Event
from domain.leads.events import KeyBound, LeadClaimed, LeadRegistered, LeadWorked
from domain.pipelines.events import PipelineDefined, Stage
from domain.team.events import RepHired
from projections.contacts import Contacts
from projections.deals import Deals
from projections.kernel import Projection, Row
from projections.leads import Leads
from projections.next_steps import NextSteps
from projections.pipelines import Pipelines
from projections.team import Team

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
NASTY = ("tab\there", "line\nbreak", "back\\slash", '"quoted" {braces, commas}', "NULL", "\\N", "", "Ünï😀")
PROJECTIONS: tuple[Projection, ...] = (Deals(), Leads(), NextSteps(), Contacts(), Team(), Pipelines())

Entry = tuple[str, Event]
Tables = dict[str, list[tuple[object, ...]]]


@dataclass
class Company:
    """Gives events without end: leads come, are worked, deals move. The same seed gives the same ones."""

    seed: int = 1
    prefix: str = ""
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def events(self) -> Iterator[Entry]:
        stages = tuple(Stage(name=f"s{at}", probability=Decimal(at * 20), days=7) for at in range(1, 5))
        yield "pipeline-main", PipelineDefined(stages=stages, loss_reasons=("price",), protection_days=90)
        for rep in range(20):
            yield f"rep-r{rep}", RepHired(name=f"Rep {rep}", branch=f"b{rep % 3}")
        open_leads: list[Iterator[Entry]] = []
        number = 0
        while True:
            if len(open_leads) < 200 or self._random.random() < 0.06:
                number += 1
                open_leads.append(self._lead(f"{self.prefix}{number}"))
            at = self._random.randrange(len(open_leads))
            entry = next(open_leads[at], None)
            if entry is None:
                open_leads[at] = open_leads[-1]
                open_leads.pop()
            else:
                yield entry

    def _lead(self, name: str) -> Iterator[Entry]:
        dice, lead = self._random, f"lead-L-{name}"
        rep = f"r{dice.randrange(20)}"
        yield f"key-{name}", KeyBound(lead=f"L-{name}")
        label = dice.choice(NASTY) if dice.random() < 0.05 else f"Customer {name}"
        yield lead, LeadRegistered(keys={"phone": f"+7916{name}"}, name=label, channel="site")
        yield lead, LeadClaimed(rep=rep, protection_days=90)
        for task in range(dice.randrange(1, 4)):
            yield f"activity-L-{name}", TaskPlanned(task=f"t{task}", due_at=START, kind="call", assignee=rep)
            yield f"activity-L-{name}", ContactRecorded(kind="call", direction="out", outcome="reached")
            yield lead, LeadWorked(work="contact", protection_days=90)
            yield f"activity-L-{name}", TaskCompleted(task=f"t{task}", result=label)
        yield from self._deal(name, rep, label)

    def _deal(self, name: str, rep: str, label: str) -> Iterator[Entry]:
        dice, deal, lead = self._random, f"deal-D-{name}", f"lead-L-{name}"
        amount = Decimal(dice.randrange(100, 99999)) / 100
        yield deal, DealOpened(lead=f"L-{name}", pipeline="main", title=label, amount=amount, currency="USD")
        yield lead, LeadWorked(work="deal_opened", deal=f"D-{name}", protection_days=90)
        for stage in range(1, dice.randrange(2, 6)):
            yield deal, StageEntered(stage=f"s{stage}")
            yield lead, LeadWorked(work="stage_entered", deal=f"D-{name}", protection_days=90)
        for parts in (2, 1) if dice.random() < 0.1 else ():
            shares = tuple(Share(rep=f"r{at}", percent=Decimal(100) / parts) for at in range(parts))
            yield deal, DealSplit(shares=shares)
        if dice.random() < 0.3:
            yield deal, DealAmended(amount=amount * 2, currency="USD")
        if dice.random() < 0.1:
            yield deal, DealLost(stage="s2", owner=rep, reason="price")
            yield deal, DealReopened(stage="s2", reason="came back")
        yield deal, DealWon(stage="s4", owner=rep, amount=amount, currency="USD")
        yield lead, LeadWorked(work="deal_won", deal=f"D-{name}", protection_days=90)


class LogWriter:
    """Appends to log.event as the store would, but from one process alone and without its checks."""

    def __init__(self, url: str, seed: int = 1, prefix: str = "") -> None:
        self._url = url
        self._events = Company(seed, prefix).events()
        self._dice = random.Random(seed)
        self._versions: dict[str, int] = {}
        self.position = 0

    def append(self, count: int) -> None:
        """The next `count` events of the company, one recorded a second; some occurred days before."""
        self.write([next(self._events) for _ in range(count)])

    def write(self, entries: Sequence[Entry], *, late: timedelta | None = None, notify: bool = True) -> None:
        query = (
            "COPY log.event (originator_id, originator_version, topic, state, notification_id, event_version,"
            " occurred_at, recorded_at, actor, action_source, action_id, action_seq, migrated,"
            " leaf_hash) FROM STDIN"
        )
        with psycopg.connect(self._url, autocommit=True) as connection, connection.cursor() as cursor:
            with connection.transaction(), cursor.copy(query) as copy:
                for stream, event in entries:
                    copy.write(self._line(stream, event, late))
            if notify:
                connection.execute("NOTIFY event")

    def _line(self, stream: str, event: Event, late: timedelta | None) -> str:
        self.position += 1
        version = self._versions.get(stream, 0) + 1
        self._versions[stream] = version
        recorded_at = START + timedelta(seconds=self.position)
        if late is None:
            late = timedelta(hours=self._dice.randrange(100)) if self._dice.random() < 0.1 else timedelta()
        state = event.model_dump_json().encode().hex()
        return (
            f"{stream}\t{version}\t{event.stored_name}\t\\\\x{state}\t{self.position}\t{event.stored_version}"
            f"\t{recorded_at - late}\t{recorded_at}\trep-1\ttest\ta-{self.position}\t0\tf\t\n"
        )


def tables_of(
    connection: Connection[TupleRow], projections: Sequence[Projection] = PROJECTIONS, schema: str = "read"
) -> Tables:
    """All rows of every table of the projections, in the order of their keys."""
    tables: Tables = {}
    for kind in [kind for projection in projections for kind in projection.rows]:
        table = table_of(kind)
        order = SQL(", ").join([_ordered(kind, name) for name in kind.key])
        query = SQL("SELECT * FROM {} ORDER BY {}").format(Identifier(schema, table.name), order)
        tables[table.name] = [
            tuple(tuple(value) if isinstance(value, list) else value for value in row)
            for row in connection.execute(query)
        ]
    return tables


def _ordered(kind: type[Row], name: str) -> Composed:
    """By bytes, as Python compares texts."""
    table = table_of(kind)
    is_text = table.columns[table.names.index(name)].sql == "text"
    return SQL('{} COLLATE "C"' if is_text else "{}").format(Identifier(name))
