"""Appending a lead with two claims: one writer, and 32 at once."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Barrier, Thread
from time import perf_counter
from uuid import uuid4

from adapters.postgres.gathering import Gathering
from adapters.wiring import Engine
from benchmarks import stock
from benchmarks.figures import Figure
from benchmarks.ground import Ground
from domain.leads.events import KeyBound, LeadRegistered
from services.ports import Appended, Unit

ALONE, TOGETHER, CALLERS = 3_000, 40_000, 32


def _unit() -> Unit:
    lead = uuid4().hex
    streams = (f"lead-{lead}", f"key-{lead}p", f"key-{lead}e")
    now = datetime.now(UTC)
    bound = KeyBound(lead=lead)
    registered = LeadRegistered(keys={"phone": "+79161234567", "email": "somebody@example.com"})
    return Unit(
        events=((streams[0], registered), (streams[1], bound), (streams[2], bound)),
        expected=dict.fromkeys(streams, 0),
        occurred_at=now,
        decided_at=now,
        actor="rep-1",
        source="bench",
        action=lead,
    )


def _append(engine: Engine) -> None:
    (outcome,) = engine.store.append([_unit()])
    assert isinstance(outcome, Appended)


async def _gathered_per_second(engine: Engine, calls: int) -> float:
    gathering = Gathering(engine.store)

    async def call() -> None:
        for _ in range(calls // CALLERS):
            (outcome,) = await gathering.append([_unit()])
            assert isinstance(outcome, Appended)

    began = perf_counter()
    await asyncio.gather(*(call() for _ in range(CALLERS)))
    took = perf_counter() - began
    gathering.close()
    return calls / took


def _per_second(work: Callable[[], None], calls: int, callers: int = 1) -> float:
    if callers == 1:
        began = perf_counter()
        for _ in range(calls):
            work()
        return calls / (perf_counter() - began)
    start = Barrier(callers + 1)

    def call() -> None:
        start.wait()
        for _ in range(calls // callers):
            work()

    threads = [Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    start.wait()
    began = perf_counter()
    for thread in threads:
        thread.join()
    return calls / (perf_counter() - began)


def appending(ground: Ground) -> list[Figure]:
    """Leads a second, alternating with the peer so that both see the same machine; the middle of three."""
    with ground.new_engine() as engine, stock.application(ground.new_database(), pool=CALLERS) as peer:

        def save() -> None:
            stock.save_lead(peer)

        def append() -> None:
            _append(engine)

        rounds = [
            (
                _per_second(save, ALONE),
                _per_second(append, ALONE),
                _per_second(save, TOGETHER // 10, CALLERS),
                _per_second(append, TOGETHER, CALLERS),
                asyncio.run(_gathered_per_second(engine, TOGETHER)),
            )
            for _ in range(3)
        ]
    alone, ours_alone, threads, ours_threads, ours_tasks = (
        sorted(column)[1] for column in zip(*rounds, strict=True)
    )
    return [
        Figure("append a lead with two claims, one writer", ours_alone, "leads/s", alone, 1.0),
        Figure(f"the same from {CALLERS} callers, as tasks", ours_tasks, "leads/s", threads, 8.0),
        Figure(f"the same from {CALLERS} callers, as threads", ours_threads, "leads/s", threads),
    ]
