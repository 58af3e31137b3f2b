"""The embedded PostgreSQL: shared by processes, stopped by the last, usable after any kill."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from adapters.postgres.database import Database
from adapters.postgres.embedded import Embedded
from adapters.postgres.migrate import DatabaseNewer, migrate

USER = """
import sys
from pathlib import Path
import psycopg
from adapters.postgres.embedded import Embedded
server = Embedded(Path(sys.argv[1]), {"fsync": "off"}).start()
with psycopg.connect(server.url()) as connection:
    connection.execute("SELECT 1")
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.readline()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dealtrail-") as folder:
        yield Path(folder)


def _user(home: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", USER, str(home)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _ready(user: subprocess.Popen[str]) -> None:
    assert user.stdout is not None
    assert user.stdout.readline() == "ready\n"


def _runs(home: Path) -> bool:
    return (home / "postgres" / "postmaster.pid").exists()


def test_two_started_at_once_share_a_server_and_the_last_one_stops_it(home: Path) -> None:
    users = [_user(home), _user(home)]
    for user in users:
        _ready(user)
    users[0].communicate("\n", timeout=60)
    assert users[0].returncode == 0
    assert _runs(home)
    users[1].communicate("\n", timeout=60)
    assert users[1].returncode == 0
    assert not _runs(home)


def test_a_killed_user_leaves_a_server_that_the_next_one_uses_and_stops(home: Path) -> None:
    killed = _user(home)
    _ready(killed)
    killed.kill()
    killed.communicate()
    assert _runs(home)
    following = _user(home)
    _ready(following)
    following.communicate("\n", timeout=60)
    assert not _runs(home)


def test_kills_while_it_is_made_and_started_do_no_harm(home: Path) -> None:
    chance = random.Random(7)
    for _ in range(6):
        killed = _user(home)
        time.sleep(0.25 + chance.random() * 0.8)
        killed.kill()
        killed.communicate()
        if chance.random() < 0.5 and _runs(home):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int((home / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    last = _user(home)
    _ready(last)
    last.communicate("\n", timeout=60)
    assert not _runs(home)
    assert list(home.glob("postgres.making-*")) == []


def test_a_killed_server_is_started_again(home: Path) -> None:
    first = Embedded(home).start()
    server_pid = int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(server_pid, signal.SIGKILL)
    second = Embedded(home).start()
    with psycopg.connect(second.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    second.stop()
    assert _runs(home)
    first.stop()
    assert not _runs(home)


def test_a_pid_file_that_names_somebody_elses_process_does_no_harm(home: Path) -> None:
    Embedded(home).start().stop()
    data = str(home / "postgres")
    left_over = [str(os.getpid()), data, "1", "5432", data, "", "", "ready"]
    (home / "postgres" / "postmaster.pid").write_text("\n".join(left_over))
    (home / "postgres" / ".s.PGSQL.5432.lock").write_text("\n".join(left_over))
    server = Embedded(home).start()
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.stop()


def test_a_home_with_a_long_path_works(home: Path) -> None:
    server = Embedded(home / ("long" * 20) / "home").start()
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.stop()


def test_processes_that_migrate_at_once_do_it_once(server: Embedded) -> None:
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE fresh")
    code = (
        "import sys; from adapters.postgres.database import Database;"
        "from adapters.postgres.migrate import migrate;"
        "sys.stdout.write(str(len(migrate(Database(sys.argv[1])))))"
    )
    command = [sys.executable, "-c", code, server.url("fresh")]
    racing = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    applied = sorted(int(one.communicate(timeout=60)[0]) for one in racing)
    assert [one.returncode for one in racing] == [0] * 8
    assert applied[:7] == [0] * 7
    assert applied[7] >= 1
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute("DROP DATABASE fresh WITH (FORCE)")


def test_a_database_from_the_future_is_refused(database_url: str) -> None:
    with Database(database_url) as database:
        assert migrate(database) == []
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("INSERT INTO log.migration (number, name) VALUES (9999, 'unheard_of')")
        with pytest.raises(DatabaseNewer, match="9999"):
            migrate(database)
