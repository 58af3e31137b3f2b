"""Many callers on one event loop: appended together, answered alone."""

import asyncio
from datetime import UTC, datetime

from adapters.postgres.codec import Unstorable
from adapters.postgres.gathering import Gathering
from adapters.postgres.store import PostgresStore
from domain.leads.events import KeyBound
from services.ports import Appended, Conflict, Duplicate, Outcome, Unit

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def unit(action: str, key: str, expected: int = 0) -> Unit:
    event = KeyBound(lead="L-1")
    return Unit([(f"key-{key}", event)], {f"key-{key}": expected}, NOW, NOW, "rep-1", "crm", action)


def test_each_of_many_callers_gets_its_own_answer(store: PostgresStore) -> None:
    async def race() -> list[list[Outcome]]:
        gathering = Gathering(store)
        racers = [gathering.append([unit(f"a-{n}", f"k{n % 50}")]) for n in range(200)]
        told = await asyncio.gather(*racers)
        told.append(await gathering.append([unit("a-0", "k0"), unit("b", "k0", expected=1)]))
        gathering.close()
        return told

    *raced, (again, after) = asyncio.run(race())
    kinds = [type(outcome) for (outcome,) in raced]
    assert (kinds.count(Appended), kinds.count(Conflict)) == (50, 150)
    assert isinstance(again, Duplicate)
    assert isinstance(after, Appended)
    assert store.head() == 51


def test_what_cannot_be_stored_is_its_own_callers_trouble(store: PostgresStore) -> None:
    async def both() -> list[list[Outcome] | BaseException]:
        gathering = Gathering(store)
        told = await asyncio.gather(
            gathering.append([unit("a", "k1")]), gathering.append([unit("b\0", "k2")]), return_exceptions=True
        )
        gathering.close()
        return told

    good, bad = asyncio.run(both())
    assert isinstance(good, list)
    assert isinstance(bad, Unstorable)
    assert store.head() == 1


def test_a_caller_that_gives_up_leaves_the_others_alone(store: PostgresStore) -> None:
    async def give_up() -> list[Outcome]:
        gathering = Gathering(store)
        leaving = asyncio.create_task(gathering.append([unit("a", "k1")]))
        staying = asyncio.create_task(gathering.append([unit("b", "k2")]))
        await asyncio.sleep(0)
        leaving.cancel()
        told = await staying
        gathering.close()
        return told

    (outcome,) = asyncio.run(give_up())
    assert isinstance(outcome, Appended)
