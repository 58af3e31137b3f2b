"""Partitions folded apart, in any order and more than once, beside the log's own fold: equal to a rebuild."""

import random
import string
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2
from projecting_log import PROJECTIONS, LogWriter
from projecting_partitions import assert_as_rebuilt, stretches
from projecting_samples import Odds, Touchy

from adapters.postgres.audit.replaying import replay
from adapters.postgres.codec import RawRow
from adapters.postgres.database import Database
from adapters.postgres.projecting import batch
from adapters.postgres.projecting.placing import partition_of
from adapters.postgres.projecting.projector import Projector
from adapters.postgres.projecting.spread_fold import SpreadFold, Strange, Stretch
from adapters.postgres.store import PostgresStore
from domain.deals.events import DealOpened
from projections.next_steps import NextSteps

EVERYTHING = (*PROJECTIONS, Odds())
NAMES = {each.name for each in EVERYTHING}
COUNT = 4
NOBODY: frozenset[str] = frozenset()


@pytest.fixture
def writer(database_url: str) -> LogWriter:
    return LogWriter(database_url)


@pytest.fixture
def fold(database: Database) -> SpreadFold:
    """Among four partitions; the tables are built."""
    Projector(database, EVERYTHING).catch_up()
    fold = SpreadFold(database, EVERYTHING)
    assert fold.elsewhere(COUNT) == NAMES
    fold.lay_out(NAMES, COUNT)
    assert fold.elsewhere(COUNT) == set()
    return fold


def positions(database: Database) -> set[int]:
    return {each.position for each in Projector(database, EVERYTHING).standings().values()}


@given(st.text(string.printable, min_size=1, max_size=40), st.integers(1, 50))
def test_a_stream_is_where_kafkas_client_puts_it(stream: str, partitions: int) -> None:
    by_client = (murmur2(stream.encode()) & 0x7FFFFFFF) % partitions
    assert partition_of(stream, partitions) == by_client


@pytest.mark.parametrize("seed", range(4))
def test_any_order_beside_the_logs_own_fold_equals_a_rebuild(
    database: Database, writer: LogWriter, store: PostgresStore, fold: SpreadFold, seed: int
) -> None:
    dice = random.Random(seed)
    read = dict.fromkeys(range(COUNT), 0)  # How far each partition is read: its worker's, or a zombie's.
    for _ in range(25):
        writer.append(dice.randrange(1, 60))
        chance = dice.random()
        if chance < 0.2:
            upto = dice.choice([writer.position, dice.randrange(writer.position + 1)])
            assert Projector(database, dice.sample(EVERYTHING, 4), batch=17).catch_up(upto) == []
        elif chance < 0.3:
            assert Projector(database, EVERYTHING).rebuild([dice.choice(EVERYTHING).name]) == []
        elif chance < 0.4:
            read[dice.randrange(COUNT)] = 0  # From the beginning.
        else:
            some = dice.sample(range(COUNT), dice.randrange(1, COUNT + 1))
            wanted = {each: (read[each], dice.randrange(read[each], writer.position + 1)) for each in some}
            assert fold.fold(stretches(store, COUNT, wanted), COUNT, NOBODY) == set()
            read |= {each: upto for each, (_, upto) in wanted.items()}
            fold.level()
    rest = {each: (after, writer.position) for each, after in read.items()}
    assert fold.fold(stretches(store, COUNT, rest), COUNT, NOBODY) == set()
    fold.level()
    assert positions(database) == {writer.position}
    assert_as_rebuilt(database, EVERYTHING)


def test_the_slowest_partition_says_where_a_projection_is(
    database: Database, writer: LogWriter, store: PostgresStore, fold: SpreadFold
) -> None:
    writer.append(300)
    assert fold.fold(stretches(store, COUNT, dict.fromkeys((0, 1, 2), (0, 300))), COUNT, NOBODY) == set()
    fold.level()
    assert positions(database) == {0}
    replayed = replay(database, EVERYTHING, None)
    assert {one.differing for one in replayed.tables} == {None}  # They are at no one position.
    assert fold.fold(stretches(store, COUNT, {3: (0, 120)}), COUNT, NOBODY) == set()
    fold.level()
    assert positions(database) == {120}
    assert Projector(database, EVERYTHING).catch_up() == []
    assert positions(database) == {300}
    replayed = replay(database, EVERYTHING, None)
    assert {one.differing for one in replayed.tables} == {0}


