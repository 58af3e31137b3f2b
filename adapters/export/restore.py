"""The log's own NDJSON read back into an empty log: the same positions, the same bytes, the same hashes."""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import psycopg
from psycopg import Cursor
from psycopg.rows import TupleRow

from adapters.export.checkpoint_file import restore_checkpoints
from adapters.export.vault_file import restore_vault
from adapters.postgres.audit.leaves import COLUMNS
from adapters.postgres.codec import Codec, has_nul
from adapters.postgres.database import Database
from adapters.postgres.recorder import LogRecorder
from adapters.postgres.vault import ID_BYTES, key_ids
from domain.audit.leaf import Leaf, MalformedLine, leaf_hash, parse
from domain.kernel import Rejected
from domain.shared.personal import SEALED
from projections.kernel import Progress

BEGINNING: Final = re.compile(rb'(?:\xef\xbb\xbf)?\{"position":\d{1,19},"recorded_at":"')
"""What the file begins with, also a spoilt one: no action does."""
BEGINNING_BYTES_MAX = 50


class LogNotEmpty(Rejected):
    """The log has {events} events already; an export can only be read into an empty log."""

    code = "log_not_empty"


class BrokenExport(Rejected):
    """Line {line} can't be read back, so nothing was: {problem}."""

    code = "broken_export"


class NotTheOwner(Rejected):
    """Only whoever owns the database may put a vault back. Use their login."""

    code = "not_the_owner"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was read back; `sealed` is whether it has personal texts that only a vault opens."""

    events: int
    actions: int
    sealed: bool


def restore(
    database: Database,
    lines: Iterable[bytes],
    size: int | None = None,
    progress: Progress | None = None,
    *,
    checkpoints: Iterable[bytes] = (),
    vault: Iterable[bytes] | None = None,
) -> Restored:
    """Read all lines into the log, with its checkpoints and its vault, in one transaction: all or nothing.

    `size` is what they are in bytes, if that is known: `progress` counts towards it. Raises LogNotEmpty,
    BrokenExport, BrokenCheckpoints, BrokenVault, NotTheOwner and psycopg.OperationalError.
    """
    reading = _Reading()
    with database.connection() as connection, connection.cursor() as cursor:
        cursor.execute(LogRecorder(database.datastore).begin().encode())
        try:
            _must_be_empty(cursor)
            if vault is not None:
                restore_vault(cursor, vault)
            with cursor.copy(f"COPY log.event ({COLUMNS}) FROM STDIN".encode()) as copy:
                for line in lines:
                    copy.write_row(reading.row(line))
                    if progress is not None and size and reading.actions % 1_000 == 0:
                        progress(reading.bytes, size)
            restore_checkpoints(cursor, checkpoints, reading.position)
            cursor.execute("COMMIT")
        except psycopg.errors.InsufficientPrivilege:
            cursor.execute("ROLLBACK")
            raise NotTheOwner from None
        except (psycopg.DataError, psycopg.IntegrityError) as refused:
            cursor.execute("ROLLBACK")
            raise _refused(refused, reading.position) from None
        except BaseException:
            cursor.execute("ROLLBACK")
            raise
    return Restored(reading.position, reading.actions, reading.sealed)


def _must_be_empty(cursor: Cursor[TupleRow]) -> None:
    row = cursor.execute("SELECT max(notification_id) FROM log.event").fetchone()
    if row is not None and row[0] is not None:
        raise LogNotEmpty(events=row[0])


def _refused(error: psycopg.Error, reached: int) -> BrokenExport:
    """What is found on the way into the database: an action that comes twice, text that it can't hold."""
    line = re.search(r"line (\d+)", error.diag.context or "")
    return BrokenExport(line=int(line[1]) if line else reached, problem=str(error).splitlines()[0])


class _Reading:
    """Checks each line against those before it. Remembers a version per stream."""

    def __init__(self) -> None:
        self.position = self.actions = self.bytes = 0
        self.sealed = False
        self._versions: dict[str, int] = {}
        self._recorded_at = datetime.min.replace(tzinfo=UTC)
        self._action: tuple[str, str] | None = None
        self._sequence = 0
        self._codec = Codec()

    def row(self, line: bytes) -> tuple[object, ...]:
        """The line's COLUMNS. Raises BrokenExport."""
        self.position += 1
        self.bytes += len(line)
        line = line.removesuffix(b"\n")
        try:
            leaf = parse(line)
        except MalformedLine as malformed:
            raise self._broken(malformed.details["problem"]) from None
        self._check(leaf)
        return (*leaf, leaf_hash(line))

    def _check(self, leaf: Leaf) -> None:
        if leaf.position != self.position:
            raise self._broken(f"its position is {leaf.position}")
        version = self._versions.get(leaf.stream, 0) + 1
        if leaf.version != version:
            raise self._broken(f"version {leaf.version} of {leaf.stream} where {version} would follow")
        self._versions[leaf.stream] = version
        if leaf.recorded_at < self._recorded_at:
            raise self._broken("it was recorded before the line above")
        self._recorded_at = leaf.recorded_at
        self._follow(leaf)
        self._decode(leaf)
        self.sealed = self.sealed or bool(key_ids([leaf.state]))

    def _follow(self, leaf: Leaf) -> None:
        """An action's events are neighbours, numbered from 0."""
        action = (leaf.source, leaf.action)
        if leaf.action_seq == 0:
            self._action, self._sequence = action, 0
            self.actions += 1
            return
        self._sequence += 1
        if (action, leaf.action_seq) != (self._action, self._sequence):
            raise self._broken(f"it is event {leaf.action_seq} of action {leaf.action}, out of its order")

    def _decode(self, leaf: Leaf) -> None:
        """What the engine can't read shall not get into its log."""
        place = leaf.stream, leaf.version, leaf.position, leaf.name, leaf.event_version, leaf.state
        rest = leaf.occurred_at, leaf.recorded_at, leaf.actor, leaf.source, leaf.action
        if has_nul(leaf.state):
            raise self._broken("a text in it has a NUL character")
        try:
            self._codec.decode(
                (*place, *rest, leaf.correlation_id, leaf.causation_id, leaf.migrated), _sealed
            )
        except (LookupError, ValueError) as unreadable:
            raise self._broken(f"its event can't be read ({unreadable})") from None

    def _broken(self, problem: str) -> BrokenExport:
        return BrokenExport(line=self.position, problem=problem)


def _sealed(text: str) -> str:
    """Stands for opening it. Raises ValueError if it is nothing that was ever sealed."""
    if len(base64.b64decode(text, altchars=b"-_", validate=True)) < ID_BYTES:
        raise ValueError("a sealed text does not name its key")
    return SEALED
