"""Two leads that are one customer, and two that were taken for one."""

from collections.abc import Sequence
from datetime import datetime

import pytest
from lead_facts import (
    ADMIN,
    ANN,
    ANNS_CLAIM,
    BOB,
    BOBS_CLAIM,
    CARL,
    CARLS_TEAM,
    DAY,
    LAPSE,
    NOBODY,
    PAYROLL,
    REGISTERED,
    SERVICE,
    lead,
)
from scenario import NOON, At, Scenario, at

from domain.kernel import Event
from domain.leads.decisions import NotMerged, merge, unmerge
from domain.leads.events import (
    ClaimLapsed,
    LeadAbsorbed,
    LeadAssigned,
    LeadClaimed,
    LeadDisqualified,
    LeadMerged,
    LeadParted,
    LeadReleased,
    LeadUnmerged,
    LeadWorked,
)
from domain.leads.model import LEAD, Lead
from domain.shared.actors import Actor
from domain.shared.rejections import LeadClosed, NotEntitled, UnknownLead

FIRST, SECOND = "L-1", "L-2"
DAY_85 = NOON + 85 * DAY


def registered(position: int, *more: Event | At, when: datetime = NOON) -> tuple[Event | At, ...]:
    return (at(when, REGISTERED, position=position), *more)


def deals(lead: Lead) -> tuple[list[str], list[str]]:
    return sorted(lead.open_deals), sorted(lead.won_deals)


class Two:
    """Two leads that live through the same days; `L-1` was registered first and is merged into `L-2`."""

    def __init__(self, first: Sequence[Event | At], second: Sequence[Event | At]) -> None:
        self.first = Scenario(LEAD, FIRST).given(*registered(1, *first))
        self.second = Scenario(LEAD, SECOND).given(*registered(50, *second))

    def merged(self, now: datetime, *, back: bool = False) -> "Two":
        one, other = (self.second, self.first) if back else (self.first, self.second)
        self._keep(one, other, merge(one.state, other.state, actor=ADMIN, heads=NOBODY, now=now), now)
        return self

    def unmerged(
        self, now: datetime, *, actor: Actor = ADMIN, gone: frozenset[str] = NOBODY, back: bool = False
    ) -> "Two":
        one, other = (self.second, self.first) if back else (self.first, self.second)
        parted = unmerge(one.state, other.state, actor=actor, heads=CARLS_TEAM, now=now, gone=gone)
        self._keep(one, other, parted, now)
        return self

    def owners(self, now: datetime) -> tuple[str | None, str | None]:
        return self.first.state.owner_at(now), self.second.state.owner_at(now)

    def _keep(
        self,
        one: Scenario[Lead],
        other: Scenario[Lead],
        events: tuple[Sequence[Event], Sequence[Event]],
        now: datetime,
    ) -> None:
        one.given(*(at(now, event) for event in events[0]))
        other.given(*(at(now, event) for event in events[1]))


@pytest.mark.parametrize("back", [False, True])
def test_the_right_of_the_lead_registered_first_is_kept_whichever_is_merged_into_which(back: bool) -> None:
    two = Two([ANNS_CLAIM], [BOBS_CLAIM]).merged(NOON + DAY, back=back)
    assert two.owners(NOON + DAY)[0 if back else 1] == "ann"


def test_a_lead_that_nobody_owns_has_no_right_to_keep() -> None:
    assert Two([], [BOBS_CLAIM]).merged(NOON).owners(NOON)[1] == "bob"
    assert Two([ANNS_CLAIM], [at(DAY_85, BOBS_CLAIM)]).merged(LAPSE).owners(LAPSE)[1] == "bob"


def test_two_pool_leads_stay_in_the_pool() -> None:
    assert Two([], []).merged(NOON).owners(NOON)[1] is None


