"""Ownership: whose, since when, by which event, who was refused, what is in the pool."""

from collections.abc import Iterator

import pytest
from reporting import (
    AsOf,
    ClaimLapsed,
    ClaimRefused,
    LeadAssigned,
    LeadClaimed,
    LeadDisqualified,
    LeadReleased,
    LeadWorked,
    Story,
    SubjectAliased,
    day,
)

from domain.shared.rejections import UnknownDeal, UnknownLead, UnknownRep
from projections.contacts import encroachments
from projections.owner import Owner, owner, pool, refusals
from projections.team import colleagues
from projections.timeline import deal_story, lead_story


@pytest.fixture
def story(database_url: str) -> Iterator[Story]:
    story = Story(database_url)
    yield story.pipeline().rep("eva").rep("ann", "eva").rep("bob", "eva")
    story.close()


def past(found: Owner) -> list[tuple[str, str | None, str]]:
    return [(one.lead, one.owner, one.event.split(".")[1]) for one in found.history]


def test_an_unknown_lead_is_refused(story: Story) -> None:
    with story.view() as view, pytest.raises(UnknownLead):
        owner(view, lead="L-9")


def test_a_registration_that_claims_is_one_holding(story: Story) -> None:
    story.on(1).lead("L-1", "ann")
    with story.view() as view:
        found = owner(view, lead="L-1")
    assert (found.owner, found.since, found.by_position) == ("ann", day(1), story.position)
    assert found.expires_at == day(91)
    assert past(found) == [("L-1", "ann", "LeadClaimed")]


def test_every_change_of_hands_is_kept_with_its_reason(story: Story) -> None:
    story.lead("L-1")
    story.on(1).of_lead("L-1", LeadClaimed(rep="ann", protection_days=90), actor="ann")
    story.on(2).of_lead(
        "L-1", LeadAssigned(rep="bob", previous="ann", reason="conflict", protection_days=90), actor="eva"
    )
    story.on(3).of_lead("L-1", LeadReleased(rep="bob", reason="no time"), actor="bob")
    with story.view() as view:
        found = owner(view, lead="L-1")
    assert (found.owner, found.since, found.by_position) == (None, day(3), story.position)
    told = [(one.owner, one.since, one.until, one.reason, one.actor) for one in found.history]
    assert told == [
        (None, day(0), day(1), None, "service:site"),
        ("ann", day(1), day(2), None, "ann"),
        ("bob", day(2), day(3), "conflict", "eva"),
        (None, day(3), None, "no time", "bob"),
    ]


def test_a_claim_past_its_term_is_nobodys_written_or_not(story: Story) -> None:
    story.lead("L-1", "ann")
    claimed = story.position
    with story.view(days=89.99) as view:
        assert owner(view, lead="L-1").owner == "ann"
    with story.view(days=90) as view:
        unwritten = owner(view, lead="L-1")
    story.on(95).of_lead("L-1", ClaimLapsed(rep="ann", lapsed_at=day(90)))
    with story.view() as view:
        written = owner(view, lead="L-1")
    assert (unwritten.owner, unwritten.since, unwritten.by_position) == (None, day(90), claimed)
    assert (written.owner, written.since, written.by_position) == (None, day(90), story.position)
    assert past(unwritten) == past(written) == [("L-1", "ann", "LeadClaimed"), ("L-1", None, "ClaimLapsed")]
    assert (
        [one.until for one in unwritten.history] == [one.until for one in written.history] == [day(90), None]
    )
    assert [one.written for one in unwritten.history] == [True, False]


def test_work_begins_the_term_anew(story: Story) -> None:
    story.lead("L-1", "ann").on(80).of_lead("L-1", LeadWorked(work="contact", protection_days=90))
    with story.view(days=100) as view:
        found = owner(view, lead="L-1")
    assert (found.owner, found.since, found.expires_at) == ("ann", day(0), day(170))


def test_who_owned_it_then_is_asked_of_the_past(story: Story) -> None:
    story.lead("L-1", "ann").on(5).of_lead("L-1", LeadReleased(rep="ann", reason="ill"))
    with story.view(at=AsOf(moment=day(4))) as view:
        then = owner(view, lead="L-1")
    assert (then.owner, [one.until for one in then.history]) == ("ann", [None])


def test_a_merged_lead_and_an_alias_are_answered_by_the_one_that_stands_for_them(story: Story) -> None:
    story.lead("L-1", "ann").lead("L-2", "ann").lead("L-3", "ann").of_lead("L-4", SubjectAliased(lead="L-3"))
    story.on(1).merge("L-3", "L-2", "ann", "ann").on(2).merge("L-2", "L-1", "ann", "ann")
    with story.view() as view:
        merged, alias = owner(view, lead="L-3"), owner(view, lead="L-4")
    assert (merged.lead, merged.asked, merged.owner, alias.lead) == ("L-1", "L-3", "ann", "L-1")
    assert past(merged) == [
        ("L-1", "ann", "LeadClaimed"),
        ("L-3", "ann", "LeadClaimed"),
        ("L-3", None, "LeadMerged"),
    ]


