"""The command `serve`: the HTTP API."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from adapters.cli.asking import Stopped, opened, refusing
from adapters.cli.stopping import working
from adapters.settings import read_settings

if TYPE_CHECKING:
    from adapters.wiring import Engine

HOST, PORT = "127.0.0.1", 8000


@click.command("serve")
@click.option("--host", default=HOST, show_default=True, metavar="H", help="The address to listen at.")
@click.option(
    "--port", default=PORT, show_default=True, type=click.IntRange(0, 65535), help="0: any that is free."
)
@click.option(
    "--project/--no-project",
    default=True,
    show_default=True,
    help="Keep the read tables up with the log as well; not needed beside dealtrail project.",
)
def serve(host: str, port: int, project: bool) -> None:
    """Serve the HTTP API, until interrupted: then what was begun is ended first.

    Whoever asks must show a key, see dealtrail key make. What there is is told by /openapi.json.
    """
    with refusing(as_json=False), opened(read_settings()) as parts:
        from adapters.http.server import Server, listening, spare_garbage_collection

        try:
            listener = listening(host, port)
        except OSError as error:
            raise Stopped("cannot_listen", f"{host}:{port} can't be listened at: {error.strerror}.") from None
        server = Server(parts)
        spare_garbage_collection()
        with listener, working(parts, server.stop), _projecting(parts, project):
            click.echo(f"Serving http://{host}:{listener.getsockname()[1]}. Ctrl-C ends it.", err=True)
            server.run([listener])


@contextmanager
def _projecting(parts: "Engine", wanted: bool) -> Iterator[None]:
    """Keep the read tables up meanwhile, if that is wanted."""
    if not wanted:
        yield
        return
    stop = threading.Event()
    worker = threading.Thread(target=parts.projector.follow, args=(stop,), name="project")
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()
