"""Who gets in: each unit weighed, in order, against the log and the units before it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from adapters.postgres.codec import Prepared
from adapters.postgres.vault import Key
from services.ports import Conflict, OutOfOrder


@dataclass(frozen=True, slots=True)
class Placed:
    """Recorded, from `position` on."""

    position: int
    recorded_at: datetime


class Known:
    """The action was recorded before."""


KNOWN: Final = Known()
Verdict = Placed | Known | Conflict | OutOfOrder


class Judge:
    """The log's end as one transaction finds it and moves it.

    `lines` is what is to be copied, `erased` whose keys are to be destroyed, `keys` what the vault gets then.
    """

    def __init__(
        self,
        versions: dict[str, int],
        actions: set[tuple[str, str]],
        *,
        position: int,
        recorded_at: datetime | None,
        live: bool,
    ) -> None:
        """`versions` of streams that have events, `actions` recorded, the last event's place and time."""
        self.lines: list[bytes] = []
        self.erased: set[str] = set()
        self.keys: list[Key] = []
        self._versions = versions
        self._actions = actions
        self._position = position
        self._recorded_at = recorded_at or datetime.min.replace(tzinfo=UTC)
        self._live = live

    def verdicts(self, call: Sequence[Prepared], *, in_order: bool = False) -> list[Verdict]:
        """Weigh the units of one call. What passes counts for those that follow.

        With `in_order` none overtakes one that conflicts: whatever follows it conflicts too.
        """
        later: set[str] = set()
        found: list[Verdict] = []
        for prepared in call:
            held = in_order and bool(found) and isinstance(found[-1], Conflict)
            found.append(Conflict(frozenset()) if held else self._weigh(prepared, later))
        return found

    def _weigh(self, prepared: Prepared, later: set[str]) -> Verdict:
        """`later` collects the streams whose new events were recorded later than the caller decided them.

        A decision of the same call that rests on such a stream took a time for granted that is not the stored
        one, so it is to be taken again.
        """
        unit = prepared.unit
        if prepared.key in self._actions:
            return KNOWN
        if unit.migrated and prepared.tails and (self._live or unit.decided_at < self._recorded_at):
            return OutOfOrder(self._live, self._recorded_at)
        versions = self._versions
        for stream, expected in unit.expected.items():
            if versions.get(stream, 0) != expected or stream in later:
                return self._conflict(prepared, later)
        if prepared.tails:
            if unit.decided_at > self._recorded_at:
                self._recorded_at = unit.decided_at.astimezone(UTC)
            elif unit.decided_at < self._recorded_at:
                later.update(prepared.ends)
        return self._place(prepared)

    def _conflict(self, prepared: Prepared, later: set[str]) -> Conflict:
        return Conflict(
            frozenset(
                stream
                for stream, expected in prepared.unit.expected.items()
                if self._versions.get(stream, 0) != expected or stream in later
            )
        )

    def _place(self, prepared: Prepared) -> Placed:
        first = self._position + 1
        if prepared.tails:
            self.lines += prepared.lines(first, self._recorded_at)
            if prepared.unit.erases:
                self._erase(prepared.unit.erases)
            self.keys += prepared.keys
            self._position += len(prepared.tails)
            self._versions.update(prepared.ends)
            self._actions.add(prepared.key)
            self._live = self._live or not prepared.unit.migrated
        return Placed(first, self._recorded_at)

    def _erase(self, subjects: frozenset[str]) -> None:
        self.erased |= subjects
        self.keys = [key for key in self.keys if key.subject not in subjects]
