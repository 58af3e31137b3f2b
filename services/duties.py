"""Which next steps a rep owes: a privilege hangs on it, so the streams are asked and no report."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from domain.activities.events import TaskPlanned
from domain.activities.model import ACTIVITIES
from domain.kernel import Event, Recorded
from domain.leads.events import LeadAbsorbed, LeadAssigned, LeadClaimed, LeadParted, LeadUnmerged
from domain.leads.model import LEAD, Lead
from services.desk import Desk
from services.ports import Claims, Store
from services.recall import Recall


class Duties:
    """Knows for each rep which leads may concern them, and follows the log so that none is missed.

    More leads than really do is no harm: each is looked at when it matters, and dropped if it doesn't.
    """

    def __init__(self, store: Store, recall: Recall, claims: Claims) -> None:
        self._store, self._recall, self._claims = store, recall, claims
        self._position = 0
        self._begun = False
        self._concerned: defaultdict[str, set[str]] = defaultdict(set)

    def consider(self, events: Iterable[tuple[str, Event]]) -> None:
        """Take in what was decided just now, and may be in the log soon: pairs of a stream and an event."""
        for stream, event in events:
            rep = _concerned_by(event)
            if rep is not None:
                self._concerned[rep].add(stream.split("-", 1)[1])

    def learn(self, facts: Sequence[Recorded[Event]]) -> None:
        """Take in what this process appended: the log is read on from there, if nobody else was first."""
        if not self._begun:
            self._concerned.clear()  # Whoever asks first reads it from the log.
        elif facts and facts[0].position == self._position + 1:
            self._position = facts[-1].position

    def owed(self, desk: Desk, rep: str) -> tuple[int, int]:
        """How many steps of the rep are overdue at the desk's moment, and how many are missing.

        A step is its assignee's, without one the owner's. It is missing where an open lead or deal of the
        rep's has none planned; one that names no deal stands for the lead and all its deals.
        """
        overdue = missing = 0
        for lead_id in self._concerning(rep):
            lead = desk.peek(LEAD, lead_id)
            steps = [
                task.planned
                for member in (lead_id, *_merged_into(desk, lead))
                for task in desk.peek(ACTIVITIES, member).tasks.values()
                if task.status == "planned"
            ]
            owner = None if lead.ended else lead.owner_at(desk.now)
            theirs = [step for step in steps if (step.assignee or owner) == rep]
            if not theirs and not _held_by(rep, lead):
                self._concerned[rep].discard(lead_id)
            if lead.status == "merged":
                continue  # The lead that stands for it has its steps.
            if lead.status != "disqualified":
                overdue += sum(step.due_at < desk.now for step in theirs)
            if owner == rep:
                missing += lead.status == "open" and not steps
                missing += sum(
                    not any(step.deal in (None, deal) for step in steps) for deal in lead.open_deals
                )
        return overdue, missing

    def open_leads(self, rep: str) -> list[str]:
        """The open leads that the rep has a claim on, be it past its term, with nothing under way."""
        leads: list[tuple[str, Lead]] = [
            (lead, self._recall.look(LEAD.stream(lead))[0]) for lead in self._concerning(rep)
        ]
        return [lead for lead, state in leads if state.status == "open" and _held_by(rep, state)]

    def _concerning(self, rep: str) -> list[str]:
        """Leads that the rep may own or has steps to take with; what the recall has of them is fresh."""
        if not self._begun:
            self._position, concerned = self._claims.concerned()
            for one, lead in concerned:
                self._concerned[one].add(lead)
            self._begun = True
        if self._position < self._store.head():
            for page in self._store.read(self._position):
                self.consider((fact.stream, fact.event) for fact in page)
                self._position = page[-1].position
                self._recall.outdate(page)
        leads = sorted(self._concerned[rep])
        self._recall.fetch(decider.stream(lead) for lead in leads for decider in (LEAD, ACTIVITIES))
        return leads


def _concerned_by(event: Event) -> str | None:
    match event:
        case LeadClaimed(rep=rep) | LeadAssigned(rep=rep):
            return rep
        case TaskPlanned(assignee=rep):
            return rep
        case LeadAbsorbed(owner=owner) | LeadUnmerged(owner=owner) | LeadParted(owner=owner):
            return owner
        case _:
            return None


def _held_by(rep: str, lead: Lead) -> bool:
    return lead.claim is not None and lead.claim.rep == rep


def _merged_into(desk: Desk, lead: Lead) -> Iterator[str]:
    for absorbed in lead.absorbed:
        yield absorbed.lead
        yield from _merged_into(desk, desk.peek(LEAD, absorbed.lead))
