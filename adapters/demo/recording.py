"""The demo's way into the engine: batches of a migration, and what became of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import Any

from adapters.garbage import no_full_collections
from adapters.importers.submission import Submitter
from services.intake import Submission

BATCH = 1_000
Progress = Callable[[int], None]
"""Called with the number of actions done."""


@dataclass(slots=True)
class Outcome:
    """What became of the actions. `refused` counts them by error code, with the first sentence of each code
    in `examples`; `events` counts those written now."""

    accepted: int = 0
    duplicates: int = 0
    events: int = 0
    seconds: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)


def record(
    actions: Iterable[Mapping[str, Any]], submitter: Submitter, progress: Progress | None = None
) -> Outcome:
    """Record all actions as a migration, in their order. What was recorded before changes nothing."""
    began, outcome, done = monotonic(), Outcome(), 0
    with no_full_collections():
        for batch in _batches(actions):
            for answer in submitter.submit([Submission(action) for action in batch], migration=True):
                outcome.events += answer.events
                if answer.error is not None:
                    code = answer.error["code"]
                    outcome.refused[code] += 1
                    outcome.examples.setdefault(code, answer.error["message"])
                elif answer.duplicate:
                    outcome.duplicates += 1
                else:
                    outcome.accepted += 1
            done += len(batch)
            if progress is not None:
                progress(done)
    outcome.seconds = monotonic() - began
    return outcome


def _batches(actions: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    rest = iter(actions)
    while batch := list(islice(rest, BATCH)):
        yield batch
