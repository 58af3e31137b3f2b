"""Actions over HTTP at 1, 32 and 128 clients, against the stock library behind the same FastAPI.

Client and server are two processes on the same machine. The clients are coroutines that write plain HTTP/1.1
on kept connections: wrk isn't everywhere, and a full client would take more of the machine than the server.
"""

import asyncio
import json
import multiprocessing
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from time import perf_counter
from uuid import uuid4

import uvloop

from adapters.cli.stopping import stopping
from adapters.http.server import Server, listening, spare_garbage_collection
from adapters.postgres.database import Database
from adapters.postgres.migrate import migrate
from adapters.settings import read_settings
from adapters.wiring import Engine
from benchmarks import stock
from benchmarks.figures import Figure, quantile
from benchmarks.ground import Ground

CLIENTS = (1, 32, 128)
SECONDS = 5.0
ROUNDS = 3
TARGETS = {1: None, 32: 1.3, 128: 1.7}

Run = tuple[float, list[float]]
"""Requests a second, and the seconds that each took."""


def http(ground: Ground) -> list[Figure]:
    """Leads a second with two keys each, ours and the peer's in turn; the middle round of three."""
    ours: dict[int, list[Run]] = {clients: [] for clients in CLIENTS}
    peers: dict[int, list[Run]] = {clients: [] for clients in CLIENTS}
    ready = _prepared(ground)
    with (
        _serving(_serve_ours, ready[0]) as our_port,
        _serving(_serve_stock, ground.new_database()) as peer_port,
    ):
        for clients in CLIENTS:
            for _ in range(ROUNDS):
                peers[clients].append(uvloop.run(_load(peer_port, clients, "")))
                ours[clients].append(uvloop.run(_load(our_port, clients, ready[1])))
    return [figure for clients in CLIENTS for figure in _figures(clients, ours[clients], peers[clients])]


def _figures(clients: int, ours: list[Run], peers: list[Run]) -> Iterator[Figure]:
    mine, theirs = (sorted(runs, key=lambda run: run[0])[ROUNDS // 2] for runs in (ours, peers))
    yield Figure(f"actions over HTTP, {clients} clients", mine[0], "actions/s", theirs[0], TARGETS[clients])
    for share in (0.5, 0.99):
        named = f"  p{share * 100:.0f} of an answer"
        yield Figure(named, quantile(mine[1], share) * 1000, "ms", quantile(theirs[1], share) * 1000)


def _prepared(ground: Ground) -> tuple[str, str]:
    """A migrated database with a rep, and a service's key."""
    url = ground.new_database()
    with Database(url) as database:
        migrate(database)
        _, key = Engine(read_settings({}), database).api_keys.make("service")
    return url, key


def _serve_ours(url: str, listener: socket.socket) -> None:
    with Database(url) as database:
        server = Server(Engine(read_settings({"DATABASE_URL": url}), database))
        spare_garbage_collection()
        with stopping(server.stop):
            server.run([listener])


def _serve_stock(url: str, listener: socket.socket) -> None:
    """As a FastAPI application with the library is written: a route that saves, which runs in a thread."""
    import uvicorn
    from fastapi import FastAPI

    app = FastAPI()
    with stock.application(url, pool=40) as application:

        @app.post("/actions")
        def act(action: dict[str, object]) -> dict[str, object]:
            stock.save_lead(application)
            return {"id": action["id"]}

        uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run([listener])


@contextmanager
def _serving(serve: Callable[[str, socket.socket], None], url: str) -> Iterator[int]:
    with listening("127.0.0.1", 0) as listener:
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(url, listener))
        process.start()
        try:
            yield listener.getsockname()[1]
        finally:
            process.terminate()
            process.join()


async def _load(port: int, clients: int, key: str) -> Run:
    """So many clients, each sending its next action when the one before is answered."""
    took: list[float] = []
    await asyncio.gather(*(_client(port, key, perf_counter() + 0.5, []) for _ in range(clients)))
    began = perf_counter()
    await asyncio.gather(*(_client(port, key, began + SECONDS, took) for _ in range(clients)))
    return len(took) / (perf_counter() - began), took


async def _client(port: int, key: str, until: float, took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (began := perf_counter()) < until:
        writer.write(_request(key))
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(f"refused: {head.decode()}")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        took.append(perf_counter() - began)
    writer.close()
    await writer.wait_closed()


def _request(key: str) -> bytes:
    number = uuid4().int
    body = json.dumps(
        {
            "specversion": "1.0",
            "id": str(number),
            "source": "bench",
            "type": "lead.register",
            "subject": f"L-{number}",
            "time": datetime.now(UTC).isoformat(),
            "actor": "service:bench",
            "data": {"keys": {"phone": f"+7916{number % 10_000_000:07}", "email": f"a{number}@example.com"}},
        }
    ).encode()
    return (
        b"POST /actions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b" % (key.encode(), len(body), body)
    )
