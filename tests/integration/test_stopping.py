"""SIGTERM and Ctrl-C end a worker after what it is at; a second one ends it at once."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from reporting import Story

from adapters.cli.main import cli
from adapters.cli.stopping import stopping, working
from adapters.cli.workers import _keep_at
from adapters.observing.work import Work, unwatch, watch
from adapters.postgres.database import Database
from adapters.postgres.embedded import Embedded
from adapters.postgres.migrate import migrate
from adapters.postgres.projecting.as_of import NotBuilt
from adapters.postgres.projecting.projector import Projector
from adapters.settings import read_settings
from adapters.wiring import PROJECTIONS, Engine

WORKER = textwrap.dedent("""
    import sys, time
    from adapters.cli.stopping import stopping
    with stopping(lambda: print("told", flush=True)) as stop:
        print("working", flush=True)
        while not stop.is_set():
            time.sleep(0.01)
        time.sleep(float(sys.argv[1]))
    print("done", flush=True)
""")


def worker(seconds_to_end: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, str(seconds_to_end)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "working\n"
    return started


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_work_in_good_order(number: signal.Signals) -> None:
    with worker(0.1) as started:
        started.send_signal(number)
        assert started.communicate(timeout=30)[0] == "told\ndone\n"
    assert started.returncode == 0


def test_a_second_signal_ends_it_at_once() -> None:
    with worker(60) as started:
        started.send_signal(signal.SIGTERM)
        assert started.stdout is not None
        assert started.stdout.readline() == "told\n"
        started.send_signal(signal.SIGTERM)
        assert started.communicate(timeout=30)[0] == ""
    assert started.returncode == -signal.SIGTERM


def test_afterwards_signals_are_whoevers_they_were() -> None:
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append("ours"))
    try:
        with stopping() as stop:
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.wait(10)
            assert heard == []
        os.kill(os.getpid(), signal.SIGTERM)
        assert heard == ["ours"]
    finally:
        signal.signal(signal.SIGTERM, before)


class AtTheFirstFold:
    """Sets the event as soon as a batch is folded."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop

    def begun(self, work: Work) -> None:
        pass

    def ended(self, work: Work) -> None:
        if work.name == "fold":
            self.stop.set()


class LooksLeft(threading.Event):
    """Set once so many looks were taken at it."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def is_set(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def test_a_worker_that_is_far_behind_stops_after_its_batch(database_url: str) -> None:
    story = Story(database_url)
    story.pipeline().rep("ann")
    story.projector.catch_up()
    before = story.position
    story.lead("L-1", "ann").deal("D-1", "L-1", "Call")
    stop = threading.Event()
    watcher = AtTheFirstFold(stop)
    with Database(database_url) as database:
        projector = Projector(database, PROJECTIONS, batch=1)
        watch(watcher)
        try:
            projector.follow(stop)
        finally:
            unwatch(watcher)
        assert {each.position for each in projector.standings().values()} == {before + 1}
        assert before + 1 < story.position
        projector.catch_up()
        assert {each.position for each in projector.standings().values()} == {story.position}
    story.close()


def test_a_worker_that_builds_tables_stops_and_the_next_one_builds_them(database_url: str) -> None:
    story = Story(database_url)
    story.pipeline().rep("ann").lead("L-1", "ann")
    with Database(database_url) as database:
        projector = Projector(database, PROJECTIONS)
        projector.follow(LooksLeft(2))
        assert projector.standings() == {}
        projector.catch_up()
        assert {each.position for each in projector.standings().values()} == {story.position}
    story.close()


def test_a_thread_that_fails_ends_the_process_for_whoever_starts_it_again(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []
    with Database(database_url) as database, pytest.raises(click.exceptions.Exit) as ended:  # noqa: PT012
        parts = Engine(read_settings({}), database)
        with working(parts, lambda: told.append("told")) as stop:
            threading.Thread(target=lambda: 1 / 0, name="seals").start()
            assert stop.wait(10)
    assert (ended.value.exit_code, told) == (1, ["told"])
    said = capsys.readouterr().err
    assert [word for word in ("thread_failed", "thread=seals", "ZeroDivisionError") if word not in said] == []


def test_a_worker_that_fails_leaves_no_thread_that_keeps_the_process(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Projector, "follow", lambda *_: 1 / 0)
    before = threading.enumerate()
    done = CliRunner().invoke(cli, ["project"], env={"DATABASE_URL": database_url})
    assert isinstance(done.exception, ZeroDivisionError)
    assert [thread.name for thread in threading.enumerate() if thread not in before] == []


def test_tables_that_cannot_be_built_end_no_worker() -> None:
    stop, said, looks = threading.Event(), list[str](), list[int]()

    def work() -> None:
        looks.append(1)
        if len(looks) < 3:
            raise NotBuilt("leads", None)
        stop.set()

    _keep_at(work, said.append, stop, 0.01)
    assert (len(looks), len(said)) == (3, 1)


def test_a_worker_ends_while_the_database_is_away() -> None:
    with tempfile.TemporaryDirectory(prefix="dealtrail-") as folder:
        server = Embedded(Path(folder), {"fsync": "off"}).start()
        environment = {**os.environ, "DATABASE_URL": server.url()}
        command = [Path(sys.executable).parent / "dealtrail", "project"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as worker:
            try:
                assert worker.stderr is not None
                assert "Following" in worker.stderr.readline()
                with Database(server.url()) as database:
                    Projector(database, PROJECTIONS).wait_for(0, 30)
                server.stop()
                time.sleep(1.5)  # Until it waits for a connection.
                worker.terminate()
                said = worker.communicate(timeout=15)[1]
            finally:
                worker.kill()
                server.stop()
    assert (worker.returncode, said.splitlines()[-1]) == (0, "The database is away.")


def test_a_worker_tells_of_each_outage_once_and_of_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="dealtrail-") as folder:
        server = Embedded(Path(folder), {"fsync": "off"}).start()
        with Database(server.url()) as database:
            migrate(database)
            projector, stop = Projector(database, PROJECTIONS), threading.Event()
            worker = threading.Thread(target=projector.follow, args=(stop, 0.05))
            worker.start()
            try:
                for _ in range(2):
                    projector.wait_for(0, 30)
                    server.stop()
                    time.sleep(2.5)  # Tried more than once.
                    server.start()
                    told, give_up_at = "", time.monotonic() + 30
                    while "database_back" not in told:
                        assert time.monotonic() < give_up_at, told
                        time.sleep(0.1)
                        told += capsys.readouterr().err
                    reasons = re.findall("database_away.*error=(.*)", told)
                    assert len(reasons) == len(set(reasons)) > 0, told
                    assert told.count("database_back") == 1
            finally:
                stop.set()
                worker.join()
                server.stop()
