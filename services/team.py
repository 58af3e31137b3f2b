"""Reps come, change places and go."""

from domain.team import decisions
from domain.team.model import REP
from services.desk import Desk
from services.payloads import HireRep, LeaveRep


class Team:
    """One method per intention."""

    def hire(self, desk: Desk, data: HireRep) -> None:
        """A rep joins, or an employed one changes name, head or branch."""
        if desk.actor.role not in ("service", "admin"):
            raise desk.actor.refuse("hire reps", "only a service or an admin may")
        heads: frozenset[str] = frozenset()
        if data.manager is not None:
            heads = desk.heads(data.manager) | {data.manager}
            if data.manager != desk.subject:
                desk.rep(data.manager)
        rep = desk.state(REP, desk.subject)
        events = decisions.hire(rep, name=data.name, manager=data.manager, branch=data.branch, heads=heads)
        desk.record(REP.stream(rep.id), events)

    def leave(self, desk: Desk, data: LeaveRep) -> None:
        """A rep goes. Their open leads are handed over right after, by the worker's own actions."""
        rep = desk.state(REP, desk.subject)
        if desk.actor.role not in ("service", "admin") and desk.actor.rep not in desk.heads(rep.id):
            raise desk.actor.refuse(
                "record a departure", "only a head above the rep, a service or an admin may"
            )
        events = decisions.leave(rep, successor=data.successor)
        if data.successor is not None:
            desk.rep(data.successor)
        desk.record(REP.stream(rep.id), events)
