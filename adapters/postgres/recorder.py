"""The library's own recorder on our table: it reads, subscribes and says how to lock; appending is ours."""

from collections.abc import Sequence
from typing import Any, NoReturn

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder

from adapters.postgres.database import Datastore


class LogRecorder(PostgresApplicationRecorder):
    """log.event through the eyes of the eventsourcing library."""

    def __init__(self, datastore: Datastore) -> None:
        super().__init__(datastore, events_table_name="event")

    def begin(self) -> str:
        """SQL that begins a transaction which alone may append, and whose commit wakes subscribers."""
        locks = [statement.as_string() for statement in self.lock_table_statements]  # type: ignore[union-attr]
        return "; ".join(["BEGIN", *locks, f'NOTIFY "{self.channel_name}"'])

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> NoReturn:
        """Refused: it would know nothing of positions, actions and times."""
        raise NotImplementedError("the log is appended to by PostgresStore alone")

    def create_table(self) -> NoReturn:
        """Refused: tables are made by the migrations."""
        raise NotImplementedError("the log's table is made by the migrations")
