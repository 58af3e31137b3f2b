"""A small history told event by event into a real log, and the read tables to ask about it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.lookups import view_of
from adapters.postgres.projecting.as_of import AsOf
from adapters.postgres.projecting.projector import Projector
from adapters.postgres.store import PostgresStore
from adapters.wiring import PROJECTIONS
from domain.activities.events import ContactRecorded, TaskCancelled, TaskCompleted, TaskPlanned
from domain.deals.events import DealAmended, DealLost, DealOpened, DealReopened, DealWon, StageEntered
from domain.kernel import Event
from domain.leads.events import (
    ClaimLapsed,
    ClaimRefused,
    LeadAbsorbed,
    LeadAssigned,
    LeadClaimed,
    LeadDisqualified,
    LeadMerged,
    LeadParted,
    LeadRegistered,
    LeadReleased,
    LeadUnmerged,
    LeadWorked,
    SubjectAliased,
)
from domain.pipelines.events import PipelineDefined, Stage
from domain.team.events import RepHired, RepLeft
from projections.asking import View
from services.ports import Appended, Unit

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
STAGES = ("Call", "Offer", "Contract")


def day(days: float) -> datetime:
    """So many days after the story's beginning, 1 January 2026 at 9."""
    return START + timedelta(days=days)


class Story:
    """Tells events in order; `on` gives the day of those that follow."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self.store = PostgresStore(self._database)
        self.projector = Projector(self._database, PROJECTIONS)
        self._versions: dict[str, int] = {}
        self._actions = 0
        self.now = START
        self.position = 0

    def close(self) -> None:
        self._database.close()

    def on(self, days: float) -> "Story":
        self.now = day(days)
        return self

    def tell(
        self, *entries: tuple[str, Event], actor: str = "admin:eve", occurred: float | None = None
    ) -> "Story":
        """One action's events; `occurred` in days, where it is not the day of recording."""
        self._actions += 1
        unit = Unit(
            events=entries,
            expected={stream: self._versions.get(stream, 0) for stream, _ in entries},
            occurred_at=self.now if occurred is None else day(occurred),
            decided_at=self.now,
            actor=actor,
            source="test",
            action=str(self._actions),
        )
        (outcome,) = self.store.append([unit])
        assert isinstance(outcome, Appended), outcome
        for fact in outcome.facts:
            self._versions[fact.stream] = fact.version
            self.position = fact.position
        return self

    @contextmanager
    def view(
        self, days: float | None = None, *, timezone: str = "UTC", at: AsOf | None = None
    ) -> Iterator[View]:
        """The tables as they are, looked at on that day (default: the story's present); or as of the past."""
        assert self.projector.catch_up() == []
        with self.projector.snapshot(at=at) as snapshot:
            view = view_of(snapshot, timezone)
            yield view if at else replace(view, moment=self.now if days is None else day(days))

    def pipeline(
        self, name: str = "sales", stages: Sequence[str] = STAGES, reasons: Sequence[str] = ("price", "time")
    ) -> "Story":
        defined = PipelineDefined(
            stages=tuple(Stage(name=stage, probability=Decimal(10)) for stage in stages),
            loss_reasons=tuple(reasons),
            protection_days=90,
        )
        return self.tell((f"pipeline-{name}", defined))

    def rep(self, rep: str, manager: str | None = None, branch: str | None = None) -> "Story":
        return self.tell((f"rep-{rep}", RepHired(name=rep.title(), manager=manager, branch=branch)))

    def leave(self, rep: str) -> "Story":
        return self.tell((f"rep-{rep}", RepLeft()))

    def lead(self, lead: str, owner: str | None = None, *, term: int = 90, **known: Any) -> "Story":
        events: list[Event] = [LeadRegistered(keys={"external": lead}, **known)]
        if owner is not None:
            events.append(LeadClaimed(rep=owner, protection_days=term))
        return self.tell(*((f"lead-{lead}", event) for event in events), actor=owner or "service:site")

    def of_lead(self, lead: str, *events: Event, actor: str = "admin:eve") -> "Story":
        return self.tell(*((f"lead-{lead}", event) for event in events), actor=actor)

    def merge(self, lead: str, into: str, owner: str | None = None, previous: str | None = None) -> "Story":
        absorbed = LeadAbsorbed(lead=lead, owner=owner, previous=previous, protection_days=90)
        return self.tell((f"lead-{lead}", LeadMerged(into=into)), (f"lead-{into}", absorbed))

    def unmerge(self, lead: str, into: str, owner: str | None, left: str | None) -> "Story":
        return self.tell(
            (f"lead-{lead}", LeadUnmerged(parted_from=into, owner=owner, protection_days=90)),
            (f"lead-{into}", LeadParted(lead=lead, owner=left, protection_days=90)),
        )

    def deal(
        self, deal: str, lead: str, stage: str = "Call", *, pipeline: str = "sales", **known: Any
    ) -> "Story":
        opened = DealOpened(lead=lead, pipeline=pipeline, **known)
        return self.tell(
            (f"deal-{deal}", opened),
            (f"deal-{deal}", StageEntered(stage=stage)),
            (f"lead-{lead}", LeadWorked(work="deal_opened", deal=deal, protection_days=90)),
        )

    def move(self, deal: str, stage: str) -> "Story":
        return self.tell((f"deal-{deal}", StageEntered(stage=stage)))

    def win(
        self, deal: str, lead: str, stage: str = "Call", *, owner: str | None = None, amount: str = "100.00"
    ) -> "Story":
        won = DealWon(stage=stage, owner=owner, amount=Decimal(amount), currency="USD")
        worked = LeadWorked(work="deal_won", deal=deal, protection_days=90)
        return self.tell((f"deal-{deal}", won), (f"lead-{lead}", worked))

    def lose(
        self, deal: str, lead: str, stage: str = "Call", *, owner: str | None = None, reason: str = "price"
    ) -> "Story":
        lost = DealLost(stage=stage, owner=owner, reason=reason)
        return self.tell((f"deal-{deal}", lost), (f"lead-{lead}", LeadWorked(work="deal_lost", deal=deal)))

    def reopen(self, deal: str, lead: str, stage: str = "Call") -> "Story":
        reopened = DealReopened(stage=stage, reason="came back")
        worked = LeadWorked(work="deal_reopened", deal=deal, protection_days=90)
        return self.tell((f"deal-{deal}", reopened), (f"lead-{lead}", worked))

    def plan(
        self, lead: str, task: str, due: float, *, deal: str | None = None, assignee: str | None = None
    ) -> "Story":
        planned = TaskPlanned(task=task, due_at=day(due), kind="call", assignee=assignee, deal=deal)
        return self.tell((f"activity-{lead}", planned))

    def done(self, lead: str, task: str) -> "Story":
        return self.tell((f"activity-{lead}", TaskCompleted(task=task, result="spoke")))

    def contact(self, lead: str, actor: str, past: str | None = None) -> "Story":
        contact = ContactRecorded(kind="call", direction="out", outcome="reached", encroached_on=past)
        return self.tell((f"activity-{lead}", contact), actor=actor)


__all__ = [
    "STAGES",
    "AsOf",
    "ClaimLapsed",
    "ClaimRefused",
    "DealAmended",
    "LeadAssigned",
    "LeadClaimed",
    "LeadDisqualified",
    "LeadReleased",
    "LeadWorked",
    "Story",
    "SubjectAliased",
    "TaskCancelled",
    "day",
]
