"""Reps join, change places and leave."""

import pytest
from scenario import Scenario

from domain.shared.rejections import InvalidData, UnknownRep
from domain.team.decisions import RepHasLeft, employed, hire, leave
from domain.team.events import RepHired, RepLeft, RepTransferred
from domain.team.model import REP

HIRED = RepHired(name="Ann", manager="carl", branch="north")
ABOVE_ANN = frozenset({"carl", "dora"})


def test_a_rep_is_hired() -> None:
    Scenario(REP, "ann").when(hire, name="Ann", manager="carl", branch="north", heads=ABOVE_ANN).then(HIRED)


def test_hiring_the_same_again_changes_nothing() -> None:
    Scenario(REP, "ann").given(HIRED).when(
        hire, name="Ann", manager="carl", branch="north", heads=ABOVE_ANN
    ).then_nothing()


@pytest.mark.parametrize(
    "place",
    [
        {"name": "Anna", "manager": "carl", "branch": "north"},
        {"name": "Ann", "manager": None, "branch": "north"},
        {"name": "Ann", "manager": "carl", "branch": "south"},
    ],
)
def test_an_employed_rep_changes_name_head_or_branch(place: dict[str, str | None]) -> None:
    Scenario(REP, "ann").given(HIRED).when(hire, **place, heads=frozenset()).then(
        RepTransferred.model_validate(place)
    )


def test_a_rep_who_left_may_come_back() -> None:
    Scenario(REP, "ann").given(HIRED, RepLeft()).when(
        hire, name="Ann", manager="carl", branch="north", heads=ABOVE_ANN
    ).then(HIRED)


def test_nobody_is_above_themselves_directly_or_through_others() -> None:
    for heads in ({"ann"}, {"carl", "ann"}):
        Scenario(REP, "ann").given(HIRED).when(
            hire, name="Ann", manager="carl", branch=None, heads=frozenset(heads)
        ).then_rejected(InvalidData, field="manager")


@pytest.mark.parametrize("rep", ["admin:eve", "service:crm", "payroll:pam"])
def test_nobody_is_hired_under_the_name_of_an_actor_with_more_rights(rep: str) -> None:
    Scenario(REP, rep).when(hire, name="Eve", manager=None, branch=None, heads=frozenset()).then_rejected(
        InvalidData, field="subject"
    )


def test_a_rep_leaves_with_or_without_a_successor() -> None:
    Scenario(REP, "ann").given(HIRED).when(leave, successor="bob").then(RepLeft(successor="bob"))
    Scenario(REP, "ann").given(HIRED).when(leave, successor=None).then(RepLeft())


def test_leaving_again_changes_nothing() -> None:
    Scenario(REP, "ann").given(HIRED, RepLeft()).when(leave, successor="bob").then_nothing()


def test_nobody_is_their_own_successor() -> None:
    Scenario(REP, "ann").given(HIRED).when(leave, successor="ann").then_rejected(
        InvalidData, field="successor"
    )


def test_a_rep_whom_nobody_hired_is_unknown() -> None:
    Scenario(REP, "ann").when(leave, successor=None).then_rejected(UnknownRep, rep="ann")
    Scenario(REP, "ann").when(employed).then_rejected(UnknownRep, rep="ann")


def test_a_rep_is_employed_until_they_leave_and_keeps_name_and_head_after() -> None:
    ann = Scenario(REP, "ann").given(HIRED)
    assert employed(ann.state) == ann.state
    gone = Scenario(REP, "ann").given(HIRED, RepLeft())
    gone.when(employed).then_rejected(RepHasLeft, rep="ann")
    assert (gone.state.name, gone.state.manager) == ("Ann", "carl")
