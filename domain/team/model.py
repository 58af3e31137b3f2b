"""What decisions know of a rep."""

from dataclasses import dataclass, replace
from typing import Literal

from domain.kernel import Decider, Event, Recorded
from domain.shared.personal import ERASED, PersonalDataErased
from domain.team.events import RepHired, RepLeft, RepTransferred


@dataclass(frozen=True, slots=True)
class Rep:
    """A rep as their stream tells it."""

    id: str
    status: Literal["unknown", "employed", "left"] = "unknown"
    name: str = ""
    manager: str | None = None
    branch: str | None = None


def _evolve(rep: Rep, fact: Recorded[Event]) -> Rep:
    match fact.event:
        case (
            RepHired(name=name, manager=manager, branch=branch)
            | RepTransferred(name=name, manager=manager, branch=branch)
        ):
            return Rep(rep.id, "employed", name, manager, branch)
        case PersonalDataErased():
            return replace(rep, name=ERASED)
        case RepLeft():
            return replace(rep, status="left")
        case _:
            return rep


REP = Decider[Rep](category="rep", initial=Rep, evolve=_evolve)
