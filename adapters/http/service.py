"""What the routes share while the server runs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from adapters.http.lanes import Lanes
from adapters.http.log_end import LogEnd
from adapters.http.parameters import must_know_parameters
from adapters.http.problems import Problem
from adapters.wiring import Engine
from services.answers import Answer

READERS = 8
"""Threads that read. Each takes two connections at most, and the pool has more than as many again."""
PASTS = 2
"""Reports of the past at once: each folds the log anew."""
PAUSE_SECONDS_MAX = 0.1

T = TypeVar("T")


class Service:
    """Made on the event loop that it is for."""

    def __init__(self, parts: Engine) -> None:
        self.parts = parts
        self.gate = parts.gate
        self.lanes = Lanes(parts.intake)
        self.end = LogEnd(parts.database)
        self.closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")
        self._together: dict[Hashable, asyncio.Future[Any]] = {}
        self._pasts = asyncio.Semaphore(PASTS)

    async def read(self, work: Callable[[], T], *, past: bool = False) -> T:
        """Have a thread do it; its log lines name the request. Raises Problem once the database is away."""
        if past:
            async with self._pasts:
                return await self.read(work)
        bound = partial(copy_context().run, work)
        return await self.unless_away(asyncio.get_running_loop().run_in_executor(self._readers, bound))

    async def read_together(self, question: Hashable, work: Callable[[], T]) -> T:
        """As `read`, once for all who ask the same question while it is being answered."""
        reading = self._together.get(question)
        if reading is None:
            reading = self._together[question] = asyncio.ensure_future(self.read(work))
            reading.add_done_callback(lambda _: self._together.pop(question))
        found: T = await asyncio.shield(reading)  # One of them may go away.
        return found

    async def act(self, actions: Sequence[bytes], types: Sequence[str | None]) -> list[Answer]:
        """One answer for each action, in order. Raises Problem, psycopg.OperationalError."""
        return await self.unless_away(asyncio.ensure_future(self.lanes.submit(actions, types)))

    async def heard(self, seconds: float) -> bool:
        """Wait for news of the log, or for the end of the server; False if there were none for so long."""
        news = {self.end.changed, self.closing}
        done, _ = await asyncio.wait(news, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)

    async def unless_away(self, work: asyncio.Future[T]) -> T:
        """Wait for it, but no longer than until the database turns out to be away: Problem."""
        either: set[asyncio.Future[Any]] = {work, self.end.lost}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            raise Problem("database_unavailable")
        return work.result()

    async def reach(self, position: int, projections: tuple[str, ...]) -> None:
        """Wait until these projections have counted the position. Raises Problem after the time set.

        A position that the log hasn't reached is refused at once: nobody can have written it.
        """
        if position > self.end.position and position > (head := await self.read(self.parts.store.head)):
            raise Problem("unknown_position", f"The log ends at {head:,}.", position=position, head=head)
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self.parts.settings.wait_seconds
        pause = 0.005
        while (reached := await self.read(lambda: self._reached(projections))) < position:
            if loop.time() >= give_up_at:
                raise Problem("not_yet", position=reached, wanted=position)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, PAUSE_SECONDS_MAX)

    def _reached(self, projections: tuple[str, ...]) -> int:
        """Where the least of them stands; the log's end for none."""
        if not projections:
            return self.parts.store.head()
        found = self.parts.projector.standings()
        return min(found[name].position if name in found else 0 for name in projections)

    def end_streams(self) -> None:
        """The server is about to close."""
        if not self.closing.done():
            self.closing.set_result(None)

    def close(self) -> None:
        """Wait for what is being done."""
        self.lanes.close()
        self._readers.shutdown()


@asynccontextmanager
async def serving(parts: Engine) -> AsyncIterator[Service]:
    """The service, until its event loop has no more use for it."""
    service = Service(parts)
    service.end.start()
    try:
        yield service
    finally:
        await service.end.stop()
        await asyncio.to_thread(service.close)


async def present(request: Request) -> Service:
    """What the application was made with. Raises Problem at once while the database is away.

    And for parameters that the route doesn't have, and NUL, which no text in the database may have.
    """
    found = request.app.state.service
    assert isinstance(found, Service)
    if found.end.away:
        raise Problem("database_unavailable")
    query = request.scope["query_string"]
    if "\0" in request.scope["path"] or b"%00" in query:
        raise Problem("invalid_data", "The address has a NUL character.", field="path", problem="NUL")
    if query:
        must_know_parameters(request)
    return found


Served = Annotated[Service, Depends(present)]
"""The type of a route's parameter that is the service: `served: Served`."""
