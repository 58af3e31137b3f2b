"""The four words that every context is written in: Event, Recorded, Decider, Rejected."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

State = TypeVar("State")
EventT = TypeVar("EventT", bound="Event", covariant=True)


class Event(BaseModel):
    """A fact of the business, for ever. Subclasses name how they are stored: `stored_name` never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stored_name: ClassVar[str]
    stored_version: ClassVar[int]
    catalogue: ClassVar[dict[str, type["Event"]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__()  # The keywords are for __pydantic_init_subclass__; object takes none.

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        stored_name: str = kwargs.pop("stored_name")
        version: int = kwargs.pop("version", 1)
        super().__pydantic_init_subclass__(**kwargs)
        if stored_name in Event.catalogue:
            raise TypeError(f"two events are stored as {stored_name}")
        cls.stored_name = stored_name
        cls.stored_version = version
        Event.catalogue[stored_name] = cls


@dataclass(frozen=True, slots=True)
class Recorded(Generic[EventT]):
    """An event with its place in the log: what folds and decisions are fed with.

    `position` counts 1, 2, 3 … over the whole log, `version` 1, 2, 3 … within the stream.
    """

    event: EventT
    stream: str
    version: int
    position: int
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    source: str
    action: str
    correlation_id: str | None = None
    causation_id: str | None = None
    migrated: bool = False

    @property
    def entity(self) -> str:
        """The sender's own id of what the stream is about: `L-17` for `lead-L-17`."""
        return self.stream.split("-", 1)[1]


@dataclass(frozen=True)  # Without slots: on Python 3.11 `Decider[Lead](…)` can't be made with them.
class Decider(Generic[State]):
    """How one kind of stream becomes state: a fold from `initial(entity)` by `evolve`."""

    category: str
    initial: Callable[[str], State]
    evolve: Callable[[State, Recorded[Event]], State]

    def stream(self, entity: str) -> str:
        return f"{self.category}-{entity}"

    def fold(self, entity: str, facts: Iterable[Recorded[Event]]) -> State:
        state = self.initial(entity)
        for fact in facts:
            state = self.evolve(state, fact)
        return state


class Rejected(Exception):  # noqa: N818 - named for what happened, not for being an error
    """A refused action. The subclass's docstring, filled with `details`, is the sentence that people read."""

    code: ClassVar[str]

    def __init__(self, **details: Any) -> None:
        super().__init__()
        self.details: Mapping[str, Any] = details

    @property
    def message(self) -> str:
        """The docstring filled with `details`, lists written out."""
        told = {name: _told(value) for name, value in self.details.items()}
        return (type(self).__doc__ or "").format_map(told)

    def __str__(self) -> str:
        return self.message


def _told(value: Any) -> Any:
    return ", ".join(str(each) for each in value) if isinstance(value, list | tuple) else value
