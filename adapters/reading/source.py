"""What a report is asked of."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from domain.kernel import Event, Recorded
from projections.asking import View
from projections.timeline import History


@dataclass(frozen=True, slots=True)
class Source:
    """The view, and the log behind it: streams, and the events at positions in the order of the log."""

    view: View
    history: History
    at: Callable[[Iterable[int]], Sequence[Recorded[Event]]]
