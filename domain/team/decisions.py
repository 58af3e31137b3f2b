"""Joining, changing places and leaving."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from domain.kernel import Event, Rejected
from domain.shared.actors import Actor
from domain.shared.personal import PersonalDataErased
from domain.shared.rejections import InvalidData, UnknownRep
from domain.team.events import RepHired, RepLeft, RepTransferred
from domain.team.model import Rep


class RepHasLeft(Rejected):
    """{rep} has left the company."""

    code = "rep_left"


class RepEmployed(Rejected):
    """{rep} is on the team. Record first that they left (rep.leave)."""

    code = "rep_employed"


def employed(rep: Rep) -> Rep:
    """The rep; UnknownRep if nobody hired them, RepHasLeft if they are gone."""
    if rep.status == "unknown":
        raise UnknownRep(rep=rep.id)
    if rep.status == "left":
        raise RepHasLeft(rep=rep.id)
    return rep


def hire(
    rep: Rep, *, name: str, manager: str | None, branch: str | None, heads: AbstractSet[str]
) -> Sequence[Event]:
    """A rep joins, or an employed one changes name, head or branch. `heads` are the manager and all above.

    Raises InvalidData where the rep would be above themselves, or where the id is one of an actor who is no
    rep: whoever hires `admin:eve` would make an admin.
    """
    if Actor.of(rep.id).role != "rep":
        raise InvalidData(field="subject", problem=f"{rep.id} can't be a rep's id: it names another actor")
    if rep.id in heads:
        raise InvalidData(field="manager", problem=f"{rep.id} would be above themselves")
    if rep.status != "employed":
        return [RepHired(name=name, manager=manager, branch=branch)]
    if (rep.name, rep.manager, rep.branch) == (name, manager, branch):
        return []
    return [RepTransferred(name=name, manager=manager, branch=branch)]


def erase(rep: Rep, *, reason: str | None) -> Sequence[PersonalDataErased]:
    """Forget the name of a rep who left. Raises UnknownRep, RepEmployed."""
    if rep.status == "employed":
        raise RepEmployed(rep=rep.id)
    if rep.status == "unknown":
        raise UnknownRep(rep=rep.id)
    return [PersonalDataErased(reason=reason)]


def leave(rep: Rep, *, successor: str | None) -> Sequence[RepLeft]:
    """The rep goes; once gone, going again changes nothing. Raises UnknownRep, InvalidData."""
    if rep.status == "left":
        return []
    if employed(rep).id == successor:
        raise InvalidData(field="successor", problem=f"{rep.id} can't be their own successor")
    return [RepLeft(successor=successor)]
