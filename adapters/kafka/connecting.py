"""How long Kafka is waited for, and what is said when it doesn't answer. Its client is slow to import."""

import logging
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

PATIENCE_SECONDS = 5


class KafkaAway(Exception):  # noqa: N818 - named for what happened
    """Kafka didn't do in time what was asked of it; the message says what that was, and why not."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where Kafka is (host:port,…), and how it lets us in: as the settings of these names say."""

    servers: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    ssl_ca: Path | None = None
    ssl_certificate: Path | None = None
    ssl_key: Path | None = None


def client(cluster: Cluster) -> dict[str, Any]:
    """What every client is told: where Kafka is, how it lets us in, and that we have little time.

    Raises OSError if nobody is there, or nobody that is vouched for: the client itself takes long to find
    that, and leaks sockets then.
    """
    known = cluster.servers.split(",")
    context = _tls(cluster) if cluster.security_protocol.endswith("SSL") else None
    _must_take_a_connection(known, context)
    return {
        "bootstrap_servers": known,
        "client_id": "dealtrail",
        "security_protocol": cluster.security_protocol,
        "ssl_context": context,
        "sasl_mechanism": cluster.sasl_mechanism,
        "sasl_plain_username": cluster.sasl_username,
        "sasl_plain_password": cluster.sasl_password,
        "bootstrap_timeout_ms": PATIENCE_SECONDS * 1000,
        "request_timeout_ms": PATIENCE_SECONDS * 1000,
    }


def _tls(cluster: Cluster) -> "ssl.SSLContext":
    """Raises OSError for files that are there no more, or not as they were."""
    import ssl  # Slow, and few need it.

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # Python's default takes no CA of the older kind.
    if cluster.ssl_ca is not None:
        context.load_verify_locations(cluster.ssl_ca)
    else:
        context.load_default_certs()
    if cluster.ssl_certificate is not None:
        context.load_cert_chain(cluster.ssl_certificate, cluster.ssl_key, lambda: "")
    return context


@contextmanager
def talking(failure: str) -> Iterator[None]:
    """Turns what goes wrong with Kafka into one KafkaAway; what its client logs of that isn't shown."""
    from kafka.errors import KafkaError

    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    _heard.listen()
    try:
        yield
    except (KafkaError, OSError) as error:
        raise KafkaAway(f"{failure}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """What an error of Kafka's client says, and what it only told its log: why it had no connection."""
    told = _CLASSES.sub("", str(error).strip()) or type(error).__name__
    if not isinstance(error, OSError) and (why := _heard.lately()):
        return f"{told}: {why}"
    if "Unable to bootstrap" in told:
        return f"{told}: it hangs, or wants another KAFKA_SECURITY_PROTOCOL, certificate, user or password"
    return told


class _Heard(logging.Filter):
    """Hears why connections were lost, and lets nothing of it on. Keeps the last that tells anything."""

    def __init__(self) -> None:
        super().__init__()
        self._why, self._until = "", 0.0

    def listen(self) -> None:
        logger = logging.getLogger("kafka.net.connection")
        logger.setLevel(logging.ERROR)
        logger.addFilter(self)  # Once, however often.

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.args[-1] if isinstance(record.args, tuple) and record.args else None
        if isinstance(error, Exception) and not _EMPTY.search(str(error)):
            self._why = _CLASSES.sub("", str(error))
            self._until = time.monotonic() + 2 * PATIENCE_SECONDS
        return False

    def lately(self) -> str:
        return self._why if time.monotonic() < self._until else ""


_heard = _Heard()
_EMPTY = re.compile("socket disconnected|Invalid frame length|timed out|^$")
"""Said of whoever talks in another way, but of many others, too."""
_CLASSES = re.compile(r"^\[Error \d+\] |\b\w+Error: ")


def _must_take_a_connection(servers: list[str], context: "ssl.SSLContext | None") -> None:
    """At least one of them."""
    for place, server in enumerate(servers, 1):
        host, _, port = server.rpartition(":")
        host = host.strip("[]")
        try:
            with socket.create_connection((host, int(port)), PATIENCE_SECONDS / len(servers)) as found:
                if context is not None:
                    context.wrap_socket(found, server_hostname=host).close()
        except OSError as error:
            if place == len(servers):
                raise ConnectionError(f"{server}: {error}") from error
        else:
            return
