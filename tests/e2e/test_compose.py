"""compose.yaml: what it starts works together, stops in good order, and is what its programs understand."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import requires, version
from itertools import takewhile
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from click.testing import CliRunner, Result
from composed import COMPOSE, STAND_INS, Composed
from kafka import KafkaConsumer, KafkaProducer
from kafka_broker import Broker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from prometheus_client.parser import text_string_to_metric_families
from psycopg.conninfo import conninfo_to_dict

from adapters.cli.main import cli
from adapters.settings import read_settings

ROOT = COMPOSE.parent
LIBRARY = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"
"""What `docker compose config` itself reads the file with."""
SECONDS_MAX = 60
PAGE = (ROOT / "docs" / "operations.md").read_text().split("## Docker Compose\n", 1)[1].split("\n## ", 1)[0]


def until(found: Callable[[], Any], wanted: object) -> None:
    give_up_at = time.monotonic() + SECONDS_MAX
    while (last := found()) != wanted:
        assert time.monotonic() < give_up_at, last
        time.sleep(0.1)


def metric(composed: Composed, service: str, name: str, **labels: str) -> list[float]:
    with urllib.request.urlopen(composed.address(service, 9464) + "/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and sample.labels.items() >= labels.items()
    ]


def action(id: str, type: str, subject: str | None, **data: object) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id,
        "source": "shop",
        "type": type,
        "subject": subject,
        "time": "2026-01-02T03:04:05Z",
        "actor": "admin:office",
        "data": data,
    }


COMPANY = [
    action("p", "pipeline.define", "sales", stages=[{"name": "Call", "probability": 10, "days": 5}]),
    action("r", "rep.hire", "ann", name="Ann"),
    action("l", "lead.register", "L-1", keys={"phone": "+7 916 123-45-67"}, owner="ann"),
    action("o", "deal.open", "D-1", lead="L-1", pipeline="sales", amount="100", currency="USD"),
    action("w", "deal.win", "D-1"),
]


def test_the_projector_follows_a_database_that_was_migrated_once(
    empty_database_url: str, tmp_path: Path
) -> None:
    composed = Composed(tmp_path, database_url=empty_database_url, kafka=None)
    file = tmp_path / "actions.ndjson"
    file.write_text("".join(json.dumps(each) + "\n" for each in COMPANY))
    try:
        composed.up("projector")
        done = composed.run("projector", "import", "--json", str(file))
        assert (done.returncode, json.loads(done.stdout)["accepted"]) == (0, len(COMPANY)), done.stdout
        end = json.loads(done.stdout)["events"]
        until(
            lambda: metric(composed, "projector", "dealtrail_projection_position", projection="deals"), [end]
        )
        with psycopg.connect(empty_database_url) as reader:
            assert reader.execute("SELECT status FROM read.deal").fetchall() == [("won",)]
        assert [line["event"] for line in composed.log("migrate")] == ["database_migrated"]
        assert [line for line in composed.log("projector") if line["event"] == "database_migrated"] == []
    finally:
        codes = composed.down()
    assert codes == {"migrate": 0, "projector": 0}


def ask(composed: Composed, key: str, path: str, body: object = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}"}
    if body is not None:
        headers["Content-Type"] = "application/cloudevents-batch+json"
    request = urllib.request.Request(
        composed.address("api", 8000) + path,
        None if body is None else json.dumps(body).encode(),
        headers,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        told: dict[str, Any] = json.load(answer)
    return told


def send(kafka: str, topic: str, values: list[bytes]) -> None:
    with closing(KafkaProducer(bootstrap_servers=kafka)) as producer:
        for value in values:
            producer.send(topic, value, b"L-1").get(30)


def in_topic(kafka: str, topic: str, count: int) -> list[dict[str, bytes]]:
    """The headers of the first `count` records."""
    found: list[dict[str, bytes]] = []
    reading = {"auto_offset_reset": "earliest", "metadata_max_age_ms": 500}  # The topic may come later.
    with closing(KafkaConsumer(topic, bootstrap_servers=kafka, **reading)) as consumer:
        give_up_at = time.monotonic() + SECONDS_MAX
        while len(found) < count and time.monotonic() < give_up_at:
            for records in consumer.poll(timeout_ms=500).values():
                found += [dict(record.headers) for record in records]
    return found


def test_actions_sent_in_come_out_in_reports_and_in_kafka(
    empty_database_url: str, kafka: str, tmp_path: Path
) -> None:
    topics = {
        f"DEALTRAIL_{name}_TOPIC": f"{name.lower()}.{time.time_ns()}"
        for name in ("ACTIONS", "DEAD_LETTERS", "EVENTS")
    }
    composed = Composed(tmp_path, database_url=empty_database_url, kafka=kafka, **topics)
    try:
        composed.up("api", "ingest", "publish", "projector")
        made = composed.run("api", "key", "make", "--role", "admin", "--json")
        key = json.loads(made.stdout)["key"]
        told = ask(composed, key, "/actions/batch", COMPANY[:3])
        assert (told["accepted"], told["rejected"]) == (3, 0), told
        told["position"] = max(each["position"] for each in told["results"])
        sent = [*(json.dumps(each).encode() for each in COMPANY[3:]), b"rubbish"]
        send(kafka, topics["DEALTRAIL_ACTIONS_TOPIC"], sent)
        until(lambda: ask(composed, key, "/funnel?pipeline=sales")["won_amount"], {"USD": "100.00"})
        head = int(ask(composed, key, "/health/ready")["position"])
        events = in_topic(kafka, topics["DEALTRAIL_EVENTS_TOPIC"], head)
        assert sorted(int(each["ce_id"]) for each in events) == list(range(1, head + 1))
        assert len(in_topic(kafka, topics["DEALTRAIL_DEAD_LETTERS_TOPIC"], 1)) == 1
        until(lambda: metric(composed, "publish", "dealtrail_published_position"), [head])
        taken_in = metric(composed, "ingest", "dealtrail_actions_total", outcome="accepted")
        assert (taken_in, metric(composed, "ingest", "dealtrail_rejections_total", code="malformed")) == (
            [2], [1]
        )  # fmt: skip
        (line,) = [each for each in composed.log("api") if each.get("route") == "/actions/batch"]
        assert (line["event"], line["status"], line["position"]) == ("answered", 200, told["position"])
        assert line["request"]
        count = "dealtrail_http_request_seconds_count"
        assert metric(composed, "api", count, route="/actions/batch", status="200") == [1]
        for service in composed.services:
            if service not in STAND_INS:
                assert key not in (tmp_path / f"{service}.log").read_text()
    finally:
        codes = composed.down()
    assert codes == dict.fromkeys(("migrate", "api", "ingest", "publish", "projector"), 0)


def test_secrets_are_made_as_the_page_says(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a password with")
    commands = PAGE.split("```sh\n", 1)[1].split("```", 1)[0]
    done = subprocess.run(["sh", "-e", "-c", commands], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    folder = tmp_path / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    told = yaml.safe_load(COMPOSE.read_text())
    assert {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()} == dict.fromkeys(
        told["secrets"], 0o644
    )
    url = read_settings({"DATABASE_URL_FILE": str(folder / "database_url")}).database_url
    where = conninfo_to_dict(url or "")
    given = told["services"]["postgres"]["environment"]
    assert (where["host"], where["user"], where["dbname"]) == (
        "postgres", given["POSTGRES_USER"], given["POSTGRES_DB"]
    )  # fmt: skip
    assert where["password"] == (folder / "postgres_password").read_text().strip() != ""


def test_what_the_page_runs_in_containers_is_there(tmp_path: Path) -> None:
    told = Composed(tmp_path, database_url="postgresql:///x", kafka=None).services
    runs = re.findall(r"docker compose run --rm (\w+) ([\w -]+)", PAGE)
    assert len(runs) >= 3
    for service, words in runs:
        assert service in told
        done = composed_help(words.split())
        assert done.exit_code == 0, words
    execs = re.findall(r"docker compose (?:exec -T|cp|up --detach(?: --wait)?|stop) ([a-z]\w*)", PAGE)
    assert set(execs) <= set(told)


def composed_help(words: list[str]) -> Result:
    """The help of the command that the words begin with: its options must be known."""
    names = list(takewhile(lambda word: not word.startswith("-") and not word[0].isdigit(), words))
    told = CliRunner().invoke(cli, [*names, "--help"])
    assert [word for word in words if word.startswith("--") and word not in told.output] == []
    return told


def test_no_service_runs_as_root_or_has_a_secret_in_its_environment(tmp_path: Path) -> None:
    told = Composed(tmp_path, database_url="postgresql:///x", kafka=None).services
    for name in set(told) - set(STAND_INS):
        service = told[name]
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert not [value for value in service["environment"].values() if "postgresql://" in value]
    assert "\nUSER dealtrail\n" in (ROOT / "Dockerfile").read_text()


def test_the_images_tag_is_the_version(tmp_path: Path) -> None:
    told = Composed(tmp_path, database_url="postgresql:///x", kafka=None).services
    assert {told[name]["image"] for name in set(told) - set(STAND_INS)} == {
        f"dealtrail:{version('dealtrail')}"
    }


def test_every_container_waits_for_the_migration_but_the_one_that_does_it(tmp_path: Path) -> None:
    told = Composed(tmp_path, database_url="postgresql:///x", kafka=None).services
    for name in set(told) - {*STAND_INS, "migrate"}:
        assert told[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert told[name]["restart"] == "unless-stopped"
    assert told["migrate"]["restart"] == "no"


def test_compose_itself_understands_the_file(tmp_path: Path) -> None:
    go = shutil.which("go")
    if go is None:
        pytest.skip("no Go toolchain to build Compose's own reader with")
    environment = {**os.environ, "GOBIN": str(tmp_path), "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    built = subprocess.run(
        [go, "install", LIBRARY], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    if built.returncode != 0:
        pytest.skip(f"Compose's own reader can't be had here: {built.stderr.strip()[-200:]}")
    read = subprocess.run(
        [tmp_path / "cmd", "-format", "json", COMPOSE], capture_output=True, text=True, check=False
    )
    assert (read.returncode, read.stderr) == (0, "")
    understood = json.loads(read.stdout)
    ours = Composed(tmp_path, database_url="postgresql:///x", kafka=None).services
    assert set(understood["services"]) == set(ours)
    for name, service in understood["services"].items():
        assert service["environment"] == ours[name]["environment"]
    broken = tmp_path / "compose.yaml"
    broken.write_text(COMPOSE.read_text().replace("depends_on:", "depends:"))
    assert subprocess.run([tmp_path / "cmd", broken], capture_output=True, check=False).returncode != 0


def test_kafka_takes_the_settings_of_its_container(broker: Broker, tmp_path: Path) -> None:
    told = Composed(tmp_path, database_url="postgresql:///x", kafka=None).services["kafka"]["environment"]
    settings = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value  # As the image does.
        for name, value in told.items()
        if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS"
    }
    assert settings["log.dirs"] == "/var/lib/kafka/data"
    settings["log.dirs"] = str(tmp_path / "data")
    file = tmp_path / "server.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def formatted() -> subprocess.CompletedProcess[str]:
        command = broker.java("kafka.tools.StorageTool", "format", "-t", told["CLUSTER_ID"], "-c", str(file))
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    done = formatted()
    assert (done.returncode, (tmp_path / "data" / "meta.properties").exists()) == (0, True), done.stderr
    file.write_text(file.read_text().replace("controller.listener.names", "controller.listeners"))
    assert formatted().returncode != 0


def test_the_image_has_the_files_that_a_build_needs() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [
        word
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and not line.startswith("COPY --from")
        for word in line.split()[1:-1]
    ]
    assert set(copied) == kept
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_every_package_of_the_image_has_its_version_said() -> None:
    pinned = {
        canonicalize_name(line.split("==")[0])
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    }
    needed, asked = set[str](), {("dealtrail", "tracing")}
    seen = set[tuple[str, str]]()
    while asked:
        name, extra = one = asked.pop()
        seen.add(one)
        for requirement in map(Requirement, requires(name) or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                needed.add(canonicalize_name(requirement.name))
                asked |= {(requirement.name, each) for each in {"", *requirement.extras}} - seen
    assert len(needed) > 40
    assert needed - pinned == set()
