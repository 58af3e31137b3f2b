"""Rebuilding beside the live tables: the swap, its readers, views and grants, failures, changed rows."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import psycopg
import pytest
from projecting_log import PROJECTIONS, LogWriter, tables_of
from projecting_samples import Odds, Touchy, folded
from psycopg.errors import DependentObjectsStillExist, UndefinedColumn

from adapters.postgres.database import Database
from adapters.postgres.projecting import partitions
from adapters.postgres.projecting.as_of import NotBuilt
from adapters.postgres.projecting.projector import Projector
from domain.deals.events import DealOpened
from domain.kernel import Event, Recorded
from projections.kernel import Projection, Row, Rows


@dataclass(slots=True)
class Thing(Row):
    table: ClassVar[str] = "thing"
    key: ClassVar[tuple[str, ...]] = ("deal",)

    deal: str
    position: int


@dataclass(slots=True)
class WiderThing(Row):
    table: ClassVar[str] = "thing"
    key: ClassVar[tuple[str, ...]] = ("deal",)

    deal: str
    position: int
    title: str | None


class Things(Projection):
    name = "things"
    category = "deal"
    rows: ClassVar[tuple[type[Row], ...]] = (Thing,)
    views: ClassVar[dict[str, str]] = {"late_thing": "SELECT deal, position FROM thing WHERE position > 100"}

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        if isinstance(fact.event, DealOpened):
            rows.put(Thing(fact.entity, fact.position))


class WiderThings(Things):
    rows = (WiderThing,)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        if isinstance(fact.event, DealOpened):
            rows.put(WiderThing(fact.entity, fact.position, fact.event.title))


class Counting(Projection):
    """Its view reads the tables of another."""

    name = "counting"
    category = "pipeline"
    rows = ()
    views: ClassVar[dict[str, str]] = {"thing_count": "SELECT count(*) AS things, '{%}' AS sign FROM thing"}

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        pass


class Said(Counting):
    """Its view has comments."""

    name = "said"
    views: ClassVar[dict[str, str]] = {"said": "SELECT deal, position FROM thing"}
    comments: ClassVar[dict[str, str]] = {"said": "What is 100 % of {it}.", "said.position": "It's so."}


class SaidOtherwise(Said):
    comments: ClassVar[dict[str, str]] = {"said": "Something else."}


@pytest.fixture
def writer(database_url: str) -> LogWriter:
    return LogWriter(database_url)


@contextmanager
def repeatedly(*works: Callable[[], None]) -> Iterator[list[int]]:
    """Do each in a thread of its own, over and over; gives how often. Raises what one of them raises."""
    stop = threading.Event()
    counts = [0] * len(works)
    errors: list[BaseException] = []

    def work(at: int) -> None:
        while not stop.is_set():
            try:
                works[at]()
                counts[at] += 1
            except BaseException as error:
                errors.append(error)
                return

    threads = [threading.Thread(target=work, args=(at,)) for at in range(len(works))]
    for thread in threads:
        thread.start()
    try:
        yield counts
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


def one(connection: psycopg.Connection[tuple[object, ...]], query: str) -> object:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_readers_never_meet_an_error_nor_a_missing_or_half_table(
    database: Database, writer: LogWriter, database_url: str
) -> None:
    projector = Projector(database, PROJECTIONS)
    writer.append(3000)
    projector.catch_up()
    join = (
        "SELECT count(*) || '/' || count(DISTINCT d.deal) || '/' || (SELECT count(*) FROM read.lead)"
        " FROM read.stage_visit v JOIN read.deal d USING (deal)"
    )
    with database.connection() as connection:
        expected = one(connection, join)

    def read_plainly() -> None:
        with psycopg.connect(database_url, autocommit=True) as reader:
            for _ in range(20):
                assert one(reader, join) == expected

    def read_a_snapshot() -> None:
        with projector.snapshot(["leads", "deals"]) as snapshot:
            assert one(snapshot.connection, join) == expected
            assert snapshot.position == 3000
            assert one(snapshot.connection, join.replace("read.", "")) == expected

    with repeatedly(read_plainly, read_a_snapshot, read_a_snapshot) as reads:
        for _ in range(12):
            assert projector.rebuild() == []
    assert all(count > 5 for count in reads)


def test_a_snapshot_that_is_open_holds_the_swap_off_until_it_closes(
    database: Database, writer: LogWriter
) -> None:
    projector = Projector(database, PROJECTIONS)
    writer.append(500)
    projector.catch_up()
    with projector.snapshot(["deals"]) as snapshot:
        before = one(snapshot.connection, "SELECT count(*) FROM deal")
        rebuild = threading.Thread(target=projector.rebuild)
        rebuild.start()
        rebuild.join(1.0)
        assert rebuild.is_alive()
        assert one(snapshot.connection, "SELECT count(*) FROM deal") == before
        with projector.snapshot(["deals"]) as another:
            assert one(another.connection, "SELECT count(*) FROM deal") == before
    rebuild.join(20)
    assert not rebuild.is_alive()


def test_writers_runners_and_two_rebuilds_at_once_lose_and_double_nothing(
    database: Database, writer: LogWriter
) -> None:
    projections = (*PROJECTIONS, Odds())
    projector = Projector(database, projections, batch=50)
    projector.catch_up()

    def run() -> None:
        assert Projector(database, projections, batch=70).catch_up() == []

    def rebuild() -> None:
        assert Projector(database, projections).rebuild(["odds", "leads"]) == []

    with repeatedly(run, run, rebuild, rebuild) as counts:
        for _ in range(40):
            writer.append(50)
            projector.wait_for(writer.position, timeout=30)
    assert all(counts)
    with database.connection() as connection:
        assert tables_of(connection, projections) == folded(database, projections)
        left = "SELECT count(*) FROM pg_namespace WHERE starts_with(nspname, 'read_build')"
        assert one(connection, left) == 0


def test_partitions_in_several_processes_give_what_one_gives(
    database: Database, writer: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "IN_PROCESS_EVENTS_MAX", 100)
    monkeypatch.setattr(partitions, "PARTITION_EVENTS_MAX", 1000)
    projector = Projector(database, PROJECTIONS)
    writer.append(4500)
    steps: list[tuple[int, int]] = []

    assert projector.rebuild(workers=2, progress=lambda done, total: steps.append((done, total))) == []

    with database.connection() as connection:
        assert tables_of(connection) == folded(database, PROJECTIONS)
    assert steps == sorted(steps)
    assert steps[-1] == (4500, 4500)


def test_a_changed_row_model_asks_for_a_rebuild_by_itself(database: Database, writer: LogWriter) -> None:
    writer.append(500)
    Projector(database, [Things()]).catch_up()
    writer.append(100)

    newer = Projector(database, [WiderThings()])
    with pytest.raises(NotBuilt), newer.snapshot():
        pass
    newer.catch_up()

    with database.connection() as connection:
        assert tables_of(connection, [WiderThings()]) == folded(database, (WiderThings(),))
    assert newer.standings()["things"].position == 600


def test_an_older_program_leaves_what_a_newer_one_rebuilt(database: Database, writer: LogWriter) -> None:
    older, newer = Projector(database, [Things()]), Projector(database, [WiderThings()])
    older.catch_up()
    newer.catch_up()
    writer.append(100)
    older.catch_up()
    assert older.standings()["things"].position == 0
    newer.catch_up()
    assert newer.standings()["things"].position == 100


def test_a_rebuild_that_fails_says_where_and_leaves_the_tables_alone(
    database: Database, writer: LogWriter
) -> None:
    writer.append(300)
    projector = Projector(database, [Touchy(), Things()])
    projector.catch_up()
    with database.connection() as connection:
        before = tables_of(connection, [Touchy()])
        for position, title in ((301, "too big"), (302, "boom")):
            writer.write([(f"deal-{title}", DealOpened(lead="L-1", pipeline="main", title=title))])
            assert [each.position for each in projector.catch_up()] == [301]
            failures = projector.rebuild()
            assert [(each.projection, each.event) for each in failures] == [("touchy", "deals.DealOpened")]
            assert failures[0].position == position
            assert projector.standings()["touchy"].failure == failures[0]
            assert tables_of(connection, [Touchy()]) == before


def test_a_projection_that_was_never_built_says_why(database: Database, writer: LogWriter) -> None:
    writer.write([("deal-1", DealOpened(lead="L-1", pipeline="main", title="boom"))])
    projector = Projector(database, [Touchy()])
    assert [each.position for each in projector.catch_up()] == [1]
    with pytest.raises(NotBuilt, match=r"stopped at 1, deals\.DealOpened, RuntimeError: can't fold this"):
        projector.snapshot().__enter__()


def test_views_outlive_the_tables_that_they_read(database: Database, writer: LogWriter) -> None:
    everything = Projector(database, [Counting(), Things()])
    writer.append(600)
    everything.catch_up()
    with database.connection() as connection:
        things = one(connection, "SELECT count(*) FROM read.thing")
        for projector in (everything, Projector(database, [Things()])):
            projector.rebuild(["things"])
            assert one(connection, "SELECT things FROM read.thing_count") == things
            assert one(connection, "SELECT sign FROM read.thing_count") == "{%}"
            assert one(connection, "SELECT min(position) > 100 FROM read.late_thing") is True


def test_a_view_of_somebody_elses_is_not_thrown_away(
    database: Database, writer: LogWriter, database_url: str
) -> None:
    projector = Projector(database, [Things()])
    projector.catch_up()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE VIEW public.mine AS SELECT * FROM read.thing")
        with pytest.raises(DependentObjectsStillExist, match="mine"):
            projector.rebuild()
        connection.execute("DROP VIEW public.mine")
    assert projector.rebuild() == []


def test_views_that_were_restored_without_their_registration_are_taken_over(database: Database) -> None:
    everything = [Counting(), Things(), Said()]
    Projector(database, everything).catch_up()
    with database.connection() as connection:
        for projector in (Projector(database, [Things()]), Projector(database, everything)):
            # As a backup has it that leaves out the data of the schema `read`.
            connection.execute("TRUNCATE read.projection, read.checkpoint, read.thing")
            assert projector.catch_up() == []
            assert one(connection, "SELECT things FROM read.thing_count") == 0
            assert one(connection, "SELECT count(*) FROM read.said") == 0
        assert one(connection, "SELECT views FROM read.projection WHERE name = 'said'") == ["said"]


def test_an_operators_view_in_our_schema_is_kept_or_the_swap_refused(database: Database) -> None:
    Projector(database, [WiderThings()]).catch_up()
    with database.connection() as connection:
        connection.execute("CREATE VIEW read.mine AS SELECT deal, title FROM read.thing")
        Projector(database, [WiderThings()]).rebuild()
        assert one(connection, "SELECT count(*) FROM read.mine") == 0
        with pytest.raises(UndefinedColumn, match="title"):
            Projector(database, [Things()]).rebuild()
        assert one(connection, "SELECT count(*) FROM read.mine") == 0


def test_grants_stay_through_a_swap(database: Database) -> None:
    projector = Projector(database, [Things()])
    projector.catch_up()
    with database.connection() as connection:
        assert _may_read(connection, "dealtrail_payroll") == []
        connection.execute("GRANT SELECT ON read.thing TO PUBLIC, dealtrail_payroll")
        projector.rebuild()
        assert _may_read(connection, "dealtrail_auditor") == [
            "checkpoint",
            "late_thing",
            "partition",
            "projection",
            "thing",
        ]
        assert _may_read(connection, "dealtrail_payroll") == ["thing"]
        for role in ("dealtrail_payroll", "dealtrail_auditor"):
            assert not one(connection, f"SELECT has_table_privilege('{role}', 'read.thing', 'INSERT')")
        acl = str(one(connection, "SELECT relacl::text FROM pg_class WHERE oid = 'read.thing'::regclass"))
    assert "dealtrail_payroll=r/" in acl
    assert "=r/" in acl.replace("dealtrail_payroll=r/", "").replace("dealtrail_auditor=r/", "")


def test_comments_of_views_stay_with_whoever_swaps(database: Database) -> None:
    commented = Projector(database, [Counting(), Things(), Said()])
    commented.catch_up()
    for projector in (commented, Projector(database, [Things()])):
        projector.rebuild(["things"])
        with database.connection() as connection:
            said = connection.execute(
                "SELECT objsubid, description FROM pg_description"
                " WHERE objoid = 'read.said'::regclass AND classoid = 'pg_class'::regclass ORDER BY 1"
            ).fetchall()
        assert said == [(0, "What is 100 % of {it}."), (2, "It's so.")]


def test_a_changed_comment_asks_for_a_rebuild_by_itself(database: Database) -> None:
    Projector(database, [Things(), Said()]).catch_up()
    Projector(database, [Things(), SaidOtherwise()]).catch_up()
    with database.connection() as connection:
        said = one(connection, "SELECT obj_description('read.said'::regclass, 'pg_class')")
        left = one(connection, "SELECT col_description('read.said'::regclass, 2)")
    assert (said, left) == ("Something else.", None)


def _may_read(connection: psycopg.Connection[tuple[object, ...]], role: str) -> list[object]:
    """The relations of `read` that were granted to the role itself."""
    rows = connection.execute(
        "SELECT c.relname FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a"
        " WHERE c.relnamespace = 'read'::regnamespace AND a.privilege_type = 'SELECT'"
        " AND a.grantee = %s::regrole ORDER BY 1",
        (role,),
    )
    return [name for (name,) in rows]


def test_an_unknown_projection_is_refused(database: Database) -> None:
    with pytest.raises(LookupError, match="no projection named other; there are things"):
        Projector(database, [Things()]).rebuild(["other"])
