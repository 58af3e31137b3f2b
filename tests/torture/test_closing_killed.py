"""A closer that is killed, again and again, leaves whole periods, and the same as one that was not."""

import os
import random
import signal
import time

from payday import Payday

from adapters.postgres.store import PostgresStore
from domain.payroll.events import PeriodClosed, StatementIssued

REPS = [f"rep-{number}" for number in range(20)]
MONTHS = [f"{year}-{month:02d}" for year in range(2023, 2026) for month in range(1, 13)]
BEGIN, NOW = "2023-01-03T09:00:00Z", "2026-02-01T09:00:00Z"


def _company(url: str) -> Payday:
    """Every rep wins a deal in every other month."""
    company = Payday(url, now=BEGIN).founded(*REPS).on(NOW)
    for place, month in enumerate(MONTHS):
        winners = [(number, rep) for number, rep in enumerate(REPS) if (place + number) % 2]
        then = {"time": f"{month}-15T10:00:00Z"}
        deals = [company.winning(f"{month}-{rep}", f"{number}00.30", rep, **then) for number, rep in winners]
        company.accept(*(action for deal in deals for action in deal))
    return company


def _close_all(url: str) -> None:
    company = Payday(url, now=NOW, name=f"closer-{os.getpid()}")
    try:
        for month in MONTHS:
            company.submit(company.closing(month, id=f"close-{month}"))
    finally:
        company.close_database()


def _die(url: str, store: PostgresStore, after: float) -> bool:
    """Killed so many seconds after its first close; whether it was before it was through."""
    head, child = store.head(), os.fork()
    if child == 0:
        try:
            _close_all(url)
        finally:
            os._exit(0)  # Never back into the tests of the parent.
    patience = time.monotonic() + 20
    while store.head() == head and time.monotonic() < patience:
        time.sleep(0.001)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _whole(company: Payday) -> int:
    """How many periods are closed; each of them whole."""
    facts = [fact for fact in company.facts() if isinstance(fact.event, PeriodClosed | StatementIssued)]
    closed = [fact for fact in facts if isinstance(fact.event, PeriodClosed)]
    assert [fact.entity for fact in closed] == MONTHS[: len(closed)]
    for fact in closed:
        mine = [one for one in facts if one.action == fact.action]
        assert [one.position for one in mine] == list(range(fact.position, fact.position + len(REPS) + 2))
        assert mine[0].event.statements == len(mine) - 1  # type: ignore[attr-defined]
    assert len(facts) == len(closed) * (len(REPS) + 2)
    return len(closed)


def test_a_closer_killed_again_and_again_closes_whole_periods(
    database_url: str, other_database_url: str
) -> None:
    company, chance = _company(database_url), random.Random(4)
    kills = 0
    while _whole(company) < len(MONTHS) - 6:
        kills += _die(database_url, company.store, chance.random() * 0.05)
    assert kills > 5, "it was mostly through before it was killed"
    _close_all(database_url)
    assert _whole(company) == len(MONTHS)

    undisturbed = _company(other_database_url)
    _close_all(other_database_url)
    assert company.closed() == undisturbed.closed()
    assert company.statements() == undisturbed.statements()
    assert company.paid() > 0
    for one in (company, undisturbed):
        one.close_database()
