"""A log line for each HTTP request, for whoever has INFO shown."""

from logging import INFO

from adapters.logging import Logger, shows
from adapters.observing.work import Work

_logger = Logger(__name__)


class RequestLines:
    """Watches the process."""

    def begun(self, work: Work) -> None:
        """Nothing to say yet."""

    def ended(self, work: Work) -> None:
        """Say what came of a request: its status, its time, the position that it was told."""
        if work.name == "request" and shows(INFO):
            facts = {name: work.facts.get(name) for name in ("method", "route", "status", "position")}
            facts |= {name: work.facts[name] for name in ("correlation",) if name in work.facts}
            _logger.info("answered", **facts, seconds=round(work.seconds, 6))
