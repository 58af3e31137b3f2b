"""Which steps are planned with every lead, for when, and which were taken?"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.activities.events import TaskCancelled, TaskCompleted, TaskPlanned
from domain.kernel import Event, Recorded
from projections.kernel import Projection, Row, Rows


@dataclass(slots=True)
class TaskRow(Row):
    """A step with a lead: planned, done or cancelled; `ended_at` is when it stopped being planned."""

    table: ClassVar[str] = "task"
    key: ClassVar[tuple[str, ...]] = ("lead", "task")
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("assignee",), ("status", "due_at"))

    lead: str
    task: str
    kind: str
    due_at: datetime
    assignee: str | None
    deal: str | None
    planned_at: datetime
    planned_position: int
    status: str = "planned"
    ended_at: datetime | None = None
    result: str | None = None


class NextSteps(Projection):
    """Which steps are planned with every lead, and which were taken?"""

    name = "next_steps"
    category = "activity"
    rows = (TaskRow,)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        match fact.event:
            case TaskPlanned() as planned:
                rows.put(
                    TaskRow(
                        lead=fact.entity,
                        task=planned.task,
                        kind=planned.kind,
                        due_at=planned.due_at,
                        assignee=planned.assignee,
                        deal=planned.deal,
                        planned_at=fact.occurred_at,
                        planned_position=fact.position,
                    )
                )
            case TaskCompleted(task=task, result=result):
                _end("done", task, result, fact, rows)
            case TaskCancelled(task=task, reason=reason):
                _end("cancelled", task, reason, fact, rows)


def _end(status: str, task: str, result: str, fact: Recorded[Event], rows: Rows) -> None:
    rows.change(TaskRow, fact.entity, task, status=status, ended_at=fact.occurred_at, result=result)
