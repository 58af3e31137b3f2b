"""Whom a lead or a deal concerns, followed from that one alone, is what following all of them gives."""

from dataclasses import replace
from datetime import timedelta

from payday import Payday

from adapters.postgres.lookups import view_of
from projections.asking import OWNER_NOW, STANDS_FOR, View
from projections.mine import concerned_with_deal, concerned_with_lead
from projections.owner import owner, standing


def test_one_is_followed_as_all_are(database_url: str) -> None:
    company = _company(database_url)
    with company.projector.snapshot(("leads", "deals")) as snapshot:
        now = view_of(snapshot)
        later = replace(now, moment=now.moment + timedelta(days=365))  # All claims are past their term.
        for view, whose in ((now, {"bob"}), (later, set())):
            deals = _must_be_as_all_are(view)
            assert (deals["D-shared"], deals["D-late"]) == ({"ann", "bob"}, whose)
            assert concerned_with_lead(view, "L-again")["D-won"] == {"bob"}
            assert (concerned_with_lead(view, "nobody"), concerned_with_deal(view, "nobody")) == ({}, set())
    company.close_database()


def _must_be_as_all_are(view: View) -> dict[str, frozenset[str]]:
    deals = _by_following_all(view)
    assert {deal: concerned_with_deal(view, deal) for deal in deals} == deals
    leads = [lead for (lead,) in view.ask("SELECT lead FROM lead UNION SELECT lead FROM lead_pointer")]
    assert len(leads) == 8
    for lead in leads:
        whose = {owner(view, lead=lead).owner} - {None}
        family = set(standing(view, lead).family)
        theirs = {deal: deals[deal] for deal, of in view.ask("SELECT deal, lead FROM deal") if of in family}
        assert concerned_with_lead(view, lead) == {None: whose, **theirs}, lead
    return deals


def _company(url: str) -> Payday:
    """Won, lost, open and shared deals of leads that are merged twice over, parted and handed on."""
    company = Payday(url).founded()
    for deal, rep in (("D-won", "bob"), ("D-mine", "ann"), ("D-shared", "ann"), ("D-open", "ann")):
        company.accept(*company.winning(deal, "100", rep=rep)[: 2 if deal == "D-open" else 3])
    shares = [{"rep": "ann", "percent": "50"}, {"rep": "bob", "percent": "50"}]
    company.do("deal.split", "D-shared", {"shares": shares})
    company.do("lead.assign", "L-D-won", {"rep": "ann", "reason": "distribution"})
    company.do("lead.register", "L-again", {"keys": {"external": "D-open"}, "owner": "ann"})
    for lead, into in (("L-D-open", "L-D-mine"), ("L-D-mine", "L-D-shared"), ("L-D-won", "L-D-shared")):
        company.do("lead.merge", lead, {"into": into})
    for lead in ("L-1", "L-2"):
        company.do("lead.register", lead, {"keys": {"external": lead}, "owner": "bob"})
    company.do("lead.merge", "L-1", {"into": "L-2"})
    company.do("lead.unmerge", "L-1", {"into": "L-2"})
    company.do("lead.register", "L-D-late", {"keys": {"external": "late"}, "owner": "bob"})
    company.do("deal.open", "D-late", {"lead": "L-D-late", "pipeline": "sales"})
    assert company.projector.catch_up() == []
    return company


def _by_following_all(view: View) -> dict[str, frozenset[str]]:
    rows = view.ask(
        f"""{STANDS_FOR}
        SELECT d.deal, ARRAY(SELECT rep FROM deal_share WHERE deal = d.deal)
            || CASE WHEN d.status = 'open' THEN {OWNER_NOW} ELSE d.closed_owner END
        FROM deal d LEFT JOIN stands_for s ON s.lead = d.lead
        LEFT JOIN lead l ON l.lead = coalesce(s.target, d.lead)"""
    )
    return {deal: frozenset(reps) - {None} for deal, reps in rows}