def test_a_merge_says_whose_the_lead_was_and_whose_it_is() -> None:
    into = lead(SECOND, *registered(50, BOBS_CLAIM))
    Scenario(LEAD).given(*registered(1, ANNS_CLAIM)).when(
        merge, into, actor=ADMIN, heads=NOBODY, now=NOON + DAY
    ).then_both(
        [LeadMerged(into=SECOND)],
        [LeadAbsorbed(lead="L-1", owner="ann", previous="bob", protection_days=90, worked_at=NOON)],
    )


def test_a_merge_writes_down_the_lapses_it_meets() -> None:
    into = lead(SECOND, *registered(50, BOBS_CLAIM))
    Scenario(LEAD).given(*registered(1, ANNS_CLAIM)).when(
        merge, into, actor=ADMIN, heads=NOBODY, now=LAPSE
    ).then_both(
        [ClaimLapsed(rep="ann", lapsed_at=LAPSE), LeadMerged(into=SECOND)],
        [
            ClaimLapsed(rep="bob", lapsed_at=LAPSE),
            LeadAbsorbed(lead="L-1", owner=None, previous=None, protection_days=90),
        ],
    )


def test_a_merge_is_no_work_and_does_not_make_a_claim_live_longer() -> None:
    two = Two([ANNS_CLAIM], [at(NOON + 80 * DAY, BOBS_CLAIM)]).merged(DAY_85)
    assert two.owners(LAPSE - DAY)[1] == "ann"
    assert two.owners(LAPSE)[1] is None


def test_work_on_either_of_ones_own_leads_counts_for_the_merged_one() -> None:
    contact = at(NOON + 80 * DAY, LeadWorked(work="contact", protection_days=90))
    two = Two([ANNS_CLAIM, contact], [ANNS_CLAIM]).merged(DAY_85)
    assert two.owners(NOON + 169 * DAY)[1] == "ann"
    assert two.owners(NOON + 170 * DAY)[1] is None


def test_of_ones_own_two_claims_the_one_that_holds_longest_is_kept() -> None:
    for back in (False, True):
        two = Two([ANNS_CLAIM], [at(NOON + 20 * DAY, ANNS_CLAIM)]).merged(NOON + 21 * DAY, back=back)
        assert two.owners(NOON + 110 * DAY - DAY)[0 if back else 1] == "ann"
        assert two.owners(NOON + 110 * DAY)[0 if back else 1] is None


def test_merging_ones_own_leads_does_not_reset_since_when_they_are_owned() -> None:
    second = Two([ANNS_CLAIM], [ANNS_CLAIM]).merged(DAY_85).second.state
    assert second.claim is not None
    assert second.claim.since == NOON


@pytest.mark.parametrize("actor", [ANN, CARL, SERVICE, ADMIN])
def test_ones_own_leads_may_be_merged_by_oneself_those_above_or_a_service(actor: Actor) -> None:
    into = lead(SECOND, *registered(50, ANNS_CLAIM))
    of_lead, of_into = merge(
        lead(FIRST, *registered(1, ANNS_CLAIM)), into, actor=actor, heads=CARLS_TEAM, now=NOON
    )
    assert (len(of_lead), len(of_into)) == (1, 1)


@pytest.mark.parametrize("actor", [ANN, BOB, SERVICE, PAYROLL])
def test_leads_of_two_reps_are_merged_only_by_a_head_of_both_or_an_admin(actor: Actor) -> None:
    into = lead(SECOND, *registered(50, BOBS_CLAIM))
    Scenario(LEAD).given(*registered(1, ANNS_CLAIM)).when(
        merge, into, actor=actor, heads=CARLS_TEAM, now=NOON
    ).then_rejected(NotEntitled, reason="they are ann and bob's")


def test_a_rep_does_not_merge_leads_that_are_nobodys() -> None:
    Scenario(LEAD).given(*registered(1)).when(
        merge, lead(SECOND, *registered(50)), actor=ANN, heads=NOBODY, now=NOON
    ).then_rejected(NotEntitled)


