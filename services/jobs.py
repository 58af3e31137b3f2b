"""Actions of a batch on their way to being answered, and how far a reader gets with the batch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain.kernel import Rejected
from services.actions import Action
from services.answers import Answer, error_object
from services.ports import Bookmark, Unit


@dataclass(slots=True)
class Job:
    """An action with its group; without an action what couldn't be read as one, which is answered already."""

    action: Action | None
    group: int | None
    answer: Answer | None = None

    @property
    def key(self) -> tuple[str, str]:
        assert self.action is not None
        return self.action.source, self.action.id


Decided = tuple[Job, Unit, Rejected | None]
"""What shall be recorded of a job, and why it is refused if it is."""
Marking = Callable[[Sequence[Mapping[str, Any] | None]], Bookmark]
"""Given the error object of each submission, None where there is none: the bookmark to move then."""


class Reading:
    """A batch that is read in order: how far the reader gets with it, told in the append that settles it."""

    def __init__(self, mark: Marking, jobs: Sequence[Job]) -> None:
        self._mark, self._jobs = mark, jobs
        self.moved = False

    def bookmark(self, decided: Sequence[Decided]) -> Bookmark:
        """It moves if these are the last."""
        deciding = {id(job): rejected for job, _, rejected in decided}
        errors: list[Mapping[str, Any] | None] = []
        for job in self._jobs:
            rejected = deciding.get(id(job))
            if job.answer is None and id(job) not in deciding:
                bookmark = self._mark([None] * len(self._jobs))
                return replace(bookmark, to=bookmark.at)
            if rejected is not None:
                errors.append(error_object(rejected))
            else:
                errors.append(None if job.answer is None else job.answer.error)
        return self._mark(errors)
