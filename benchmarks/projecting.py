"""Rebuilding, all projections and each alone, and keeping up with a live log."""

import threading
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic, perf_counter, sleep

from adapters.postgres.projecting.projector import Projector
from adapters.wiring import PROJECTIONS, Engine
from benchmarks import stock
from benchmarks.figures import Figure, quantile
from benchmarks.ground import Ground
from services.intake import Submission

STOCK_EVENTS, LIVE_ACTIONS_PER_SECOND, LIVE_SECONDS = 20_000, 500, 20
LIVE_AT_ONCE = 5
"""Actions that come together: one by one, in one process with the worker, they would be too few a second."""


def rebuilding(ground: Ground, engine: Engine) -> list[Figure]:
    """Events a second over the whole log, against the stock runner with one upsert."""
    events = engine.store.head()
    theirs, ours = [], []
    for _ in range(3):
        theirs.append(stock.projected_per_second(ground.new_database(), STOCK_EVENTS))
        ours.append(_rebuilt_per_second(engine, events))
    peer = quantile(theirs, 0.5)
    name = f"rebuild {events:,} events, all projections"
    figures = [Figure(name, quantile(ours, 0.5), "events/s", peer, 40.0)]
    for projection in PROJECTIONS:
        alone = _rebuilt_per_second(engine, events, projection.name)
        figures.append(Figure(f"  {projection.name} alone", alone, "events/s", peer))
    return figures


def _rebuilt_per_second(engine: Engine, events: int, *names: str) -> float:
    began = perf_counter()
    assert engine.projector.rebuild(names or None) == []
    return events / (perf_counter() - began)


def keeping_up(engine: Engine) -> list[Figure]:
    """Milliseconds from an action's commit until every read table has it, at a steady rate of actions."""
    stop = threading.Event()
    follower = threading.Thread(target=Projector(engine.database, PROJECTIONS).follow, args=(stop,))
    engine.projector.catch_up()
    follower.start()
    intake, lags = engine.intake(), list[float]()
    waiting: list[tuple[int, float]] = []
    watcher = threading.Thread(target=_watch, args=(engine, waiting, lags, stop))
    watcher.start()
    try:
        begin = monotonic()
        for number in range(0, LIVE_ACTIONS_PER_SECOND * LIVE_SECONDS, LIVE_AT_ONCE):
            sleep(max(0.0, begin + number / LIVE_ACTIONS_PER_SECOND - monotonic()))
            answers = intake.submit([_registration(number + further) for further in range(LIVE_AT_ONCE)])
            committed = monotonic()
            waiting += [(max(answer.positions), committed) for answer in answers]
        took = monotonic() - begin
        sleep(2)
    finally:
        stop.set()
        follower.join()
        watcher.join()
    rate = LIVE_ACTIONS_PER_SECOND * LIVE_SECONDS / took
    return [
        Figure(f"lag at {rate:,.0f} actions/s, p50", quantile(lags, 0.5) * 1_000, "ms"),
        Figure("  the same, p99", quantile(lags, 0.99) * 1_000, "ms"),
    ]


def _watch(
    engine: Engine, waiting: list[tuple[int, float]], lags: list[float], stop: threading.Event
) -> None:
    done = 0
    while not (stop.is_set() and done == len(waiting)):
        with suppress(IndexError):
            position = min(one.position for one in engine.projector.standings().values())
            seen = monotonic()
            while waiting[done][0] <= position:
                lags.append(max(0.0, seen - waiting[done][1]))
                done += 1
        sleep(0.002)


def _registration(number: int) -> Submission:
    return Submission(
        {
            "specversion": "1.0",
            "id": f"live-{number}",
            "source": "bench",
            "type": "lead.register",
            "subject": f"LIVE-{number}",
            "time": datetime.now(UTC).isoformat(),
            "actor": "service:bench",
            "data": {"keys": {"external": str(number)}, "channel": "live"},
        }
    )
