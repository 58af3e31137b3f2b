"""One import: sources are read, actions sent in batches, refusals kept, and everything counted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from time import monotonic
from typing import Any

from adapters.garbage import no_full_collections
from adapters.importers.items import Item, Place, Proposed, Refused, Source
from adapters.importers.rejects import RejectsFile
from adapters.importers.submission import Submitter
from adapters.importers.timeorder import TimeOrder
from services.answers import Answer, error_object
from services.intake import Submission

BATCH = 1_000
Progress = Callable[[str, int, int | None], None]
"""Called with (`reading` or `importing`, done, in all or None); bytes while reading, else actions."""


@dataclass(slots=True)
class Summary:
    """What became of a run. `accepted` and `duplicates` count actions, `rejected` lines or rows."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    events: int = 0
    seconds: float = 0.0
    rejects: str | None = None
    interrupted: bool = False

    def report(self) -> dict[str, Any]:
        """The contract's object; `interrupted` is only there if it was."""
        names = ("accepted", "duplicates", "rejected", "events", "seconds", "rejects")
        told: dict[str, Any] = {name: getattr(self, name) for name in names}
        return told | {"interrupted": True} if self.interrupted else told


class ImportRun:
    """Reads sources into a submitter. `stop` may be called at any time, also from a signal handler.

    `by_time` puts the actions in the order of their recording first, as rows of a table need in a migration.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        submitter: Submitter,
        rejects: RejectsFile,
        *,
        migration: bool = False,
        by_time: bool = False,
        batch: int = BATCH,
        progress: Progress | None = None,
    ) -> None:
        self._sources, self._submitter, self._rejects = sources, submitter, rejects
        self._migration, self._by_time = migration, by_time
        self._batch, self._progress = batch, progress
        self._summary = Summary()
        self._refused_rows: set[int] = set()
        self._refused_lines: set[tuple[str, int]] = set()
        self._stopping = False
        self._done = 0
        self.submitting = False

    def stop(self) -> None:
        """End after the batch that is being sent. What was sent stays; the next run completes the rest."""
        self._stopping = True

    def run(self) -> Summary:
        """Do it. A KeyboardInterrupt between batches ends the run as `stop` does."""
        began = monotonic()
        try:
            with no_full_collections():
                self._import()
        except KeyboardInterrupt:
            self._stopping = True
        finally:
            self._rejects.close()
        if not self._stopping:
            self._rejects.forget_earlier()
        self._summary.interrupted = self._stopping
        self._summary.seconds = round(monotonic() - began, 3)
        self._summary.rejects = str(self._rejects.path) if self._rejects.written else None
        return self._summary

    def _import(self) -> None:
        if not self._by_time:
            self._send(self._read(), self._tell_bytes)
            return
        order = TimeOrder()
        try:
            for number, item in enumerate(self._read()):
                if self._stopping:
                    return
                if isinstance(item, Refused):
                    self._reject(item.place, error_object(item.rejection))
                else:
                    order.add(item)
                if not number % self._batch:
                    self._tell_bytes()
            self._tell_bytes()
            self._send(order, lambda: self._tell_actions(len(order)))
        finally:
            order.close()

    def _read(self) -> Iterator[Item]:
        """All sources' items, their rows numbered through the whole run."""
        last = 0
        for source in self._sources:
            base = last
            for item in source.items():
                if isinstance(item, Proposed) and item.row is not None:
                    item.row = last = base + item.row + 1
                yield item

    def _send(self, items: Iterable[Item], tell: Callable[[], None]) -> None:
        batch: list[Item] = []
        once: set[str] = set()
        for item in items:
            if isinstance(item, Proposed) and item.once and isinstance(item.action, dict):
                if item.action["id"] in once:
                    continue
                once.add(item.action["id"])
            batch.append(item)
            if len(batch) >= self._batch:
                self._submit(batch)
                tell()
                batch = []
            if self._stopping:
                return
        self._submit(batch)
        tell()

    def _submit(self, batch: Sequence[Item]) -> None:
        refused = self._refused_rows
        going = [
            (place, item)
            for place, item in enumerate(batch)
            if isinstance(item, Proposed) and item.row not in refused
        ]
        errors = [
            (place, item.place, error_object(item.rejection))
            for place, item in enumerate(batch)
            if isinstance(item, Refused)
        ]
        self.submitting = True
        try:
            submissions = [Submission(item.action, item.row) for _, item in going]
            answers = self._submitter.submit(submissions, migration=self._migration) if submissions else []
            for (place, item), answer in zip(going, answers, strict=True):
                if (error := self._count(item, answer)) is not None:
                    errors.append((place, item.place, error))
            for _, where, error in sorted(errors, key=itemgetter(0)):
                self._reject(where, error)
            self._rejects.flush()
        finally:
            self.submitting = False
        self._done += len(going)

    def _count(self, item: Proposed, answer: Answer) -> dict[str, Any] | None:
        """Count one answer; the error that the rejects file must show, if any."""
        if answer.skipped:
            return None
        if answer.error is not None:
            if item.row is not None:
                self._refused_rows.add(item.row)
            return dict(answer.error)
        if answer.duplicate:
            self._summary.duplicates += 1
        else:
            self._summary.accepted += 1
            self._summary.events += answer.events
        return None

    def _reject(self, place: Place, error: dict[str, Any]) -> None:
        """Once for a line, also where several sections read it."""
        if place.line and (place.file, place.line) in self._refused_lines:
            return
        self._refused_lines.add((place.file, place.line))
        self._rejects.write(place, error)
        self._summary.rejected += 1

    def _tell_bytes(self) -> None:
        if self._progress is not None:
            sizes = [source.size for source in self._sources]
            total = None if None in sizes else sum(size or 0 for size in sizes)
            self._progress("reading", sum(source.done for source in self._sources), total)

    def _tell_actions(self, total: int) -> None:
        if self._progress is not None:
            self._progress("importing", self._done, total)
