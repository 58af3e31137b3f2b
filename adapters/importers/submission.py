"""The seam between importers and the engine: actions go in as submissions, answers come back in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(slots=True)
class Submission:
    """One action (CloudEvents JSON as a dict). Actions of one `group` (a CSV row) follow from each other:

    after the first that is rejected, the later ones of the group are not tried.
    """

    action: Mapping[str, Any]
    group: int | None = None


class Answer(Protocol):
    """What became of one submission."""

    @property
    def error(self) -> Mapping[str, Any] | None:
        """The contract's {code, message, details}, None unless rejected."""

    @property
    def duplicate(self) -> bool:
        """Whether the action was recorded before."""

    @property
    def skipped(self) -> bool:
        """Whether it was not tried because an earlier one of its group was rejected."""

    @property
    def events(self) -> int:
        """How many events it added to the log."""


class Submitter(Protocol):
    """Takes actions into the engine."""

    def submit(self, submissions: Sequence[Submission]) -> Sequence[Answer]:
        """Record a batch durably; one answer for each submission, in the same order."""
