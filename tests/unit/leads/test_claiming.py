"""Whose lead it is: claims, their term, and who is told no."""

import pytest
from lead_facts import ANNS_CLAIM, BOBS_CLAIM, DAY, LAPSE, MOMENT, REGISTERED, TERM, lead
from scenario import NOON, Scenario, at

from domain.leads.decisions import (
    KeysOfTwoLeads,
    LeadAlreadyClaimed,
    NextStepsNeglected,
    claim,
    hand_out,
    lapse,
    recognise,
    work,
)
from domain.leads.events import (
    ClaimLapsed,
    ClaimRefused,
    KeyBound,
    LeadClaimed,
    LeadDisqualified,
    LeadMerged,
    LeadReleased,
    LeadWorked,
    SubjectAliased,
    Work,
)
from domain.leads.model import KEY, LEAD
from domain.shared.rejections import LeadClosed, UnknownLead

LAPSED = ClaimLapsed(rep="ann", lapsed_at=LAPSE)
CONTACT = LeadWorked(work="contact", protection_days=90)


def test_a_pool_lead_is_claimed_by_whoever_comes_first() -> None:
    Scenario(LEAD).given(REGISTERED).when(claim, rep="ann", now=NOON).then(ANNS_CLAIM)


def test_a_claimed_lead_is_refused_to_another_rep_who_is_told_whose_it_is_and_since_when() -> None:
    refusal = (
        Scenario(LEAD)
        .given(REGISTERED, at(NOON + DAY, ANNS_CLAIM))
        .when(claim, rep="bob", now=NOON + 2 * DAY)
        .then_rejected(LeadAlreadyClaimed, lead="L-1", owner="ann", since=NOON + DAY)
    )
    assert refusal.code == "lead_already_claimed"
    assert "ann's since 2026-03-03" in refusal.message


def test_claiming_ones_own_lead_again_changes_nothing() -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(claim, rep="ann", now=NOON + DAY).then_nothing()


def test_a_lead_that_was_never_registered_cannot_be_claimed() -> None:
    Scenario(LEAD).when(claim, rep="ann", now=NOON).then_rejected(UnknownLead, lead="L-1")


@pytest.mark.parametrize(
    ("end", "status"),
    [(LeadDisqualified(reason="bankrupt"), "disqualified"), (LeadMerged(into="L-2"), "merged")],
)
def test_a_lead_that_ended_cannot_be_claimed(end: LeadDisqualified | LeadMerged, status: str) -> None:
    Scenario(LEAD).given(REGISTERED, end).when(claim, rep="ann", now=NOON).then_rejected(
        LeadClosed, lead="L-1", status=status
    )


def test_a_claim_holds_up_to_the_last_moment_of_its_term() -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(claim, rep="bob", now=LAPSE - MOMENT).then_rejected(
        LeadAlreadyClaimed, owner="ann"
    )


def test_past_its_term_a_claim_is_nobodys_and_the_next_who_comes_writes_down_the_lapse() -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(claim, rep="bob", now=LAPSE).then(LAPSED, BOBS_CLAIM)


def test_a_rep_whose_own_claim_lapsed_claims_anew() -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(claim, rep="ann", now=LAPSE).then(LAPSED, ANNS_CLAIM)


def test_a_lapse_is_written_once() -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(lapse, now=LAPSE + DAY).then(LAPSED).when(
        lapse, now=LAPSE + 2 * DAY
    ).then_nothing()


def test_no_lapse_is_written_while_the_claim_holds_or_where_there_is_none() -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(lapse, now=LAPSE - MOMENT).then_nothing()
    Scenario(LEAD).given(REGISTERED).when(lapse, now=LAPSE).then_nothing()


def test_a_released_lead_may_be_claimed_by_anyone() -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM, LeadReleased(rep="ann", reason="no time")).when(
        claim, rep="bob", now=NOON
    ).then(BOBS_CLAIM)


