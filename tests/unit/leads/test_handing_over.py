"""Who may give a lead away, and what is recorded of it."""

from collections.abc import Callable
from typing import Any

import pytest
from lead_facts import (
    ADMIN,
    ANN,
    ANNS_CLAIM,
    BOB,
    CARL,
    CARLS_TEAM,
    DAY,
    LAPSE,
    NOBODY,
    PAYROLL,
    REGISTERED,
    SERVICE,
)
from scenario import NOON, Scenario, at

from domain.leads.decisions import assign, depart, disqualify, release
from domain.leads.events import ClaimLapsed, LeadAssigned, LeadDisqualified, LeadReleased
from domain.leads.model import LEAD
from domain.shared.actors import Actor
from domain.shared.rejections import InvalidData, LeadClosed, NotEntitled, UnknownLead

LAPSED = ClaimLapsed(rep="ann", lapsed_at=LAPSE)
DISQUALIFIED = LeadDisqualified(reason="bankrupt")
REASONS = ["departure", "conflict", "distribution", "merge"]


def to_bob(previous: str | None, reason: str = "conflict") -> LeadAssigned:
    return LeadAssigned(rep="bob", previous=previous, reason=reason, protection_days=90)  # type: ignore[arg-type]


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("actor", [ADMIN, CARL])
def test_a_head_or_an_admin_hands_an_owned_lead_over_for_each_of_the_reasons(
    actor: Actor, reason: str
) -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(
        assign, rep="bob", reason=reason, actor=actor, heads=CARLS_TEAM, now=NOON
    ).then(to_bob("ann", reason))


@pytest.mark.parametrize("actor", [ANN, BOB, SERVICE, PAYROLL])
def test_nobody_else_hands_an_owned_lead_over(actor: Actor) -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(
        assign, rep="bob", reason="conflict", actor=actor, heads=CARLS_TEAM, now=NOON
    ).then_rejected(NotEntitled, actor=actor.name)


@pytest.mark.parametrize("reason", ["", "friendship", "Conflict"])
def test_a_handover_without_one_of_the_reasons_is_refused(reason: str) -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(
        assign, rep="bob", reason=reason, actor=ADMIN, heads=NOBODY, now=NOON
    ).then_rejected(InvalidData, field="reason")


@pytest.mark.parametrize("actor", [ADMIN, CARL, SERVICE])
def test_a_pool_lead_is_handed_out_by_a_service_too(actor: Actor) -> None:
    Scenario(LEAD).given(REGISTERED).when(
        assign, rep="bob", reason="distribution", actor=actor, heads=CARLS_TEAM, now=NOON
    ).then(to_bob(None, "distribution"))


@pytest.mark.parametrize("actor", [BOB, PAYROLL])
def test_a_rep_does_not_hand_a_pool_lead_to_themselves(actor: Actor) -> None:
    Scenario(LEAD).given(REGISTERED).when(
        assign, rep="bob", reason="distribution", actor=actor, heads=CARLS_TEAM, now=NOON
    ).then_rejected(NotEntitled)


def test_assigning_to_the_owner_changes_nothing_so_that_the_claims_date_stays() -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(
        assign, rep="ann", reason="conflict", actor=ADMIN, heads=NOBODY, now=NOON + DAY
    ).then_nothing()


def test_a_lapsed_lead_is_handed_out_as_one_from_the_pool() -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(
        assign, rep="bob", reason="distribution", actor=SERVICE, heads=NOBODY, now=LAPSE
    ).then(LAPSED, to_bob(None, "distribution"))


def test_the_new_owners_term_begins_with_the_handover() -> None:
    state = Scenario(LEAD).given(REGISTERED, ANNS_CLAIM, at(NOON + 80 * DAY, to_bob("ann"))).state
    assert state.owner_at(NOON + 169 * DAY) == "bob"
    assert state.owner_at(NOON + 170 * DAY) is None


@pytest.mark.parametrize("actor", [ANN, CARL, SERVICE, ADMIN])
def test_the_owner_or_those_above_release_a_lead_to_the_pool(actor: Actor) -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(
        release, reason="no time", actor=actor, heads=CARLS_TEAM, now=NOON
    ).then(LeadReleased(rep="ann", reason="no time"))


@pytest.mark.parametrize("actor", [BOB, PAYROLL])
def test_nobody_else_releases_it(actor: Actor) -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(
        release, reason="mine!", actor=actor, heads=CARLS_TEAM, now=NOON
    ).then_rejected(NotEntitled, reason="it is ann's")


def test_releasing_a_pool_lead_changes_nothing_and_a_lapsed_one_only_writes_the_lapse() -> None:
    Scenario(LEAD).given(REGISTERED).when(
        release, reason="x", actor=ANN, heads=NOBODY, now=NOON
    ).then_nothing()
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(
        release, reason="x", actor=ANN, heads=NOBODY, now=LAPSE
    ).then(LAPSED)


@pytest.mark.parametrize("actor", [ANN, CARL, SERVICE, ADMIN])
def test_the_owner_or_those_above_disqualify_a_lead(actor: Actor) -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(
        disqualify, reason="bankrupt", actor=actor, heads=CARLS_TEAM, now=NOON
    ).then(DISQUALIFIED)


@pytest.mark.parametrize("actor", [BOB, PAYROLL])
def test_nobody_else_disqualifies_it(actor: Actor) -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(
        disqualify, reason="x", actor=actor, heads=CARLS_TEAM, now=NOON
    ).then_rejected(NotEntitled)


def test_a_pool_lead_must_be_claimed_before_a_rep_disqualifies_it() -> None:
    Scenario(LEAD).given(REGISTERED).when(
        disqualify, reason="x", actor=ANN, heads=NOBODY, now=NOON
    ).then_rejected(NotEntitled, reason="nobody owns the lead now: claim it first (lead.claim)")


def test_disqualifying_again_changes_nothing() -> None:
    Scenario(LEAD).given(REGISTERED, DISQUALIFIED).when(
        disqualify, reason="again", actor=BOB, heads=NOBODY, now=NOON
    ).then_nothing()


def test_a_disqualified_lead_is_nobodys() -> None:
    state = Scenario(LEAD).given(REGISTERED, ANNS_CLAIM, DISQUALIFIED).state
    assert (state.owner_at(NOON), state.ended) == (None, True)


@pytest.mark.parametrize("decide", [release, assign])
def test_an_ended_or_unknown_lead_is_neither_released_nor_handed_over(decide: Callable[..., Any]) -> None:
    more = {"rep": "bob", "reason": "conflict"} if decide is assign else {"reason": "x"}
    Scenario(LEAD).given(REGISTERED, DISQUALIFIED).when(
        decide,
        **more,
        actor=ADMIN,
        heads=NOBODY,
        now=NOON,
    ).then_rejected(LeadClosed, status="disqualified")
    Scenario(LEAD).when(decide, **more, actor=ADMIN, heads=NOBODY, now=NOON).then_rejected(UnknownLead)


def test_a_departed_reps_lead_goes_to_the_named_successor_or_to_the_pool() -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(depart, successor="bob", now=NOON).then(
        to_bob("ann", "departure")
    )
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(depart, successor=None, now=NOON).then(
        LeadReleased(rep="ann", reason="departure")
    )


def test_a_lapsed_lead_goes_to_no_successor() -> None:
    Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(depart, successor="bob", now=LAPSE).then(LAPSED)
    Scenario(LEAD).given(REGISTERED).when(depart, successor="bob", now=NOON).then_nothing()
