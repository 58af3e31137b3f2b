"""Projection workers on Kafka from the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from kafka_records import fresh_topic
from projecting_log import LogWriter

from adapters.cli.main import cli
from adapters.postgres.database import Database
from adapters.postgres.projecting.projector import Projector
from adapters.wiring import PROJECTIONS

COMMAND = Path(sys.executable).parent / "dealtrail"


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Started, and killed at the end if it runs then."""
    line = [str(COMMAND), "project", "--from-kafka", "--json"]
    pipe = subprocess.PIPE
    with subprocess.Popen(line, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("project --from-kafka", 1, "KAFKA_BOOTSTRAP_SERVERS"),
        ("project --from-kafka --once", 2, "--once reads the log itself"),
    ],
)
def test_where_kafka_is_must_be_known(database_url: str, line: str, code: int, said: str) -> None:
    found = CliRunner().invoke(cli, line.split(), env={"DATABASE_URL": database_url})
    assert (found.exit_code, said in found.output) == (code, True)


def test_two_workers_keep_the_tables_up_and_end_when_told(database_url: str, kafka: str) -> None:
    given = {
        **os.environ,
        "DATABASE_URL": database_url,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DEALTRAIL_EVENTS_TOPIC": fresh_topic("events"),
        "DEALTRAIL_CHECKPOINTS_TOPIC": fresh_topic("checkpoints"),
    }
    writer = LogWriter(database_url)
    with Database(database_url) as database, worker(given) as first, worker(given) as second:
        projector = Projector(database, PROJECTIONS)
        give_up_at = time.monotonic() + 30
        while len(projector.standings()) < len(PROJECTIONS):
            assert time.monotonic() < give_up_at
            time.sleep(0.05)
        writer.append(500)
        subprocess.run([COMMAND, "publish", "--once"], env=given, check=True, capture_output=True)
        projector.wait_for(500, 30)
        for each in (first, second):
            each.send_signal(signal.SIGTERM)
        for each in (first, second):
            out, told = each.communicate(timeout=20)
            assert each.returncode == 0
            assert json.loads(out)["position"] == 500
            assert f"Following {given['DEALTRAIL_EVENTS_TOPIC']}." in told
