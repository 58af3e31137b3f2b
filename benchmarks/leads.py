"""Leads straight into the store, and how many a second."""

from datetime import UTC, datetime
from time import perf_counter
from uuid import uuid4

from adapters.wiring import Engine
from benchmarks.figures import quantile
from domain.leads.events import KeyBound, LeadRegistered
from services.ports import Appended, Unit


def middle(rounds: list[tuple[float, float]]) -> tuple[float, str, float]:
    ours, without = (quantile(column, 0.5) for column in zip(*rounds, strict=True))
    return ours, "leads/s", without


def leads_per_second(engine: Engine, calls: int, at_once: int) -> float:
    began = perf_counter()
    for _ in range(calls):
        outcomes = engine.store.append([lead() for _ in range(at_once)])
        assert all(isinstance(outcome, Appended) for outcome in outcomes)
    return calls * at_once / (perf_counter() - began)


def lead() -> Unit:
    lead = uuid4().hex
    streams = (f"lead-{lead}", f"key-{lead}p", f"key-{lead}e")
    at = datetime.now(UTC)
    bound = KeyBound(lead=lead)
    keys = {"phone": "+79161234567", "email": "somebody@example.com"}
    registered = LeadRegistered(keys=keys, name="Some Body")
    return Unit(
        events=(
            (streams[0], registered),
            (streams[1], bound),
            (streams[2], bound),
        ),
        expected=dict.fromkeys(streams, 0),
        occurred_at=at,
        decided_at=at,
        actor="rep-1",
        source="bench",
        action=lead,
    )
