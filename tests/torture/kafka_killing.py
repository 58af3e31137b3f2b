"""Actions through Kafka into the log and out to Kafka, while all that takes part is killed, again and again.

Run as a program it does so at length: python -m tests.torture.kafka_killing --actions 200000 --rounds 5
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # As pytest does.

import psycopg
from kafka import KafkaProducer
from kafka_actions import (
    Sent,
    assert_all_rubbish_is_dead,
    assert_each_has_one_effect,
    found,
    leads_of,
    mixed,
    taken_in,
    unsent,
)
from kafka_broker import Broker
from kafka_records import positions_by_stream, records

from adapters.kafka import topics
from adapters.kafka.connecting import Cluster
from adapters.kafka.dead_letters import boxed
from adapters.postgres.database import Database
from adapters.postgres.embedded import Embedded
from adapters.postgres.migrate import migrate
from adapters.settings import read_settings
from adapters.wiring import Engine

QUICKLY = (
    "from adapters.kafka import ingest;"
    "ingest.CONSUMER.update(session_timeout_ms=2000, heartbeat_interval_ms=500)"
)
"""A member that is killed is missed sooner than in earnest."""
PATIENCE_SECONDS = 600


@dataclass(slots=True)
class Torture:
    """Everything that takes part, each with its own end. `told` is what was met, for people."""

    broker: Broker
    servers: list[Embedded]
    home: Path
    environment: dict[str, str]
    chance: random.Random
    workers: dict[str, list[subprocess.Popen[bytes]]] = field(default_factory=dict)
    kills: int = 0

    def work(self, command: str) -> None:
        """One more process of that command."""
        line = [sys.executable, "-c", f"{QUICKLY}; from adapters.cli.main import main; main()", command]
        log = (self.home / f"{command}.log").open("ab")
        with log:
            started = subprocess.Popen(line, env=self.environment, stderr=log, stdout=log)
        self.workers.setdefault(command, []).append(started)

    def kill_worker(self, command: str) -> None:
        """One of them, as a power cut would, and another in its place."""
        one = self.workers[command].pop(self.chance.randrange(len(self.workers[command])))
        one.kill()
        one.wait()
        self.work(command)

    def supervise(self) -> None:
        """Start those again that found no database when they started, as any supervisor does."""
        for command, workers in self.workers.items():
            for one in [each for each in workers if each.poll() is not None]:
                assert one.returncode == 1, (self.home / f"{command}.log").read_text()[-4000:]
                workers.remove(one)
                self.work(command)

    def kill_broker(self) -> None:
        self.broker.kill()
        time.sleep(self.chance.random())
        self.broker.start()

    def kill_database(self) -> None:
        pid = int(next(self.home.rglob("postmaster.pid")).read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        time.sleep(self.chance.random())
        self.servers.append(Embedded(self.home / "postgres").start())

    def end(self) -> None:
        """All in good order."""
        for workers in self.workers.values():
            for one in workers:
                one.send_signal(signal.SIGTERM)
        for command, workers in self.workers.items():
            ends = [one.wait(60) for one in workers]
            assert set(ends) == {0}, (self.home / f"{command}.log").read_text()[-4000:]


@contextmanager
def everything(home: Path, chance: random.Random) -> Iterator[tuple[Torture, Engine]]:
    """A broker, a database, two that ingest, two that publish."""
    with ExitStack() as stack:
        (home / "kafka").mkdir()
        broker = Broker(home / "kafka")
        stack.callback(broker.kill)
        broker.start()
        server = Embedded(home / "postgres").start()
        given = {
            "DATABASE_URL": server.url(),
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
            "DEALTRAIL_PARTITIONS": "6",
            "DEALTRAIL_HOME": str(home),
        }
        database = stack.enter_context(Database(server.url()))
        migrate(database)
        engine = Engine(read_settings(given), database)
        found(engine)
        topics.ensure(Cluster(broker.bootstrap), engine.settings.actions_topic, 6, topics.ACTIONS)
        torture = Torture(broker, [server], home, {**os.environ, **given}, chance)
        for command in ("ingest", "ingest", "publish", "publish"):
            torture.work(command)
        try:
            yield torture, engine
        finally:
            for one in [each for workers in torture.workers.values() for each in workers]:
                one.kill()
                one.wait()
            for each in torture.servers:
                each.stop()


def run(actions: int, rounds: int, share: float, home: Path, seed: int = 1) -> dict[str, Any]:
    """So many actions, and `share` of rubbish; everything is killed once a round, and all is whole after."""
    chance = random.Random(seed)
    sent, bad = mixed(actions // 5, share, seed)
    with everything(home, chance) as (torture, engine):
        until(lambda: len(_committed(engine)) > 0)  # The workers are up.
        began = time.monotonic()
        _send_and_kill(torture, engine, sent, rounds)
        until(lambda: taken_in(engine) == len(sent) and unsent(engine) == 0)
        took_in = time.monotonic() - began
        until(lambda: engine.events_topic.position() == engine.store.head())
        seconds = time.monotonic() - began
        torture.supervise()
        torture.end()
        kafka = torture.broker.bootstrap
        assert_each_has_one_effect(engine, [*leads_of(actions // 5)])
        assert_all_rubbish_is_dead(engine, kafka, bad, repeats=True)
        out = records(kafka, engine.settings.events_topic)
        met = positions_by_stream(out)
        firsts = [list(dict.fromkeys(positions)) for positions in met.values()]
        assert all(first == sorted(first) for first in firsts)
        assert sorted(place for first in firsts for place in first) == list(range(1, engine.store.head() + 1))
        letters = len(records(kafka, engine.settings.dead_letters_topic))
        engine.store.close()
        return {
            "actions": actions,
            "rubbish": bad.total(),
            "kills": torture.kills,
            "events": engine.store.head(),
            "taken_in_seconds": round(took_in, 1),
            "published_seconds": round(seconds, 1),
            "events_repeated": len(out) - engine.store.head(),
            "letters_repeated": letters - bad.total(),
        }


def _send_and_kill(torture: Torture, engine: Engine, sent: Sequence[Sent], rounds: int) -> None:
    kills: list[Callable[[], None]] = [
        lambda: torture.kill_worker("ingest"),
        torture.kill_database,
        lambda: torture.kill_worker("publish"),
        torture.kill_broker,
    ]
    how: dict[str, Any] = {"linger_ms": 5, "value_serializer": boxed(), "delivery_timeout_ms": 600_000}
    producer = KafkaProducer(bootstrap_servers=torture.broker.bootstrap, **how)
    steps = rounds * len(kills)
    size = -(-len(sent) // steps)
    futures = []
    for step in range(steps):
        for key, value in sent[step * size : (step + 1) * size]:
            futures.append(producer.send(engine.settings.actions_topic, (value,), key))
        time.sleep(torture.chance.uniform(0.2, 0.5) + size / 10_000)
        kills[step % len(kills)]()
        torture.kills += 1
        torture.supervise()
    for future in futures:
        future.get(60)
    producer.close()


def _committed(engine: Engine) -> list[Any]:
    with engine.database.connection() as connection:
        return connection.execute("SELECT FROM ingest.progress").fetchall()


def until(true: Callable[[], bool]) -> None:
    """Also while the database or Kafka is away."""
    from adapters.kafka.connecting import KafkaAway

    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        with suppress(psycopg.OperationalError, KafkaAway):
            if true():
                return
        assert time.monotonic() < give_up_at, "it does not go on"
        time.sleep(0.1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--actions", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dealtrail-torture-", ignore_cleanup_errors=True) as folder:
        sys.stdout.write(f"{run(asked.actions, asked.rounds, 0.01, Path(folder), asked.seed)}\n")
