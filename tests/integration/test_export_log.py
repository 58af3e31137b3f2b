"""The log as NDJSON and Parquet, and its own lines read back into an empty log."""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from payday import Payday
from projecting_log import NASTY

from adapters.export.files import CHECKPOINTS, FILES, export
from adapters.export.restore import BEGINNING, BrokenExport, LogNotEmpty, restore
from adapters.postgres.database import Database

LINES = "SELECT convert_from(log.leaf(event), 'UTF8') FROM log.event ORDER BY notification_id"
EVERYTHING = "SELECT * FROM log.event ORDER BY notification_id"
COLUMNS = (
    "position, recorded_at, stream, version, name, event_version, action_seq, occurred_at, actor, source,"
    " action, correlation_id, causation_id, migrated, convert_from(state, 'UTF8'), leaf_hash"
)


@pytest.fixture
def company(database_url: str) -> Iterator[Payday]:
    """Names, ids and notes with all that is hard to escape, and a closed month."""
    payday = Payday(database_url, now="2026-01-10T09:00:00Z").founded("ann", "bob")
    payday.win("D-1", "1000").win("D-2", "80", "bob")
    for number, text in enumerate(NASTY):
        lead = {"keys": {"external": f"N{number}"}, "name": text or None, "owner": "ann"}
        payday.do("lead.register", f"L/{number}%{text}", lead, id=f"{text}-{number}", source=f"s {text}")
    payday.do("payment.record", None, {"payment": "P-1", "amount": "70", "currency": "USD"})
    payday.on("2026-02-03T09:00:00Z").close("2026-01")
    yield payday
    payday.close_database()


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        return connection.execute(query.encode()).fetchall()


def exported(url: str, folder: Path, *formats: str, until: int | None = None) -> Path:
    with Database(url) as database:
        last = ask(url, "SELECT coalesce(max(notification_id), 0) FROM log.event")[0][0]
        export(database, folder, formats, last if until is None else until)
    return folder


def read_back(url: str, lines: list[bytes]) -> Any:
    with Database(url) as database:
        return restore(database, lines)


def lines_of(company: Payday, folder: Path) -> list[bytes]:
    exported(company.database.url, folder, "ndjson")
    return (folder / "log.ndjson").read_bytes().splitlines(keepends=True)


def test_each_line_is_what_the_database_hashes(company: Payday, tmp_path: Path) -> None:
    lines = [line.removesuffix(b"\n") for line in lines_of(company, tmp_path)]
    assert [line.decode() for line in lines] == [line for (line,) in ask(company.database.url, LINES)]
    hashes = [hashlib.sha256(b"\0" + line).digest() for line in lines]
    found = ask(company.database.url, "SELECT leaf_hash FROM log.event ORDER BY notification_id")
    assert hashes == [leaf_hash for (leaf_hash,) in found]


def test_parquet_has_the_logs_columns(company: Payday, tmp_path: Path) -> None:
    table = pq.read_table(exported(company.database.url, tmp_path, "parquet") / "log.parquet")
    query = f"SELECT {COLUMNS} FROM log.events JOIN log.event ON notification_id = position ORDER BY 1"
    query = query.replace("position, recorded_at", "position, event.recorded_at")
    for shared in ("event_version", "action_seq", "occurred_at", "actor", "correlation_id", "causation_id"):
        query = query.replace(f" {shared},", f" event.{shared},")
    query = query.replace(" migrated,", " event.migrated,")
    rows = ask(company.database.url, query)
    assert [tuple(row.values()) for row in table.to_pylist()] == rows
    assert str(table.schema.field("recorded_at").type) == "timestamp[us, tz=UTC]"


@pytest.mark.parametrize("until", [0, 1, 7])
def test_an_earlier_end_gives_the_beginning_of_every_file(
    company: Payday, tmp_path: Path, until: int
) -> None:
    folder = exported(company.database.url, tmp_path / "short", *FILES, until=until)
    assert (folder / "log.ndjson").read_bytes() == b"".join(lines_of(company, tmp_path)[:until])
    assert pq.read_table(folder / "log.parquet").num_rows == until


def test_every_file_has_the_same_bytes_again(company: Payday, tmp_path: Path) -> None:
    once = exported(company.database.url, tmp_path / "once", *FILES)
    again = exported(company.database.url, tmp_path / "again", *FILES)
    for name in FILES.values():
        assert (once / name).read_bytes() == (again / name).read_bytes(), name
    assert sorted(path.name for path in once.iterdir()) == sorted([*FILES.values(), CHECKPOINTS])


def test_the_log_comes_back_to_the_byte(company: Payday, other_database_url: str, tmp_path: Path) -> None:
    lines = lines_of(company, tmp_path)
    restored = read_back(other_database_url, lines)
    assert restored.events == len(lines)
    assert ask(other_database_url, EVERYTHING) == ask(company.database.url, EVERYTHING)
    again = exported(other_database_url, tmp_path / "again", *FILES)
    first = exported(company.database.url, tmp_path / "first", *FILES)
    for name in FILES.values():
        assert (again / name).read_bytes() == (first / name).read_bytes(), name