def test_merging_a_lead_with_itself_or_again_into_the_same_one_changes_nothing() -> None:
    Scenario(LEAD).given(REGISTERED).when(
        merge, lead("L-1", REGISTERED), actor=ADMIN, heads=NOBODY, now=NOON
    ).then_nothing()
    two = Two([ANNS_CLAIM], [BOBS_CLAIM]).merged(NOON)
    two.first.when(merge, two.second.state, actor=ADMIN, heads=NOBODY, now=NOON).then_nothing()


def test_an_ended_or_unknown_lead_is_neither_merged_nor_merged_into() -> None:
    ended = lead(SECOND, REGISTERED, LeadDisqualified(reason="x"))
    third = lead("L-3", REGISTERED)
    Scenario(LEAD).given(REGISTERED).when(merge, ended, actor=ADMIN, heads=NOBODY, now=NOON).then_rejected(
        LeadClosed, lead=SECOND
    )
    Two([], []).merged(NOON).first.when(merge, third, actor=ADMIN, heads=NOBODY, now=NOON).then_rejected(
        LeadClosed, status="merged"
    )
    Scenario(LEAD).when(merge, third, actor=ADMIN, heads=NOBODY, now=NOON).then_rejected(UnknownLead)


def test_unmerging_gives_each_lead_its_owner_back() -> None:
    two = Two([ANNS_CLAIM], [BOBS_CLAIM]).merged(NOON + DAY).unmerged(NOON + 2 * DAY)
    assert two.owners(NOON + 2 * DAY) == ("ann", "bob")
    assert two.first.state.status == "open"
    assert two.first.state.points_to is None


def test_unmerging_says_whose_each_lead_is_from_now_on() -> None:
    two = Two([ANNS_CLAIM], [BOBS_CLAIM]).merged(NOON + DAY)
    two.first.when(unmerge, two.second.state, actor=ADMIN, heads=NOBODY, now=NOON + 2 * DAY).then_both(
        [LeadUnmerged(parted_from=SECOND, owner="ann", protection_days=90, worked_at=NOON)],
        [LeadParted(lead="L-1", owner="bob", protection_days=90, worked_at=NOON)],
    )


def test_unmerging_is_no_work_either() -> None:
    two = Two([ANNS_CLAIM], [at(NOON + DAY, BOBS_CLAIM)]).merged(DAY_85).unmerged(DAY_85)
    assert two.owners(LAPSE - DAY) == ("ann", "bob")
    assert two.owners(LAPSE) == (None, "bob")
    assert two.owners(LAPSE + DAY) == (None, None)


def test_work_on_a_merged_lead_was_work_on_both() -> None:
    two = Two([ANNS_CLAIM], [BOBS_CLAIM]).merged(NOON + DAY)
    two.second.given(at(NOON + 80 * DAY, LeadWorked(work="contact", protection_days=90)))
    two.unmerged(NOON + 100 * DAY)
    assert two.owners(NOON + 169 * DAY) == ("ann", "bob")
    assert two.owners(NOON + 170 * DAY) == (None, None)


def test_work_that_came_when_a_claim_was_over_does_not_bring_it_back() -> None:
    contact = LeadWorked(work="contact", protection_days=90)
    too_late = Two([ANNS_CLAIM], [at(NOON + 20 * DAY, ANNS_CLAIM)]).merged(NOON + 21 * DAY)
    too_late.second.given(at(NOON + 95 * DAY, contact))
    assert too_late.unmerged(NOON + 96 * DAY).owners(NOON + 96 * DAY) == (None, "ann")
    after_a_gap = Two([ANNS_CLAIM], [ANNS_CLAIM]).merged(NOON + DAY)
    after_a_gap.second.given(at(NOON + 2 * DAY, LeadWorked(work="contact", protection_days=30)))
    after_a_gap.second.given(at(NOON + 40 * DAY, ANNS_CLAIM), contact)
    assert after_a_gap.unmerged(NOON + 41 * DAY).owners(NOON + 41 * DAY) == (None, "ann")


