"""Where each projection stands: its checkpoint, what it was built from, where it failed."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from psycopg import Connection, Cursor
from psycopg.rows import DictRow, TupleRow

from adapters.postgres.projecting.tables import table_of
from projections.kernel import Failure, Projection


@dataclass(frozen=True, slots=True)
class Standing:
    """A built projection as stored. `tables` and `views` are what it has in the schema `read`."""

    name: str
    fingerprint: str
    position: int
    tables: tuple[str, ...]
    views: tuple[str, ...]
    failure: Failure | None


def fingerprint(projection: Projection) -> str:
    """Changes with the projection's version, row models, views and comments: then it must be rebuilt."""
    rows = [table_of(kind).described() for kind in projection.rows]
    parts = [projection.name, projection.version, projection.category, rows, dict(projection.views)]
    if projection.comments:
        parts.append(dict(projection.comments))
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


class Checkpoints:
    """The library's tracking records, kept in `read.checkpoint`."""

    def __init__(self) -> None:
        # Never opened: the recorder takes only the schema's name from it and uses our connections.
        names = PostgresDatastore("", "", "", "", "", schema="read", originator_id_type="text")
        self._recorder = PostgresTrackingRecorder(names, tracking_table_name="checkpoint")

    def move(self, connection: Connection[TupleRow], name: str, position: int) -> None:
        """In the connection's transaction. Raises the library's IntegrityError unless it goes forward."""
        cursor = cast(Cursor[DictRow], connection.cursor())
        self._recorder._insert_tracking(cursor, Tracking(name, position))


def standings(connection: Connection[TupleRow]) -> dict[str, Standing]:
    """Every projection that was built, by name."""
    found = connection.execute(
        "SELECT p.name, p.fingerprint, c.notification_id, p.tables, p.views,"
        " p.failed_position, p.failed_event, p.failed_error"
        " FROM read.projection p JOIN read.checkpoint c ON c.application_name = p.name"
    ).fetchall()
    return {row[0]: _standing(*row) for row in found}


def lock(connection: Connection[TupleRow], names: Iterable[str]) -> dict[str, Standing]:
    """Become the only writer of these projections till the transaction ends, and see where they stand now.

    Everyone locks in the order of names, and these rows before any table, so nobody waits in a circle.
    """
    wanted = sorted(names)
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(x, 0)) FROM unnest(%s::text[]) x", (_keys(wanted),)
    )
    connection.execute(
        "SELECT FROM read.projection WHERE name = ANY(%s) ORDER BY name FOR NO KEY UPDATE", (wanted,)
    )
    return _chosen(connection, wanted)


def share(connection: Connection[TupleRow], names: Iterable[str]) -> dict[str, Standing]:
    """Keep `lock` from these projections till the transaction ends, among others that share them."""
    wanted = sorted(names)
    connection.execute(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended(x, 0)) FROM unnest(%s::text[]) x",
        (_keys(wanted),),
    )
    return _chosen(connection, wanted)


def _keys(names: Iterable[str]) -> list[str]:
    """Advisory locks are waited for in turn, so that many who share can't keep out one who locks."""
    return [f"dealtrail projection {name}" for name in names]


def _chosen(connection: Connection[TupleRow], names: Iterable[str]) -> dict[str, Standing]:
    # A statement of its own, because what one joined that waited would be as of before it did.
    stored = standings(connection)
    return {name: stored[name] for name in names if name in stored}


def store_failure(connection: Connection[TupleRow], failure: Failure) -> None:
    """Also for a projection that was never built: it is then known by its failure alone."""
    connection.execute(
        "INSERT INTO read.projection (name, fingerprint, tables, views, built_at)"
        " VALUES (%s, '', '{}', '{}', now()) ON CONFLICT (name) DO NOTHING",
        (failure.projection,),
    )
    connection.execute(
        "INSERT INTO read.checkpoint VALUES (%s, 0) ON CONFLICT (application_name) DO NOTHING",
        (failure.projection,),
    )
    connection.execute(
        "UPDATE read.projection SET failed_position = %s, failed_event = %s, failed_error = %s"
        " WHERE name = %s",
        (failure.position, failure.event, failure.error, failure.projection),
    )


def clear_failure(connection: Connection[TupleRow], name: str) -> None:
    connection.execute(
        "UPDATE read.projection SET failed_position = NULL, failed_event = NULL, failed_error = NULL"
        " WHERE name = %s",
        (name,),
    )


def _standing(name: str, fingerprint: str, position: int, tables: Any, views: Any, *failure: Any) -> Standing:
    failed = Failure(name, *failure) if failure[0] is not None else None
    return Standing(name, fingerprint, position, tuple(tables), tuple(views), failed)
