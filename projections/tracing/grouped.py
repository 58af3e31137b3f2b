"""Which deals are in a group of a report, and which events put them there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.deals.events import DealLost, DealOpened, DealReopened, DealWon
from domain.kernel import Event
from domain.leads.events import (
    ClaimLapsed,
    LeadAbsorbed,
    LeadAssigned,
    LeadClaimed,
    LeadDisqualified,
    LeadMerged,
    LeadParted,
    LeadRegistered,
    LeadReleased,
    LeadUnmerged,
    SubjectAliased,
)
from domain.team.events import RepHired, RepTransferred
from projections.asking import STANDS_FOR, View
from projections.grouping import Dimension, joins_for, key_of
from projections.tracing.trace import Counted

Kinds = tuple[type[Event], ...]

CLOSES: Kinds = (DealOpened, DealWon, DealLost, DealReopened)
MERGES: Kinds = (LeadMerged, SubjectAliased)
HANDS: Kinds = (
    LeadRegistered,
    LeadClaimed,
    LeadAssigned,
    LeadReleased,
    LeadDisqualified,
    ClaimLapsed,
    LeadAbsorbed,
    LeadParted,
    LeadUnmerged,
)
"""What changes whose a lead is."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """A deal's group; its lead and the one that stands for it, and the rep where that matters."""

    key: str | None
    status: str
    own_lead: str
    lead: str
    rep: str | None

    def counted(self, deal: str, value: Any, kinds: Kinds, by: Dimension | None) -> Counted:
        """The deal, with its events of those kinds, and those by which it is in its group."""
        streams, also = [f"deal-{deal}"], set[type[Event]]()
        if by == "rep" and self.status == "open":
            also.update(HANDS)
        elif by is not None:
            also.update(CLOSES if by == "rep" else (DealOpened,))
        if by in ("channel", "branch"):
            also.add(LeadRegistered)
        if by == "branch" and self.rep is not None:
            streams.append(f"rep-{self.rep}")
            also.update((RepHired, RepTransferred))
        if also & {LeadRegistered} or LeadRegistered in kinds:
            streams += self.lead_streams()
            also.update(MERGES)
        return Counted("deal", deal, value, streams=tuple(streams), kinds=(*kinds, *also))

    def lead_streams(self) -> list[str]:
        return [f"lead-{lead}" for lead in sorted({self.lead, self.own_lead})]


def grouped(view: View, pipeline: str, by: Dimension | None, *, month_of: str) -> dict[str, Grouped]:
    """Every deal of the pipeline, by the same rule as the reports that have groups."""
    rep = key_of("rep", month_of="") if by in ("rep", "branch") else "NULL"
    rows = view.ask(
        f"""{STANDS_FOR}
        SELECT d.deal, {key_of(by, month_of=month_of)}, d.status, d.lead, coalesce(s.target, d.lead), {rep}
        FROM deal d {joins_for(by, stand_in=True)}
        WHERE d.pipeline = %(pipeline)s ORDER BY d.deal COLLATE "C\"""",
        pipeline=pipeline,
    )
    return {deal: Grouped(key, status, own, lead, of) for deal, key, status, own, lead, of in rows}


def in_group(places: dict[str, Grouped], deals: Sequence[str], group: tuple[str | None, ...]) -> list[str]:
    """Those of the deals that are in the group; with no group all of them."""
    return [deal for deal in deals if not group or places[deal].key == group[0]]
