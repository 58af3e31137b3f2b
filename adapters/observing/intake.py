"""The way in for actions, with what becomes of them told to whoever watches."""

from collections.abc import Sequence

from adapters.observing.work import Work
from services.answers import Answer
from services.intake import Intake, Submission
from services.jobs import Marking


class WatchedIntake(Intake):
    """An Intake whose every call is the work `decide`; the appending is work within it."""

    def submit(
        self, submissions: Sequence[Submission], *, migration: bool = False, mark: Marking | None = None
    ) -> list[Answer]:
        with Work("decide", actions=len(submissions)) as work:
            answers = super().submit(submissions, migration=migration, mark=mark)
            work.facts["answers"] = answers
        return answers
