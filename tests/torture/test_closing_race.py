"""Several processes close the same periods while deals are won: each period once, each win paid once."""

import multiprocessing
import time
from collections import Counter
from decimal import Decimal
from typing import Any

from payday import Payday

from domain.deals.events import DealWon

CLOSERS, WINS = 4, 120
EVENTS_BETWEEN = 20
MONTHS = [f"{year}-{month:02d}" for year in range(2024, 2027) for month in range(1, 13)]
LAST = "2027-01"
NOW = "2027-01-15T09:00:00Z"
START = "2024-01-02T09:00:00Z"


def _close(url: str, closer: int, start: Any, results: Any) -> None:
    """The first two send the very same actions."""
    company = Payday(url, now=NOW, name=f"closer-{closer}")
    told, head = [], company.store.head()
    start.wait()
    for place, month in enumerate(MONTHS):
        _wait_for(company, head + place * EVENTS_BETWEEN)
        same = {"id": f"close-{month}"} if closer < 2 else {}
        (answer,) = company.submit(company.closing(month, **same))
        told.append((answer.error["code"] if answer.error else None, answer.as_json()))
    results.put((closer, told))
    company.close_database()


def _wait_for(company: Payday, position: int) -> None:
    """Until others have recorded so much, so that the periods close while deals are won."""
    patience = time.monotonic() + 30
    while company.store.head() < position and time.monotonic() < patience:
        time.sleep(0.002)


def _win(url: str, start: Any, results: Any) -> None:
    company = Payday(url, now=NOW, name="seller")
    start.wait()
    for number in range(WINS):
        company.win(f"D-{number}", f"{number + 1}00", rep=("ann", "bob")[number % 2], time=START)
    results.put((None, []))
    company.close_database()


def test_many_closers_and_a_seller(database_url: str) -> None:
    company = Payday(database_url, now=START).founded()
    told = _run(database_url)
    company.on("2027-02-01T00:00:00Z").close(LAST)

    closed, cutoffs = company.closed(), []
    assert sorted(closed) == [*MONTHS, LAST]
    for same, twin, *others in zip(*(told[closer] for closer in range(CLOSERS)), strict=True):
        assert same == twin, "the same action was told two things"
        codes = Counter(code for code, _ in (same, *others))
        assert codes == {None: 1, "period_closed": CLOSERS - 2}
    facts = company.facts()
    for period in sorted(closed):
        cutoffs.append(closed[period].cutoff_position)
        mine = [fact for fact in facts if fact.entity.split("/")[0] == period]
        assert [type(fact.event).__name__ for fact in mine] == ["PeriodClosed", *["StatementIssued"] * 3]
        assert {fact.event.cutoff_position for fact in mine} == {cutoffs[-1]}  # type: ignore[attr-defined]
        assert len({(fact.source, fact.action) for fact in mine}) == 1
        assert cutoffs[-1] < mine[0].position
    assert cutoffs == sorted(cutoffs)
    _each_win_is_paid_once(company, cutoffs)
    company.close_database()


def _each_win_is_paid_once(company: Payday, cutoffs: list[int]) -> None:
    """By the statement of the first period that was still open when it was recorded."""
    months = [*MONTHS, LAST]
    wins = {fact.entity: fact.position for fact in company.facts() if isinstance(fact.event, DealWon)}
    assert len(wins) == WINS
    due = {
        deal: months[next(place for place, cutoff in enumerate(cutoffs) if position <= cutoff)]
        for deal, position in wins.items()
    }
    paid = [(line.deal, issued.period) for issued in company.statements().values() for line in issued.lines]
    assert sorted(paid) == sorted(due.items())
    assert len(set(due.values())) > 5, "the seller was not at work while the periods were closed"
    assert company.paid() == sum(Decimal(number + 1) * 5 for number in range(WINS))


def _run(url: str) -> dict[int | None, list[tuple[str | None, dict[str, Any]]]]:
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(CLOSERS + 1), context.Queue()
    workers = [context.Process(target=_close, args=(url, at, start, results)) for at in range(CLOSERS)]
    workers.append(context.Process(target=_win, args=(url, start, results)))
    for worker in workers:
        worker.start()
    told = dict(results.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join(timeout=30)
        assert worker.exitcode == 0
    del told[None]
    return told