def test_who_reads_on_behind_a_gap_is_left_behind(
    database: Database, writer: LogWriter, store: PostgresStore, fold: SpreadFold
) -> None:
    writer.append(300)
    behind = stretches(store, COUNT, {0: (0, 50), 1: (100, 300)})
    assert fold.fold(behind, COUNT, NOBODY) == NAMES
    assert fold.fold(behind, COUNT, NAMES - {"deals"}) == {"deals"}
    fold.level()
    assert positions(database) == {0}
    Projector(database, EVERYTHING).catch_up(100)
    assert fold.fold(behind, COUNT, NOBODY) == set()
    assert Projector(database, EVERYTHING).catch_up() == []
    assert_as_rebuilt(database, EVERYTHING)


def test_another_number_of_partitions_is_counted_once_the_old_ones_are_level(
    database: Database, writer: LogWriter, store: PostgresStore, fold: SpreadFold
) -> None:
    writer.append(300)
    fold.fold(stretches(store, COUNT, {0: (0, 200), 2: (0, 300)}), COUNT, NOBODY)
    assert fold.fold(stretches(store, 3, {0: (0, 300)}), 3, NOBODY) == NAMES
    fold.lay_out(NAMES, 3)
    assert fold.elsewhere(3) == NAMES
    assert Projector(database, EVERYTHING).catch_up() == []
    fold.lay_out(NAMES, 3)
    writer.append(100)
    assert fold.fold(stretches(store, 3, dict.fromkeys(range(3), (0, 400))), 3, NOBODY) == set()
    fold.level()
    assert positions(database) == {400}
    assert_as_rebuilt(database, EVERYTHING)


def test_a_failing_projection_is_named_and_the_others_go_on(
    database: Database, writer: LogWriter, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = (*PROJECTIONS, Touchy())
    projector = Projector(database, both)
    projector.catch_up()
    fold = SpreadFold(database, both)
    fold.lay_out(fold.names, COUNT)
    writer.append(100)
    opened = DealOpened(lead="L-1", pipeline="main", title="boom")
    writer.write([("deal-bad", opened)])
    writer.append(100)
    every = dict.fromkeys(range(COUNT), (0, 201))
    assert fold.fold(stretches(store, COUNT, every), COUNT, NOBODY) == {"touchy"}
    fold.level()
    assert {name for name, each in projector.standings().items() if each.position == 201} == {
        each.name for each in PROJECTIONS
    }
    (failure,) = projector.catch_up(leave=frozenset(each.name for each in PROJECTIONS))
    assert (failure.projection, failure.position) == ("touchy", 101)
    monkeypatch.setattr(Touchy, "title", "something else")
    assert fold.fold(stretches(store, COUNT, every), COUNT, NOBODY) == {"touchy"}  # It still says it failed.
    assert projector.catch_up() == []
    assert fold.fold(stretches(store, COUNT, every), COUNT, NOBODY) == set()
    assert_as_rebuilt(database, PROJECTIONS)


@pytest.mark.parametrize(
    ("stretch", "said"),
    [
        (lambda row: {0: Stretch(0, 5, [row])}, "not in its stream's partition"),
        (lambda row: {0: Stretch(0, 11, [])}, "ends at 10"),
    ],
)
def test_what_cant_be_of_this_log_is_refused(
    writer: LogWriter, store: PostgresStore, fold: SpreadFold, stretch: Any, said: str
) -> None:
    writer.append(10)
    rows: list[RawRow] = [row for _, page in store.read_raw(0) for row in page]
    misplaced = next(row for row in rows if partition_of(row[0], COUNT) != 0)
    with pytest.raises(Strange, match=said):
        fold.fold(stretch(misplaced), COUNT, NOBODY)


def test_a_zombies_older_stretch_waits_or_is_skipped(
    database: Database,
    writer: LogWriter,
    store: PostgresStore,
    fold: SpreadFold,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fold = SpreadFold(database, [NextSteps()])  # Written over, so an older row would not be refused.
    writer.append(3000)
    older = stretches(store, COUNT, {0: (0, 1500)})
    newer = stretches(store, COUNT, {0: (0, 3000)})
    loaded, newer_is_in = threading.Event(), threading.Event()
    load = batch._load

    def slow(*given: Any) -> None:
        load(*given)
        if threading.current_thread() is zombie and not loaded.is_set():
            loaded.set()
            newer_is_in.wait(0.7)

    monkeypatch.setattr(batch, "_load", slow)
    zombie = threading.Thread(target=fold.fold, args=(older, COUNT, NOBODY))
    zombie.start()
    assert loaded.wait(10)
    assert fold.fold(newer, COUNT, NOBODY) == set()
    newer_is_in.set()
    zombie.join()
    assert Projector(database, EVERYTHING).catch_up() == []
    assert_as_rebuilt(database, EVERYTHING)
