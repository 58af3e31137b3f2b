"""The log under many processes and under fire. DEALTRAIL_TORTURE multiplies the work; 1 by default."""

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from adapters.postgres.database import Database
from adapters.postgres.store import PostgresStore
from domain.leads.events import KeyBound, LeadRegistered
from services.ports import Appended, Conflict, Unit

TIMES = int(os.environ.get("DEALTRAIL_TORTURE", "1"))
FORK = multiprocessing.get_context("fork")
WRITERS = 16
# Newer Pythons warn of any fork in a process with threads, such as xdist's; the children open all their own.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def unit(action: str, keys: list[str], expected: int = 0) -> Unit:
    lead = f"lead-{action}"
    now = datetime.now(UTC)
    events = [
        (lead, LeadRegistered(keys={"phone": "+1"})),
        *((f"key-{key}", KeyBound(lead=action)) for key in keys),
    ]
    return Unit(events, {stream: expected for stream, _ in events}, now, now, "rep-1", "crm", action)


def many(
    work: Callable[[PostgresStore, int], None], url: str
) -> Sequence[multiprocessing.process.BaseProcess]:
    """WRITERS processes forked from here, each with a store of its own; exit code 0 if `work` returned."""

    def run(number: int) -> None:
        with Database(url) as database:
            store = PostgresStore(database)
            work(store, number)
            store.close()

    processes = [FORK.Process(target=run, args=(number,)) for number in range(WRITERS)]
    for process in processes:
        process.start()
    return processes


def assert_sound(store: PostgresStore) -> Counter[tuple[str, str]]:
    """No gap in positions nor in any stream, no time goes back. Gives the number of events per action."""
    last = 0
    versions: Counter[str] = Counter()
    actions: Counter[tuple[str, str]] = Counter()
    recorded_at = datetime.min.replace(tzinfo=UTC)
    for page in store.read(0):
        for fact in page:
            assert fact.position == last + 1
            last = fact.position
            versions[fact.stream] += 1
            assert fact.version == versions[fact.stream]
            assert fact.recorded_at >= recorded_at
            recorded_at = fact.recorded_at
            actions[fact.source, fact.action] += 1
    assert last == store.head()
    return actions


def test_each_key_has_one_owner_whoever_races(database_url: str) -> None:
    keys = [f"k{n}" for n in range(300)]

    def race(store: PostgresStore, number: int) -> None:
        chance = random.Random(number)
        for n in range(40 * TIMES):
            batch = [unit(f"{number}-{n}-{m}", chance.sample(keys, 2)) for m in range(3)]
            for each, outcome in zip(batch, store.append(batch), strict=True):
                taken = any(store.load([stream])[stream] for stream, _ in each.events[1:])
                assert isinstance(outcome, Appended) or (isinstance(outcome, Conflict) and taken)

    for process in many(race, database_url):
        process.join()
        assert process.exitcode == 0
    with Database(database_url) as database:
        store = PostgresStore(database)
        actions = assert_sound(store)
        owners = store.load(f"key-{key}" for key in keys)
        assert set(actions.values()) == {3}
        assert {len(facts) for facts in owners.values()} <= {0, 1}
        assert sum(len(facts) for facts in owners.values()) == 2 * len(actions)


def test_a_tailing_reader_misses_nothing(database_url: str) -> None:
    per_writer, in_a_unit, in_a_batch = 12_500 * TIMES, 50, 5

    def write(store: PostgresStore, number: int) -> None:
        now = datetime.now(UTC)
        for first in range(0, per_writer, in_a_unit * in_a_batch):
            batch = []
            for n in range(first, first + in_a_unit * in_a_batch, in_a_unit):
                stream = f"key-{number}-{n // in_a_unit % in_a_batch}"
                events = [(stream, KeyBound(lead=str(n + m))) for m in range(in_a_unit)]
                batch.append(
                    Unit(
                        events,
                        {stream: n // (in_a_unit * in_a_batch) * in_a_unit},
                        now,
                        now,
                        "rep-1",
                        "crm",
                        f"{number}-{n}",
                    )
                )
            assert all(isinstance(outcome, Appended) for outcome in store.append(batch))

    writers = many(write, database_url)
    seen: Counter[str] = Counter()
    position, polls = 0, 0
    with Database(database_url) as database:
        store = PostgresStore(database)
        while position < per_writer * WRITERS:
            running = any(writer.is_alive() for writer in writers)
            before = position
            for _, rows in store.read_raw(position, page=20_000):
                for row in rows:
                    assert row[2] == position + 1
                    assert row[1] == seen[row[0]] + 1
                    position, seen[row[0]] = row[2], row[1]
            polls += position > before
            assert running or position > before, "the writers ended before all was written"
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert position == per_writer * WRITERS >= 200_000
    assert polls > 20


@pytest.mark.parametrize("round_", range(4))
def test_what_was_acknowledged_survives_sigkill(database_url: str, tmp_path: Path, round_: int) -> None:
    """Four rounds of 16 kills: each child appends and notes what was acknowledged until it is killed."""
    chance = random.Random(round_)
    notes = tmp_path / "acknowledged"
    for cycle in range(16 * TIMES):
        child = os.fork()
        if child == 0:
            _append_for_ever(database_url, notes, cycle)
        time.sleep(0.05 + chance.random() * 0.1)
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
    acknowledged = notes.read_text().split()
    with Database(database_url) as database:
        actions = assert_sound(PostgresStore(database))
    assert set(actions.values()) <= {3}
    assert {action for _, action in actions}.issuperset(acknowledged)
    assert len(acknowledged) > 16 * TIMES
    assert len(acknowledged) == len(set(acknowledged))


def _append_for_ever(url: str, notes: Path, cycle: int) -> None:
    """Notes each acknowledged action in one write per batch, so that a kill leaves it whole or not at all."""
    try:
        descriptor = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        store = PostgresStore(Database(url))
        for n in count():
            names = [f"{cycle}-{n}-{m}" for m in range(n % 5 + 1)]
            outcomes = store.append([unit(name, [name, f"other-{name}"]) for name in names])
            done = [name for name, it in zip(names, outcomes, strict=True) if isinstance(it, Appended)]
            os.write(descriptor, "".join(f"{name}\n" for name in done).encode())
    finally:
        os._exit(1)  # Never back into the tests of the parent.
