"""SIGKILL at random moments while projecting and rebuilding: nothing is lost, nothing counts twice."""

import os
import random
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from projecting_log import PROJECTIONS, LogWriter, tables_of
from projecting_samples import Odds, folded

from adapters.postgres.database import Database
from adapters.postgres.projecting import partitions
from adapters.postgres.projecting.projector import Projector

EVERYTHING = (*PROJECTIONS, Odds())


def killed(work: Callable[[], object], after: float) -> bool:
    """Do `work` in a forked process and kill it `after` seconds; whether it was still at it."""
    with warnings.catch_warnings():
        # The child of a process with threads uses none of what they hold: it makes its own connections.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "failed by itself"
    return os.WIFSIGNALED(status)


def test_projecting_and_rebuilding_killed_a_hundred_times(database: Database, database_url: str) -> None:
    dice = random.Random(7)
    writer = LogWriter(database_url)
    Projector(database, EVERYTHING).catch_up()

    def project() -> None:
        with Database(database_url, pool_max=4) as own:
            assert Projector(own, EVERYTHING, batch=20).catch_up() == []

    def rebuild() -> None:
        with Database(database_url, pool_max=4) as own:
            assert Projector(own, EVERYTHING).rebuild() == []

    interrupted = 0
    for turn in range(100):
        writer.append(200)
        work, longest = (rebuild, 0.3) if turn % 3 == 0 else (project, 0.15)
        interrupted += killed(work, dice.uniform(0.005, longest))
        if turn % 20 == 19:
            assert Projector(database, EVERYTHING, batch=500).catch_up() == []
            with database.connection() as connection:
                assert tables_of(connection, EVERYTHING) == folded(database, EVERYTHING)
    assert interrupted >= 80
    assert {each.position for each in Projector(database, EVERYTHING).standings().values()} == {20_000}


def orphans() -> set[str]:
    """Processes of this very test that nobody waits for any more."""
    return {process.name for process in Path("/proc").glob("[0-9]*") if _is_orphan(process)}


def _is_orphan(process: Path) -> bool:
    ours = f"PYTEST_CURRENT_TEST={os.environ['PYTEST_CURRENT_TEST']}".encode()
    try:
        parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        return parent == "1" and ours in (process / "environ").read_bytes()
    except OSError:
        return False  # It ended just now.


def test_a_rebuild_by_several_processes_killed_leaves_nothing_behind(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "IN_PROCESS_EVENTS_MAX", 100)
    dice, before = random.Random(8), orphans()
    LogWriter(database_url).append(6000)
    Projector(database, EVERYTHING).catch_up()

    def rebuild() -> None:
        with Database(database_url, pool_max=4) as own:
            assert Projector(own, EVERYTHING).rebuild(workers=2) == []

    for _ in range(5):
        killed(rebuild, dice.uniform(0.8, 2.0))
    for _ in range(50):
        if orphans() <= before:
            break
        time.sleep(0.1)
    assert orphans() <= before
    assert Projector(database, EVERYTHING).rebuild(workers=2) == []
    with database.connection() as connection:
        assert tables_of(connection, EVERYTHING) == folded(database, EVERYTHING)
        left = connection.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'read_build')")
        assert left.fetchall() == []
