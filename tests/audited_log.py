"""A log with checkpoints, and a forger who may do to it whatever a superuser may."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from adapters.audit.keys import Keys, new_signer
from adapters.postgres.audit.checkpoints import Checkpoints, Sealed
from adapters.postgres.audit.verifying import Verified, verify
from adapters.postgres.database import Database
from adapters.postgres.store import PostgresStore
from domain.kernel import Event
from domain.leads.events import KeyBound, LeadRegistered
from domain.payroll.events import PeriodClosed
from services.ports import Appended, Unit

NOON = datetime(2026, 10, 2, 12, tzinfo=UTC)
REHASH = "UPDATE log.event SET leaf_hash = sha256('\\x00'::bytea || log.leaf(event))"


class AuditedLog:
    """Events in streams of three, recorded a second apart; every method gives back what can be looked at."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.store = PostgresStore(self.database)
        self.keys = Keys((new_signer("example.com/deals"),))
        self._superuser = psycopg.connect(url, autocommit=True)
        self._actions = 0

    def close(self) -> None:
        self._superuser.close()
        self.store.close()
        self.database.close()

    def append(self, events: int) -> "AuditedLog":
        """Three to an action and stream, the last one may have fewer."""
        units = []
        for first in range(0, events, 3):
            self._actions += 1
            stream = f"lead-{self._actions}"
            named = LeadRegistered(keys={"external": str(self._actions)}, name='Ann «Ж» "q"')
            written: list[tuple[str, Event]] = [(stream, named), *[(stream, KeyBound(lead="L"))] * 2]
            at = NOON + timedelta(seconds=self._actions)
            units.append(
                Unit(
                    written[: events - first], {stream: 0}, at, at, "rep-7", "crm", f"a-{self._actions}", "c"
                )
            )
        assert all(isinstance(outcome, Appended) for outcome in self.store.append(units))
        return self

    def closed(self, period: str, cutoff: int) -> "AuditedLog":
        """A period without statements, as if more was recorded while it was being closed."""
        event = PeriodClosed(cutoff_position=cutoff, timezone="UTC", currency="USD", statements=0, totals={})
        self._actions += 1
        at, stream = NOON + timedelta(seconds=self._actions), f"period-{period}"
        unit = Unit([(stream, event)], {stream: 0}, at, at, "payroll:pam", "crm", f"a-{self._actions}")
        assert all(isinstance(outcome, Appended) for outcome in self.store.append([unit]))
        return self

    def seal(self) -> Sealed:
        return Checkpoints(self.database).seal(self.keys, NOON)

    def verify(self, given: Sealed | None = None, **how: Any) -> Verified:
        note = None if given is None else given.note.encode()
        return verify(self.database, self.keys.verifiers, note, **how)

    def found(self, given: Sealed | None = None) -> list[tuple[str, int, int]]:
        """Problem, first and last position of each finding."""
        return [(one.problem, one.position, one.upto) for one in self.verify(given).items]

    def forge(self, *statements: str, parameters: Sequence[Any] = ()) -> None:
        """As a superuser who silences the triggers, and has them back afterwards."""
        for table in ("log.event", "audit.checkpoint"):
            self._superuser.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
        for statement in statements:
            self._superuser.execute(statement, parameters or None)
        for table in ("log.event", "audit.checkpoint"):
            self._superuser.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")

    def move(self, places: dict[int, int]) -> None:
        """Put events elsewhere, their hashes with them."""
        for old in places:
            self.forge(
                "UPDATE log.event SET notification_id = -%s WHERE notification_id = %s", parameters=(old, old)
            )
        for old, new in places.items():
            self.forge(
                "UPDATE log.event SET notification_id = %s WHERE notification_id = -%s", parameters=(new, old)
            )

    def shift(self, after: int, by: int) -> None:
        """Move all that is behind that position."""
        self.forge(
            f"UPDATE log.event SET notification_id = -notification_id WHERE notification_id > {after}",
            f"UPDATE log.event SET notification_id = -notification_id + {by} WHERE notification_id < 0",
        )

    def ask(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._superuser.execute(query, parameters).fetchall()
