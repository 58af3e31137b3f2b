"""How long Kafka is waited for, and what is said when it doesn't answer. Its client is slow to import."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE_SECONDS = 5


class KafkaAway(Exception):  # noqa: N818 - named for what happened
    """Kafka didn't do in time what was asked of it; the message says what that was, and why not."""


def client(servers: str) -> dict[str, Any]:
    """What every client is told: where Kafka is (host:port,…), and that we have little time.

    Raises OSError if nobody is there, which the client itself takes long to find, and leaks sockets then.
    """
    known = servers.split(",")
    _must_take_a_connection(known)
    return {
        "bootstrap_servers": known,
        "client_id": "dealtrail",
        "bootstrap_timeout_ms": PATIENCE_SECONDS * 1000,
        "request_timeout_ms": PATIENCE_SECONDS * 1000,
    }


@contextmanager
def talking(failure: str) -> Iterator[None]:
    """Turns what goes wrong with Kafka into one KafkaAway; what its client logs of that isn't shown."""
    from kafka.errors import KafkaError

    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        yield
    except (KafkaError, OSError) as error:
        raise KafkaAway(f"{failure}: {str(error).strip() or type(error).__name__}") from error


def _must_take_a_connection(servers: list[str]) -> None:
    """At least one of them."""
    for place, server in enumerate(servers, 1):
        host, _, port = server.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), PATIENCE_SECONDS / len(servers)).close()
        except OSError as error:
            if place == len(servers):
                raise ConnectionError(f"{server}: {error}") from error
        else:
            return
