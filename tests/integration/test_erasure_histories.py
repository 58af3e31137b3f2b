"""Any history of a handful of people, with merges, erasures and returns: what can be read, and by whom."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from payday import Payday
from projecting_log import tables_of
from test_erasure import everything

from adapters.wiring import PROJECTIONS
from domain.shared.personal import ERASED
from projections.asking import View
from projections.subject import held_on_lead
from projections.timeline import deal_story, lead_story
from services.answers import Answer

STEPS = 60
REPS = ("ann", "bob")


class Town:
    """People who register, talk, buy and are forgotten; knows by itself whose each text is."""

    def __init__(self, company: Payday, seed: int) -> None:
        self.company, self.dice = company, random.Random(seed)
        self.leads: list[str] = []
        self.into: dict[str, str] = {}
        self.deals: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.erased: set[str] = set()
        self.emails: dict[str, str] = {}
        self._count = 0

    def live(self, steps: int) -> None:
        acts = (self.register, self.register, self.again, self.talk, self.talk, self.open, self.lose)
        for _ in range(steps):
            self.dice.choice((*acts, self.merge, self.unmerge, self.erase, self.win))()

    def register(self) -> None:
        email = self._text("mail")
        keys = {"email": f"{email}@example.com", "external": self._text("id")}
        lead, name = f"L-{self._count}", self._text("name")
        if self._try("lead.register", lead, {"keys": keys, "name": name, "owner": self.dice.choice(REPS)}):
            self.leads.append(lead)
            self._said(lead, email, keys["external"], name)
            self.emails[email] = lead

    def again(self) -> None:
        """A customer who is known, or was, comes by the same address and one more key."""
        if not self.emails:
            return
        email, subject = self.dice.choice(sorted(self.emails)), f"A-{self._count}"
        more = self._text("more")
        data = {"keys": {"email": f"{email}@example.com", "external": more}, "owner": self.dice.choice(REPS)}
        answer = self._try("lead.register", subject, data)
        if answer is None:
            return
        if answer.lead == subject:
            self.leads.append(subject)
            self.emails[email] = subject
            self.texts[email] = subject
            self.erased.discard(email)
        self._said(answer.lead or "", more)

    def talk(self) -> None:
        note, lead = self._text("note"), self._anyone()
        said = {"kind": "call", "direction": "in", "outcome": "reached", "note": note}
        if lead and self._try("contact.record", lead, said):
            self._said(self._root(lead), note)

    def open(self) -> None:
        lead, title, deal = self._anyone(), self._text("title"), f"D-{self._count}"
        if lead and self._try("deal.open", deal, {"lead": lead, "pipeline": "sales", "title": title}):
            self.deals[deal] = self._root(lead)
            self._said(self.deals[deal], title)

    def lose(self) -> None:
        deal, note = self._any_deal(), self._text("lost")
        if deal and self._try("deal.lose", deal, {"reason": "other", "note": note}):
            self._said(self.deals[deal], note)

    def win(self) -> None:
        deal = self._any_deal()
        if deal:
            self._try("deal.win", deal, {"amount": "10", "currency": "USD"})

    def merge(self) -> None:
        lead, into = self._anyone(), self._anyone()
        if not lead or not into:
            return
        lead, into = self._root(lead), self._root(into)
        if lead != into and self._try("lead.merge", lead, {"into": into}):
            self.into[lead] = into

    def unmerge(self) -> None:
        lead = self._anyone()
        if lead and self._try("lead.unmerge", lead):
            del self.into[lead]

    def erase(self) -> None:
        lead = self._anyone()
        if lead and self.dice.random() < 0.6 and self._try("lead.erase", lead):
            root = self._root(lead)
            self.erased |= {text for text, whose in self.texts.items() if self._root(whose) == root}

    def readable(self) -> set[str]:
        return set(self.texts) - self.erased

    def _root(self, lead: str) -> str:
        while lead in self.into:
            lead = self.into[lead]
        return lead

    def _anyone(self) -> str | None:
        return self.dice.choice(self.leads) if self.leads else None

    def _any_deal(self) -> str | None:
        return self.dice.choice(sorted(self.deals)) if self.deals else None

    def _text(self, kind: str) -> str:
        self._count += 1
        return f"{kind}q{self._count}z"

    def _said(self, whose: str, *texts: str) -> None:
        self.texts |= dict.fromkeys(texts, whose)

    def _try(self, kind: str, subject: str, data: Any = None) -> Answer | None:
        (answer,) = self.company.submit(self.company.action(kind, subject, data))
        if self.dice.random() < 0.1:
            self.company.intake = self.company.desk()
        if self.dice.random() < 0.3:
            assert self.company.projector.catch_up() == []
        return None if answer.error is not None else answer


@pytest.fixture
def company(database_url: str) -> Iterator[Payday]:
    company = Payday(database_url).founded(*REPS)
    stages = [{"name": "Call", "probability": "50", "days": 7}]
    company.do("pipeline.define", "sales", {"stages": stages, "loss_reasons": ["other"]})
    yield company
    company.close_database()


def told(text: str, town: Town) -> set[str]:
    return {one for one in town.texts if one in text}


def stories(town: Town, view: View) -> str:
    """What the stories and exports of all leads and deals that the view knows of say."""
    load = town.company.store.load
    known = {lead for (lead,) in view.ask("SELECT lead FROM lead")}
    deals = {deal for (deal,) in view.ask("SELECT deal FROM deal")}
    found: list[object] = [lead_story(view, load, lead=lead) for lead in sorted(known)]
    found += [held_on_lead(view, load, lead=lead) for lead in sorted(known)]
    return repr(found + [deal_story(view, load, deal=deal) for deal in sorted(deals)])


@pytest.mark.parametrize("seed", range(6))
def test_just_the_texts_of_people_not_erased_are_read(company: Payday, seed: int) -> None:
    town = Town(company, seed)
    town.live(STEPS)
    assert town.texts
    with company.view() as view:
        assert told(stories(town, view), town) == town.readable()
    past = town.dice.randrange(1, company.store.head())
    with company.view(past) as view:
        assert told(stories(town, view), town) <= town.readable()
    assert told(everything(company), town) <= town.readable()
    with company.database.connection() as connection:
        live = tables_of(connection, PROJECTIONS)
        assert company.projector.rebuild() == []
        assert tables_of(connection, PROJECTIONS) == live
    assert told(everything(company), town) <= town.readable()


@pytest.mark.parametrize("seed", range(6))
def test_an_address_is_free_once_its_person_is_erased_and_not_before(company: Payday, seed: int) -> None:
    town = Town(company, seed)
    town.live(STEPS)
    with company.view() as view:
        owners = dict(view.ask("SELECT lead, owner FROM lead"))
        statuses = dict(view.ask("SELECT lead, status FROM lead"))
    for number, (email, lead) in enumerate(sorted(town.emails.items())):
        root = town._root(lead)
        rep = "bob" if owners[root] == "ann" else "ann"
        register = company.action(
            "lead.register", f"N-{number}", {"keys": {"email": f"{email}@example.com"}, "owner": rep}
        )
        (answer,) = company.submit(register)
        if email in town.erased or statuses[root] == "disqualified":
            assert (answer.error, answer.lead) == (None, f"N-{number}")
        elif owners[root] is not None:
            assert answer.error is not None
            assert answer.error["code"] == "lead_already_claimed"
        else:
            assert answer.lead == root


def test_the_town_sees_everything(company: Payday) -> None:
    """That what is tried above happens: erasures, merges and their undoing, returns, deals."""
    names: set[str] = set()
    for seed in range(6):
        town = Town(company, seed)
        town._count = seed * 1_000
        town.live(STEPS)
        names |= {fact.event.stored_name for fact in company.facts()}
    assert ERASED in repr(company.facts())
    assert {"leads.LeadUnmerged", "leads.SubjectAliased", "leads.KeysAdded", "deals.DealLost"} <= names
