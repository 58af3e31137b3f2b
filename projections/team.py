"""Who sells, for which head and in which branch?"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.kernel import Event, Recorded
from domain.shared.personal import ERASED, PersonalDataErased
from domain.shared.rejections import UnknownRep
from domain.team.events import RepHired, RepLeft, RepTransferred
from projections.asking import View
from projections.kernel import Projection, Row, Rows


@dataclass(slots=True)
class RepRow(Row):
    """A rep: employed, or left at `left_at` with or without a successor for their leads."""

    table: ClassVar[str] = "rep"
    key: ClassVar[tuple[str, ...]] = ("rep",)
    personal: ClassVar[tuple[str, ...]] = ("name",)

    rep: str
    name: str
    manager: str | None
    branch: str | None
    hired_at: datetime
    status: str = "employed"
    left_at: datetime | None = None
    successor: str | None = None


class Team(Projection):
    """Who sells, for which head and in which branch?"""

    name = "team"
    category = "rep"
    rows = (RepRow,)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        rep = fact.entity
        match fact.event:
            case RepHired(name=name, manager=manager, branch=branch):
                rows.put(RepRow(rep, name, manager, branch, hired_at=fact.occurred_at))
            case RepTransferred(name=name, manager=manager, branch=branch):
                rows.change(RepRow, rep, name=name, manager=manager, branch=branch)
            case PersonalDataErased():
                rows.change(RepRow, rep, name=ERASED)
            case RepLeft(successor=successor):
                rows.change(RepRow, rep, status="left", left_at=fact.occurred_at, successor=successor)


@dataclass(frozen=True, slots=True)
class Colleagues:
    """A rep and whom they are measured against: the employed with the same head (without one, all)."""

    rep: str
    name: str
    manager: str | None
    team: tuple[str, ...]


def must_know_rep(view: View, rep: str | None) -> None:
    """Raises UnknownRep for a rep that nobody hired; None passes."""
    if rep is not None and not view.ask("SELECT FROM rep WHERE rep = %(rep)s", rep=rep):
        raise UnknownRep(rep=rep)


def colleagues(view: View, rep: str) -> Colleagues:
    """Raises UnknownRep."""
    must_know_rep(view, rep)
    rows = view.ask(
        """
        SELECT me.name, me.manager, array_agg(other.rep ORDER BY other.rep)
        FROM rep me JOIN rep other
          ON other.rep = me.rep
          OR (other.status = 'employed' AND (me.manager IS NULL OR other.manager = me.manager))
        WHERE me.rep = %(rep)s GROUP BY me.name, me.manager
        """,
        rep=rep,
    )
    name, manager, team = rows[0]
    return Colleagues(rep, name, manager, tuple(team))
