"""Calls that arrive together are committed together: the first one in does it for all who wait."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar


class Call:
    """One caller's part of a group. Its thread sleeps on `turn` until it is done or its turn to lead."""

    __slots__ = ("done", "error", "leads", "turn")

    def __init__(self) -> None:
        self.done = False
        self.leads = False
        self.error: BaseException | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


CallT = TypeVar("CallT", bound=Call)

GATHER_SECONDS_MAX = 0.0005
"""How long a leader waits for as many callers as the last group had: less than the commit that this saves."""


class Interrupted(Exception):  # noqa: N818 - named for what happened
    """The thread that committed for this caller was interrupted: whether it was recorded is not known."""


class GroupCommit(Generic[CallT]):
    """Leader and followers. `commit` gets the calls of a group and leaves each one's result in it."""

    def __init__(self, commit: Callable[[list[CallT]], None]) -> None:
        self._commit = commit
        self._mutex = threading.Lock()
        self._queue: list[CallT] = []
        self._busy = False
        self._expected = 1
        self._full = threading.Lock()
        self._gathering = False

    def submit(self, call: CallT) -> None:
        """Have the call committed, by this thread or another. Raises what `commit` raised or left in it."""
        with self._mutex:
            self._queue.append(call)
            leads = not self._busy
            self._busy = True
            if self._gathering and len(self._queue) >= self._expected:
                self._gathering = False
                self._full.release()
        if not leads:
            self._wait(call)
        if not call.done:
            self._lead(call)
        if call.error is not None:
            raise call.error

    def _wait(self, call: CallT) -> None:
        try:
            call.turn.acquire()
        except BaseException:
            with self._mutex:
                if call in self._queue:
                    self._queue.remove(call)
            if call.leads:
                self._hand_over()
            raise

    def _lead(self, call: CallT) -> None:
        self._gather()
        with self._mutex:
            group, self._queue = self._queue, []
        try:
            self._commit(group)
        except Exception as failed:
            for member in group:
                member.error = failed
        except BaseException:
            for member in group:
                member.error = Interrupted()
            raise
        finally:
            self._expected = len(group)
            for member in group:
                member.done = True
                if member is not call:
                    member.turn.release()
            self._hand_over()

    def _gather(self) -> None:
        with self._mutex:
            if len(self._queue) >= self._expected:
                return
            self._full.acquire(blocking=False)
            self._gathering = True
        self._full.acquire(timeout=GATHER_SECONDS_MAX)
        with self._mutex:
            self._gathering = False
            if self._full.locked():
                self._full.release()

    def _hand_over(self) -> None:
        with self._mutex:
            following = self._queue[0] if self._queue else None
            if following is None:
                self._busy = False
                return
            following.leads = True
        following.turn.release()
