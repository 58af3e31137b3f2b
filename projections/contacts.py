"""Who was in touch with whom, and who went past a lead's owner?"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.activities.events import ContactRecorded
from domain.kernel import Event, Recorded
from projections.asking import STANDS_FOR, Listing, View
from projections.kernel import Projection, Row, Rows
from projections.team import must_know_rep


@dataclass(slots=True)
class ContactRow(Row):
    """A call, meeting, e-mail or message; `encroached_on` is the owner whom the actor went past."""

    table: ClassVar[str] = "contact"
    key: ClassVar[tuple[str, ...]] = ("lead", "position")
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("encroached_on",),)
    written_once: ClassVar[bool] = True

    lead: str
    position: int
    actor: str
    kind: str
    direction: str
    outcome: str
    deal: str | None
    encroached_on: str | None
    occurred_at: datetime
    recorded_at: datetime


class Contacts(Projection):
    """Who was in touch with whom?"""

    name = "contacts"
    category = "activity"
    rows = (ContactRow,)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        match fact.event:
            case ContactRecorded() as contact:
                rows.put(
                    ContactRow(
                        lead=fact.entity,
                        position=fact.position,
                        actor=fact.actor,
                        kind=contact.kind,
                        direction=contact.direction,
                        outcome=contact.outcome,
                        deal=contact.deal,
                        encroached_on=contact.encroached_on,
                        occurred_at=fact.occurred_at,
                        recorded_at=fact.recorded_at,
                    )
                )


@dataclass(frozen=True, slots=True)
class Encroachment:
    """`by` was in touch with `lead` while it was `owner`'s."""

    lead: str
    owner: str
    by: str
    kind: str
    direction: str
    outcome: str
    deal: str | None
    occurred_at: datetime
    recorded_at: datetime
    position: int


def encroachments(view: View, *, rep: str | None = None) -> Listing:
    """Contacts past the owner, the latest first; with `rep` those by them and those with their leads.

    Raises UnknownRep.
    """
    must_know_rep(view, rep)
    rows = view.ask(
        STANDS_FOR
        + """
        SELECT coalesce(s.target, c.lead), c.encroached_on, c.actor, c.kind, c.direction, c.outcome, c.deal,
               c.occurred_at, c.recorded_at, c.position
        FROM contact c LEFT JOIN stands_for s ON s.lead = c.lead
        WHERE c.encroached_on IS NOT NULL
          AND (%(rep)s::text IS NULL OR %(rep)s::text IN (c.encroached_on, c.actor))
        ORDER BY c.position DESC
        """,
        rep=rep,
    )
    return Listing.of([Encroachment(*row) for row in rows])
