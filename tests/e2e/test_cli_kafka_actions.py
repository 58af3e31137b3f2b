"""Kafka in and out from the command line: taken in, refused, sent again, published; and ended by a signal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from kafka_actions import action, encoded, story
from kafka_records import fresh_topic, records, send

from adapters.cli.main import cli
from adapters.kafka import topics
from adapters.kafka.connecting import Cluster

COMMAND = Path(sys.executable).parent / "dealtrail"
Run = Callable[[str], Result]


@pytest.fixture
def given(database_url: str, kafka: str) -> dict[str, str]:
    name = fresh_topic("actions")
    topics.ensure(Cluster(kafka), name, 2, topics.ACTIONS)
    return {
        "DATABASE_URL": database_url,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DEALTRAIL_ACTIONS_TOPIC": name,
        "DEALTRAIL_INGEST_GROUP": name,
        "DEALTRAIL_DEAD_LETTERS_TOPIC": f"{name}.dead",
        "DEALTRAIL_EVENTS_TOPIC": f"{name}.events",
    }


@pytest.fixture
def run(given: dict[str, str]) -> Run:
    return lambda line: CliRunner().invoke(cli, line.split(), env=given)


def told(done: Result, code: int = 0) -> dict[str, object]:
    assert done.exit_code == code, done.output
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_what_is_refused_is_sent_again_and_all_is_published(
    run: Run, given: dict[str, str], kafka: str
) -> None:
    hire = action("hire", "rep.hire", "rep-1", "admin:ada", name="Ann")
    register = {**story("L-1")[0], "actor": "rep-1"}
    send(kafka, given["DEALTRAIL_ACTIONS_TOPIC"], (b"L-1", encoded(register)), (b"L-1", b"rubbish"))
    first = told(run("ingest --once --json"))
    assert (first["accepted"], first["rejected"], first["events"]) == (0, 2, 0)
    send(kafka, given["DEALTRAIL_ACTIONS_TOPIC"], (b"rep-1", encoded(hire)))
    assert told(run("ingest --once --json"))["accepted"] == 1
    assert told(run("ingest redrive --json --since 2999-01-01")) == {"redriven": 0}
    assert "1 sent again." in run("ingest redrive --code unknown_rep").stdout
    assert "1 accepted, 0 duplicates, 0 rejected" in run("ingest --once").stdout
    published = told(run("publish --once --json"))
    assert published["topic"] == given["DEALTRAIL_EVENTS_TOPIC"]
    assert published["published"] == len(records(kafka, given["DEALTRAIL_EVENTS_TOPIC"])) > 2
    assert "0 events published" in run("publish --once").stdout


def test_without_kafka_it_says_what_is_missing(given: dict[str, str]) -> None:
    for command in ("ingest", "publish", "ingest redrive"):
        done = CliRunner().invoke(
            cli, [*command.split(), "--json"], env=given | {"KAFKA_BOOTSTRAP_SERVERS": ""}
        )
        assert told(done, 1)["error"] == {
            "code": "kafka_unavailable",
            "message": "Where Kafka is must be said by KAFKA_BOOTSTRAP_SERVERS.",
            "details": {},
        }
        nobody = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
        once = [] if "redrive" in command else ["--once"]
        done = CliRunner().invoke(cli, [*command.split(), "--json", *once], env=given | nobody)
        assert done.exit_code == 1
        assert "Connection refused" in done.stderr


def test_workers_end_in_good_order_when_they_are_told(given: dict[str, str], kafka: str) -> None:
    workers = [
        subprocess.Popen(
            [COMMAND, command],
            env={**os.environ, **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in ("ingest", "publish")
    ]
    hire = action("hire", "rep.hire", "rep-1", "admin:ada", name="Ann")
    send(kafka, given["DEALTRAIL_ACTIONS_TOPIC"], (b"rep-1", encoded(hire)))
    topics.ensure(Cluster(kafka), given["DEALTRAIL_EVENTS_TOPIC"], 2, topics.EVENTS)
    give_up_at = time.monotonic() + 60
    while not records(kafka, given["DEALTRAIL_EVENTS_TOPIC"]):
        assert time.monotonic() < give_up_at
        time.sleep(0.1)
    for one in workers:
        one.send_signal(signal.SIGTERM)
    ends = [one.communicate(timeout=60) for one in workers]
    assert [one.returncode for one in workers] == [0, 0], ends
    assert "1 accepted" in ends[0][0]
    assert "1 events published" in ends[1][0]
    assert [err.count("\n") for _, err in ends] == [1, 1], ends
