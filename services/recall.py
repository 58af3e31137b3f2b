"""What the log says of each stream, remembered between decisions."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from domain.activities.model import ACTIVITIES
from domain.deals.model import DEAL
from domain.finance.model import COSTS, RATES
from domain.kernel import Decider, Event, Recorded
from domain.leads.model import KEY, LEAD
from domain.payments.model import PAYMENT
from domain.payroll.model import ASSIGNMENTS, PERIOD, PLAN, STATEMENT
from domain.pipelines.model import PIPELINE
from domain.team.model import REP
from services.ports import Store

State = TypeVar("State")
Known = tuple[Any, int]
"""A stream's state and version."""

DECIDERS: dict[str, Decider[Any]] = {
    decider.category: decider
    for decider in (
        LEAD,
        KEY,
        DEAL,
        ACTIVITIES,
        PIPELINE,
        REP,
        PAYMENT,
        RATES,
        COSTS,
        PLAN,
        ASSIGNMENTS,
        PERIOD,
        STATEMENT,
    )
}
STREAMS_MAX = 200_000


class Recall:
    """States of streams as last seen. They may be stale: appending finds out, `forget` makes good.

    Not for several threads at once.
    """

    def __init__(self, store: Store, streams_max: int = STREAMS_MAX) -> None:
        self._store = store
        self._streams_max = streams_max
        self._known: OrderedDict[str, Known] = OrderedDict()

    def fetch(self, streams: Iterable[str]) -> None:
        """Read the streams that aren't known yet, in one go."""
        missing = {stream for stream in streams if stream not in self._known}
        if not missing:
            return
        for stream, facts in self._store.load(missing).items():
            self._known[stream] = _state(stream, facts)

    def look(self, stream: str) -> Known:
        """The stream's state and version (0 if it has no events)."""
        known = self._known.get(stream)
        if known is None:
            self.fetch((stream,))
            return self._known[stream]
        self._known.move_to_end(stream)
        return known

    def learn(self, facts: Iterable[Recorded[Event]]) -> None:
        """Take in what was just appended."""
        for fact in facts:
            state, version = self._known.get(fact.stream, (None, -1))
            if fact.version == version + 1:
                self._known[fact.stream] = (decider_of(fact.stream).evolve(state, fact), fact.version)
            else:
                self._known.pop(fact.stream, None)

    def adopt(self, known: Mapping[str, Known]) -> None:
        """Take over states that are known to be what the log says."""
        self._known.update(known)

    def forget(self, streams: Iterable[str]) -> None:
        """Somebody else wrote to these: read them again when next needed."""
        for stream in streams:
            self._known.pop(stream, None)

    def outdate(self, facts: Iterable[Recorded[Event]]) -> None:
        """These are in the log: forget the streams that aren't known as far as that."""
        for fact in facts:
            known = self._known.get(fact.stream)
            if known is not None and known[1] < fact.version:
                del self._known[fact.stream]

    def trim(self) -> None:
        """Drop what was not looked at for longest, down to the limit."""
        while len(self._known) > self._streams_max:
            self._known.popitem(last=False)


def decider_of(stream: str) -> Decider[Any]:
    """The decider that the stream's category names."""
    return DECIDERS[stream.split("-", 1)[0]]


def _state(stream: str, facts: Sequence[Recorded[Event]]) -> Known:
    entity = stream.split("-", 1)[1]
    return decider_of(stream).fold(entity, facts), facts[-1].version if facts else 0
