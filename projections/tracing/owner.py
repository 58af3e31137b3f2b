"""Whose a lead is, by which event."""

from typing import Any

from domain.leads.model import LEAD
from projections.asking import View
from projections.owner import Holding, Owner
from projections.tracing.places import NotTraced, Place
from projections.tracing.trace import Counted, Fact, Log, Trace, look_up, traced

_NAMES = {"owner": "owner", "since": "since", "by_position": "position"}


def trace_owner(view: View, log: Log, place: Place, found: Owner) -> Trace:
    """The holding that the figure tells of, and the event that began it."""
    if place.path[0] == "history":
        holding, name = found.history[place.path[1]], place.path[2]
    elif place.path[0] in _NAMES:
        holding, name = _holding_now(found), _NAMES[place.path[0]]
    else:
        raise NotTraced(report="owner", figure=place.figure)
    counted = Counted("lead", holding.lead, holding.owner, positions=(holding.position,))
    looked_up = look_up(view, log, [counted])
    borne_out = [_began(holding, fact) for fact in looked_up[0].facts]
    recomputed: Any = getattr(holding, name) if borne_out == [True] else "not what the event says"
    return traced("owner", place, recomputed, "what the holding says that began with this event", looked_up)


def _holding_now(found: Owner) -> Holding:
    """The last one; where a merge or its undoing left the lead whose it was, the one that they have it by."""
    *_, last = (one for one in found.history if one.lead == found.lead and one.until is None)
    before = [one for one in found.history if one.lead == found.lead and one.owner == last.owner]
    return next((one for one in before if one.position == found.by_position), last)


def _began(holding: Holding, fact: Fact) -> bool:
    """A lapse that nobody wrote down is told by the event from which the term ran."""
    if fact.stream != LEAD.stream(holding.lead):
        return False
    return not holding.written or fact.event.stored_name == holding.event
