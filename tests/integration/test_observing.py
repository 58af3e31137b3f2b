"""Metrics and traces: what a process tells of its work."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families
from psycopg.conninfo import make_conninfo
from reporting import Story

from adapters.observing.metrics import Metrics, measuring, serving
from adapters.observing.tracing import tracing
from adapters.observing.work import Work
from adapters.postgres.database import Database
from adapters.settings import BadSetting, read_settings
from adapters.wiring import PROJECTIONS, Engine
from projections.deals import Deals
from services.intake import Submission

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
Samples = Mapping[tuple[str, str], float]


def samples(text: str) -> Samples:
    """Values by name and the value of the first label, if any."""
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def read(metrics: Metrics) -> Samples:
    return samples(metrics.text().decode())


def hiring(name: str, **more: object) -> Submission:
    return Submission(
        {
            "specversion": "1.0",
            "id": f"hire-{name}",
            "source": "tests",
            "type": "rep.hire",
            "subject": name,
            "time": "2026-01-02T03:04:05Z",
            "actor": "admin:office",
            "data": {"name": name},
            **more,
        }
    )


@pytest.fixture
def parts(database_url: str) -> Iterator[Engine]:
    with Database(database_url) as database:
        yield Engine(read_settings({}), database)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_actions_are_counted_by_what_became_of_them(parts: Engine) -> None:
    intake = parts.intake()
    with measuring(parts.database) as metrics:
        intake.submit([hiring("ann"), hiring("bob"), hiring("ann"), hiring("carl", time="2026-01-02")])
        intake.submit([hiring("dora", actor="ann"), hiring("emil", data={})])
        found = read(metrics)
    intake.submit([hiring("fritz")])
    outcomes = ("accepted", "duplicate", "refused")
    assert [found["dealtrail_actions_total", outcome] for outcome in outcomes] == [2, 1, 3]
    codes = {label: value for (name, label), value in found.items() if name == "dealtrail_rejections_total"}
    assert codes == {"naive_time": 1, "not_entitled": 1, "invalid_data": 1}
    assert found["dealtrail_appended_events_total", ""] == 2
    assert found["dealtrail_log_position", ""] == 2
    assert read(metrics)["dealtrail_appended_events_total", ""] == 2


def test_actions_committed_together_are_one_commit(parts: Engine) -> None:
    with measuring(parts.database) as metrics:
        parts.intake().submit([hiring(f"rep-{number}") for number in range(20)])
        parts.intake().submit([hiring("ann")])
        found = read(metrics)
    assert found["dealtrail_commit_actions_count", ""] == found["dealtrail_commit_seconds_count", ""] == 2
    assert found["dealtrail_commit_actions_sum", ""] == 21
    assert found["dealtrail_commit_actions_bucket", "1.0"] == 1
    assert found["dealtrail_commit_actions_bucket", "16.0"] == 1
    assert found["dealtrail_commit_actions_bucket", "32.0"] == 2


def test_a_projection_that_is_behind_says_how_far_and_since_when(
    parts: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(database_url)
    story.pipeline().rep("ann").lead("L-1", "ann")
    stopped_at = story.position
    parts.projector.catch_up()
    story.deal("D-1", "L-1", "Call")
    ours = Metrics(parts.database)
    behind = read(ours)
    assert behind["dealtrail_projection_lag_events", "deals"] == story.position - stopped_at > 0
    assert behind["dealtrail_projection_position", "deals"] == stopped_at
    assert behind["dealtrail_projection_lag_seconds", "deals"] > 0
    with measuring(parts.database) as metrics:
        parts.projector.catch_up()
        caught_up = read(metrics)
    assert [name for name, _ in caught_up if name.endswith("_created")] == []
    assert {name for name, _ in caught_up} >= {"dealtrail_fold_seconds_count", "process_cpu_seconds_total"}
    for projection in PROJECTIONS:
        assert caught_up["dealtrail_projection_lag_events", projection.name] == 0
        assert caught_up["dealtrail_projection_lag_seconds", projection.name] == 0
        assert caught_up["dealtrail_folded_events_total", projection.name] == story.position - stopped_at
    monkeypatch.setattr(Deals, "apply", lambda *_: 1 / 0)
    story.move("D-1", "Offer")
    parts.projector.catch_up()
    assert read(ours)["dealtrail_projection_stopped", "deals"] == 1
    assert read(ours)["dealtrail_projection_stopped", "leads"] == 0
    story.close()


def test_the_lag_in_seconds_is_the_age_of_the_first_event_not_counted_in(
    parts: Engine, database_url: str
) -> None:
    story = Story(database_url)
    story.pipeline().rep("ann")
    parts.projector.catch_up()
    story.rep("bob")
    time.sleep(0.3)
    story.rep("carl")
    with parts.database.connection() as connection:
        ((age,),) = connection.execute(
            "SELECT extract(epoch FROM now() - recorded_at) FROM log.event ORDER BY notification_id"
            " OFFSET (SELECT notification_id FROM read.checkpoint WHERE application_name = 'team') LIMIT 1"
        ).fetchall()
    assert 0 <= read(Metrics(parts.database))["dealtrail_projection_lag_seconds", "team"] - float(age) < 5
    story.close()


def test_how_far_kafka_is_outlives_the_publisher(parts: Engine) -> None:
    parts.intake().submit([hiring("ann"), hiring("bob")])
    with parts.database.connection() as connection:
        for target, position in (("deals of-an-old-topic", 2), ("deals made-anew", 1), ("other id", 2)):
            connection.execute("INSERT INTO log.publication VALUES (%s, %s)", (target, position))
    found = read(Metrics(parts.database))
    topics = {
        label: value for (name, label), value in found.items() if name == "dealtrail_published_position"
    }
    assert topics == {"deals": 1, "other": 2}
    assert found["dealtrail_published_lag_seconds", "deals"] > 0
    assert found["dealtrail_published_lag_seconds", "other"] == 0


def test_every_metric_is_in_the_operations_page_and_no_other(parts: Engine) -> None:
    parts.projector.catch_up()
    told = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in Metrics(parts.database).registry.collect()
        if family.name.startswith("dealtrail_")
    }
    page = OPERATIONS.read_text().split("## Metrics\n", 1)[1].split("\n## ", 1)[0]
    assert set(re.findall(r"^\| `(dealtrail_\w+)`", page, re.MULTILINE)) == told
    assert {name.removesuffix("_count") for name in re.findall(r"\bdealtrail_\w+", page)} == told


def test_a_database_that_is_away_is_said_at_once(port: int) -> None:
    with Database(f"postgresql://nobody@127.0.0.1:{port}/nowhere") as database:
        began = time.monotonic()
        found = read(Metrics(database))
        assert time.monotonic() - began < 5
    assert found["dealtrail_database_up", ""] == 0
    assert not [name for name, _ in found if "projection" in name]


def test_a_login_that_owns_nothing_is_told_positions(parts: Engine, database_url: str) -> None:
    parts.projector.catch_up()
    login = f"watcher_{os.getpid()}"
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {login} LOGIN NOINHERIT IN ROLE dealtrail_app")
        try:
            with Database(make_conninfo(database_url, user=login)) as database:
                assert read(Metrics(database))["dealtrail_projection_lag_events", "deals"] == 0
        finally:
            admin.execute(f"DROP ROLE {login}")


def test_a_worker_serves_its_metrics_while_it_works(parts: Engine, port: int) -> None:
    parts.projector.catch_up()
    with serving(parts.database, port):
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10)
        found = samples(answer.read().decode())
        with (
            pytest.raises(BadSetting, match="DEALTRAIL_METRICS_PORT"),
            serving(parts.database, port),
        ):
            raise AssertionError("not reached")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert found["dealtrail_projection_lag_events", "deals"] == 0
    assert found["dealtrail_database_up", ""] == 1
    with serving(parts.database, port):
        pass  # The port was given back.


def test_whoever_watches_hears_of_what_failed_too(parts: Engine) -> None:
    with measuring(parts.database) as metrics:
        with pytest.raises(ZeroDivisionError), Work("request", method="GET", route="/funnel", status=500):
            raise ZeroDivisionError
        with pytest.raises(ZeroDivisionError), Work("commit", actions=1):
            raise ZeroDivisionError
        found = read(metrics)
    assert found["dealtrail_http_request_seconds_count", "GET"] == 1
    assert found["dealtrail_commit_actions_count", ""] == 0


@dataclass
class Collector:
    """A receiver of OTLP over HTTP on the loopback."""

    endpoint: str
    spans: dict[str, list[Any]] = field(default_factory=dict)
    services: set[str] = field(default_factory=set)

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.services.add(named["service.name"])
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                self.spans.setdefault(span.name, []).append(span)


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


def attributes(span: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


def test_a_request_is_traced_down_to_the_commit_and_the_fold(parts: Engine) -> None:
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    intake = parts.intake()
    parts.projector.catch_up()
    with collecting() as collector, tracing(collector.endpoint):
        with Work("request", method="POST", route="/actions", traceparent=f"00-{trace}-{parent}-01"):
            intake.submit([hiring("ann")])
        parts.projector.catch_up()
        with pytest.raises(ZeroDivisionError), Work("append", actions=1):
            raise ZeroDivisionError
    ((request,), (decide,), (append, failed), (commit,)) = (
        collector.spans[name] for name in ("request", "decide", "append", "commit")
    )
    chain = (request, decide, append, commit)
    assert {span.trace_id.hex() for span in chain} == {trace}
    assert [span.parent_span_id.hex() for span in chain] == [
        parent,
        *(span.span_id.hex() for span in chain[:-1]),
    ]
    assert attributes(request) == {"dealtrail.method": "POST", "dealtrail.route": "/actions"}
    assert attributes(commit) == {"dealtrail.actions": 1, "dealtrail.events": 1}
    assert all(fold.trace_id.hex() != trace for fold in collector.spans["fold"])
    assert attributes(collector.spans["fold"][0])["dealtrail.upto"] == 1
    assert (failed.status.code, failed.status.message) == (2, "ZeroDivisionError")
    assert collector.services == {"dealtrail"}


def test_nothing_personal_is_in_a_trace(parts: Engine) -> None:
    lead = hiring(
        "x",
        type="lead.register",
        data={"keys": {"phone": "+7 916 123-45-67", "email": "ivan@example.com"}, "name": "Ivan Petrov"},
    )
    with collecting() as collector, tracing(collector.endpoint):
        (answer,) = parts.intake().submit([lead])
        assert answer.error is None
    told = json.dumps([str(span) for spans in collector.spans.values() for span in spans])
    assert "decide" in told
    assert not [secret for secret in ("Ivan", "ivan@example", "9161234567", "123-45-67") if secret in told]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OTEL_SERVICE_NAME", "sales"), ("OTEL_RESOURCE_ATTRIBUTES", "service.name=sales")],
)
def test_the_name_of_the_service_may_be_set(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with collecting() as collector, tracing(collector.endpoint), Work("request"):
        pass
    assert collector.services == {"sales"}


def test_a_collector_that_is_away_holds_up_nothing(
    parts: Engine, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    with tracing(f"http://127.0.0.1:{port}"):
        (answer,) = parts.intake().submit([hiring("ann")])
    assert answer.error is None
    assert time.monotonic() - began < 10


def test_who_measures_nothing_waits_for_no_import(database_url: str) -> None:
    code = (
        "import sys; from adapters.settings import read_settings; from adapters.wiring import engine\n"
        "with engine(read_settings()) as parts: parts.intake().submit([]); parts.projector.catch_up()\n"
        "assert not {'prometheus_client', 'opentelemetry'} & set(sys.modules)"
    )
    environment = {**os.environ, "DATABASE_URL": database_url}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
