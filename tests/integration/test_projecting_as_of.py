"""The read tables as of a past position or moment, on both axes, beside the live ones."""

from datetime import timedelta

import psycopg
import pytest
from projecting_log import PROJECTIONS, START, LogWriter, tables_of
from projecting_samples import Odds, Touchy, folded
from psycopg.errors import UndefinedTable

from adapters.postgres.database import Database
from adapters.postgres.projecting import partitions
from adapters.postgres.projecting.as_of import AsOf, FoldStopped
from adapters.postgres.projecting.projector import Projector
from domain.deals.events import DealAmended, DealOpened, StageEntered

ALL = [projection.name for projection in PROJECTIONS]
OPENED = DealOpened(lead="L-1", pipeline="main")


@pytest.fixture
def writer(database_url: str) -> LogWriter:
    return LogWriter(database_url)


@pytest.mark.parametrize("position", [0, 1, 137, 400, 9999])
def test_as_of_a_position_is_what_a_shorter_log_gives(
    database: Database, writer: LogWriter, position: int
) -> None:
    writer.append(400)
    projector = Projector(database, PROJECTIONS)
    projector.catch_up()
    with projector.snapshot(at=AsOf(position=position)) as snapshot:
        assert tables_of(snapshot.connection, schema="pg_temp") == folded(database, PROJECTIONS, position)
        assert snapshot.position == min(position, 400)
        if position:
            assert snapshot.moment == START + timedelta(seconds=min(position, 400))


def test_as_of_a_recorded_moment_counts_it_in(database: Database, writer: LogWriter) -> None:
    writer.append(200)
    projector = Projector(database, PROJECTIONS)
    for seconds, position in ((0.5, 0), (1, 1), (99.9, 99), (100, 100), (1e6, 200)):
        at = AsOf(moment=START + timedelta(seconds=seconds))
        with projector.snapshot(at=at) as snapshot:
            assert (snapshot.position, snapshot.moment) == (position, at.moment)
            assert tables_of(snapshot.connection, schema="pg_temp") == folded(database, PROJECTIONS, position)


def test_on_the_occurred_axis_late_recording_counts_from_when_it_happened(
    database: Database, writer: LogWriter
) -> None:
    writer.write([("deal-1", OPENED)], late=timedelta())
    writer.write([("deal-2", OPENED)], late=timedelta())
    writer.write([("deal-1", StageEntered(stage="late"))], late=timedelta(seconds=1.5))
    writer.write([("deal-2", StageEntered(stage="in time"))], late=timedelta())
    projector = Projector(database, [Odds()])
    at = START + timedelta(seconds=2)
    with projector.snapshot(at=AsOf(moment=at, axis="occurred")) as snapshot:
        assert [row[1] for row in tables_of(snapshot.connection, [Odds()], "pg_temp")["odd_stage"]] == [
            "late"
        ]
        assert (snapshot.position, snapshot.moment, snapshot.left_out) == (4, at, 0)
    with projector.snapshot(at=AsOf(moment=at)) as snapshot:
        assert tables_of(snapshot.connection, [Odds()], "pg_temp")["odd_stage"] == []
        assert snapshot.position == 2


def test_what_builds_on_something_that_occurred_only_later_is_left_out_whole_and_counted(
    database: Database, writer: LogWriter
) -> None:
    writer.write([("deal-1", OPENED)], late=timedelta())
    writer.write([("deal-1", StageEntered(stage="before the opening"))], late=timedelta(hours=1))
    writer.write([("deal-2", OPENED)], late=timedelta(hours=2))
    writer.write([("deal-2", DealAmended(amount="1", currency="USD"))], late=timedelta(hours=1))  # type: ignore[arg-type]
    projector = Projector(database, [Odds()])
    at = AsOf(moment=START, axis="occurred")
    with projector.snapshot(at=at) as snapshot:
        tables = tables_of(snapshot.connection, [Odds()], "pg_temp")
        assert [row[0] for row in tables["odd"]] == ["2"]
        assert tables["odd_stage"] == []
        assert [row[1] for row in tables["odd_line"]] == [3, 4]
        assert snapshot.left_out == 1


def test_past_and_present_never_mix(database: Database, writer: LogWriter, database_url: str) -> None:
    writer.append(300)
    Projector(database, PROJECTIONS).catch_up()
    with Database(database_url, pool_max=1) as one_connection:
        projector = Projector(one_connection, PROJECTIONS)
        for _ in range(2):
            with projector.snapshot(["deals"], AsOf(position=0)) as past:
                assert past.connection.execute("SELECT count(*) FROM deal").fetchone() == (0,)
                with pytest.raises(UndefinedTable), past.connection.transaction():
                    past.connection.execute("SELECT count(*) FROM lead")
            with projector.snapshot(["deals"]) as present:
                found = present.connection.execute("SELECT count(*) FROM deal").fetchone()
                assert found == (len(folded(database, PROJECTIONS)["deal"]),)
    with psycopg.connect(database_url) as connection:
        left = connection.execute("SELECT count(*) FROM pg_class WHERE relname = 'deal'").fetchone()
        assert left == (1,)


def test_a_snapshot_stands_still_while_the_tables_move(database: Database, writer: LogWriter) -> None:
    projector = Projector(database, PROJECTIONS)
    writer.append(100)
    projector.catch_up()
    with projector.snapshot() as snapshot:
        before = tables_of(snapshot.connection)
        writer.append(100)
        projector.catch_up()
        assert tables_of(snapshot.connection) == before == folded(database, PROJECTIONS, 100)
        assert snapshot.position == 100


def test_a_long_past_is_folded_in_partitions(
    database: Database, writer: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "IN_PROCESS_EVENTS_MAX", 100)
    monkeypatch.setattr(partitions, "PARTITION_EVENTS_MAX", 300)
    writer.append(1000)
    steps: list[int] = []
    with Projector(database, PROJECTIONS).snapshot(
        at=AsOf(position=900), progress=lambda done, total: steps.append(done)
    ) as snapshot:
        assert tables_of(snapshot.connection, schema="pg_temp") == folded(database, PROJECTIONS, 900)
    assert steps == sorted(steps)
    assert steps[-1] == 900


@pytest.mark.parametrize("title", ["boom", "too big"])
def test_a_past_that_cannot_be_folded_says_why(database: Database, writer: LogWriter, title: str) -> None:
    writer.write([("deal-1", OPENED), ("deal-2", OPENED.model_copy(update={"title": title}))])
    projector = Projector(database, [Touchy()])
    with pytest.raises(FoldStopped, match="touchy at 2"):
        projector.snapshot(at=AsOf(position=2)).__enter__()
    with projector.snapshot(at=AsOf(position=1)) as snapshot:
        assert len(tables_of(snapshot.connection, [Touchy()], "pg_temp")["odd"]) == 1


def test_a_past_is_a_moment_or_a_position() -> None:
    for wrong in ({}, {"position": 1, "axis": "occurred"}):
        with pytest.raises(ValueError, match=r"as of a|recorded axis"):
            AsOf(**wrong)  # type: ignore[arg-type]
