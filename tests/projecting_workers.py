"""Workers on the events topic as processes of their own, to be killed."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event

import kafka.coordinator.assignors.cooperative_sticky  # noqa: F401 - before a process is forked, not in each

from adapters.kafka import projecting
from adapters.postgres.database import Database
from adapters.settings import read_settings
from adapters.wiring import Engine

PARTITIONS = 12
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["projecting_workers"])


def engine_on(url: str, kafka: str, topic: str) -> Engine:
    given = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DEALTRAIL_EVENTS_TOPIC": topic,
        "DEALTRAIL_PARTITIONS": f"{PARTITIONS}",
    }
    return Engine(read_settings(given), Database(url, pool_max=4))


def _work(ready: Event, url: str, kafka: str, topic: str, group: str, batch: int) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    ready.set()
    projecting.BATCH = batch
    # Whoever is killed is missed sooner than in earnest.
    projecting.CONSUMER.update(session_timeout_ms=1500, heartbeat_interval_ms=300)
    reader = engine_on(url, kafka, topic).events_reader
    reader.group = group
    reader.follow(stop)


class Workers:
    """All on one topic and database."""

    def __init__(self, url: str, kafka: str, topic: str, batch: int) -> None:
        self._where = url, kafka, topic
        self._batch = batch
        self.running: list[tuple[ForkServerProcess, Event]] = []

    def start(self, count: int, group: str = "") -> None:
        """More of them, in another group if one is named: which then has all partitions too."""
        url, kafka, topic = self._where
        for _ in range(count):
            ready = _processes.Event()
            given = (ready, url, kafka, topic, group or f"{topic}.projecting", self._batch)
            process = _processes.Process(target=_work, args=given)
            process.start()
            self.running.append((process, ready))

    def kill(self, place: int) -> None:
        """As a power cut would."""
        process, ready = self.running.pop(place)
        assert ready.wait(20)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL

    def end(self) -> None:
        """In good order."""
        for process, ready in self.running:
            assert ready.wait(20)
            process.terminate()
        for process, _ in self.running:
            process.join(20)
        assert (ended := [process.exitcode for process, _ in self.running]) == [0] * len(self.running), ended
        self.running.clear()


@contextmanager
def workers(url: str, kafka: str, topic: str, batch: int) -> Iterator[Workers]:
    """None is left behind."""
    made = Workers(url, kafka, topic, batch)
    try:
        yield made
    finally:
        for process, _ in made.running:
            process.kill()
            process.join()
