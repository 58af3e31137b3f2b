"""Events stored by older versions are read as today's."""

import pytest
from pydantic import ConfigDict

from adapters.postgres.codec import Codec, RawRow
from adapters.postgres.database import Database
from adapters.postgres.store import PostgresStore
from adapters.postgres.upcasting import Data, Upcasting
from domain.kernel import Event


@pytest.fixture
def upcasting(monkeypatch: pytest.MonkeyPatch) -> Upcasting:
    """An artificial event in its third version: `phone` became `phones`, then gained a `kind`."""
    monkeypatch.setattr(Event, "catalogue", dict(Event.catalogue))

    class PhoneNoted(Event, stored_name="test.PhoneNoted", version=3):
        model_config = ConfigDict(frozen=True, extra="forbid")
        phones: tuple[str, ...]
        kind: str

    steps = Upcasting()

    @steps.register("test.PhoneNoted", 1)
    def _(old: Data) -> Data:
        return {"phones": [old["phone"]]}

    @steps.register("test.PhoneNoted", 2)
    def _(old: Data) -> Data:
        return {**old, "kind": "mobile"}

    return steps


INSERT = """
INSERT INTO log.event SELECT 'test-1', n, 'test.PhoneNoted', convert_to(state, 'UTF8'), n, version,
    now(), now(), 'rep', 'crm', n::text, 0, NULL, NULL, false, ''
FROM (VALUES (1, 1, '{"phone": "+1"}'), (2, 2, '{"phones": ["+2"]}'),
    (3, 3, '{"phones": ["+3"], "kind": "home"}')) AS old (n, version, state)
"""


def test_old_versions_are_read_as_the_current_one(database_url: str, upcasting: Upcasting) -> None:
    with Database(database_url) as database:
        with database.connection() as connection:
            connection.execute(INSERT)
        facts = PostgresStore(database, Codec(upcasting)).load(["test-1"])["test-1"]
    assert [fact.event.model_dump() for fact in facts] == [
        {"phones": ("+1",), "kind": "mobile"},
        {"phones": ("+2",), "kind": "mobile"},
        {"phones": ("+3",), "kind": "home"},
    ]


def test_what_cannot_be_read_is_named(database_url: str, upcasting: Upcasting) -> None:
    with Database(database_url) as database:
        with database.connection() as connection:
            connection.execute(INSERT)
        store = PostgresStore(database, Codec(Upcasting()))
        rows: list[RawRow] = [row for _, page in store.read_raw(0) for row in page]
    with pytest.raises(LookupError, match=r"test\.PhoneNoted from version 1 to 2"):
        store.decode(rows[0])
    newer = (*rows[0][:4], 4, *rows[0][5:])
    with pytest.raises(LookupError, match="version 4 is newer"):
        store.decode(newer)
    unknown = (*rows[0][:3], "test.Unheard", *rows[0][4:])
    with pytest.raises(LookupError, match=r"stored as test\.Unheard"):
        store.decode(unknown)


def test_a_version_is_upcast_in_one_way_only(upcasting: Upcasting) -> None:
    with pytest.raises(ValueError, match="upcast already"):
        upcasting.register("test.PhoneNoted", 1)(dict)
