"""Leads through any history of registrations, work, lapses, handovers and merges: whose are they?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from scenario import NOON

from domain.kernel import Event, Recorded, Rejected
from domain.leads.decisions import (
    KeysOfTwoLeads,
    LeadAlreadyClaimed,
    NotMerged,
    assign,
    claim,
    disqualify,
    lapse,
    merge,
    recognise,
    release,
    unmerge,
    work,
)
from domain.leads.events import KeyBound, KeysAdded, LeadRegistered, LeadUnmerged
from domain.leads.model import KEY, LEAD, Key, Lead
from domain.shared.actors import Actor
from domain.shared.rejections import LeadClosed, NotEntitled

ADMIN = Actor.of("admin:eve")
NO_HEADS: frozenset[str] = frozenset()
REPS = st.sampled_from(["ann", "bob", "carl"])
KEYS = st.sets(st.sampled_from(["k1", "k2", "k3", "k4"]), min_size=1, max_size=2)
WAITS = st.sampled_from([0.001, 1.0, 20.0, 29.999, 30.0, 60.0, 90.0, 91.0])
TERMS = st.sampled_from([30, 90])
DEFAULT_TERM = 90


@dataclass(frozen=True)
class Entry:
    """A line of the book that the reference keeps: what was done, in the words of product.md."""

    moment: datetime
    done: str
    lead: str
    rep: str = ""
    days: int = 0
    into: str = ""


@dataclass(frozen=True)
class Right:
    rep: str
    until: datetime


def rights(book: Sequence[Entry], moment: datetime) -> dict[str, Right | None]:
    """The reference: whose leads are by the book at that moment, from the rules and nothing else.

    A merge that was undone is taken out of the book, as if it had never been.
    """
    right: dict[str, Right | None] = {}
    order = [entry.lead for entry in book if entry.done == "register"]

    def live(lead: str, now: datetime) -> Right | None:
        one = right.get(lead)
        return one if one is not None and one.until > now else None

    for entry in without_undone_merges([entry for entry in book if entry.moment <= moment]):
        until = entry.moment + timedelta(days=entry.days)
        match entry.done:
            case "take":
                right[entry.lead] = Right(entry.rep, until)
            case "work":
                owned = live(entry.lead, entry.moment)
                right[entry.lead] = Right(owned.rep, until) if owned else None
            case "give up":
                owned = live(entry.lead, entry.moment)
                right[entry.lead] = owned if owned and owned.rep != entry.rep else None
            case "merge":
                pair = sorted((entry.lead, entry.into), key=order.index)
                standing = [one for one in (live(lead, entry.moment) for lead in pair) if one]
                mine = [one for one in standing if one.rep == standing[0].rep]
                right[entry.into] = max(mine, key=lambda one: one.until, default=None)
    return {lead: live(lead, moment) for lead in order}


def without_undone_merges(book: list[Entry]) -> list[Entry]:
    """While two leads were one, work on the one was work on both, and who gave it up gave up both."""
    for undone in [entry for entry in book if entry.done == "unmerge"]:
        end = book.index(undone)
        merged = ("merge", undone.lead)
        begin = max(at for at, entry in enumerate(book[:end]) if (entry.done, entry.lead) == merged)
        between: list[Entry] = []
        for entry in book[begin + 1 : end]:
            between.append(entry)
            if entry.lead == book[begin].into and entry.done in ("work", "give up"):
                between.append(replace(entry, lead=undone.lead))
        book = [*book[:begin], *between, *book[end + 1 :]]
    return book


class LeadsOfACompany(RuleBasedStateMachine):
    """Three reps, four keys, an admin, and time."""

    @initialize()
    def begin(self) -> None:
        self.now = NOON
        self.log: list[Recorded[Event]] = []
        self.book: list[Entry] = []
        self.leads: dict[str, Lead] = {}
        self.keys: dict[str, Key] = {}
        self.merged: dict[str, str] = {}

    @rule(days=WAITS)
    def time_passes(self, days: float) -> None:
        self.now += timedelta(days=days)

    @rule(rep=st.one_of(REPS, st.none()), keys=KEYS)
    def register(self, rep: str | None, keys: set[str]) -> None:
        held = {name: self.keys[name].lead for name in sorted(keys) if name in self.keys}
        found = {lead.id: lead for name in held.values() if name and not (lead := self._standing(name)).ended}
        foreign = {lead.owner_at(self.now) for lead in found.values()} - {None, rep}
        try:
            lead = recognise(list(found.values()), rep=rep, now=self.now)
        except (LeadAlreadyClaimed, KeysOfTwoLeads) as refusal:
            self._refused_rightly(refusal, found, foreign)
            return
        assert not foreign
        name = f"L-{len(self.leads) + 1}" if lead is None else lead.id
        new = {
            key: key
            for key in sorted(keys)
            if key not in self.keys or self._standing(self.keys[key].lead or "").id != name
        }
        if lead is None:
            self._record("lead", name, [LeadRegistered(keys=new)])
            self._note("register", name)
        elif new:
            self._record("lead", name, [KeysAdded(keys=new)])
        if rep is not None:
            self._take(name, rep, claim(self.leads[name], rep=rep, now=self.now))
        for key in new:
            self._record("key", key, [KeyBound(lead=name)])

    @precondition(lambda self: self.leads)
    @rule(data=st.data(), rep=REPS)
    def claim(self, data: st.DataObject, rep: str) -> None:
        lead = self._draw(data)
        owner = lead.owner_at(self.now)
        try:
            self._take(lead.id, rep, claim(lead, rep=rep, now=self.now))
        except LeadAlreadyClaimed:
            assert owner not in (None, rep)
        except LeadClosed:
            assert lead.ended
        else:
            assert claim(self.leads[lead.id], rep=rep, now=self.now) == []

    @precondition(lambda self: self.leads)
    @rule(data=st.data(), rep=REPS)
    def assign(self, data: st.DataObject, rep: str) -> None:
        lead = self._draw(data)
        said = {"rep": rep, "reason": "conflict", "actor": ADMIN, "heads": NO_HEADS, "now": self.now}
        try:
            self._take(lead.id, rep, assign(lead, **said))  # type: ignore[arg-type]
        except LeadClosed:
            assert lead.ended
        else:
            assert assign(self.leads[lead.id], **said) == []  # type: ignore[arg-type]

    @precondition(lambda self: self.leads)
    @rule(data=st.data(), days=TERMS)
    def contact(self, data: st.DataObject, days: int) -> None:
        lead = self._draw(data)
        if lead.ended:
            return
        owned = lead.owner_at(self.now) is not None
        events = work(lead, "contact", protection_days=days, now=self.now)
        self._record("lead", lead.id, events)
        if owned:
            self._note("work", lead.id, days=days)

    @precondition(lambda self: self.leads)
    @rule(data=st.data(), rep=REPS)
    def release(self, data: st.DataObject, rep: str) -> None:
        lead = self._draw(data)
        owner = lead.owner_at(self.now)
        said = {"reason": "no time", "actor": Actor.of(rep), "heads": NO_HEADS, "now": self.now}
        try:
            events = release(lead, **said)  # type: ignore[arg-type]
        except NotEntitled:
            assert owner not in (None, rep)
            return
        except LeadClosed:
            assert lead.ended
            return
        self._record("lead", lead.id, events)
        if owner is not None:
            self._note("give up", lead.id, rep=owner)
        assert release(self.leads[lead.id], **said) == []  # type: ignore[arg-type]

    @precondition(lambda self: self.leads)
    @rule(data=st.data())
    def disqualify(self, data: st.DataObject) -> None:
        lead = self._draw(data)
        if lead.status == "merged" or lead.absorbed:
            return
        said = {"reason": "bankrupt", "actor": ADMIN, "heads": NO_HEADS, "now": self.now}
        self._record("lead", lead.id, disqualify(lead, **said))  # type: ignore[arg-type]
        if (owner := lead.owner_at(self.now)) is not None:
            self._note("give up", lead.id, rep=owner)
        assert disqualify(self.leads[lead.id], **said) == []  # type: ignore[arg-type]

    @precondition(lambda self: self.leads)
    @rule(data=st.data())
    def write_the_lapse(self, data: st.DataObject) -> None:
        lead = self._draw(data)
        if lead.status == "merged":
            return
        self._record("lead", lead.id, lapse(lead, now=self.now))
        assert lapse(self.leads[lead.id], now=self.now) == []

    @precondition(lambda self: len(self.leads) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        lead, into = self._draw(data), self._draw(data)
        said = {"actor": ADMIN, "heads": NO_HEADS, "now": self.now}
        if lead.absorbed or into.absorbed:
            return  # One merge at a time for each lead: what several leave behind has tests of its own.
        try:
            here, there = merge(lead, into, **said)  # type: ignore[arg-type]
        except LeadClosed:
            assert lead.ended or into.ended
            return
        if lead.id == into.id:
            assert (here, there) == ([], [])
            return
        self._record("lead", lead.id, here)
        self._record("lead", into.id, there)
        self._note("merge", lead.id, into=into.id)
        self.merged[lead.id] = into.id
        again = merge(self.leads[lead.id], self.leads[into.id], **said)  # type: ignore[arg-type]
        assert again == ([], [])

    @precondition(lambda self: self.merged)
    @rule(data=st.data())
    def unmerge(self, data: st.DataObject) -> None:
        lead = self.leads[data.draw(st.sampled_from(sorted(self.merged)))]
        into = self.leads[self.merged.pop(lead.id)]
        said = {"actor": ADMIN, "heads": NO_HEADS, "now": self.now}
        here, there = unmerge(lead, into, **said)  # type: ignore[arg-type]
        assert isinstance(here[-1], LeadUnmerged)
        self._record("lead", lead.id, here)
        self._record("lead", into.id, there)
        self._note("unmerge", lead.id)
        try:
            unmerge(self.leads[lead.id], self.leads[into.id], **said)  # type: ignore[arg-type]
        except NotMerged:
            return
        raise AssertionError(f"{lead.id} was unmerged twice")

    @invariant()
    def owners_are_those_by_the_book(self) -> None:
        expected = rights(self.book, self.now)
        for name, lead in self.leads.items():
            if lead.status == "merged":
                continue
            right = expected[name]
            claim = lead.claim_at(self.now)
            came = None if claim is None else Right(claim.rep, claim.expires_at)
            assert came == right, f"{name} is {came}, by the book {right}"

    @invariant()
    def a_key_has_one_living_lead(self) -> None:
        held: dict[str, str] = {}
        for name, lead in self.leads.items():
            for key in [] if lead.ended else self._keys_of(name):
                assert self._standing(self.keys[key].lead or "").id == name
                assert held.setdefault(key, name) == name

    @invariant()
    def a_claim_ends_when_its_term_does(self) -> None:
        for lead in self.leads.values():
            if lead.claim is not None:
                assert lead.claim.since <= self.now
                assert lead.claim.worked_at <= self.now
                assert lead.owner_at(lead.claim.expires_at) is None

    def teardown(self) -> None:
        """Who owned what is answerable for every moment there was, from the log up to then."""
        for moment in sorted({fact.recorded_at for fact in self.log}):
            expected = rights(self.book, moment)
            for name in self.leads:
                past = LEAD.fold(
                    name,
                    [one for one in self.log if one.stream == f"lead-{name}" and one.recorded_at <= moment],
                )
                if past.status in ("open", "won"):
                    right = expected.get(name)
                    assert past.owner_at(moment) == (right.rep if right else None)

    def _refused_rightly(self, refusal: Rejected, found: dict[str, Lead], foreign: set[str | None]) -> None:
        if isinstance(refusal, KeysOfTwoLeads):
            assert len(found) > 1
            assert not foreign
            return
        owner = refusal.details["owner"]
        assert owner in foreign
        assert found[refusal.details["lead"]].owner_at(self.now) == owner

    def _standing(self, name: str) -> Lead:
        lead = self.leads[name]
        return lead if lead.points_to is None else self._standing(lead.points_to)

    def _keys_of(self, name: str) -> list[str]:
        given = [fact.event for fact in self.log if fact.stream == f"lead-{name}"]
        return [key for event in given if isinstance(event, LeadRegistered | KeysAdded) for key in event.keys]

    def _draw(self, data: st.DataObject) -> Lead:
        return self.leads[data.draw(st.sampled_from(sorted(self.leads)))]

    def _take(self, name: str, rep: str, events: Sequence[Event]) -> None:
        lead = self.leads[name]
        self._record("lead", name, events)
        if events:
            self._note("take", name, rep=rep, days=lead.protection_days)

    def _note(self, done: str, lead: str, *, rep: str = "", days: int = 0, into: str = "") -> None:
        self.book.append(Entry(self.now, done, lead, rep, days, into))

    def _record(self, category: str, entity: str, events: Sequence[Event]) -> None:
        for event in events:
            stream = f"{category}-{entity}"
            version = sum(fact.stream == stream for fact in self.log) + 1
            position = len(self.log) + 1
            fact = Recorded(
                event, stream, version, position, self.now, self.now, "x", "test", f"a-{position}"
            )
            self.log.append(fact)
            if category == "lead":
                self.leads[entity] = LEAD.evolve(self.leads.get(entity) or Lead(entity), fact)
            else:
                self.keys[entity] = KEY.evolve(self.keys.get(entity) or Key(), fact)


TestLeadsOfACompany = LeadsOfACompany.TestCase
TestLeadsOfACompany.settings = settings(
    max_examples=400,
    stateful_step_count=40,
    deadline=None,
    database=None,
)


def test_the_reference_itself_knows_the_rules() -> None:
    day = timedelta(days=1)
    book = [
        Entry(NOON, "register", "A"),
        Entry(NOON, "take", "A", "ann", 90),
        Entry(NOON, "register", "B"),
        Entry(NOON, "take", "B", "bob", 90),
        Entry(NOON + day, "merge", "A", into="B"),
    ]
    assert rights(book, NOON + day)["B"] == Right("ann", NOON + 90 * day)
    undone = [*book, Entry(NOON + 2 * day, "unmerge", "A")]
    assert rights(undone, NOON + 2 * day)["B"] == Right("bob", NOON + 90 * day)
    assert rights(undone, NOON + 90 * day) == {"A": None, "B": None}
