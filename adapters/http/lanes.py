"""Actions that come in while others are being decided are decided together next, by one thread."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.http.problems import Problem
from services.answers import Answer
from services.intake import FOLLOWED_UP, READ_THE_LOG, Intake, Submission

TOGETHER_MAX = 500
"""Actions that are decided together: more of them would only let the first ones wait."""
WAITING_MAX = 20_000
"""Actions that may wait in a lane."""

_Waiting = tuple[Sequence[Submission], asyncio.Future[list[Answer]]]


class Lane:
    """One Intake, used by one thread. What waits is taken together, in the order in which it came."""

    def __init__(self, intake: Callable[[], Intake], name: str) -> None:
        self._make = intake
        self._intake: Intake | None = None
        self._waiting: deque[_Waiting] = deque()
        self._count = 0
        self._deciding: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def submit(self, submissions: Sequence[Submission]) -> list[Answer]:
        """One answer each, in order. Raises what the store raises, or Problem if too many wait."""
        if self._count + len(submissions) > WAITING_MAX and self._waiting:
            raise Problem("busy")
        told: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self._waiting.append((submissions, told))
        self._count += len(submissions)
        if self._deciding is None:
            self._deciding = asyncio.create_task(self._decide())
        return await told

    def close(self) -> None:
        """Wait for what is being decided."""
        self._thread.shutdown()

    async def _decide(self) -> None:
        try:
            while self._waiting:
                if group := self._next():
                    await self._answer(group)
        finally:
            self._deciding = None

    def _next(self) -> list[_Waiting]:
        """Those that came first, and are waited for still."""
        group: list[_Waiting] = []
        size = 0
        while self._waiting and (not group or size + len(self._waiting[0][0]) <= TOGETHER_MAX):
            waiting = self._waiting.popleft()
            self._count -= len(waiting[0])
            if not waiting[1].done():
                group.append(waiting)
                size += len(waiting[0])
        return group

    async def _answer(self, group: Sequence[_Waiting]) -> None:
        together = [submission for submissions, _ in group for submission in submissions]
        try:
            answers = iter(
                await asyncio.get_running_loop().run_in_executor(self._thread, self._run, together)
            )
        except Exception as failed:
            if len(group) > 1 and not isinstance(failed, psycopg.OperationalError):
                for one in group:  # One of them may hold what can't be stored; the others shall not suffer.
                    await self._answer([one])
                return
            for _, told in group:
                if not told.done():
                    told.set_exception(failed)
            return
        for submissions, told in group:
            mine = [next(answers) for _ in submissions]
            if not told.done():
                told.set_result(mine)

    def _run(self, submissions: Sequence[Submission]) -> list[Answer]:
        if self._intake is None:
            self._intake = self._make()
        return self._intake.submit(submissions)


class Peeked(BaseModel):
    """What is to be known of an action before it is decided; None for what isn't there or no text."""

    model_config = ConfigDict(extra="ignore")

    type: str | None = None
    actor: str | None = None
    correlationid: str | None = None


_peek = Peeked.__pydantic_validator__.validate_json


def peek(raw: bytes) -> Peeked:
    """What the action says it is, and who says it. What can't be read will be refused later."""
    try:
        found: Peeked = _peek(raw)
    except ValidationError:
        return Peeked()
    return found


class Lanes:
    """Where actions wait their turn: single ones, batches, and those that are decided by much of the log."""

    def __init__(self, intake: Callable[[], Intake]) -> None:
        self._single, self._batches, self._slow = (Lane(intake, name) for name in ("act", "batch", "slow"))

    async def submit(self, actions: Sequence[bytes], types: Sequence[str | None]) -> list[Answer]:
        """One answer for each action, in order. Raises as `Lane.submit` does."""
        slow = any(one in READ_THE_LOG or one in FOLLOWED_UP for one in types)
        lane = self._slow if slow else self._single if len(actions) == 1 else self._batches
        return await lane.submit([Submission(raw) for raw in actions])

    def close(self) -> None:
        for lane in (self._single, self._batches, self._slow):
            lane.close()