def test_a_merge_undone_gives_back_and_says_so(story: Story) -> None:
    story.lead("L-1", "ann").lead("L-2", "bob").on(1).merge("L-2", "L-1", "ann", "ann")
    story.on(2).unmerge("L-2", "L-1", "bob", "ann")
    with story.view() as view:
        found, kept = owner(view, lead="L-2"), owner(view, lead="L-1")
    assert (found.lead, found.owner, found.status, kept.owner) == ("L-2", "bob", "open", "ann")
    assert past(found)[-1] == ("L-2", "bob", "LeadUnmerged")
    assert (kept.since, len(kept.history)) == (day(0), 1)


def test_the_pool_is_open_leads_that_nobody_owns_the_longest_waiting_first(story: Story) -> None:
    story.lead("L-own", "ann").lead("L-gone", "bob", term=3).on(2).lead("L-new", channel="site")
    story.lead("L-bad").of_lead("L-bad", LeadDisqualified(reason="spam"))
    with story.view(days=4) as view:
        found = pool(view)
    assert [(one.lead, one.since) for one in found.items] == [("L-new", day(2)), ("L-gone", day(3))]
    assert (found.count, found.items[0].channel) == (2, "site")


def test_a_refused_attempt_is_listed_for_both_sides(story: Story) -> None:
    story.lead("L-1", "ann")
    refused = ClaimRefused(rep="bob", subject="L-77", owner="ann", since=day(0))
    story.on(2).of_lead("L-1", refused, actor="bob")
    with story.view() as view:
        (one,) = refusals(view).items
        assert (one.lead, one.subject, one.rep, one.owner, one.recorded_at) == (
            "L-1",
            "L-77",
            "bob",
            "ann",
            day(2),
        )
        assert [refusals(view, rep=rep).count for rep in ("ann", "bob", "eva")] == [1, 1, 0]
        assert [refusals(view, lead=lead).count for lead in ("L-1",)] == [1]
        with pytest.raises(UnknownLead):
            refusals(view, lead="L-77")


def test_an_encroachment_is_listed_for_both_sides(story: Story) -> None:
    story.lead("L-1", "ann").on(1).contact("L-1", "ann").on(2).contact("L-1", "bob", past="ann")
    with story.view() as view:
        (one,) = encroachments(view).items
        assert (one.lead, one.owner, one.by, one.occurred_at) == ("L-1", "ann", "bob", day(2))
        assert one.position == story.position
        assert [encroachments(view, rep=rep).count for rep in ("ann", "bob", "eva")] == [1, 1, 0]


def test_a_team_is_the_employed_with_the_same_head_or_all(story: Story) -> None:
    story.rep("old", "eva").rep("zoe").leave("old")
    with story.view() as view:
        assert colleagues(view, "ann").team == ("ann", "bob")
        assert colleagues(view, "old").team == ("ann", "bob", "old")
        assert colleagues(view, "eva").team == ("ann", "bob", "eva", "zoe")
        with pytest.raises(UnknownRep):
            colleagues(view, "nobody")


def test_a_deals_story_has_its_events_with_their_positions(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1").on(2).win("D-1", "L-1", owner="ann", amount="5.00")
    with story.view() as view:
        found = deal_story(view, story.store.load, deal="D-1")
        with pytest.raises(UnknownDeal):
            deal_story(view, story.store.load, deal="D-9")
    assert (found.status, found.rep, found.lead, str(found.amount)) == ("won", "ann", "L-1", "5.00")
    told = [(one.event, one.position) for one in found.timeline]
    first = story.position - 4
    assert told == [
        ("deals.DealOpened", first),
        ("deals.StageEntered", first + 1),
        ("deals.DealWon", first + 3),
    ]
    assert found.timeline[-1].data["owner"] == "ann"


def test_a_leads_story_covers_its_steps_its_deals_and_what_it_stands_for(story: Story) -> None:
    story.lead("L-1", "ann").lead("L-2", "ann").deal("D-2", "L-2").plan("L-2", "T-1", 5)
    story.of_lead("L-3", SubjectAliased(lead="L-2")).on(1).merge("L-2", "L-1", "ann", "ann")
    story.contact("L-1", "ann")
    with story.view() as view:
        found = lead_story(view, story.store.load, lead="L-3")
    assert (found.lead, found.asked, list(found.stands_for), list(found.deals)) == (
        "L-1",
        "L-3",
        ["L-2", "L-3"],
        ["D-2"],
    )
    assert [task["task"] for task in found.tasks] == ["T-1"]
    streams = {one.stream for one in found.timeline}
    assert streams == {"lead-L-1", "lead-L-2", "lead-L-3", "deal-D-2", "activity-L-1", "activity-L-2"}
    positions = [one.position for one in found.timeline]
    assert positions == sorted(positions)


def test_a_story_as_of_the_past_ends_there(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1").on(9).move("D-1", "Offer")
    story.on(10).move("D-1", "Contract")
    with story.view(at=AsOf(moment=day(9.5))) as view:
        found = deal_story(view, story.store.load, deal="D-1")
    assert (found.stage, len(found.timeline)) == ("Offer", 3)
