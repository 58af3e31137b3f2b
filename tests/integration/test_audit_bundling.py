"""Bundles from a real log: of every statement, the same bytes each time, and none that wouldn't hold."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from bundled_company import play
from payroll_company import FromOutside

from adapters.audit.bundle.bundle import StatementBundle
from adapters.audit.bundle.making import Noted
from adapters.audit.keys import Keys, read_keys
from adapters.audit.reading import read_proof
from adapters.postgres.audit.bundling import StatementLater, bundle_statement
from adapters.postgres.audit.checkpoints import Checkpoints, NotSealed
from adapters.postgres.audit.tree import LogIncomplete
from adapters.postgres.database import Database
from domain.kernel import Rejected
from domain.payroll.closing import UnknownStatement, read_statement_id

NOON = datetime(2026, 10, 2, 12, tzinfo=UTC)
KINDS = {"win", "payment", "override", "cap", "draw", "recovery", "adjustment"}


@dataclass
class Books:
    """A company's log, which was sealed as it was imported."""

    company: FromOutside
    database: Database
    superuser: psycopg.Connection[tuple[object, ...]]
    keys: Keys

    def bundle(self, statement: str, later: Noted | None = None) -> StatementBundle:
        return bundle_statement(self.database, *read_statement_id(statement), later)

    def statements(self) -> list[str]:
        asked = (
            "SELECT DISTINCT substr(originator_id, 11) FROM log.event WHERE originator_id LIKE 'statement-%'"
        )
        return sorted(str(row[0]) for row in self.superuser.execute(asked))

    def forge(self, statement: str) -> None:
        for table in ("log.event", "audit.checkpoint"):
            self.superuser.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
        self.superuser.execute(statement)


@pytest.fixture
def books(database_url: str, tmp_path: Path) -> Iterator[Books]:
    company = FromOutside(database_url, tmp_path)

    def close() -> None:
        company.close("2026-01")
        company.win("A2", "700.00", "2026-02-01")

    play(company, close)
    company.flush()
    keys = read_keys(Path(os.environ["DEALTRAIL_AUDIT_KEY"]))
    with Database(database_url) as database, psycopg.connect(database_url, autocommit=True) as superuser:
        yield Books(company, database, superuser, keys)


def test_every_statement_of_a_company_is_proven(books: Books) -> None:
    kinds, found = set(), books.statements()
    assert len(found) == 5 * 5 - 1  # Dan left in April.
    for statement in found:
        bundle = read_proof(books.bundle(statement).canonical())
        assert isinstance(bundle, StatementBundle)
        bundle.check(books.keys.verifiers)
        kinds |= {line["kind"] for line in bundle.statement["lines"]}
        period, rep = statement.split("/")
        shown = books.company.company.ask("payroll", "statement", "--rep", rep, "--period", period)
        assert {key: shown[key] for key in bundle.statement} == bundle.statement
    assert kinds == KINDS


def test_later_seals_change_no_bundle_unless_it_is_to_rest_on_them(books: Books) -> None:
    before = books.bundle("2026-02/ann")
    books.company.hire("eve")
    books.company.flush()
    last = Checkpoints(books.database).seal(books.keys, NOON)
    assert books.bundle("2026-02/ann").canonical() == before.canonical()
    assert before.check(books.keys.verifiers)[1].size < last.size
    on_last = books.bundle("2026-02/ann", Noted.of(last.note))
    assert on_last.check(books.keys.verifiers, last.opened(books.keys.verifiers))[1].size == last.size
    cutoff = Noted.of(before.cutoff_note)
    with pytest.raises(StatementLater):
        books.bundle("2026-02/ann", cutoff)


def test_what_cannot_be_bundled_is_said(books: Books) -> None:
    with pytest.raises(UnknownStatement, match="isn't closed"):
        books.bundle("2026-06/ann")
    with pytest.raises(UnknownStatement, match="had none"):
        books.bundle("2026-05/dan")
    last = max(one.size for one in Checkpoints(books.database).all())
    books.forge(f"DELETE FROM audit.checkpoint WHERE size = {last}")
    with pytest.raises(NotSealed, match="or later"):
        books.bundle("2026-05/ann")
    books.forge("DELETE FROM audit.checkpoint")
    with pytest.raises(NotSealed, match="none"):
        books.bundle("2026-05/ann")


@pytest.mark.parametrize(
    ("forgery", "code"),
    [
        ("UPDATE log.event SET actor = 'x' WHERE originator_id = 'deal-A1'", "invalid_proof"),
        ("UPDATE log.event SET leaf_hash = sha256('') WHERE notification_id = 3", "invalid_proof"),
        ("UPDATE log.event SET actor = 'x' WHERE originator_id = 'statement-2026-01/ann'", "invalid_proof"),
        ("DELETE FROM log.event WHERE originator_id = 'deal-A1'", "log_incomplete"),
        (
            "UPDATE log.event SET state = '{}' WHERE originator_id = 'statement-2026-01/ann'",
            "unreadable_event",
        ),
    ],
)
def test_a_forged_log_gives_no_bundle(books: Books, forgery: str, code: str) -> None:
    books.bundle("2026-01/ann")
    books.forge(forgery)
    with pytest.raises(Rejected) as refused:
        books.bundle("2026-01/ann")
    assert refused.value.code == code
    assert isinstance(refused.value, LogIncomplete) == (code == "log_incomplete")
