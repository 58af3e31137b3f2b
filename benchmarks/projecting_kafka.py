"""Read tables kept up from Kafka: events a second with one, two and four workers, and while one joins.

Not part of `make bench`: python -m benchmarks.projecting_kafka
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
import psycopg

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from kafka_broker import Broker  # type: ignore[import-not-found]
from projecting_log import LogWriter  # type: ignore[import-not-found]
from projecting_partitions import assert_as_rebuilt  # type: ignore[import-not-found]
from projecting_workers import PARTITIONS, engine_on, workers  # type: ignore[import-not-found]

from adapters.kafka.projecting import BATCH
from adapters.postgres.database import Database
from adapters.postgres.embedded import Embedded
from adapters.postgres.migrate import migrate
from adapters.postgres.projecting.spread_fold import SpreadFold
from adapters.wiring import PROJECTIONS, Engine

EVENTS = 100_000
JOINING_SECONDS = 12.0


def main(events: int = EVENTS) -> None:
    """Prints what it measures."""
    with tempfile.TemporaryDirectory(prefix="dealtrail-bench-", ignore_cleanup_errors=True) as folder:
        broker = Broker(Path(folder))
        server = Embedded(Path(folder) / "home").start()
        broker.start()
        try:
            url = server.url()
            with Database(url) as database:
                migrate(database)
            engine = engine_on(url, broker.bootstrap, "events")
            engine.projector.catch_up()
            fold = SpreadFold(engine.database, PROJECTIONS)
            fold.lay_out(fold.names, PARTITIONS)
            writer = LogWriter(url)
            writer.append(events)
            engine.events_topic.catch_up()
            began = time.perf_counter()
            engine.projector.catch_up()
            click.echo(f"one process from the log: {events / (time.perf_counter() - began):,.0f} events/s")
            for count in (1, 2, 4):
                _empty(url)
                told = _throughput(engine, url, broker.bootstrap, events, count)
                click.echo(f"{count} from Kafka: {told:,.0f} events/s, {told / count:,.0f} each")
            click.echo(_joining(engine, writer, url, broker.bootstrap))
            assert_as_rebuilt(engine.database, PROJECTIONS)
            engine.store.close()
            engine.database.close()
        finally:
            broker.kill()
            server.stop()


def _throughput(engine: Engine, url: str, kafka: str, events: int, count: int) -> float:
    """From when each of them has begun to when all is folded: starting isn't counted."""
    with workers(url, kafka, "events", BATCH) as group:
        group.start(count, f"bench-{count}")
        for _, ready in group.running:
            ready.wait()
        while (first := _folded(url)) == 0:
            time.sleep(0.01)
        began = time.perf_counter()
        while _standing(engine) < events:
            time.sleep(0.01)
        seconds = time.perf_counter() - began
        group.end()
    return (events - first) / seconds


def _joining(engine: Engine, writer: LogWriter, url: str, kafka: str) -> str:
    """How late the tables are, at 100 events every 0.2 s, before and while a second worker joins."""
    late: list[tuple[float, float]] = []
    with workers(url, kafka, "events", BATCH) as group:
        group.start(1)
        time.sleep(8)
        began, joined = time.monotonic(), False
        while (now := time.monotonic()) < began + 2 * JOINING_SECONDS:
            if not joined and now > began + JOINING_SECONDS:
                group.start(1)
                joined = True
            writer.append(100)
            engine.events_topic.catch_up()
            sent = time.monotonic()
            engine.projector.wait_for(writer.position, 60)
            late.append((sent - began, time.monotonic() - sent))
            time.sleep(0.2)
        group.end()
    before = sorted(seconds for at, seconds in late if at < JOINING_SECONDS)
    after = sorted(seconds for at, seconds in late if at >= JOINING_SECONDS)
    return f"tables late by {_told(before)}; while another joins {_told(after)}"


def _told(seconds: Sequence[float]) -> str:
    return f"{seconds[len(seconds) // 2]:.2f} s (median), {seconds[-1]:.2f} s (worst)"


def _standing(engine: Engine) -> int:
    return min(each.position for each in engine.projector.standings().values())


def _folded(url: str) -> int:
    """About so many events: each partition has as good as the same number of any stretch of the log."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT avg(position) FROM read.partition").fetchone()
    return int(row[0]) if row else 0


def _empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT unnest(tables) FROM read.projection").fetchall()
        for (name,) in names:
            connection.execute(f'TRUNCATE read."{name}"'.encode())
        connection.execute("UPDATE read.checkpoint SET notification_id = 0")
        connection.execute("UPDATE read.partition SET position = 0")


if __name__ == "__main__":
    main()
