"""However many containers start on an empty database, it is migrated once."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from adapters.postgres.embedded import Embedded
from adapters.postgres.migrate import _LOCK, FOLDER

COMMAND = Path(sys.executable).parent / "dealtrail"
PROCESSES = 8
WAITING = (
    "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
    " WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
)


@pytest.fixture
def empty_database(server: Embedded) -> Iterator[str]:
    """The URL of a database that nobody migrated."""
    name = f"together_{os.getpid()}"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield server.url(name)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_eight_processes_at_once_migrate_once(empty_database: str) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": empty_database,
        "DEALTRAIL_LOG": "json",
        "DEALTRAIL_LOG_LEVEL": "INFO",
    }
    with psycopg.connect(empty_database, autocommit=True) as gate:
        gate.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        processes = [
            subprocess.Popen(
                [COMMAND, "migrate", "--json"],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(PROCESSES)
        ]
        try:
            give_up_at = time.monotonic() + 60
            while gate.execute(WAITING).fetchall() != [(PROCESSES,)]:
                assert time.monotonic() < give_up_at
                time.sleep(0.05)
            gate.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
            told = [process.communicate(timeout=60) for process in processes]
        finally:
            for process in processes:
                process.kill()
    names = sorted(file.stem for file in FOLDER.glob("*.sql"))
    assert [process.returncode for process in processes] == [0] * PROCESSES, told
    assert [json.loads(out)["migrations"] for out, _ in told] == [names] * PROCESSES
    lines = [json.loads(line) for _, err in told for line in err.splitlines()]
    assert [(line["event"], line["migrations"]) for line in lines] == [("database_migrated", names)]
