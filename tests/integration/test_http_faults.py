"""The HTTP API while its database goes away, and while it is being stopped itself."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from http_serving import Api, action, hire, must_be_problem, register, serving

from adapters.observing.metrics import measuring
from adapters.postgres.database import Database
from adapters.postgres.embedded import Embedded
from adapters.postgres.migrate import migrate

COMMAND = Path(sys.executable).parent / "dealtrail"


@pytest.fixture
def own_server() -> Iterator[Embedded]:
    """A PostgreSQL that a test may stop."""
    with tempfile.TemporaryDirectory(prefix="dealtrail-") as folder:
        server = Embedded(Path(folder), {"fsync": "off"}).start()
        with Database(server.url()) as database:
            migrate(database)
        try:
            yield server
        finally:
            server.stop()


def wait_until(true: Any, seconds: float = 20) -> None:
    give_up_at = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def test_while_the_database_is_away_all_are_told_so_and_then_it_goes_on(own_server: Embedded) -> None:
    with serving(own_server.url()) as api:
        api.act(hire("ann"))
        api.projected()
        assert api.get("/pool").status_code == 200
        own_server.stop()
        wait_until(lambda: api.get("/health/ready").status_code == 503)
        assert api.get("/health/live").status_code == 200
        for ask in (
            lambda: api.get("/pool"),
            lambda: api.get("/events"),
            lambda: api.get("/payroll/exceptions"),
            lambda: api.act(hire("bob")),
            lambda: api.client.post("/actions/batch", json=[hire("carol")]),
        ):
            began = time.monotonic()
            answer = ask()
            must_be_problem(answer, 503, "database_unavailable")
            assert answer.headers["retry-after"] == "1"
            assert time.monotonic() - began < 2
        own_server.start()
        wait_until(lambda: api.get("/health/ready").status_code == 200)
        wait_until(lambda: api.act(hire("dave")).status_code == 200)
        api.projected()
        assert api.get("/pool").status_code == 200
        assert api.get("/events").json()[-1]["subject"] == "rep-dave"


def test_an_action_under_way_when_the_database_goes_counts_once_when_sent_again(own_server: Embedded) -> None:
    sent: dict[str, dict[str, Any]] = {}
    accepted: set[str] = set()
    stop = threading.Event()

    def keep_sending(api: Api, number: int) -> None:
        with httpx.Client(base_url=api.url, headers=api.client.headers, timeout=60) as client:
            for one in range(10_000):
                if stop.is_set():
                    return
                lead = f"L-{number}-{one}"
                sent[lead] = register(lead, "ann")
                for _ in range(600):
                    answer = client.post("/actions", json=sent[lead])
                    if answer.status_code == 200:
                        accepted.add(lead)
                        break
                    must_be_problem(answer, 503, "database_unavailable")
                    time.sleep(0.05)

    with serving(own_server.url(), tables=False) as api:
        api.act(hire("ann"))
        threads = [threading.Thread(target=keep_sending, args=(api, number)) for number in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(2):
            before = len(accepted)
            wait_until(lambda before=before: len(accepted) > before + 10)
            own_server.stop()
            time.sleep(0.5)
            own_server.start()
        before = len(accepted)
        wait_until(lambda: len(accepted) > before + 10)
        stop.set()
        for thread in threads:
            thread.join(60)
        registered = [
            one["subject"].removeprefix("lead-")
            for one in api.get("/events?names=leads.LeadRegistered&limit=5000").json()
        ]
        assert len(registered) == len(set(registered))
        assert set(registered) == accepted == set(sent)


@contextmanager
def command(url: str, *options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`dealtrail serve` as a process, ready; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    process = subprocess.Popen(
        [COMMAND, "serve", "--port", str(port), *options],
        env={**os.environ, "DATABASE_URL": url, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address = f"http://127.0.0.1:{port}"

        def ready() -> bool:
            assert process.poll() is None, process.communicate()
            try:
                return httpx.get(f"{address}/health/ready").status_code == 200
            except httpx.TransportError:
                return False

        wait_until(ready, 60)
        yield process, address
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = process.communicate(timeout=30)
    return process.returncode, errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_streams_and_lets_requests_end(database_url: str, number: signal.Signals) -> None:
    with serving(database_url) as api:
        api.act(hire("ann"))
        headers = dict(api.client.headers)
    lines: list[str] = []
    body = json.dumps(register("L-1", "ann")).encode()
    with command(database_url) as (process, address), httpx.Client(base_url=address, timeout=30) as client:
        client.headers.update(headers)

        def listen() -> None:
            with client.stream("GET", "/events", headers={"Accept": "text/event-stream"}) as stream:
                lines.extend(stream.iter_lines())

        listener = threading.Thread(target=listen)
        listener.start()
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as begun:
            said = {**headers, "Host": host, "Content-Type": "application/json", "Content-Length": len(body)}
            head = ["POST /actions HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
            begun.sendall("\r\n".join([*head, "", ""]).encode() + body[:20])
            wait_until(lambda: "event: team.RepHired" in lines)
            process.send_signal(number)
            listener.join(10)
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{address}/health/live")
            begun.sendall(body[20:])
            answer = b"".join(iter(lambda: begun.recv(65536), b""))
        code, errors = ended(process)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"lead": "L-1"' in answer
    assert code == 0, errors
    assert errors.splitlines() == [f"Serving {address}. Ctrl-C ends it."]


def test_the_command_keeps_the_tables_up_unless_told_otherwise(database_url: str) -> None:
    with serving(database_url) as api:
        headers = dict(api.client.headers)
    for options, status in (((), 200), (("--no-project",), 503)):
        with command(database_url, *options, DEALTRAIL_WAIT_SECONDS="3") as (process, address):
            with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
                answer = client.post("/actions", json=action("rep.hire", f"rep{status}", {"name": "R"}))
                at_least = {"Dealtrail-At-Least": answer.headers["dealtrail-position"]}
                assert client.get("/pool", headers=at_least).status_code == status
            process.send_signal(signal.SIGTERM)
            assert ended(process)[0] == 0


def test_an_address_that_is_taken_is_told(database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [COMMAND, "serve", "--port", str(port)],
            env={**os.environ, "DATABASE_URL": database_url},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"127.0.0.1:{port} can't be listened at")


def test_a_connection_lost_in_a_report_is_told_and_the_next_is_answered(database_url: str) -> None:
    with serving(database_url) as api, psycopg.connect(database_url, autocommit=True) as admin:
        assert api.get("/pool").status_code == 200
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        answers = [api.get("/pool") for _ in range(5)]
        assert {answer.status_code for answer in answers} <= {200, 503}
        wait_until(lambda: api.get("/pool").status_code == 200)
        assert api.act(hire("ann")).status_code == 200


def test_a_fault_of_ours_is_told_by_the_requests_id_and_counted(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(database_url) as api, psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute("ALTER TABLE read.ownership RENAME TO gone")
        with measuring(api.parts.database) as metrics:
            told = api.get("/owners/L-1", headers={"X-Request-ID": "mine-1"})
            counted = metrics.text().decode()
        must_be_problem(told, 500, "internal")
    assert told.headers["x-request-id"] == "mine-1"
    (failed,) = [line for line in capsys.readouterr().err.splitlines() if "request_failed" in line]
    assert "request=mine-1" in failed
    (count,) = [
        line for line in counted.splitlines() if line.startswith("dealtrail_http_request_seconds_count")
    ]
    assert 'status="500"' in count


def test_a_database_that_is_being_restored_is_away_and_comes_back(database_url: str) -> None:
    with serving(database_url) as api, psycopg.connect(database_url, autocommit=True) as admin:
        wait_until(lambda: api.get("/health/ready").status_code == 200)
        admin.execute("ALTER SCHEMA log RENAME TO gone")
        wait_until(lambda: api.get("/health/ready").status_code == 503)
        admin.execute("ALTER SCHEMA gone RENAME TO log")
        wait_until(lambda: api.get("/health/ready").status_code == 200)