def test_a_lapse_while_merged_costs_the_other_rep_nothing_written_or_not() -> None:
    two = Two([ANNS_CLAIM], [at(NOON + 80 * DAY, BOBS_CLAIM)]).merged(DAY_85)
    assert two.unmerged(NOON + 100 * DAY).owners(NOON + 100 * DAY) == (None, "bob")
    written = Two([ANNS_CLAIM], [at(NOON + 80 * DAY, BOBS_CLAIM)]).merged(DAY_85)
    written.second.given(at(NOON + 95 * DAY, ClaimLapsed(rep="ann", lapsed_at=LAPSE)))
    assert written.unmerged(NOON + 100 * DAY).owners(NOON + 100 * DAY) == (None, "bob")


@pytest.mark.parametrize(
    "taken",
    [
        LeadClaimed(rep="dora", protection_days=90),
        LeadAssigned(rep="dora", previous="ann", reason="conflict", protection_days=90),
    ],
)
def test_a_remaining_lead_that_somebody_took_since_stays_theirs(taken: Event) -> None:
    two = Two([ANNS_CLAIM], [BOBS_CLAIM]).merged(NOON + DAY)
    two.second.given(at(NOON + 2 * DAY, taken))
    assert two.unmerged(NOON + 3 * DAY).owners(NOON + 3 * DAY) == ("ann", "dora")


def test_who_gave_up_the_merged_lead_gave_up_both_and_the_other_reps_right_comes_back() -> None:
    two = Two([ANNS_CLAIM], [BOBS_CLAIM]).merged(NOON)
    two.second.given(LeadReleased(rep="ann", reason="no time"))
    assert two.unmerged(NOON).owners(NOON) == (None, "bob")


def test_a_rep_who_is_gone_gets_nothing_back() -> None:
    two = Two([ANNS_CLAIM], [BOBS_CLAIM]).merged(NOON)
    assert two.unmerged(NOON + DAY, gone=frozenset({"bob"})).owners(NOON + DAY) == ("ann", None)
    two = Two([ANNS_CLAIM], [BOBS_CLAIM]).merged(NOON)
    assert two.unmerged(NOON + DAY, gone=frozenset({"ann"})).owners(NOON + DAY) == (None, "bob")


def test_merges_may_be_undone_in_any_order() -> None:
    for order in ([("L-1", "ann"), ("L-0", "dora")], [("L-0", "dora"), ("L-1", "ann")]):
        leads = {
            "L-1": Scenario(LEAD, "L-1").given(*registered(10, ANNS_CLAIM)),
            "L-0": Scenario(LEAD, "L-0").given(*registered(1, LeadClaimed(rep="dora", protection_days=90))),
        }
        into = Scenario(LEAD, SECOND).given(*registered(50, BOBS_CLAIM))
        for name in ("L-1", "L-0"):
            here, there = merge(leads[name].state, into.state, actor=ADMIN, heads=NOBODY, now=NOON)
            leads[name].given(*here)
            into.given(*there)
        assert into.state.owner_at(NOON) == "dora"
        for name, owner in order:
            here, there = unmerge(leads[name].state, into.state, actor=ADMIN, heads=NOBODY, now=NOON)
            assert leads[name].given(*here).state.owner_at(NOON) == owner
            into.given(*there)
            left = "dora" if any(one.lead == "L-0" for one in into.state.absorbed) else None
            left = left or ("ann" if into.state.absorbed else "bob")
            assert into.state.owner_at(NOON) == left
        assert into.state.absorbed == ()


def test_a_merge_that_decided_nothing_does_not_keep_an_earlier_one_from_being_undone() -> None:
    two = Two([ANNS_CLAIM], [BOBS_CLAIM]).merged(NOON)
    later = Scenario(LEAD, "L-3").given(*registered(99, LeadClaimed(rep="dora", protection_days=90)))
    here, there = merge(later.state, two.second.state, actor=ADMIN, heads=NOBODY, now=NOON)
    later.given(*here)
    two.second.given(*there)
    assert two.owners(NOON)[1] == "ann"
    assert two.unmerged(NOON).owners(NOON) == ("ann", "bob")


