"""Recording contacts, planning steps and finishing them."""

from collections.abc import Sequence
from datetime import datetime

from domain.activities.events import ContactRecorded, TaskCancelled, TaskCompleted, TaskPlanned
from domain.activities.model import Activities, Task
from domain.kernel import Rejected


class UnknownTask(Rejected):
    """The lead {lead} has no task {task}. Plan it first (task.plan)."""

    code = "unknown_task"


class TaskClosed(Rejected):
    """The task {task} of the lead {lead} is {status} already."""

    code = "task_closed"


def record_contact(
    *,
    kind: str,
    direction: str,
    outcome: str,
    note: str | None = None,
    deal: str | None = None,
    encroached_on: str | None = None,
) -> Sequence[ContactRecorded]:
    """A contact is a fact, whoever made it. `encroached_on`: the owner that another rep went past."""
    return [
        ContactRecorded(
            kind=kind,
            direction=direction,
            outcome=outcome,
            note=note,
            deal=deal,
            encroached_on=encroached_on,
        )
    ]


def plan(
    activities: Activities,
    *,
    task: str,
    due_at: datetime,
    kind: str,
    assignee: str | None = None,
    deal: str | None = None,
) -> Sequence[TaskPlanned]:
    """A next step; planning an open one again moves it. Raises TaskClosed for a finished one."""
    planned = TaskPlanned(task=task, due_at=due_at, kind=kind, assignee=assignee, deal=deal)
    before = activities.tasks.get(task)
    if before is None:
        return [planned]
    if before.status != "planned":
        raise TaskClosed(lead=activities.lead, task=task, status=before.status)
    return [] if before.planned == planned else [planned]


def complete(activities: Activities, *, task: str, result: str) -> Sequence[TaskCompleted]:
    """The step was done. Raises UnknownTask, TaskClosed for a cancelled one."""
    known = _known(activities, task)
    if known.status == "cancelled":
        raise TaskClosed(lead=activities.lead, task=task, status=known.status)
    return [] if known.status == "done" else [TaskCompleted(task=task, result=result)]


def cancel(activities: Activities, *, task: str, reason: str) -> Sequence[TaskCancelled]:
    """The step will not be done. Raises UnknownTask, TaskClosed for one that was done."""
    known = _known(activities, task)
    if known.status == "done":
        raise TaskClosed(lead=activities.lead, task=task, status=known.status)
    return [] if known.status == "cancelled" else [TaskCancelled(task=task, reason=reason)]


def _known(activities: Activities, task: str) -> Task:
    if task not in activities.tasks:
        raise UnknownTask(lead=activities.lead, task=task)
    return activities.tasks[task]
