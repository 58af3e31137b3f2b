"""Live projections: caught up, followed, raced for, stopped by a failure, waited for."""

import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from projecting_log import NASTY, PROJECTIONS, LogWriter, tables_of
from projecting_samples import Odds, Touchy, folded

from adapters.postgres.database import Database
from adapters.postgres.projecting.as_of import NotBuilt
from adapters.postgres.projecting.projector import Projector
from domain.deals.events import DealLost, DealOpened, DealReopened, StageEntered
from projections.kernel import Failure

NO_DELAY = timedelta()


@pytest.fixture
def writer(database_url: str) -> LogWriter:
    return LogWriter(database_url)


def opened(title: str | None = None, **more: object) -> DealOpened:
    return DealOpened.model_validate({"lead": "L-1", "pipeline": "main", "title": title, **more})


def in_child(work: Callable[[], None]) -> int:
    """Fork, do `work`, end without ado; gives the child's process id."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return child


@pytest.mark.parametrize("batch", [1, 7, 5000])
def test_every_event_is_folded_whatever_the_batch(database: Database, writer: LogWriter, batch: int) -> None:
    projector = Projector(database, PROJECTIONS, batch=batch)
    projector.catch_up()
    writer.append(300)

    assert projector.catch_up() == []

    with database.connection() as connection:
        assert tables_of(connection) == folded(database, PROJECTIONS)
    assert {each.position for each in projector.standings().values()} == {300}


def test_texts_come_back_as_they_were(database: Database, writer: LogWriter) -> None:
    projector = Projector(database, [Odds()])
    titles = [*NASTY, "x" * 2_000_000, None]
    projector.catch_up()
    writer.write([(f"deal-{at}", opened(title, product='{a,"b\\c"}\n\t')) for at, title in enumerate(titles)])
    projector.catch_up()
    with database.connection() as connection:
        live = tables_of(connection, [Odds()])
        projector.rebuild()
        rebuilt = tables_of(connection, [Odds()])
    assert {row[1] for row in live["odd"]} == set(titles)
    assert rebuilt == live == folded(database, (Odds(),))


def test_a_row_deleted_and_put_again_in_one_batch_or_two(database: Database, writer: LogWriter) -> None:
    projector = Projector(database, [Odds()], batch=2)
    projector.catch_up()
    deal = "deal-1"
    writer.write([(deal, opened(amount=Decimal("1.50"), currency="USD")), (deal, StageEntered(stage="s1"))])
    writer.write([(deal, DealLost(stage="s1", owner=None, reason="r")), (deal, StageEntered(stage="s1"))])
    writer.write([(deal, DealReopened(stage="s1", reason="again"))])
    projector.catch_up()
    with database.connection() as connection:
        tables = tables_of(connection, [Odds()])
    assert tables == folded(database, (Odds(),))
    assert tables["odd"][0][-2:] == (5, "again")
    assert tables["odd_stage"][0][-1] == 1


@pytest.mark.parametrize("title", ["boom", "too big"])
def test_a_failing_projection_stops_at_its_place_and_the_others_go_on(
    database: Database, writer: LogWriter, title: str
) -> None:
    projector = Projector(database, [*PROJECTIONS, Touchy()], batch=100)
    projector.catch_up()
    writer.append(130)
    writer.write([("deal-bad", opened(title))])
    writer.append(200)

    failures = projector.catch_up()

    place = Failure("touchy", 131, "deals.DealOpened", failures[0].error)
    assert failures == [place]
    standings = projector.standings()
    assert standings.pop("touchy").position == 130
    assert {each.position for each in standings.values()} == {331}
    assert projector.standings()["touchy"].failure == place
    with database.connection() as connection:
        assert tables_of(connection, [Touchy()]) == folded(database, (Touchy(),), upto=130)
        assert tables_of(connection) == folded(database, PROJECTIONS)
    with pytest.raises(NotBuilt, match="stopped at 131"):
        projector.wait_for(131, timeout=5)


def test_a_failed_projection_goes_on_where_it_stopped_once_it_can(
    database: Database, writer: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    projector = Projector(database, [Touchy()])
    projector.catch_up()
    writer.write([("deal-1", opened("fine")), ("deal-2", opened("boom")), ("deal-3", opened("fine"))])
    assert [failure.position for failure in projector.catch_up()] == [2]

    monkeypatch.setattr(Touchy, "title", "nothing")

    assert projector.catch_up() == []
    assert projector.standings()["touchy"].failure is None
    with database.connection() as connection:
        assert len(tables_of(connection, [Touchy()])["odd"]) == 3


def test_an_event_that_cannot_be_read_stops_only_its_category(database: Database, writer: LogWriter) -> None:
    projector = Projector(database, PROJECTIONS)
    projector.catch_up()
    writer.append(100)
    with database.connection() as connection:
        connection.execute(
            "INSERT INTO log.event SELECT 'deal-x', 1, 'deals.Unheard', state, 101, 1, occurred_at,"
            " recorded_at, actor, 'test', 'a-101', 0, NULL, NULL, false, ''"
            " FROM log.event WHERE notification_id = 100"
        )
    assert [(each.projection, each.position) for each in projector.catch_up()] == [("deals", 101)]
    assert projector.standings()["leads"].position == 101
    assert [(each.projection, each.position) for each in projector.rebuild()] == [("deals", 101)]


def test_racing_runners_count_every_event_once(
    database: Database, database_url: str, writer: LogWriter
) -> None:
    Projector(database, [*PROJECTIONS]).catch_up()
    writer.append(1500)

    def race() -> None:
        with Database(database_url, pool_max=4) as own:
            assert Projector(own, PROJECTIONS, batch=20).catch_up() == []

    children = [in_child(race) for _ in range(4)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    with database.connection() as connection:
        assert tables_of(connection) == folded(database, PROJECTIONS)
    assert {each.position for each in Projector(database, PROJECTIONS).standings().values()} == {1500}


def test_a_projection_added_later_joins_the_others(database: Database, writer: LogWriter) -> None:
    Projector(database, PROJECTIONS).catch_up()
    writer.append(500)
    projector = Projector(database, [*PROJECTIONS, Odds()])
    projector.catch_up(upto=300)
    assert projector.standings()["odds"].position == 500
    assert projector.standings()["deals"].position == 300
    projector.catch_up()
    assert {each.position for each in projector.standings().values()} == {500}


def test_following_keeps_up_even_when_nobody_is_notified(database: Database, writer: LogWriter) -> None:
    projector = Projector(database, PROJECTIONS)
    stop = threading.Event()
    worker = threading.Thread(target=projector.follow, args=(stop,))
    worker.start()
    try:
        for notify in (True, False):
            writer.write([("deal-1", opened()), ("deal-2", opened())], notify=notify)
            projector.wait_for(writer.position, timeout=10)
            writer._versions.clear()
            writer._versions.update({"deal-1": writer.position, "deal-2": writer.position})
    finally:
        stop.set()
        asked = time.monotonic()
        worker.join(10)
    assert not worker.is_alive()
    assert time.monotonic() - asked < 2


def test_waiting_for_what_nobody_projects_ends(database: Database, writer: LogWriter) -> None:
    projector = Projector(database, PROJECTIONS)
    projector.catch_up()
    writer.append(1)
    with pytest.raises(TimeoutError, match="not at position 1"):
        projector.wait_for(1, timeout=0.05)


def test_the_worker_tries_a_stopped_projection_again(
    database: Database, writer: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    projector = Projector(database, [Touchy()])
    stop = threading.Event()
    worker = threading.Thread(target=projector.follow, args=(stop, 0.05))
    worker.start()
    try:
        writer.write([("deal-1", opened("boom"))])
        with pytest.raises((NotBuilt, TimeoutError)):
            projector.wait_for(1, timeout=5)
        monkeypatch.setattr(Touchy, "title", "nothing")
        give_up_at = time.monotonic() + 10
        while projector.standings()["touchy"].position < 1:
            assert time.monotonic() < give_up_at
            time.sleep(0.05)
    finally:
        stop.set()
        worker.join(10)
