"""However many containers start on an empty database, it is migrated once."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from adapters.postgres.migrate import _LOCK, FOLDER

COMMAND = Path(sys.executable).parent / "dealtrail"
PROCESSES = 6
WAITING = (
    "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
    " WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
)
IN_THE_MIDST = (
    "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)"
    " WHERE datname = current_database() AND locktype = 'transactionid' AND NOT granted"
)


def started(number: int, url: str) -> subprocess.Popen[str]:
    """A process that migrates; its connections have its number as their name."""
    environment = {
        **os.environ,
        "DATABASE_URL": f"{url}&application_name={number}",
        "DEALTRAIL_LOG": "json",
        "DEALTRAIL_LOG_LEVEL": "INFO",
    }
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [COMMAND, "migrate", "--json"], env=environment, stdout=pipe, stderr=pipe, text=True
    )


def until(connection: psycopg.Connection[Any], query: str, wanted: Callable[[list[Any]], bool]) -> list[Any]:
    give_up_at = time.monotonic() + 60
    while not wanted(found := connection.execute(query.encode()).fetchall()):
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
    return found


def test_processes_that_start_at_once_migrate_once_though_one_is_killed_at_it(
    empty_database_url: str,
) -> None:
    with (
        psycopg.connect(empty_database_url, autocommit=True) as gate,
        psycopg.connect(empty_database_url) as hurdle,
    ):
        gate.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        hurdle.execute("CREATE SCHEMA log")  # As a migration does first, which waits for this one's end.
        processes = [started(number, empty_database_url) for number in range(PROCESSES)]
        try:
            until(gate, WAITING, lambda found: found == [(PROCESSES,)])
            gate.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
            ((name,),) = until(gate, IN_THE_MIDST, bool)
            killed = processes.pop(int(name))
            killed.kill()
            killed.communicate()
            hurdle.rollback()
            told = [process.communicate(timeout=60) for process in processes]
        finally:
            for process in processes:
                process.kill()
    names = sorted(file.stem for file in FOLDER.glob("*.sql"))
    assert [process.returncode for process in processes] == [0] * len(processes), told
    assert [json.loads(out)["migrations"] for out, _ in told] == [names] * len(processes)
    lines = [json.loads(line) for _, err in told for line in err.splitlines()]
    assert [(line["event"], line["migrations"]) for line in lines] == [("database_migrated", names)]
