"""What was refused to whom: each time a line in the log, and counted. Never a secret or a token."""

from typing import Any

from prometheus_client import Counter

from adapters.logging import Logger

DENIED = Counter(
    "dealtrail_access_denied_total",
    "Requests refused because of who asked, by role (unknown: nobody that is known) and operation.",
    ["role", "operation"],
)

_logger = Logger(__name__)


def denied(*, key: str | None, role: str, operation: str, **facts: Any) -> None:
    """`key` names the key or token, and is not what opens anything; `operation` is one of a fixed few."""
    DENIED.labels(role=role, operation=operation).inc()
    _logger.warning("access_denied", key=key, role=role, operation=operation, **facts)
