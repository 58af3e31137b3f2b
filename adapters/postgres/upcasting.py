"""Old versions of stored events, brought up to date as they are read. The log itself never changes."""

from collections.abc import Callable
from typing import Any

Data = dict[str, Any]
Upcaster = Callable[[Data], Data]


class Upcasting:
    """One function per stored name and version, from that version's JSON object to the next one's."""

    def __init__(self) -> None:
        self._steps: dict[tuple[str, int], Upcaster] = {}

    def register(self, stored_name: str, version: int) -> Callable[[Upcaster], Upcaster]:
        """Decorates what turns `version` into `version + 1`. Raises ValueError if there is one already."""

        def remember(step: Upcaster) -> Upcaster:
            if (stored_name, version) in self._steps:
                raise ValueError(f"{stored_name} version {version} is upcast already")
            self._steps[stored_name, version] = step
            return step

        return remember

    def knows(self, stored_name: str, version: int) -> bool:
        """Is there a function for this version?"""
        return (stored_name, version) in self._steps

    def upcast(self, stored_name: str, version: int, data: Data, *, to: int) -> Data:
        """`data` as version `to` would have stored it. Raises LookupError if a step is missing."""
        for passed in range(version, to):
            step = self._steps.get((stored_name, passed))
            if step is None:
                raise LookupError(f"nothing brings {stored_name} from version {passed} to {passed + 1}")
            data = step(data)
        if version > to:
            raise LookupError(f"{stored_name} version {version} is newer than this program's, {to}")
        return data


UPCASTING = Upcasting()
"""Dealtrail's own."""
