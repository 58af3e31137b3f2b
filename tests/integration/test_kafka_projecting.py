"""Read tables kept up from the events topic: by several, beside reports, and whatever the topic is like."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from kafka_records import fresh_topic, records
from projecting_partitions import assert_as_rebuilt

from adapters.demo.generator import generate
from adapters.demo.recording import record
from adapters.kafka import projecting
from adapters.kafka.projecting import EventsReader
from adapters.postgres.database import Database
from adapters.postgres.projecting.placing import partition_of
from adapters.postgres.projecting.spread_fold import SpreadFold
from adapters.settings import read_settings
from adapters.wiring import PROJECTIONS, Engine

END = datetime(2026, 1, 1, tzinfo=UTC)
PARTITIONS = 5


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projecting, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(projecting, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(projecting, "COMMIT_SECONDS", 0.05)
    monkeypatch.setattr(projecting, "BATCH", 200)


@pytest.fixture
def topic() -> str:
    return fresh_topic("events")


@pytest.fixture
def engine(database_url: str, kafka: str, topic: str) -> Iterator[Engine]:
    """Its tables are built, and empty as the log is."""
    given = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DEALTRAIL_EVENTS_TOPIC": topic,
        "DEALTRAIL_PARTITIONS": f"{PARTITIONS}",
    }
    made = Engine(read_settings(given), Database(database_url))
    assert made.projector.catch_up() == []
    yield made
    made.store.close()
    made.database.close()


@contextmanager
def reading(engine: Engine, count: int = 1) -> Iterator[list[EventsReader]]:
    """So many workers, till the end."""
    stop = threading.Event()
    readers = [Engine(engine.settings, engine.database).events_reader for _ in range(count)]
    threads = [threading.Thread(target=reader.follow, args=(stop,)) for reader in readers]
    with ExitStack() as ending:
        for thread in threads:
            thread.start()
            ending.callback(thread.join)
            ending.callback(stop.set)
        yield readers


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    give_up_at = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def happen(engine: Engine, actions: Iterable[dict[str, Any]]) -> None:
    """Recorded and published."""
    record(actions, engine.intake())
    engine.events_topic.catch_up()


def positions(engine: Engine) -> set[int]:
    return {standing.position for standing in engine.projector.standings().values()}


def caught_up(engine: Engine) -> bool:
    return positions(engine) == {engine.store.head()}


@pytest.fixture
def from_log(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often workers had to read the log, instead of the topic, for something."""
    times: list[int] = []
    lay_out = SpreadFold.lay_out

    def counted(self: SpreadFold, names: Collection[str], partitions: int) -> None:
        times.append(len(names))
        lay_out(self, names, partitions)

    monkeypatch.setattr(SpreadFold, "lay_out", counted)
    return times


def test_a_streams_partition_is_where_its_records_are(engine: Engine, kafka: str, topic: str) -> None:
    happen(engine, generate(3, 12, END))
    found = records(kafka, topic)
    assert {one.partition for one in found} == set(range(PARTITIONS))
    assert all(partition_of(one.key.decode(), PARTITIONS) == one.partition for one in found)


def test_two_share_the_topic_and_a_third_joins(engine: Engine, from_log: list[int]) -> None:
    actions = list(generate(3, 12, END))
    half = len(actions) // 2
    with reading(engine, 2) as readers:
        until(lambda: sorted(len(each._places) for each in readers) == [2, 3])
        from_log.clear()
        happen(engine, actions[:half])
        until(lambda: caught_up(engine))
        assert sum(each.read for each in readers) == engine.store.head()
        assert all(each.read for each in readers)
        with reading(engine) as (third,):
            until(lambda: len(third._places) == 1 and sum(len(each._places) for each in readers) == 4)
            happen(engine, actions[half:])
            until(lambda: caught_up(engine))
            assert third.read
    assert from_log == []
    assert_as_rebuilt(engine.database, PROJECTIONS)
