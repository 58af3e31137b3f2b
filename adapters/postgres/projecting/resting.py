"""How long a stopped projection is left alone before the worker tries it again."""

import time
from collections.abc import Iterable

from projections.kernel import Failure

_FIRST_SECONDS = 1.0
_SECONDS_MAX = 60.0


class Resting:
    """Projections that stopped, each tried again after a pause that doubles from one second to a minute."""

    def __init__(self) -> None:
        self._pauses: dict[str, float] = {}
        self._until: dict[str, float] = {}

    def names(self) -> frozenset[str]:
        now = time.monotonic()
        return frozenset(name for name, until in self._until.items() if until > now)

    def note(self, failures: Iterable[Failure], left: frozenset[str]) -> None:
        """What stopped now. Whatever rested, and was neither left alone nor stopped again, is well."""
        stopped = {failure.projection for failure in failures}
        for name in set(self._until) - stopped - left:
            del self._until[name], self._pauses[name]
        for name in stopped:
            pause = min(self._pauses.get(name, _FIRST_SECONDS / 2) * 2, _SECONDS_MAX)
            self._pauses[name] = pause
            self._until[name] = time.monotonic() + pause
