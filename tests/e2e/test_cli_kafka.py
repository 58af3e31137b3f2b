"""Checkpoints and Kafka from the command line: published with each seal, and held against the log."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from audited_log import REHASH, AuditedLog
from click.testing import CliRunner, Result
from kafka import KafkaProducer
from kafka_broker import Broker

from adapters.cli.main import cli
from adapters.kafka.checkpoints import CheckpointTopic
from adapters.kafka.connecting import Cluster

COMMAND = Path(sys.executable).parent / "dealtrail"
ORIGIN = "example.com/tests"
Run = Callable[..., Result]


@pytest.fixture
def log(database_url: str) -> Iterator[AuditedLog]:
    opened = AuditedLog(database_url)
    yield opened.append(300)
    opened.close()


@pytest.fixture
def given(database_url: str, audit_key: Path) -> dict[str, str]:
    """Without Kafka, but for the topic's name."""
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "DEALTRAIL_AUDIT_KEY": str(audit_key),
        "DEALTRAIL_CHECKPOINTS_TOPIC": f"checkpoints.{time.time_ns()}",
        "COLUMNS": "80",
    }


@pytest.fixture
def run(given: dict[str, str]) -> Run:
    def run(line: str, kafka: str = "") -> Result:
        return CliRunner().invoke(cli, line.split(), env=given | {"KAFKA_BOOTSTRAP_SERVERS": kafka})

    return run


def in_topic(given: dict[str, str], kafka: str) -> list[bytes]:
    return CheckpointTopic(Cluster(kafka), given["DEALTRAIL_CHECKPOINTS_TOPIC"]).copies([ORIGIN])


def stored(log: AuditedLog) -> list[bytes]:
    return [note.encode() for (note,) in log.ask("SELECT note FROM audit.checkpoint ORDER BY number")]


def findings(done: Result) -> list[tuple[str, int, int]]:
    told: dict[str, Any] = json.loads(done.stdout)
    return [(one["problem"], one["position"], one["upto"]) for one in told["items"]]


def test_a_seal_is_published_and_held_against_the_log(
    log: AuditedLog, run: Run, given: dict[str, str], kafka: str
) -> None:
    assert run("audit seal").stderr == ""
    log.append(30)
    sealed = run("audit seal", kafka)
    assert (sealed.exit_code, sealed.stderr) == (0, "")
    assert in_topic(given, kafka) == stored(log)
    assert len(stored(log)) == 2
    found = run("audit verify --json --checkpoints-from-kafka", kafka)
    assert (found.exit_code, found.stderr) == (0, "")
    told = json.loads(found.stdout)
    assert (told["checkpoints"], told["published"]) == (2, 2)
    assert "2 checkpoints in Kafka" in run("audit verify --checkpoints-from-kafka", kafka).stdout


def test_what_was_published_shows_what_a_thief_of_the_key_rewrote(
    log: AuditedLog, run: Run, given: dict[str, str], kafka: str
) -> None:
    run("audit seal", kafka)
    log.append(30)
    run("audit seal", kafka)
    published = in_topic(given, kafka)
    log.forge(
        "UPDATE log.event SET actor = 'rep-8' WHERE notification_id = 310",
        f"{REHASH} WHERE notification_id = 310",
        "DELETE FROM audit.node",
        "UPDATE audit.tree SET size = 0",
        "DELETE FROM audit.checkpoint",
        "DELETE FROM audit.publication",
    )
    assert run("audit seal").exit_code == 0
    assert run("audit verify").exit_code == 0
    found = run("audit verify --json --checkpoints-from-kafka", kafka)
    assert found.exit_code == 1
    assert sorted(findings(found)) == [("checkpoint", 300, 300), ("forked", 301, 330)]
    run("audit seal", kafka)
    assert in_topic(given, kafka)[:2] == published


def test_a_broker_that_hangs_or_is_gone_holds_up_a_seal_for_seconds_and_gets_it_from_the_worker(
    log: AuditedLog, run: Run, given: dict[str, str], broker: Broker
) -> None:
    there = given | {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap, "DEALTRAIL_SEAL_SECONDS": "0"}
    broker.freeze()
    began = time.monotonic()
    sealed = subprocess.run(
        [COMMAND, "audit", "seal"], env=there, capture_output=True, check=False, timeout=60
    )
    taken = time.monotonic() - began
    broker.thaw()
    broker.stop()
    assert (sealed.returncode, sealed.stdout) == (0, stored(log)[0])
    assert (sealed.stderr.count(b"\n"), sealed.stderr.count(b"not_published")) == (1, 1)
    assert taken < 15
    log.append(30)
    assert "refused" in run("audit seal", broker.bootstrap).stderr
    refused = run("audit verify --json --checkpoints-from-kafka", broker.bootstrap)
    assert json.loads(refused.stdout)["error"]["code"] == "kafka_unavailable"
    worker = subprocess.Popen([COMMAND, "project"], env=there, stderr=subprocess.PIPE, text=True)
    try:
        assert worker.stderr is not None
        lines = [worker.stderr.readline() for _ in range(2)]
        assert [line for line in lines if "not_published" in line]
        broker.start()
        give_up_at = time.monotonic() + 30
        while log.ask("SELECT number FROM audit.publication") != [(2,)]:
            assert time.monotonic() < give_up_at
            time.sleep(0.1)
    finally:
        worker.send_signal(signal.SIGTERM)
        _, rest = worker.communicate(timeout=30)
    assert "not_published" not in rest
    assert in_topic(given, broker.bootstrap) == stored(log)


def refusal(done: Result) -> str:
    assert done.exit_code == 1
    return str(json.loads(done.stdout)["error"]["code"])


def test_a_topic_without_copies_of_this_log_proves_nothing(
    log: AuditedLog, run: Run, given: dict[str, str], kafka: str
) -> None:
    line = "audit verify --json --checkpoints-from-kafka"
    assert refusal(run(line)) == "kafka_unavailable"
    assert refusal(run(line, kafka)) == "kafka_unavailable"
    log.seal()  # By another key, of a log with another name.
    assert run("project --once", kafka).exit_code == 0
    assert refusal(run(line, kafka)) == "nothing_published"
    with closing(KafkaProducer(bootstrap_servers=kafka)) as producer:
        producer.send(given["DEALTRAIL_CHECKPOINTS_TOPIC"], b"trust me", ORIGIN.encode()).get(10)
    assert [problem for problem, *_ in findings(run(line, kafka))] == ["checkpoint", "checkpoint"]
