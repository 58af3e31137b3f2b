"""Erasing while the database fails: the keys go with the event that says so, or stay with all else."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from payday import Payday
from test_store_faults import KILL_AT_COMMIT

from adapters.postgres.appending import Appender
from domain.shared.personal import PersonalDataErased
from projections.timeline import lead_story

NAME, NOTE = "Zoé Quine", "she rang"
REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON log.event DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse();
"""


@pytest.fixture
def company(database_url: str) -> Iterator[Payday]:
    company = Payday(database_url).founded("ann")
    company.do("lead.register", "L-1", {"keys": {"external": "1"}, "name": NAME, "owner": "ann"})
    yield company
    company.close_database()


def run(company: Payday, statements: str) -> None:
    with psycopg.connect(company.database.url, autocommit=True) as superuser:
        superuser.execute(statements.encode())


def said(company: Payday) -> str:
    with company.view() as view:
        return repr(lead_story(view, company.store.load, lead="L-1"))


def erasures(company: Payday) -> int:
    return sum(isinstance(fact.event, PersonalDataErased) for fact in company.facts())


def talk_and_erase(company: Payday) -> list[dict[str, object]]:
    """In one batch: what is said after the erasure is not erased with it."""
    call = {"kind": "call", "direction": "in", "outcome": "reached", "note": NOTE}
    return [company.action("lead.erase", "L-1"), company.action("contact.record", "L-1", call)]


def test_where_the_event_cannot_be_written_the_keys_stay(company: Payday) -> None:
    run(company, REFUSE)
    with pytest.raises(psycopg.Error):
        company.do("lead.erase", "L-1")
    run(company, "DROP TRIGGER refuse ON log.event")
    assert (erasures(company), NAME in said(company)) == (0, True)
    company.intake = company.desk()
    company.do("lead.erase", "L-1")
    assert (erasures(company), NAME in said(company)) == (1, False)


def test_a_backend_killed_at_commit_erases_once(company: Payday) -> None:
    run(company, KILL_AT_COMMIT)
    company.accept(*talk_and_erase(company))
    assert erasures(company) == 1
    assert (NAME in said(company), NOTE in said(company)) == (False, True)


def test_an_answer_lost_after_the_commit_erases_once(
    company: Payday, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = []
    finish = Appender._finish

    def lose_the_answer(*given: Any) -> None:
        finish(*given)
        if not lost:
            lost.append(True)
            raise psycopg.OperationalError("the answer is lost")

    monkeypatch.setattr(Appender, "_finish", lose_the_answer)
    actions = talk_and_erase(company)
    company.accept(*actions)
    assert [answer.duplicate for answer in company.accept(*actions)] == [True, True]
    assert lost
    assert erasures(company) == 1
    assert (NAME in said(company), NOTE in said(company)) == (False, True)
