"""Facts about reps, their heads and branches."""

from domain.kernel import Event
from domain.shared.personal import PersonalText


class RepHired(Event, stored_name="team.RepHired"):
    """A rep joined, or came back."""

    name: PersonalText
    manager: str | None = None
    branch: str | None = None


class RepTransferred(Event, stored_name="team.RepTransferred"):
    """An employed rep's name, head or branch changed; the values are the new ones."""

    name: PersonalText
    manager: str | None = None
    branch: str | None = None


class RepLeft(Event, stored_name="team.RepLeft"):
    """The rep is gone; their open leads went to the successor, or to the pool."""

    successor: str | None = None