@pytest.mark.parametrize("done", ["contact", "deal_opened", "stage_entered", "deal_won"])
def test_working_a_lead_begins_its_term_anew(done: Work) -> None:
    worked = LeadWorked(work=done, protection_days=90)
    scenario = Scenario(LEAD).given(REGISTERED, ANNS_CLAIM, at(NOON + 80 * DAY, worked))
    assert scenario.state.owner_at(LAPSE) == "ann"
    assert scenario.state.owner_at(NOON + 80 * DAY + TERM - MOMENT) == "ann"
    assert scenario.state.owner_at(NOON + 80 * DAY + TERM) is None


def test_the_term_counts_from_the_recording_and_not_from_when_it_happened() -> None:
    backdated = at(NOON + 80 * DAY, CONTACT, occurred_at=NOON - 300 * DAY)
    state = Scenario(LEAD).given(REGISTERED, ANNS_CLAIM, backdated).state
    assert state.owner_at(NOON + 169 * DAY) == "ann"
    claimed_late = Scenario(LEAD).given(REGISTERED, at(NOON, ANNS_CLAIM, occurred_at=NOON - 300 * DAY)).state
    assert claimed_late.owner_at(LAPSE - MOMENT) == "ann"


def test_a_contact_that_comes_after_the_term_does_not_bring_the_claim_back() -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(work, "contact", protection_days=90, now=LAPSE).then(
        LAPSED
    )


def test_working_does_not_reset_since_when_the_lead_is_owned() -> None:
    state = Scenario(LEAD).given(REGISTERED, ANNS_CLAIM, at(NOON + 5 * DAY, CONTACT)).state
    assert state.claim is not None
    assert (state.claim.since, state.claim.worked_at) == (NOON, NOON + 5 * DAY)


def test_the_pipelines_term_replaces_the_default_one() -> None:
    state = Scenario(LEAD).given(
        REGISTERED, ANNS_CLAIM, LeadWorked(work="deal_opened", deal="D-1", protection_days=30)
    )
    assert state.state.owner_at(NOON + 30 * DAY - MOMENT) == "ann"
    assert state.state.owner_at(NOON + 30 * DAY) is None
    state.when(claim, rep="bob", now=NOON + 31 * DAY).then(
        ClaimLapsed(rep="ann", lapsed_at=NOON + 30 * DAY), LeadClaimed(rep="bob", protection_days=30)
    )


def test_losing_a_deal_leaves_the_term_as_it_is() -> None:
    opened, lost = LeadWorked(work="deal_opened", deal="D-1"), LeadWorked(work="deal_lost", deal="D-1")
    state = Scenario(LEAD).given(REGISTERED, ANNS_CLAIM, opened, at(NOON + 80 * DAY, lost)).state
    assert state.owner_at(LAPSE) is None


@pytest.mark.parametrize("done", ["contact", "stage_entered"])
def test_work_that_keeps_nobodys_claim_leaves_no_trace_on_the_lead(done: Work) -> None:
    Scenario(LEAD).given(REGISTERED).when(work, done, protection_days=90, now=NOON).then_nothing()
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(work, done, now=NOON).then_nothing()


@pytest.mark.parametrize("done", ["deal_opened", "deal_won", "deal_lost", "deal_reopened"])
def test_what_becomes_of_deals_is_kept_on_the_lead_even_while_nobody_owns_it(done: Work) -> None:
    Scenario(LEAD).given(REGISTERED).when(work, done, deal="D-1", now=NOON).then(
        LeadWorked(work=done, deal="D-1")
    )


def test_a_lead_is_won_while_it_has_a_won_deal_and_none_open() -> None:
    scenario = Scenario(LEAD).given(REGISTERED)
    statuses = []
    for done, deal in [
        ("deal_opened", "D-1"),
        ("deal_won", "D-1"),
        ("deal_opened", "D-2"),
        ("deal_lost", "D-2"),
        ("deal_reopened", "D-1"),
    ]:
        statuses.append(scenario.given(LeadWorked(work=done, deal=deal)).state.status)  # type: ignore[arg-type]
    assert statuses == ["open", "won", "open", "won", "open"]


