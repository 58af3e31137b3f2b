"""Of a company's whole log, every kind of event in it: no byte of any column can change unnoticed."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
from histories import History

from adapters.postgres.audit.leaves import computed, stored


def _changes(value: object) -> Iterator[object]:
    """Each byte of a text or of bytes, each bit of a number or of a time; a bit more, a bit less, nothing."""
    match value:
        case bool():
            yield not value
        case int():
            yield from (value ^ 1 << bit for bit in range(63))
        case datetime():
            yield from (value + timedelta(microseconds=1 << bit) for bit in range(50))
            yield value.replace(tzinfo=None)
        case str():
            yield from (
                value[:at] + chr(ord(letter) ^ 1) + value[at + 1 :] for at, letter in enumerate(value)
            )
            yield from (value + " ", value[:-1])
        case bytes():
            yield from (
                value[:at] + bytes([byte ^ 1 << at % 8]) + value[at + 1 :] for at, byte in enumerate(value)
            )
            yield from (value + b" ", value[:-1])
    yield "" if value is None else None


def test_no_byte_of_any_event_changes_unnoticed(database_url: str) -> None:
    history = History(database_url, 5)
    history.live(150)
    history.close()
    with psycopg.connect(database_url) as database:
        rows = stored(database, 1, 1_000)
    assert len({row[4] for row in rows}) > 20, "names of events"
    for row in rows:
        assert computed(row) == row[-1]
        for at, value in enumerate(row):
            for changed in _changes(value):
                forged = (*row[:at], changed, *row[at + 1 :])
                assert computed(forged) != forged[-1], (row[0], at, changed)
