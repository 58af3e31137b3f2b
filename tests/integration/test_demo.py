"""The demo's company against the real engine: taken in as told, once, also after an interruption."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

import pytest

from adapters.demo.generator import generate
from adapters.demo.recording import record
from adapters.settings import read_settings
from adapters.wiring import Engine, engine
from projections.payroll.exceptions import exceptions
from projections.payroll.payments import ghosts

END = datetime(2026, 11, 22, tzinfo=UTC)
LEADS = 250
USUAL = {
    *("lead_already_claimed", "keys_of_two_leads", "invalid_key", "not_entitled"),
    *("deal_closed", "unknown_stage", "next_steps_neglected"),
}
"""What a company with a system like this is refused now and then."""


@pytest.fixture
def wired(database_url: str) -> Iterator[Engine]:
    with engine(replace(read_settings({}), database_url=database_url)) as opened:
        yield opened


def test_the_engine_takes_the_company_in_and_refuses_only_what_is_usual(wired: Engine) -> None:
    actions = list(generate(7, 2 * LEADS, END))
    outcome = record(actions, wired.intake())
    assert set(outcome.refused) <= USUAL
    assert len(outcome.refused) >= 3
    assert 0.001 < outcome.refused.total() / len(actions) < 0.02
    assert outcome.accepted == len(actions) - outcome.refused.total()
    assert outcome.duplicates == 0
    assert 1.4 < outcome.events / len(actions) < 2.5


def test_the_companys_months_are_closed_and_what_waits_is_listed(wired: Engine) -> None:
    record(generate(7, 2 * LEADS, END), wired.intake())
    position, records = wired.books.records()
    assert str(records.first_open) == "2026-11"
    statements = [one for issued in records.statements.values() for one in issued]
    paid = [line for one in statements for line in one.lines]
    assert {"win", "payment", "override", "adjustment"} <= {line.kind for line in paid}
    assert {one.kind for one in exceptions(records).items} == {"no_rate"}
    wired.projector.catch_up()
    with wired.view() as view:
        assert [one.deal for one in ghosts(view).items] == [None]
        assert view.position == position


def test_an_interrupted_demo_is_completed_and_a_complete_one_stays_as_it_is(wired: Engine) -> None:
    half = record(islice(generate(7, LEADS, END), 1_700), wired.intake())
    rest = record(generate(7, LEADS, END), wired.intake())
    assert rest.duplicates == half.accepted
    head = wired.store.head()
    again = record(generate(7, LEADS, END), wired.intake())
    assert again.events == again.accepted == 0
    assert again.duplicates == half.accepted + rest.accepted
    assert wired.store.head() == head
