"""Whose a lead is, by which event."""

from typing import Any

from domain.leads.model import LEAD
from projections.asking import View
from projections.owner import Holding, Owner
from projections.tracing.places import NotTraced, Place
from projections.tracing.trace import Counted, Fact, Log, Trace, look_up, traced


def trace_owner(view: View, log: Log, place: Place, found: Owner) -> Trace:
    """The holding that the figure tells of, and the event that began it."""
    if place.path[0] not in ("owner", "since", "by_position", "history"):
        raise NotTraced(report="owner", figure=place.figure)
    if place.path[0] == "history":
        holding, name = found.history[place.path[1]], place.path[2]
    else:
        holding = next(one for one in found.history if one.lead == found.lead and one.until is None)
        name = {"by_position": "position"}.get(place.path[0], place.path[0])
    counted = Counted("lead", holding.lead, holding.owner, positions=(holding.position,))
    looked_up = look_up(view, log, [counted])
    borne_out = all(_began(holding, fact) for fact in looked_up[0].facts) and looked_up[0].facts
    recomputed: Any = getattr(holding, name) if borne_out else "not what the event says"
    return traced("owner", place, recomputed, "what the holding says that began with this event", looked_up)


def _began(holding: Holding, fact: Fact) -> bool:
    """A lapse that nobody wrote down is told by the event from which the term ran."""
    if fact.stream != LEAD.stream(holding.lead):
        return False
    return not holding.written or fact.event.stored_name == holding.event
