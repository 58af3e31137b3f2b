"""What the sender of an action is told. It follows from the log alone, so asking twice gives the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.kernel import Event, Recorded, Rejected
from domain.leads.decisions import LeadAlreadyClaimed
from domain.leads.events import ClaimRefused, SubjectAliased
from domain.leads.model import LEAD


@dataclass(frozen=True, slots=True)
class Answer:
    """Accepted with the positions of its events, or refused with an error.

    `lead` is the lead that a registration turned out to be about. `duplicate` says that the action had been
    recorded before, `skipped` that an earlier action of its group was refused.
    """

    positions: tuple[int, ...] = ()
    lead: str | None = None
    error: Mapping[str, Any] | None = None
    duplicate: bool = False
    skipped: bool = False

    @property
    def events(self) -> int:
        """How many events were written now."""
        return 0 if self.duplicate else len(self.positions)

    def as_json(self) -> dict[str, Any]:
        """The contract's answer: what it became, or the error object."""
        if self.error is not None:
            return {"error": dict(self.error)}
        answer: dict[str, Any] = {"position": max(self.positions, default=0), "events": list(self.positions)}
        return answer | ({"lead": self.lead} if self.lead is not None else {})


def from_facts(facts: Sequence[Recorded[Event]], *, duplicate: bool = False) -> Answer:
    """The answer to an action that left these events in the log."""
    first = facts[0]
    positions = tuple(fact.position for fact in facts)
    if isinstance(first.event, ClaimRefused):
        refused = first.event
        error = LeadAlreadyClaimed(lead=first.entity, owner=refused.owner, since=refused.since)
        return Answer(positions=positions, error=error_object(error), duplicate=duplicate)
    return Answer(positions=positions, lead=_lead(facts), duplicate=duplicate)


def error_object(rejected: Rejected) -> dict[str, Any]:
    """A stable code, a sentence a person understands, and the facts. Times are ISO 8601."""
    details = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in rejected.details.items()
    }
    return {"code": rejected.code, "message": rejected.message, "details": details}


def _lead(facts: Sequence[Recorded[Event]]) -> str | None:
    for fact in facts:
        if isinstance(fact.event, SubjectAliased):
            return fact.event.lead
    first = facts[0]
    return first.entity if first.stream.startswith(LEAD.stream("")) else None
