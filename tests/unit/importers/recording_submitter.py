"""A stand-in for the engine that keeps what it was sent; a rule may refuse actions."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.answers import Answer
from services.intake import Submission

Rule = Callable[[Mapping[str, Any]], str | None]


class RecordingSubmitter:
    """Answers as the engine does: by source and id, groups end at their first refusal within a batch."""

    def __init__(self, refuse: Rule = lambda action: None) -> None:
        self.refuse = refuse
        self.batches: list[int] = []
        self.actions: list[Mapping[str, Any]] = []
        self.known: set[tuple[str, str]] = set()
        self.migration = False

    def submit(self, submissions: Sequence[Submission], *, migration: bool = False) -> Sequence[Answer]:
        self.batches.append(len(submissions))
        self.migration = migration
        refused: set[int | None] = set()
        return [self._answer(each, refused) for each in submissions]

    def _answer(self, submission: Submission, refused: set[int | None]) -> Answer:
        action = submission.raw
        assert isinstance(action, Mapping)
        if submission.group is not None and submission.group in refused:
            return Answer(skipped=True)
        if (code := self.refuse(action)) is not None:
            refused.add(submission.group)
            return Answer(error={"code": code, "message": code, "details": {}})
        key = (action["source"], action["id"])
        if key in self.known:
            return Answer(duplicate=True)
        self.known.add(key)
        self.actions.append(action)
        return Answer(positions=(len(self.actions),))

    @property
    def types(self) -> Counter[str]:
        return Counter(action["type"] for action in self.actions)
