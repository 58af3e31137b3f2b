"""People forgotten: what said who they are can be read by nobody, and all else stays as it was."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep
from typing import Any

import psycopg
import pytest
from payday import Payday

from adapters.postgres.audit.verifying import verify
from adapters.postgres.vault import TextOpener, TextSealer, key_ids
from domain.activities.events import ContactRecorded
from domain.shared.personal import ERASED, SEALED, PersonalDataErased
from projections.owner import owner
from projections.subject import held_on_lead, held_on_rep
from projections.timeline import deal_story, lead_story
from services.intake import Submission

PHONE, EMAIL, NAME = "+491701234567", "zoe.quine@example.com", "Zoé Quine"
NOTE, TITLE, LOST = "Zoé prefers the morning", "Roof for Zoé", "Zoé moved away"
PERSONAL = (PHONE, EMAIL, NAME, NOTE, TITLE, LOST)
ZOE = {"keys": {"phone": PHONE, "email": EMAIL}, "name": NAME, "channel": "site", "owner": "ann"}


@pytest.fixture
def company(database_url: str) -> Iterator[Payday]:
    """Zoé, who is L-1, bought once and once did not."""
    company = Payday(database_url, now="2026-09-10T09:00:00Z").founded("ann", "bob")
    company.do("lead.register", "L-1", ZOE)
    call = {"kind": "call", "direction": "out", "outcome": "reached"}
    company.do("contact.record", "L-1", {**call, "note": NOTE}, actor="ann")
    opening = {"lead": "L-1", "pipeline": "sales", "title": TITLE, "amount": "100", "currency": "USD"}
    company.do("deal.open", "D-1", opening, actor="ann")
    company.do("deal.win", "D-1", actor="ann")
    stages = [{"name": "Call", "probability": "50", "days": 7}]
    company.do("pipeline.define", "sales", {"stages": stages, "loss_reasons": ["other"]})
    company.do("deal.open", "D-2", opening, actor="ann")
    company.do("deal.lose", "D-2", {"reason": "other", "note": LOST}, actor="ann")
    yield company
    company.close_database()


def everything(company: Payday) -> str:
    """Whatever is in any table, as text, bytes decoded."""
    found = []
    with company.database.connection() as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables"
            " WHERE table_schema IN ('log', 'read', 'audit', 'vault') AND table_type = 'BASE TABLE'"
        ).fetchall()
        for (table,) in tables:
            for row in connection.execute(f"SELECT * FROM {table}".encode()):
                texts = [one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in row]
                found += map(str, texts)
    return "\n".join(found)


def told(text: str) -> list[str]:
    return [one for one in PERSONAL if one in text]


def stories(company: Payday) -> str:
    company.projector.catch_up()
    with company.view() as view:
        found = [lead_story(view, company.store.load, lead="L-1")]
        return repr(found + [deal_story(view, company.store.load, deal=deal) for deal in ("D-1", "D-2")])  # type: ignore[list-item]


def test_in_the_log_is_only_what_the_vault_opens(company: Payday) -> None:
    with company.database.connection() as connection:
        states = [state for (state,) in connection.execute("SELECT state FROM log.event")]
    assert told("\n".join(state.decode() for state in states)) == []
    assert set(told(stories(company))) == set(PERSONAL)


def test_what_an_auditor_sees_is_that_something_is_there(company: Payday) -> None:
    with company.database.connection() as connection:
        ((data,),) = connection.execute(
            "SELECT data FROM log.events WHERE name = 'leads.LeadRegistered'"
        ).fetchall()
    assert data["channel"] == "site"
    assert list(data["name"]) == list(data["keys"]["phone"]) == ["sealed"]


def test_an_erased_person_is_nowhere_and_reads_say_so(company: Payday) -> None:
    company.projector.catch_up()
    assert told(everything(company)) == [NAME, TITLE]
    company.do("lead.erase", "L-1", {"reason": "request 4711"})
    company.projector.catch_up()
    assert told(everything(company)) == []
    found = stories(company)
    assert told(found) == []
    with company.view() as view:
        story = lead_story(view, company.store.load, lead="L-1")
        deal = deal_story(view, company.store.load, deal="D-1")
    registered = next(one.data for one in story.timeline if one.event == "leads.LeadRegistered")
    assert registered["keys"] == {"phone": ERASED, "email": ERASED}
    assert (story.name, registered["name"], deal.title) == (ERASED, ERASED, ERASED)
    notes = [one.data["note"] for one in story.timeline if "note" in one.data]
    assert notes == [ERASED, ERASED]


def test_the_planner_has_no_samples_of_who_somebody_is(company: Payday) -> None:
    company.do("lead.register", "L-2", {"keys": {"external": "2"}, "name": "Max", "owner": "ann"})
    assert company.projector.rebuild() == []
    with company.database.connection() as connection:
        for table in ("lead", "deal", "rep"):
            connection.execute(f"ANALYZE read.{table}".encode())
        samples = "SELECT attname, most_common_vals::text, histogram_bounds::text FROM pg_stats"
        found = connection.execute(f"{samples} WHERE schemaname = 'read'".encode()).fetchall()
    assert {"lead", "owner", "stage"} < {column for column, *_ in found}
    texts = repr(found)
    assert [one for one in (NAME, TITLE, "Max", "Ann", "Bob") if one in texts] == []


def test_rebuilt_and_past_tables_say_what_live_ones_do(company: Payday) -> None:
    company.projector.catch_up()
    before = company.store.head()
    company.do("lead.erase", "L-1")
    company.do("rep.leave", "bob")
    company.do("rep.erase", "bob")
    company.projector.catch_up()
    live = everything(company).count(ERASED)
    assert live > 0
    assert company.projector.rebuild() == []
    assert everything(company).count(ERASED) == live
    with company.view(before) as view:
        ((name,),) = view.ask("SELECT name FROM lead WHERE lead = 'L-1'")
    assert name == ERASED


def test_nothing_else_changes(company: Payday) -> None:
    company.on("2026-10-02T09:00:00Z").close("2026-09")
    with company.view() as view:
        before = owner(view, lead="L-1")
    paid = company.statements()
    size = company.store.head()
    company.do("lead.erase", "L-1")
    with company.view() as view:
        after = owner(view, lead="L-1")
    assert (after.owner, after.since, after.status) == (before.owner, before.since, before.status)
    assert company.statements() == paid
    assert verify(company.database, ()).count == 0
    assert [fact.position for fact in company.facts()] == list(range(1, company.store.head() + 1))
    assert company.store.head() == size + 3  # The lead and each of its deals.


def test_who_was_erased_comes_back_as_new(company: Payday) -> None:
    company.do("lead.erase", "L-1")
    again = company.do("lead.register", "L-7", {**ZOE, "owner": "bob"})
    assert again.lead == "L-7"
    with company.view() as view:
        assert owner(view, lead="L-7").owner == "bob"
        assert lead_story(view, company.store.load, lead="L-7").name == NAME
    refused = company.refuse("lead.register", "L-8", {**ZOE, "owner": "ann"})
    assert refused["code"] == "lead_already_claimed"
    assert company.refuse("lead.register", "L-1", ZOE)["code"] == "lead_closed"
    assert company.refuse("deal.open", "D-3", {"lead": "L-1", "pipeline": "sales"})["code"] == "lead_closed"


def test_a_sealed_key_is_still_known(company: Payday) -> None:
    assert company.refuse("lead.register", "L-2", {**ZOE, "owner": "bob"})["details"]["owner"] == "ann"
    fresh = company.desk()
    company.intake = fresh
    assert company.refuse("lead.register", "L-3", {**ZOE, "owner": "bob"})["details"]["owner"] == "ann"


def test_an_open_lead_ends_when_nobody_knows_who_it_is(company: Payday) -> None:
    company.do("lead.register", "L-5", {"keys": {"phone": "+491701234568"}, "name": "Max", "owner": "ann"})
    company.do("lead.erase", "L-5")
    with company.view() as view:
        found = owner(view, lead="L-5")
    assert (found.status, found.owner) == ("disqualified", None)


def test_it_ends_when_its_last_deal_is_lost_or_it_is_parted_from_one_that_sold(company: Payday) -> None:
    company.do("lead.register", "L-5", {"keys": {"phone": "+491701234568"}, "name": "Max", "owner": "ann"})
    company.do("deal.open", "D-5", {"lead": "L-5", "pipeline": "sales"})
    company.do("lead.register", "L-6", {"keys": {"phone": "+491701234569"}, "name": "Max", "owner": "ann"})
    company.do("lead.merge", "L-6", {"into": "L-5"})
    company.do("lead.erase", "L-5")
    company.do("lead.unmerge", "L-6")
    with company.view() as view:
        assert [owner(view, lead=lead).status for lead in ("L-5", "L-6")] == ["open", "disqualified"]
    company.do("deal.lose", "D-5", {"reason": "other"})
    with company.view() as view:
        assert owner(view, lead="L-5").status == "disqualified"


def test_deals_under_way_can_be_finished_and_are_paid(company: Payday) -> None:
    company.do("deal.open", "D-3", {"lead": "L-1", "pipeline": "sales", "amount": "50", "currency": "USD"})
    company.do("lead.erase", "L-1")
    company.do("deal.win", "D-3", actor="ann")
    company.on("2026-10-02T09:00:00Z").close("2026-09")
    lines = company.lines("2026-09/ann")
    assert sorted(deal or "" for _, deal, _, _ in lines) == ["D-1", "D-3"]


def test_all_leads_that_are_one_person_are_erased(company: Payday) -> None:
    twin = {"keys": {"phone": "+491701234569"}, "name": "Z. Quine"}
    company.do("lead.register", "L-2", {**twin, "owner": "ann"})
    company.do("deal.open", "D-9", {"lead": "L-2", "pipeline": "sales", "title": "Fence for Z. Quine"})
    company.do("lead.merge", "L-2", {"into": "L-1"})
    company.do("lead.erase", "L-2")
    company.projector.catch_up()
    assert told(everything(company)) == []
    assert "Quine" not in everything(company)
    assert company.do("lead.register", "L-20", {**twin, "owner": "bob"}).lead == "L-20"


def test_what_is_said_later_can_be_erased_too(company: Payday) -> None:
    company.do("lead.erase", "L-1")
    call = {"kind": "call", "direction": "in", "outcome": "reached", "note": NOTE}
    company.do("contact.record", "L-1", call, actor="ann")
    assert told(stories(company)) == [NOTE]
    company.do("lead.erase", "L-1")
    assert told(stories(company)) == []


def test_only_an_admin_erases(company: Payday) -> None:
    for actor in ("ann", "head", "service:crm", "payroll:pam"):
        assert company.refuse("lead.erase", "L-1", actor=actor)["code"] == "not_entitled"
        assert company.refuse("rep.erase", "ann", actor=actor)["code"] == "not_entitled"
    assert company.refuse("lead.erase", "L-404")["code"] == "unknown_lead"
    assert set(told(stories(company))) == set(PERSONAL)


def test_a_rep_is_erased_once_they_left(company: Payday) -> None:
    assert company.refuse("rep.erase", "ann")["code"] == "rep_employed"
    assert company.refuse("rep.erase", "zed")["code"] == "unknown_rep"
    company.do("rep.leave", "ann")
    company.do("rep.erase", "ann")
    company.projector.catch_up()
    assert "Ann" not in everything(company)
    company.do("rep.hire", "ann", {"name": "Ann", "manager": "head"})
    with company.view() as view:
        assert view.ask("SELECT name FROM rep WHERE rep = 'ann'") == [("Ann",)]


def test_hiring_the_same_rep_again_changes_nothing_although_names_are_sealed(company: Payday) -> None:
    company.intake = company.desk()
    answer = company.do("rep.hire", "ann", {"name": "Ann", "manager": "head"})
    (fact,) = company.store.at(answer.positions)
    assert fact.event.stored_name == "shared.NothingChanged"


def test_the_same_erasure_sent_twice_has_one_effect(company: Payday) -> None:
    action = company.action("lead.erase", "L-1")
    (first,) = company.accept(action)
    (second,) = company.accept(action)
    assert (second.duplicate, second.positions) == (True, first.positions)


def test_in_one_batch_what_is_said_before_is_erased_and_what_comes_after_is_not(company: Payday) -> None:
    call = {"kind": "call", "direction": "in", "outcome": "reached"}
    company.accept(
        company.action("contact.record", "L-1", {**call, "note": "before"}),
        company.action("lead.erase", "L-1"),
        company.action("contact.record", "L-1", {**call, "note": "after"}),
    )
    notes = [one for one in ("before", "after") if f"'{one}'" in stories(company)]
    assert notes == ["after"]


def test_all_that_is_held_on_a_person(company: Payday) -> None:
    company.do("payment.record", "D-1", {"payment": "P-1", "amount": "100", "currency": "USD"})
    company.on("2026-10-02T09:00:00Z").close("2026-09")
    with company.view() as view:
        held = held_on_lead(view, company.store.load, lead="L-1")
    assert set(told(repr(held))) == set(PERSONAL)
    assert {one.stream for one in held.events} == {
        "lead-L-1",
        "activity-L-1",
        "deal-D-1",
        "deal-D-2",
        "payment-P-1",
    }
    rep = held_on_rep(company.facts(), rep="ann")
    about = {one.event for one in rep.events}
    assert {"team.RepHired", "payroll.PlanAssigned", "payroll.StatementIssued", "leads.LeadClaimed"} <= about
    assert not [one for one in rep.events if one.stream in ("rep-bob", "statement-2026-09/bob")]


def test_what_is_held_on_a_rep_has_their_shares_and_nobody_elses_pay(company: Payday) -> None:
    company.do("rep.hire", "x/bob", {"name": "Another Bob"})
    shares = [{"rep": "ann", "percent": "50"}, {"rep": "bob", "percent": "50"}]
    split = company.do("deal.split", "D-1", {"shares": shares})
    company.on("2026-10-02T09:00:00Z").close("2026-09")
    held = held_on_rep(company.facts(), rep="bob").events
    assert next(iter(split.positions)) in [one.position for one in held]
    assert [one.stream for one in held if one.stream.startswith("statement-")] == ["statement-2026-09/bob"]


def test_a_changed_seal_is_not_taken_for_an_erased_one(company: Payday) -> None:
    sealer = TextSealer()
    sealed = sealer.about("lead-L-1")("Zoé")
    opener = TextOpener({key.id: key.secret for key in sealer.keys})
    assert opener(sealed) == "Zoé"
    whole = bytearray(base64.urlsafe_b64decode(sealed))
    for place in range(15, len(whole)):
        changed = bytes(whole[:place]) + bytes([whole[place] ^ 1]) + bytes(whole[place + 1 :])
        with pytest.raises(ValueError, match="not what was sealed"):
            opener(base64.urlsafe_b64encode(changed).decode())


def test_every_text_has_a_seal_of_its_own() -> None:
    sealer = TextSealer()
    texts = [sealer.about(subject)("the same") for subject in ("lead-L-1", "lead-L-2") for _ in range(3)]
    assert len(set(texts)) == 6
    assert len(sealer.keys) == 2
    stored = json.dumps({"keys": {"phone": {"sealed": texts[0]}}, "name": {"sealed": texts[3]}})
    assert set(key_ids([stored.replace(": ", ":").encode()])) == {key.id for key in sealer.keys}


def test_who_does_not_open_sees_that_it_is_sealed(company: Payday) -> None:
    with company.database.connection() as connection:
        from adapters.postgres.codec import COLUMNS

        rows: list[Any] = connection.execute(
            f"SELECT {COLUMNS} FROM log.event WHERE topic = 'leads.LeadRegistered'".encode(), binary=True
        ).fetchall()
    assert company.store.decode(rows[0]).event.name == SEALED  # type: ignore[attr-defined]


def test_a_log_from_before_names_were_sealed_is_still_read(company: Payday) -> None:
    with psycopg.connect(company.database.url) as connection:
        ((state,),) = connection.execute(
            "SELECT state FROM log.event WHERE topic = 'team.RepHired' LIMIT 1"
        ).fetchall()
    plain = json.dumps({"name": "Old", "manager": None, "branch": None}).encode()
    assert b"sealed" in state
    place = ("rep-old", 1, 1, "team.RepHired", 1)
    row: Any = (*place, plain, company.now, company.now, "a", "s", "1", None, None, False)
    assert company.store.decode(row).event.name == "Old"  # type: ignore[attr-defined]


@pytest.mark.parametrize("writers", [1, 3], ids=["one process's writers", "writers of their own"])
def test_what_was_recorded_before_is_erased_and_after_is_not_whoever_writes_meanwhile(
    company: Payday, database_url: str, writers: int
) -> None:
    companies = [company, *(Payday(database_url, name=f"w{one}") for one in range(1, writers))]
    call = {"kind": "call", "direction": "in", "outcome": "reached"}

    erased = Event()

    def talk(number: int) -> None:
        speaker = companies[number % writers]
        desk, after, said = speaker.desk(), 3, 0
        while after:
            after, said = after - erased.is_set(), said + 1
            note = {**call, "note": f"{number}/{said}"}
            action = speaker.action("contact.record", "L-1", note, actor="bob")
            (answer,) = desk.submit([Submission(action | {"id": f"talk-{number}-{said}"})])
            assert answer.error is None

    def erase() -> None:
        desk = company.desk()
        for time in range(5):
            sleep(0.05)
            action = company.action("lead.erase", "L-1")
            (answer,) = desk.submit([Submission(action | {"id": f"erase-{time}"})])
            assert answer.error is None
        erased.set()

    with ThreadPoolExecutor(4) as pool:
        for done in [*(pool.submit(talk, number) for number in range(3)), pool.submit(erase)]:
            done.result()
    facts = company.facts()
    last = max(fact.position for fact in facts if isinstance(fact.event, PersonalDataErased))
    notes = [(fact.position, fact.event.note) for fact in facts if isinstance(fact.event, ContactRecorded)]
    assert {note == ERASED for _, note in notes} == {True, False}
    assert [position for position, note in notes if (note == ERASED) != (position < last)] == []
    for other in companies[1:]:
        other.close_database()