def test_somebody_elses_claim_on_the_merged_lead_is_no_work_for_the_first_owner() -> None:
    two = Two([ANNS_CLAIM], [BOBS_CLAIM]).merged(NOON + DAY)
    two.second.given(at(NOON + 80 * DAY, LeadClaimed(rep="dora", protection_days=90)))
    assert two.unmerged(LAPSE).owners(LAPSE) == (None, "dora")


@pytest.mark.parametrize("actor", [ANN, CARL, ADMIN])
def test_a_merge_is_undone_by_the_present_owner_those_above_or_an_admin(actor: Actor) -> None:
    two = Two([ANNS_CLAIM], [BOBS_CLAIM]).merged(NOON).unmerged(NOON, actor=actor)
    assert two.owners(NOON) == ("ann", "bob")


@pytest.mark.parametrize("actor", [BOB, PAYROLL, SERVICE])
def test_nobody_else_undoes_a_merge_that_moved_a_lead_to_another_rep(actor: Actor) -> None:
    two = Two([ANNS_CLAIM], [BOBS_CLAIM]).merged(NOON)
    two.first.when(unmerge, two.second.state, actor=actor, heads=CARLS_TEAM, now=NOON).then_rejected(
        NotEntitled
    )


def test_a_service_undoes_a_merge_of_one_reps_leads() -> None:
    two = Two([ANNS_CLAIM], [ANNS_CLAIM]).merged(NOON).unmerged(NOON, actor=SERVICE)
    assert two.owners(NOON) == ("ann", "ann")


def test_only_a_merged_lead_can_be_unmerged() -> None:
    second = lead(SECOND, REGISTERED)
    Scenario(LEAD).given(REGISTERED).when(unmerge, second, actor=ADMIN, heads=NOBODY, now=NOON).then_rejected(
        NotMerged, lead="L-1"
    )
    Scenario(LEAD).when(unmerge, second, actor=ADMIN, heads=NOBODY, now=NOON).then_rejected(UnknownLead)


def test_deals_go_along_with_a_merge_and_back_with_its_undoing() -> None:
    opened = [LeadWorked(work="deal_opened", deal=deal) for deal in ("D-1", "D-2")]
    won = LeadWorked(work="deal_won", deal="D-2")
    two = Two([ANNS_CLAIM, *opened, won], [ANNS_CLAIM]).merged(NOON)
    assert deals(two.second.state) == (["D-1"], ["D-2"])
    two.second.given(LeadWorked(work="deal_won", deal="D-1"), LeadWorked(work="deal_opened", deal="D-9"))
    own = frozenset({"D-1", "D-2"})
    here, there = unmerge(two.first.state, two.second.state, deals=own, actor=ADMIN, heads=NOBODY, now=NOON)
    first, second = two.first.given(*here).state, two.second.given(*there).state
    assert (deals(first), first.status) == (([], ["D-1", "D-2"]), "won")
    assert (deals(second), second.status) == ((["D-9"], []), "open")


def test_a_won_lead_that_takes_in_an_open_deal_is_open() -> None:
    won = [LeadWorked(work="deal_opened", deal="D-1"), LeadWorked(work="deal_won", deal="D-1")]
    two = Two([ANNS_CLAIM, LeadWorked(work="deal_opened", deal="D-2")], [ANNS_CLAIM, *won])
    assert two.second.state.status == "won"
    assert two.merged(NOON).second.state.status == "open"


def test_parting_from_a_disqualified_lead_gives_that_one_no_owner() -> None:
    two = Two([ANNS_CLAIM], [BOBS_CLAIM]).merged(NOON)
    two.second.given(at(NOON + DAY, LeadDisqualified(reason="gone")))
    assert two.unmerged(NOON + 2 * DAY).owners(NOON + 2 * DAY) == ("ann", None)
    assert two.second.state.status == "disqualified"
