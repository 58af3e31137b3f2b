"""Given-when-then: facts of one stream, a decision on the state they make, and what came of it."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from domain.kernel import Decider, Event, Recorded, Rejected

State = TypeVar("State")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class At:
    """An event with its place in the log, if a test says it; else it comes with the one before."""

    event: Event
    recorded_at: datetime | None = None
    occurred_at: datetime | None = None
    position: int | None = None


def at(
    recorded_at: datetime,
    event: Event,
    *,
    occurred_at: datetime | None = None,
    position: int | None = None,
) -> At:
    """The event, recorded then. Without `occurred_at` it was recorded when it happened."""
    return At(event, recorded_at, occurred_at, position)


class Scenario(Generic[State]):
    """`Scenario(LEAD).given(REGISTERED, ANNS_CLAIM).when(claim, rep="bob", now=NOON).then_rejected(…)`."""

    def __init__(self, decider: Decider[State], entity: str = "L-1") -> None:
        self.decider = decider
        self.entity = entity
        self.facts: list[Recorded[Event]] = []
        self.asked = ""
        self.came: Any = None
        self.refusal: Rejected | None = None

    def given(self, *events: Event | At) -> "Scenario[State]":
        """What is in the stream. Without `at`, the first is recorded at NOON, at position 1."""
        for one in events:
            given = one if isinstance(one, At) else At(one)
            last = self.facts[-1] if self.facts else None
            recorded_at = given.recorded_at or (last.recorded_at if last else NOON)
            self.facts.append(
                Recorded(
                    event=given.event,
                    stream=self.decider.stream(self.entity),
                    version=len(self.facts) + 1,
                    position=given.position or (last.position + 1 if last else 1),
                    occurred_at=given.occurred_at or recorded_at,
                    recorded_at=recorded_at,
                    actor="rep-1",
                    source="test",
                    action=f"a-{len(self.facts) + 1}",
                )
            )
        return self

    @property
    def state(self) -> State:
        """What the given facts make."""
        return self.decider.fold(self.entity, self.facts)

    def when(self, decide: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Scenario[State]":
        """Decide. The state is passed first, unless the decision only takes keywords."""
        said = [*(repr(one) for one in args), *(f"{name}={value!r}" for name, value in kwargs.items())]
        self.asked = f"{decide.__name__}({', '.join(said)})"
        first = next(iter(inspect.signature(decide).parameters.values()), None)
        takes_state = first is not None and first.kind is not inspect.Parameter.KEYWORD_ONLY
        before = self.state
        try:
            self.came = decide(before, *args, **kwargs) if takes_state else decide(*args, **kwargs)
        except Rejected as refusal:
            self.refusal = refusal
        assert before == self.state, f"{self.asked} changed the state that it was given"
        return self

    def then(self, *events: Event) -> "Scenario[State]":
        """Exactly these events came of it. Afterwards they are in the stream, recorded at the last moment."""
        self._accepted()
        assert list(self.came or ()) == list(events), self._told(events)
        return self.given(*events)

    def then_both(self, here: Sequence[Event], there: Sequence[Event]) -> None:
        """Exactly these pairs of events came of it: of this stream, and of the other one."""
        self._accepted()
        assert (list(self.came[0]), list(self.came[1])) == (list(here), list(there)), self._told(
            (here, there)
        )

    def then_nothing(self) -> None:
        """It was accepted, and nothing came of it."""
        self._accepted()
        pair = isinstance(self.came, tuple)
        assert not (any(self.came) if pair else self.came), self._told(())

    def then_rejected(self, kind: type[Rejected], /, **details: Any) -> Rejected:
        """It was refused for that reason; of its details those named are as said. Gives the refusal back."""
        assert self.refusal is not None, self._told(kind.__name__)
        assert type(self.refusal) is kind, self._told(kind.__name__)
        told = {name: self.refusal.details.get(name) for name in details}
        assert told == details, self._told(details)
        assert "{" not in self.refusal.message, f"not filled in: {self.refusal.message}"
        return self.refusal

    def _accepted(self) -> None:
        assert self.refusal is None, self._told("to be accepted")

    def _told(self, expected: Any) -> str:
        came = f"{type(self.refusal).__name__}: {self.refusal}" if self.refusal else _lines(self.came)
        given = _lines([f"{fact.recorded_at:%d %b %Y %H:%M} {fact.event!r}" for fact in self.facts])
        return f"\ngiven {given}\nwhen {self.asked}\nexpected {_lines(expected)}\ncame {came}"


def _lines(what: Any) -> str:
    if isinstance(what, str) or not isinstance(what, Sequence):
        return str(what)
    return "".join(f"\n  {one if isinstance(one, str) else repr(one)}" for one in what) or "nothing"
