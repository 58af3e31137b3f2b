"""The process that serves: uvicorn, told to end streams before it waits for what is under way."""

import gc
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from adapters.http.app import create_app
from adapters.http.protocol import Protocol
from adapters.wiring import Engine

GRACE_SECONDS = 25
"""What requests that were begun have to end."""
BACKLOG = 2048
GARBAGE_EVERY = 10_000
"""Objects made until the collector looks for cycles; at Python's own 700 it took a twentieth of the time."""


class Server(uvicorn.Server):
    """Serves the API over the engine by `run`, until `stop`, which may be called from a signal's handler."""

    def __init__(self, parts: Engine) -> None:
        self.app = create_app(parts)
        super().__init__(
            uvicorn.Config(
                self.app,
                http=Protocol,
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    def stop(self) -> None:
        """Take no more requests; `run` returns when those that were begun are answered."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for whoever runs it: uvicorn's own way would end the process by the signal."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.app.state.service.end_streams()
        await super().shutdown(sockets)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 is any that is free. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def spare_garbage_collection() -> None:
    """For a process that only serves: what is loaded by now stays, and needs no looking through again.

    That took a tenth of a second each time, while nobody was answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_EVERY, 10, 10)
