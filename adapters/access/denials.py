"""Who isn't known, and what was refused to whom: in the log, and counted. Never a secret or a token."""

from typing import Any

from adapters.logging import Logger
from adapters.observing.work import Work

_logger = Logger(__name__)


class NobodyKnown(Exception):  # noqa: N818 - named for what happened
    """What was shown opens nothing: `reason` is for the log, `key` an id if it has the form of a key."""

    def __init__(self, reason: str, key: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.key = reason, key


def denied(*, key: str | None, role: str, operation: str, **facts: Any) -> None:
    """`key` names the key or token, and is not what opens anything; `operation` is one of a fixed few."""
    with Work("deny", role=role, operation=operation):
        _logger.warning("access_denied", key=key, role=role, operation=operation, **facts)
