"""What was refused to whom: each time a line in the log, and counted. Never a secret or a token."""

from typing import Any

from adapters.logging import Logger
from adapters.observing.work import Work

_logger = Logger(__name__)


def denied(*, key: str | None, role: str, operation: str, **facts: Any) -> None:
    """`key` names the key or token, and is not what opens anything; `operation` is one of a fixed few."""
    with Work("deny", role=role, operation=operation):
        _logger.warning("access_denied", key=key, role=role, operation=operation, **facts)
