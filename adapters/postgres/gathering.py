"""For callers on an event loop: what they append while one group is being committed is the next group."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from adapters.postgres.codec import Prepared
from adapters.postgres.store import PostgresStore
from services.ports import Outcome, Unit

_Waiting = tuple[list[Prepared], asyncio.Future[list[Outcome]]]


class Gathering:
    """The store's `append` for one event loop. Threads have the store itself, which gathers them too.

    Waking a task is far cheaper than waking a thread, so many callers at once are served best from here.
    """

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._waiting: list[_Waiting] = []
        self._committing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="append")

    async def append(self, units: Sequence[Unit]) -> list[Outcome]:
        """See the port; raises what the store raises."""
        told: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self._waiting.append(([Prepared(unit) for unit in units], told))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit())
        return await told

    def close(self) -> None:
        """Wait for the group that is being committed."""
        self._thread.shutdown()

    async def _commit(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                await self._answer(group)
        finally:
            self._committing = None

    async def _answer(self, group: list[_Waiting]) -> None:
        together = [prepared for units, _ in group for prepared in units]
        loop = asyncio.get_running_loop()
        try:
            outcomes = await loop.run_in_executor(self._thread, self._store.append_prepared, together)
        except Exception as failed:
            if len(group) == 1:
                _tell(group[0][1], failed)
            else:  # One of them may hold what can't be stored; the others shall not suffer.
                for one in group:
                    await self._answer([one])
            return
        answers = iter(outcomes)
        for units, told in group:
            _tell(told, [next(answers) for _ in units])


def _tell(told: asyncio.Future[list[Outcome]], answer: list[Outcome] | Exception) -> None:
    if told.done():
        return  # Its caller was cancelled; what is in the log stays.
    if isinstance(answer, Exception):
        told.set_exception(answer)
    else:
        told.set_result(answer)
