"""A stand-in for the engine that keeps what it was sent; a rule may refuse actions."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from domain.kernel import Rejected
from services.actions import Malformed, parse
from services.answers import Answer, error_object
from services.intake import Submission

Rule = Callable[[Mapping[str, Any]], str | None]


def parsed(raw: bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    """The action as an object; what isn't even JSON is refused as the engine refuses it."""
    if isinstance(raw, Mapping):
        return raw
    try:
        parse(raw, now=datetime.now(UTC))
    except Malformed:
        raise
    except Rejected:
        pass
    action: Mapping[str, Any] = json.loads(raw)
    return action


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
        try:
            action = parsed(submission.raw)
        except Rejected as rejected:
            return Answer(error=error_object(rejected))
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
