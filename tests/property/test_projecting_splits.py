"""Rebuild equals live for any batch split; the past equals a shorter log; wire formats lose nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from projecting_log import Entry, LogWriter, tables_of
from projecting_samples import Odds, folded
from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.postgres import wire
from adapters.postgres.database import Database
from adapters.postgres.projecting.as_of import AsOf
from adapters.postgres.projecting.projector import Projector
from domain.deals.events import DealAmended, DealLost, DealOpened, DealReopened, StageEntered
from projections.deals import Deals

PROJECTIONS = (Odds(), Deals())
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
LATER = st.one_of(
    st.builds(StageEntered, stage=st.sampled_from(["s1", "s2"])),
    st.builds(DealAmended, amount=st.decimals(-(10**9), 10**9, places=4), currency=st.just("USD")),
    st.builds(DealReopened, stage=st.just("s1"), reason=TEXTS),
    st.builds(DealLost, stage=st.sampled_from(["s1", "s2"]), owner=st.none(), reason=TEXTS),
)
OPENINGS = st.builds(DealOpened, lead=TEXTS, pipeline=st.just("main"), title=TEXTS, product=TEXTS | st.none())
SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def writer(database_url: str) -> LogWriter:
    return LogWriter(database_url)


@st.composite
def stories(draw: st.DrawFn) -> list[list[int]]:
    """Which of three deals each event is of, in pieces."""
    pieces = st.lists(st.integers(0, 2), min_size=1, max_size=12)
    return draw(st.lists(pieces, min_size=1, max_size=6))


@given(data=st.data(), story=stories(), batch=st.integers(1, 8))
@SETTINGS
def test_rebuild_equals_live_for_any_batch_split(
    database: Database, writer: LogWriter, data: st.DataObject, story: Sequence[Sequence[int]], batch: int
) -> None:
    projector = Projector(database, PROJECTIONS, batch=batch)
    projector.catch_up()
    before = writer.position
    begun: set[str] = set()
    for piece in story:
        entries: list[Entry] = []
        for deal in piece:
            stream = f"deal-{before}-{deal}"
            entries.append((stream, data.draw(LATER if stream in begun else OPENINGS)))
            begun.add(stream)
        writer.write(entries)
        assert projector.catch_up(upto=writer.position - data.draw(st.integers(0, 3))) == []
    assert projector.catch_up() == []
    with database.connection() as connection:
        live = tables_of(connection, PROJECTIONS)
        assert live == folded(database, PROJECTIONS)
        assert projector.rebuild() == []
        assert tables_of(connection, PROJECTIONS) == live
    past = before + data.draw(st.integers(0, writer.position - before))
    with projector.snapshot(at=AsOf(position=past)) as snapshot:
        assert tables_of(snapshot.connection, PROJECTIONS, "pg_temp") == folded(database, PROJECTIONS, past)


NAIVE = (datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - hypothesis adds the zone itself
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5.5))])
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=3)
COLUMNS = st.lists(
    st.tuples(
        TEXTS | st.none(),
        st.lists(TEXTS).map(tuple) | st.none(),
        st.datetimes(*NAIVE, timezones=ZONES),
        NUMBERS | st.none(),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)
RENDERS = (None, wire.texts, wire.moment, str, wire.boolean)


@given(rows=COLUMNS)
@SETTINGS
def test_what_is_written_in_bulk_is_read_back(database: Database, rows: list[tuple[object, ...]]) -> None:
    columns = list(zip(*rows, strict=True))
    with database.connection() as connection, connection.transaction(force_rollback=True):
        connection.execute("CREATE TEMP TABLE t (a text, b text[], c timestamptz, d numeric, e boolean)")
        with connection.cursor().copy("COPY t FROM STDIN") as copy:
            copy.write(wire.copy_block(columns, RENDERS))
        assert _read(connection) == rows
        connection.execute("DELETE FROM t")
        connection.execute(
            "INSERT INTO t SELECT a, b::text[], c, d, e FROM unnest("
            "%s::text[], %s::text[], %s::timestamptz[], %s::numeric[], %s::boolean[]) AS r (a, b, c, d, e)",
            [wire.array_literal(*column) for column in zip(columns, RENDERS, strict=True)],
        )
        assert _read(connection) == rows


def _read(connection: Connection[TupleRow]) -> list[tuple[object, ...]]:
    return [
        (row[0], None if row[1] is None else tuple(row[1]), row[2], row[3], row[4])
        for row in connection.execute("SELECT * FROM t ORDER BY ctid")
    ]


def test_decimals_keep_their_value_whatever_their_exponent() -> None:
    assert wire.array_literal([Decimal("1E+2"), Decimal("-0.10")], str) == '{"1E+2","-0.10"}'
