"""What decisions know of the planned steps with a lead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from domain.activities.events import TaskCancelled, TaskCompleted, TaskPlanned
from domain.kernel import Decider, Event, Recorded

TaskStatus = Literal["planned", "done", "cancelled"]


@dataclass(frozen=True, slots=True)
class Task:
    """A step: what was planned last, and whether it still is."""

    status: TaskStatus
    planned: TaskPlanned


@dataclass(frozen=True, slots=True)
class Activities:
    """All steps ever planned with a lead, by their id."""

    lead: str
    tasks: Mapping[str, Task] = field(default_factory=lambda: MappingProxyType({}))


def _evolve(activities: Activities, fact: Recorded[Event]) -> Activities:
    match fact.event:
        case TaskPlanned(task=name) as planned:
            return _with(activities, name, Task("planned", planned))
        case TaskCompleted(task=name):
            return _with(activities, name, Task("done", activities.tasks[name].planned))
        case TaskCancelled(task=name):
            return _with(activities, name, Task("cancelled", activities.tasks[name].planned))
        case _:
            return activities


def _with(activities: Activities, name: str, task: Task) -> Activities:
    return Activities(activities.lead, MappingProxyType({**activities.tasks, name: task}))


ACTIVITIES = Decider[Activities](category="activity", initial=Activities, evolve=_evolve)
