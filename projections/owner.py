"""Who owned a lead when and by which event, who was refused it, and which leads has nobody?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.shared.rejections import UnknownLead
from projections.asking import OWNER_NOW, STANDS_FOR, Listing, View
from projections.team import must_know_rep

_LAPSED = "l.owner IS NOT NULL AND l.expires_at <= %(moment)s"
SINCE_NOW = f"CASE WHEN {_LAPSED} THEN l.expires_at ELSE l.since END"
BY_NOW = f"CASE WHEN {_LAPSED} THEN l.worked_position ELSE l.by_position END"
"""Since when and by which event the lead `l` is its owner's, or nobody's, at the view's moment."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Whose a lead was from `since` (recorded) until `until`, by the event at `position`.

    `written` is false for a lapse that no event tells of yet: `position` is then that of the event from which
    the claim's term ran out.
    """

    lead: str
    owner: str | None
    since: datetime
    until: datetime | None
    position: int
    event: str
    reason: str | None
    actor: str | None
    written: bool


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose the lead is; `asked` is the id asked for, `lead` the one that stands for it now."""

    lead: str
    asked: str
    status: str
    owner: str | None
    since: datetime
    by_position: int
    expires_at: datetime | None
    history: Sequence[Holding]


@dataclass(frozen=True, slots=True)
class Standing:
    """A lead, the one that stands for it (mostly itself), and all that it stands for, itself among them."""

    asked: str
    lead: str
    family: tuple[str, ...]


def standing(view: View, lead: str) -> Standing:
    """Which lead an id means now. Raises UnknownLead for an id that was never registered."""
    rows = view.ask(
        f"""{STANDS_FOR}, meant AS (
            SELECT coalesce((SELECT target FROM stands_for WHERE lead = %(lead)s), %(lead)s) AS lead
        )
        SELECT l.lead, ARRAY(SELECT s.lead FROM stands_for s WHERE s.target = l.lead ORDER BY 1)
        FROM meant JOIN lead l USING (lead)""",
        lead=lead,
    )
    if not rows:
        raise UnknownLead(lead=lead)
    stands, others = rows[0]
    return Standing(lead, stands, (stands, *others))


def owner(view: View, *, lead: str) -> Owner:
    """Whose the lead is at the view's moment, and was before. Raises UnknownLead.

    A merged lead's answer is that of the lead which stands for it, with the histories of both.
    """
    meant = standing(view, lead)
    status, owned_by, since, by_position, expires_at = view.ask(
        f"""
        SELECT status, {OWNER_NOW}, {SINCE_NOW}, {BY_NOW}, expires_at FROM lead l WHERE lead = %(lead)s
        """,
        lead=meant.lead,
    )[0]
    return Owner(
        lead=meant.lead,
        asked=lead,
        status=status,
        owner=owned_by,
        since=since,
        by_position=by_position,
        expires_at=expires_at if owned_by else None,
        history=_history(view, meant),
    )


def _history(view: View, meant: Standing) -> list[Holding]:
    """A registration that claims the lead at once is one holding, not two."""
    rows = view.ask(
        """
        WITH change AS (
            SELECT lead, owner, since, position, event, reason, actor, true AS written FROM ownership
            WHERE lead = ANY(%(leads)s)
            UNION ALL
            SELECT lead, NULL, expires_at, worked_position, 'leads.ClaimLapsed', NULL, NULL, false FROM lead
            WHERE lead = ANY(%(leads)s) AND status <> 'merged' AND owner IS NOT NULL
              AND expires_at <= %(moment)s
        ), holding AS (
            SELECT lead, owner, since,
                   lead(since) OVER (PARTITION BY lead ORDER BY written DESC, position) AS until,
                   position, event, reason, actor, written
            FROM change
        )
        SELECT * FROM holding WHERE NOT (event = 'leads.LeadRegistered' AND until IS NOT DISTINCT FROM since)
        ORDER BY since, written DESC, position
        """,
        leads=list({meant.asked, meant.lead}),
    )
    return [Holding(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Refused:
    """`rep` tried to get `lead` under the id `subject` while it was `owner`'s since `since`."""

    lead: str
    subject: str
    rep: str | None
    owner: str
    since: datetime
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    position: int


def refusals(view: View, *, rep: str | None = None, lead: str | None = None) -> Listing:
    """Attempts on owned leads, the latest first; with `rep` those by them and those on their leads.

    Raises UnknownRep, and UnknownLead for a lead asked for that was never registered.
    """
    must_know_rep(view, rep)
    meant = None if lead is None else standing(view, lead).lead
    rows = view.ask(
        STANDS_FOR
        + """
        SELECT coalesce(s.target, f.lead), f.subject, f.rep, f.owner, f.since, f.actor, f.occurred_at,
               f.recorded_at, f.position
        FROM refusal f LEFT JOIN stands_for s ON s.lead = f.lead
        WHERE (%(rep)s::text IS NULL OR %(rep)s::text IN (f.rep, f.owner))
          AND (%(lead)s::text IS NULL OR coalesce(s.target, f.lead) = %(lead)s)
        ORDER BY f.position DESC
        """,
        rep=rep,
        lead=meant,
    )
    return Listing.of([Refused(*row) for row in rows])


@dataclass(frozen=True, slots=True)
class PoolLead:
    """An open lead that is nobody's since `since` (recorded)."""

    lead: str
    name: str | None
    channel: str | None
    campaign: str | None
    branch: str | None
    registered_at: datetime
    since: datetime
    by_position: int


def pool(view: View) -> Listing:
    """Open leads that nobody owns at the view's moment, the longest waiting first."""
    rows = view.ask(
        f"""
        SELECT l.lead, name, channel, campaign, branch, registered_at, {SINCE_NOW} AS waiting, {BY_NOW}
        FROM lead l WHERE status = 'open' AND ({OWNER_NOW}) IS NULL
        ORDER BY waiting, registered_position
        """
    )
    return Listing.of([PoolLead(*row) for row in rows])
