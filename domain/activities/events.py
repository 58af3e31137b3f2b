"""Facts of communication and planned next steps, kept in one stream per lead beside the lead's own."""

from datetime import datetime

from domain.kernel import Event
from domain.shared.personal import PersonalText


class ContactRecorded(Event, stored_name="activities.ContactRecorded"):
    """A call, meeting, e-mail or message. `encroached_on` is the owner whom somebody else's rep went past."""

    kind: str
    direction: str
    outcome: str
    note: PersonalText | None = None
    deal: str | None = None
    encroached_on: str | None = None


class TaskPlanned(Event, stored_name="activities.TaskPlanned"):
    """A next step was planned, or an open one planned anew."""

    task: str
    due_at: datetime
    kind: str
    assignee: str | None = None
    deal: str | None = None


class TaskCompleted(Event, stored_name="activities.TaskCompleted"):
    """The step was done."""

    task: str
    result: str


class TaskCancelled(Event, stored_name="activities.TaskCancelled"):
    """The step will not be done."""

    task: str
    reason: str
