"""What the worker sees to: lapsed claims are written down, departures that were cut short are finished."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.postgres.database import Database
from adapters.settings import read_settings
from adapters.wiring import Engine
from domain.leads.events import ClaimLapsed, LeadAssigned
from domain.team.events import RepLeft
from services.intake import Intake, Submission
from services.ports import Unit

LONG_AGO = datetime.now(UTC) - timedelta(days=200)


@pytest.fixture
def parts(database_url: str) -> Iterator[Engine]:
    with Database(database_url) as database:
        yield Engine(read_settings({}), database)


def submit(
    intake: Intake, type: str, subject: str, actor: str, *, then: datetime | None = None, **data: Any
) -> None:
    action = {
        "specversion": "1.0",
        "id": f"{type}/{subject}",
        "source": "test",
        "type": type,
        "subject": subject,
        "time": (then or datetime.now(UTC)).isoformat(),
        "actor": actor,
        "data": data,
    } | ({"recordedtime": then.isoformat()} if then else {})
    (answer,) = intake.submit([Submission(action)], migration=then is not None)
    assert answer.error is None


def events(parts: Engine, kind: type) -> list[Any]:
    return [fact for page in parts.store.read(0) for fact in page if isinstance(fact.event, kind)]


def test_lapses_are_written_once_the_log_is_live_and_only_once(parts: Engine) -> None:
    intake = parts.intake()
    submit(intake, "rep.hire", "ann", "admin:x", then=LONG_AGO, name="Ann")
    submit(intake, "lead.register", "L", "ann", then=LONG_AGO, keys={"external": "1"})
    assert intake.keep_up() == 0, "the engine's own events would end the migration"
    submit(intake, "lead.register", "M", "ann", keys={"external": "2"})
    assert [intake.keep_up(), intake.keep_up()] == [1, 0]
    (lapsed,) = events(parts, ClaimLapsed)
    assert (lapsed.entity, lapsed.event.rep) == ("L", "ann")
    assert lapsed.event.lapsed_at == LONG_AGO + timedelta(days=90)


def test_a_departure_that_was_cut_short_is_finished(parts: Engine) -> None:
    intake = parts.intake()
    for rep in ("ann", "bob"):
        submit(intake, "rep.hire", rep, "admin:x", name=rep)
    submit(intake, "lead.register", "L", "ann", keys={"external": "1"})
    now = datetime.now(UTC)
    parts.store.append(
        [Unit((("rep-ann", RepLeft(successor="bob")),), {"rep-ann": 1}, now, now, "admin:x", "test", "leave")]
    )
    assert parts.intake().keep_up() == 1
    (handed,) = events(parts, LeadAssigned)
    assert (handed.entity, handed.event.rep, handed.event.reason) == ("L", "bob", "departure")
