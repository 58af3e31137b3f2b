"""Seals the log in its time: on a schedule, and soon after every close, whoever closed."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from adapters.audit.keys import read_keys
from adapters.postgres.audit.checkpoints import Checkpoints, Sealed
from adapters.postgres.audit.tree import Tree
from adapters.wiring import Engine, now
from projections.kernel import Progress


@dataclass(frozen=True, slots=True)
class SealSchedule:
    """`every` is the schedule, nothing for none. Any number may be at work on one database."""

    tree: Tree
    checkpoints: Checkpoints
    key_file: Path
    every: timedelta

    @classmethod
    def of(cls, parts: Engine) -> "SealSchedule":
        """As the settings say."""
        settings = parts.settings
        every = timedelta(seconds=settings.seal_seconds)
        return cls(Tree(parts.database), parts.checkpoints, settings.audit_key, every)

    def look(self, progress: Progress | None = None, *, early: bool = False) -> Sealed | None:
        """Bring the tree up to the log, and seal if it is time; what was sealed.

        `early` is for whoever looks once: then it is time as soon as the log has grown. Raises NoAuditKey if
        there is something to seal and no key, and as `Checkpoints.seal` does.
        """
        size = self.tree.catch_up(progress)
        if not (self.checkpoints.owed() or self._due(size, early=early)):
            return None
        return self.checkpoints.seal(read_keys(self.key_file), now())

    def _due(self, size: int, *, early: bool) -> bool:
        if not self.every:
            return False
        longest = self.checkpoints.longest()
        if longest is None:
            return size > 0
        return size > longest.size and (early or now() - longest.made_at >= self.every)
