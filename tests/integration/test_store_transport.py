"""Large appends over every way to a server: the stock recorder hangs on a Unix socket at 4,000 events."""

import time
from datetime import UTC, datetime

import pytest

from adapters.postgres.database import Database
from adapters.postgres.embedded import Embedded
from adapters.postgres.migrate import migrate
from adapters.postgres.store import PostgresStore
from domain.leads.events import KeyBound
from services.ports import Appended, Unit

NOW = datetime(2026, 10, 2, tzinfo=UTC)
EVENTS = 10_000


@pytest.fixture(scope="module")
def listening(tcp_server: Embedded) -> Embedded:
    with Database(tcp_server.url()) as database:
        migrate(database)
    return tcp_server


@pytest.mark.parametrize("way", ["socket", "tcp"])
def test_ten_thousand_events_in_one_append(listening: Embedded, port: int, way: str) -> None:
    url = listening.url() if way == "socket" else f"postgresql://postgres@127.0.0.1:{port}/postgres"
    events = [(f"key-{way}-{n}", KeyBound(lead="L" * 300)) for n in range(EVENTS)]
    unit = Unit(events, {stream: 0 for stream, _ in events}, NOW, NOW, "rep-1", "crm", way)
    with Database(url) as database:
        store = PostgresStore(database)
        began = time.monotonic()
        outcome = store.append([unit])[0]
        assert isinstance(outcome, Appended)
        assert time.monotonic() - began < 20
        assert store.recorded([("crm", way)])[("crm", way)] == outcome.facts
        assert store.append([unit, Unit([], {"key-tcp-x": 0}, NOW, NOW, "rep-1", "crm", "v")])[1] == Appended(
            []
        )
        store.close()