def test_life_goes_on_in_the_restored_log(company: Payday, other_database_url: str, tmp_path: Path) -> None:
    """Keys are found (the test gives both the same secret), actions are known, the next ones are recorded."""
    said = company.action("lead.register", "L-9", {"keys": {"phone": "+4930901820"}, "owner": "ann"})
    company.accept(said)
    lines = lines_of(company, tmp_path)
    read_back(other_database_url, lines)
    restored = Payday(other_database_url, now="2026-02-04T09:00:00Z", name="later")
    try:
        (again,) = restored.submit(said)
        assert again.duplicate
        taken = restored.refuse("lead.register", "L-10", {**said["data"], "owner": "bob"})
        assert taken["code"] == "lead_already_claimed"
        assert restored.win("D-9", "5").closed().keys() == {"2026-01"}
    finally:
        restored.close_database()


def test_an_empty_log_goes_out_and_comes_back(
    database_url: str, other_database_url: str, tmp_path: Path
) -> None:
    folder = exported(database_url, tmp_path, *FILES)
    assert (folder / "log.ndjson").read_bytes() == b""
    assert pq.read_table(folder / "log.parquet").num_rows == 0
    assert read_back(other_database_url, []).events == 0


def test_what_is_there_is_left_alone(company: Payday, tmp_path: Path) -> None:
    lines = lines_of(company, tmp_path)
    before = ask(company.database.url, EVERYTHING)
    with pytest.raises(LogNotEmpty) as refused:
        read_back(company.database.url, lines)
    assert refused.value.details == {"events": len(lines)}
    assert ask(company.database.url, EVERYTHING) == before


def _without(lines: list[bytes], place: int) -> list[bytes]:
    return lines[:place] + lines[place + 1 :]


def _sealed_otherwise(lines: list[bytes], text: bytes) -> list[bytes]:
    """The second line tells a name."""
    return [lines[0], re.sub(rb'(?<="sealed":")[^"]*', text, lines[1]), *lines[2:]]


Spoil = Callable[[list[bytes]], list[bytes]]
SPOILT: dict[str, tuple[Spoil, int, str]] = {
    "begins later": (lambda lines: lines[1:], 1, "position is 2"),
    "one is missing": (lambda lines: _without(lines, 4), 5, "position is 6"),
    "one comes twice": (lambda lines: [*lines[:3], *lines[2:]], 4, "position is 3"),
    "two are swapped": (lambda lines: [lines[1], lines[0], *lines[2:]], 1, "position is 2"),
    "half a line": (lambda lines: [*lines[:-1], lines[-1][:-20]], -1, "not those of an event"),
    "an empty line": (lambda lines: [lines[0], b"\n", *lines[1:]], 2, "not those of an event"),
    "a space": (lambda lines: [lines[0].replace(b":1,", b": 1,"), *lines[1:]], 1, "not those of an event"),
    "other line ends": (lambda lines: [line[:-1] + b"\r\n" for line in lines], 1, "not those of an event"),
    "another version": (
        lambda lines: [lines[0].replace(b'"version":1', b'"version":2'), *lines[1:]],
        1,
        "1 would",
    ),
    "an earlier time": (lambda lines: [*lines[:-1], lines[-1].replace(b"2026-02", b"2026-01")], -1, "before"),
    "an unknown event": (
        lambda lines: [lines[0].replace(b"pipelines.P", b"pipelines.Q"), *lines[1:]],
        1,
        "no event",
    ),
    "a newer event": (
        lambda lines: [lines[0].replace(b'"event_version":1', b'"event_version":9'), *lines[1:]],
        1,
        "newer",
    ),
    "data of no such event": (
        lambda lines: [lines[0].replace(b'"stages"', b'"stagen"'), *lines[1:]],
        1,
        "stagen",
    ),
    "an action in pieces": (
        lambda lines: [lines[0].replace(b'"action_seq":0', b'"action_seq":1'), *lines[1:]],
        1,
        "out of its order",
    ),
    "text with NUL": (lambda lines: [lines[0].replace(b"admin:eve", b"admin:\\u0000"), *lines[1:]], 1, ""),
    "data with NUL": (lambda lines: [lines[0].replace(b'"Call"', b'"C\\u0000"'), *lines[1:]], 1, "NUL"),
    "a seal that is none": (lambda lines: _sealed_otherwise(lines, b"abcde"), 2, "base64"),
    "a seal of other signs": (lambda lines: _sealed_otherwise(lines, "ü".encode()), 2, "ASCII"),
    "a seal without a key": (lambda lines: _sealed_otherwise(lines, b"abcd"), 2, "name its key"),
    "a byte order mark": (lambda lines: [b"\xef\xbb\xbf" + lines[0], *lines[1:]], 1, "not those of an event"),
    "an action twice": (
        lambda lines: [lines[0], lines[1].replace(b'"p-2"', b'"p-1"'), *lines[2:]],
        2,
        "unique",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_not_the_whole_log_is_refused_and_nothing_is_written(
    name: str, company: Payday, other_database_url: str, tmp_path: Path
) -> None:
    spoil, line, problem = SPOILT[name]
    lines = lines_of(company, tmp_path)
    spoilt = spoil(lines)
    assert spoilt != lines
    with pytest.raises(BrokenExport) as refused:
        read_back(other_database_url, spoilt)
    assert refused.value.details["line"] == (line if line > 0 else len(spoilt))
    assert problem in refused.value.details["problem"]
    assert ask(other_database_url, EVERYTHING) == []
    assert read_back(other_database_url, lines).events == len(lines)


def test_no_action_begins_as_an_export_does(company: Payday, tmp_path: Path) -> None:
    lines = lines_of(company, tmp_path)
    assert all(BEGINNING.match(line) for line in (*lines, b"\xef\xbb\xbf" + lines[0]))
    assert BEGINNING.match(b'{"position":1,"specversion":"1.0"}') is None
