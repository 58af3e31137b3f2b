"""Actions of a migration in the order of their first recording; what memory cannot hold goes to disk."""

import heapq
import pickle
from collections.abc import Iterator
from datetime import datetime
from operator import itemgetter
from tempfile import TemporaryFile
from typing import IO, Any

from adapters.importers.items import Proposed

IN_MEMORY_MAX = 50_000
_Entry = tuple[float, int, Proposed]
_BEFORE_ALL = float("-inf")


class TimeOrder:
    """Takes actions in any order and gives them back by `recordedtime`, ties as they came.

    An action whose time cannot be told comes first: whoever records it will say what is wrong with it.
    """

    def __init__(self, in_memory_max: int = IN_MEMORY_MAX) -> None:
        self._in_memory_max = in_memory_max
        self._entries: list[_Entry] = []
        self._spilled: list[IO[bytes]] = []
        self._taken = 0

    def __len__(self) -> int:
        return self._taken

    def add(self, proposed: Proposed) -> None:
        """Take one in; its `recordedtime` defaults to its `time`."""
        action = proposed.action
        assert isinstance(action, dict), "rows of tables become objects"
        if "time" in action:
            action.setdefault("recordedtime", action["time"])
        self._entries.append((_seconds(action.get("recordedtime")), self._taken, proposed))
        self._taken += 1
        if len(self._entries) >= self._in_memory_max:
            self._spill()

    def __iter__(self) -> Iterator[Proposed]:
        self._entries.sort(key=itemgetter(0, 1))
        runs = [_read(file) for file in self._spilled]
        for _, _, proposed in heapq.merge(*runs, self._entries, key=itemgetter(0, 1)):
            yield proposed

    def close(self) -> None:
        """Free what is held, also on disk."""
        for file in self._spilled:
            file.close()
        self._entries, self._spilled = [], []

    def _spill(self) -> None:
        self._entries.sort(key=itemgetter(0, 1))
        file = TemporaryFile()  # noqa: SIM115 - closed by `close`
        for entry in self._entries:
            pickle.dump(entry, file, pickle.HIGHEST_PROTOCOL)
        self._spilled.append(file)
        self._entries = []


def _seconds(when: Any) -> float:
    try:
        moment = datetime.fromisoformat(when)
        return moment.timestamp() if moment.tzinfo else _BEFORE_ALL
    except (TypeError, ValueError, OverflowError):
        return _BEFORE_ALL


def _read(file: IO[bytes]) -> Iterator[_Entry]:
    file.seek(0)
    while True:
        try:
            yield pickle.load(file)
        except EOFError:
            return
