"""Appending a lead with two claims: one writer, and 32 at once."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Barrier, Thread
from time import perf_counter
from uuid import uuid4

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
    """Leads a second, alternating with the peer so that both see the same machine."""
    figures = []
    with ground.new_engine() as engine, stock.application(ground.new_database(), pool=CALLERS) as peer:
        for name, callers, calls, target in (
            ("append a lead with two claims, one writer", 1, ALONE, 1.0),
            (f"the same from {CALLERS} callers", CALLERS, TOGETHER, 8.0),
        ):
            ours, theirs = [], []
            for _ in range(3):
                theirs.append(
                    _per_second(lambda: stock.save_lead(peer), calls // (1 if callers == 1 else 10), callers)
                )
                ours.append(_per_second(lambda: _append(engine), calls, callers))
            figures.append(Figure(name, sorted(ours)[1], "leads/s", sorted(theirs)[1], target))
    return figures
