"""The HTTP API on a real server of this process, asked over loopback."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx

from adapters.access.entitlements import Role
from adapters.http.server import Server, listening
from adapters.postgres.database import Database
from adapters.settings import read_settings
from adapters.wiring import Engine

PROBLEM = "application/problem+json"
ONE, BATCH, LINES = (
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-ndjson",
)
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Api:
    """A server that runs; `client` is an admin's."""

    url: str
    parts: Engine
    client: httpx.Client

    def key(self, role: Role, rep: str | None = None) -> str:
        """What opens for somebody of that role."""
        _, text = self.parts.api_keys.make(role, rep=rep, name=f"{role}-{next(_numbers)}")
        return text

    def get(self, path: str, **sent: Any) -> httpx.Response:
        return self.client.get(path, **sent)

    def act(self, action: Mapping[str, Any], **sent: Any) -> httpx.Response:
        """Send one action."""
        return self.client.post("/actions", json=action, **sent)

    def projected(self) -> None:
        self.parts.projector.catch_up()


@contextmanager
def serving(
    database_url: str, *, port: int = 0, tables: bool = True, project: bool = False, **settings: str
) -> Iterator[Api]:
    """A server over the database, and an admin's client; `tables` are built, `project` keeps them up."""
    with Database(database_url) as database:
        parts = Engine(read_settings({"DATABASE_URL": database_url, **settings}), database)
        if tables:
            parts.projector.catch_up()
        stop = threading.Event()
        following = threading.Thread(target=parts.projector.follow, args=(stop, 0.05))
        if project:
            following.start()
        try:
            with running(parts, port) as url, httpx.Client(base_url=url, timeout=30) as client:
                api = Api(url, parts, client)
                client.headers["Authorization"] = f"Bearer {api.key('admin')}"
                yield api
        finally:
            stop.set()
            if project:
                following.join()
            parts.store.close()


@contextmanager
def running(parts: Engine, port: int = 0) -> Iterator[str]:
    """A server in a thread; its URL."""
    with listening("127.0.0.1", port) as listener:
        server = Server(parts)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.stop()
            thread.join()


def action(
    kind: str, subject: str | None, data: Mapping[str, Any] | None = None, **said: Any
) -> dict[str, Any]:
    """An admin's action of a minute ago."""
    whole = {
        "specversion": "1.0",
        "id": f"t-{next(_numbers)}",
        "source": "test",
        "type": kind,
        "subject": subject,
        "time": (datetime.now(UTC) - timedelta(minutes=1)).isoformat(),
        "actor": "admin:eve",
        "data": dict(data or {}),
    }
    return whole | said


def hire(rep: str) -> dict[str, Any]:
    return action("rep.hire", rep, {"name": rep.title()})


def register(lead: str, owner: str | None = None, phone: int | None = None) -> dict[str, Any]:
    """A lead with a phone of its own, or that of the number given."""
    keys = {"phone": f"+7916{next(_numbers) + 1_000_000 if phone is None else phone:07}"}
    return action("lead.register", lead, {"keys": keys, "owner": owner})


def must_be_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem, which the answer must be."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    told: dict[str, Any] = answer.json()
    assert (told["status"], told["code"], told["error"]["code"]) == (status, code, code)
    assert told["detail"] == told["error"]["message"]
    assert told["details"] == told["error"]["details"]
    return told
