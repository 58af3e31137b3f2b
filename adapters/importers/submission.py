"""The seam between importers and the engine: what services.intake.Intake is to an import."""

from collections.abc import Sequence
from typing import Protocol

from services.answers import Answer
from services.intake import Submission


class Submitter(Protocol):
    """Takes actions into the engine."""

    def submit(self, submissions: Sequence[Submission], *, migration: bool = False) -> Sequence[Answer]:
        """Record a batch durably; one answer for each submission, in the same order.

        After the first rejection in a group (a CSV row) the group's later actions are skipped.
        """
