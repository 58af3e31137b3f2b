"""Contacts are facts; next steps are planned, moved, done or cancelled."""

from datetime import timedelta

import pytest
from scenario import NOON, Scenario

from domain.activities.decisions import TaskClosed, UnknownTask, cancel, complete, plan, record_contact
from domain.activities.events import ContactRecorded, TaskCancelled, TaskCompleted, TaskPlanned
from domain.activities.model import ACTIVITIES

PLANNED = TaskPlanned(task="T-1", due_at=NOON, kind="call", assignee="ann")
DONE = TaskCompleted(task="T-1", result="agreed")
CANCELLED = TaskCancelled(task="T-1", reason="no need")


@pytest.mark.parametrize("owner", [None, "ann"])
def test_a_contact_is_recorded_whoever_made_it_naming_the_owner_they_went_past(owner: str | None) -> None:
    said = {"kind": "call", "direction": "out", "outcome": "reached", "encroached_on": owner}
    Scenario(ACTIVITIES).when(record_contact, **said).then(
        ContactRecorded(kind="call", direction="out", outcome="reached", encroached_on=owner)
    )


def test_the_same_contact_twice_is_two_contacts() -> None:
    said = {"kind": "call", "direction": "in", "outcome": "asked", "note": "the price", "deal": "D-1"}
    contact = ContactRecorded(kind="call", direction="in", outcome="asked", note="the price", deal="D-1")
    Scenario(ACTIVITIES).when(record_contact, **said).then(contact).when(record_contact, **said).then(contact)


def test_a_step_is_planned() -> None:
    Scenario(ACTIVITIES).when(plan, task="T-1", due_at=NOON, kind="call", assignee="ann").then(PLANNED)


def test_planning_the_same_again_changes_nothing_and_differently_moves_it() -> None:
    tomorrow = NOON + timedelta(days=1)
    moved = TaskPlanned(task="T-1", due_at=tomorrow, kind="call", assignee="ann")
    scenario = Scenario(ACTIVITIES).given(PLANNED)
    scenario.when(plan, task="T-1", due_at=NOON, kind="call", assignee="ann").then_nothing()
    scenario.when(plan, task="T-1", due_at=tomorrow, kind="call", assignee="ann").then(moved)
    assert scenario.state.tasks["T-1"].planned == moved


@pytest.mark.parametrize(("end", "status"), [(DONE, "done"), (CANCELLED, "cancelled")])
def test_a_finished_step_is_not_planned_again(end: TaskCompleted | TaskCancelled, status: str) -> None:
    Scenario(ACTIVITIES).given(PLANNED, end).when(
        plan, task="T-1", due_at=NOON, kind="call", assignee="ann"
    ).then_rejected(TaskClosed, lead="L-1", task="T-1", status=status)


def test_a_planned_step_is_done_once() -> None:
    Scenario(ACTIVITIES).given(PLANNED).when(complete, task="T-1", result="agreed").then(DONE).when(
        complete, task="T-1", result="again"
    ).then_nothing()


def test_a_planned_step_is_cancelled_once() -> None:
    Scenario(ACTIVITIES).given(PLANNED).when(cancel, task="T-1", reason="no need").then(CANCELLED).when(
        cancel, task="T-1", reason="again"
    ).then_nothing()


def test_what_is_done_is_not_cancelled_and_what_is_cancelled_is_not_done() -> None:
    Scenario(ACTIVITIES).given(PLANNED, DONE).when(cancel, task="T-1", reason="x").then_rejected(
        TaskClosed, status="done"
    )
    Scenario(ACTIVITIES).given(PLANNED, CANCELLED).when(complete, task="T-1", result="x").then_rejected(
        TaskClosed, status="cancelled"
    )


def test_a_step_that_was_never_planned_is_unknown() -> None:
    Scenario(ACTIVITIES).given(PLANNED).when(complete, task="T-2", result="x").then_rejected(
        UnknownTask, lead="L-1", task="T-2"
    )
    Scenario(ACTIVITIES).when(cancel, task="T-1", reason="x").then_rejected(UnknownTask)


def test_steps_do_not_stand_in_each_others_way() -> None:
    other = TaskPlanned(task="T-2", due_at=NOON, kind="visit")
    scenario = Scenario(ACTIVITIES).given(PLANNED, other, DONE)
    assert {name: task.status for name, task in scenario.state.tasks.items()} == {
        "T-1": "done",
        "T-2": "planned",
    }