def test_a_won_lead_stays_owned_until_its_claim_lapses() -> None:
    won = LeadWorked(work="deal_won", deal="D-1", protection_days=90)
    scenario = Scenario(LEAD).given(REGISTERED, ANNS_CLAIM, at(NOON + DAY, won))
    scenario.when(claim, rep="bob", now=LAPSE).then_rejected(LeadAlreadyClaimed, owner="ann")
    again = Scenario(LEAD).given(REGISTERED, ANNS_CLAIM, at(NOON + DAY, won))
    again.when(claim, rep="bob", now=LAPSE + DAY).then(
        ClaimLapsed(rep="ann", lapsed_at=LAPSE + DAY), BOBS_CLAIM
    )


def test_a_refused_attempt_is_on_record_and_changes_nothing() -> None:
    attempt = ClaimRefused(rep="bob", subject="X-9", owner="ann", since=NOON)
    before = Scenario(LEAD).given(REGISTERED, ANNS_CLAIM)
    assert before.state == before.given(at(NOON + DAY, attempt)).state


def test_keys_without_a_lead_begin_a_new_one() -> None:
    assert recognise([], rep="ann", now=NOON) is None


def test_a_registration_with_known_keys_is_about_the_lead_they_point_to() -> None:
    anns, pool = lead("L-1", REGISTERED, ANNS_CLAIM), lead("L-2", REGISTERED)
    assert recognise([anns], rep="ann", now=NOON) == anns
    assert recognise([pool], rep="bob", now=NOON) == pool
    assert recognise([pool], rep=None, now=NOON) == pool


@pytest.mark.parametrize("rep", ["bob", None])
def test_registering_somebody_elses_lead_is_refused_even_for_the_pool(rep: str | None) -> None:
    anns, pool = lead("L-1", REGISTERED, ANNS_CLAIM), lead("L-2", REGISTERED)
    with pytest.raises(LeadAlreadyClaimed) as refused:
        recognise([pool, anns], rep=rep, now=NOON)
    assert refused.value.details == {"lead": "L-1", "owner": "ann", "since": NOON}


def test_a_lapsed_claim_does_not_stand_in_the_way_of_registering() -> None:
    anns = lead("L-1", REGISTERED, ANNS_CLAIM)
    assert recognise([anns], rep="bob", now=LAPSE) == anns


def test_keys_of_two_of_ones_own_leads_are_refused_naming_both() -> None:
    mine = [lead(name, REGISTERED, ANNS_CLAIM) for name in ("L-2", "L-1")]
    with pytest.raises(KeysOfTwoLeads) as refused:
        recognise(mine, rep="ann", now=NOON)
    assert refused.value.message == (
        "These keys belong to different leads: L-1, L-2. Merge them first (lead.merge)."
    )
    assert refused.value.details["leads"] == ["L-1", "L-2"]


def test_a_rep_whose_next_steps_are_in_order_gets_a_pool_lead() -> None:
    Scenario(LEAD).when(hand_out, rep="ann", overdue=0, missing=0).then_nothing()


@pytest.mark.parametrize(("overdue", "missing"), [(1, 0), (0, 1), (2, 3)])
def test_a_rep_with_overdue_or_missing_next_steps_gets_no_pool_lead(overdue: int, missing: int) -> None:
    Scenario(LEAD).when(hand_out, rep="ann", overdue=overdue, missing=missing).then_rejected(
        NextStepsNeglected, rep="ann", overdue=overdue, missing=missing
    )


def test_an_alias_points_to_the_lead_that_it_means() -> None:
    alias = lead("X-9", SubjectAliased(lead="L-1"))
    assert (alias.status, alias.points_to, alias.claim) == ("alias", "L-1", None)


def test_a_key_points_to_the_lead_it_was_bound_to_last() -> None:
    assert Scenario(KEY, "k").state.lead is None
    assert Scenario(KEY, "k").given(KeyBound(lead="L-1"), KeyBound(lead="L-2")).state.lead == "L-2"
