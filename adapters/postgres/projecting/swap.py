"""Finished tables put in the place of the live ones: readers see the old or the new, never a mix."""

import time
from collections.abc import Iterable, Mapping, Sequence

from psycopg import Connection
from psycopg.errors import (
    InvalidSchemaName,
    LockNotAvailable,
    QueryCanceled,
    UndefinedColumn,
    UndefinedTable,
)
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier, Literal

from adapters.logging import Logger
from adapters.postgres.projecting.tables import MY_VIEWS, create_view, table_of
from projections.kernel import Projection

AUDITOR, PAYROLL, REP = "dealtrail_auditor", "dealtrail_payroll", "dealtrail_rep"
READERS = {"payroll_": PAYROLL, MY_VIEWS: REP}
"""Who may read the views named so; the auditor may read everything here."""
_LOCK_MILLISECONDS_MAX = 300
"""Less than PostgreSQL's deadlock_timeout (1 s): if a reader and a swap block each other, the swap yields."""
_PAUSE_SECONDS = 0.1

_logger = Logger(__name__)


class TablesBusy(Exception):  # noqa: N818 - named for what was met
    """A reader keeps the tables too long for now; try again."""


def pause() -> None:
    """Let readers through before the next try."""
    time.sleep(_PAUSE_SECONDS)


def swap(
    connection: Connection[TupleRow],
    built: Sequence[Projection],
    all_projections: Sequence[Projection],
    old_tables: Iterable[str],
    schema: str,
) -> None:
    """Put the tables of `built` that stand in `schema` in the place of the old ones in `read`.

    In the connection's transaction, which has locked the projections. Raises TablesBusy: roll back then.
    The projections' views are all made anew, because any may be over any table. A view of somebody else's
    over a table of ours makes PostgreSQL refuse (DependentObjectsStillExist) rather than lose it.
    """
    tables = [table_of(kind).name for projection in built for kind in projection.rows]
    gone = _existing(connection, {*old_tables, *tables})
    present = _stored_views(connection)
    gone_views = list(present)
    anew = {projection.name for projection in built}
    views = {name: sql for name, (owner, sql) in present.items() if owner not in anew}
    strange = {name for name, (owner, _) in present.items() if owner is None}
    comments = _stored_comments(connection)
    for projection in all_projections:
        views |= projection.views
        strange -= set(projection.views)
        comments = {name: text for name, text in comments.items() if _view(name) not in projection.views}
        comments |= projection.comments
    _lock(connection, [*gone, *gone_views])
    readers = _readers(connection)
    if gone_views:
        every = SQL(", ").join([Identifier("read", name) for name in gone_views])
        connection.execute(SQL("DROP VIEW {}").format(every))
    for name in gone:
        connection.execute(SQL("DROP TABLE read.{}").format(Identifier(name)))
    for name in tables:
        connection.execute(SQL("ALTER TABLE {} SET SCHEMA read").format(Identifier(schema, name)))
    made = _make_views(connection, views, strange)
    _comment(connection, made, comments)
    _grant(connection, [*tables, *made], readers, strange)


def _existing(connection: Connection[TupleRow], names: Iterable[str]) -> list[str]:
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'read'::regnamespace AND relkind = 'r'"
        " AND relname = ANY(%s) ORDER BY relname",
        (list(names),),
    )
    return [row[0] for row in rows]


def _stored_views(connection: Connection[TupleRow]) -> dict[str, tuple[str | None, str]]:
    """The views as they are: name, whose, query. Those unknown to this program are kept.

    Nobody's are those of a backup that was restored without the data of `read`, or an operator's own.
    """
    connection.execute("SET LOCAL search_path = read")
    rows = connection.execute(
        "SELECT c.relname, p.name, rtrim(pg_get_viewdef(c.oid), ';') FROM pg_class c"
        " LEFT JOIN read.projection p ON c.relname = ANY(p.views)"
        " WHERE c.relnamespace = 'read'::regnamespace AND c.relkind = 'v' ORDER BY c.oid"
    )
    return {name: (owner, query) for name, owner, query in rows}


def _lock(connection: Connection[TupleRow], names: Sequence[str]) -> None:
    if not names:
        return
    connection.execute(SQL("SET LOCAL statement_timeout = {}").format(_LOCK_MILLISECONDS_MAX))
    relations = SQL(", ").join([Identifier("read", name) for name in names])
    try:
        connection.execute(SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(relations))
    except (QueryCanceled, LockNotAvailable) as error:
        raise TablesBusy from error
    connection.execute("SET LOCAL statement_timeout = 0")


def _stored_comments(connection: Connection[TupleRow]) -> dict[str, str]:
    """What is said of the views and of their columns, by the names that `Projection.comments` has."""
    rows = connection.execute(
        "SELECT concat_ws('.', c.relname, a.attname), d.description"
        " FROM pg_description d JOIN pg_class c ON c.oid = d.objoid"
        " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND a.attnum > 0"
        " WHERE d.classoid = 'pg_class'::regclass AND c.relnamespace = 'read'::regnamespace"
        " AND c.relkind = 'v'"
    )
    return dict(rows.fetchall())


def _comment(connection: Connection[TupleRow], views: Sequence[str], comments: Mapping[str, str]) -> None:
    for name, text in comments.items():
        if _view(name) in views:
            kind = SQL("COLUMN" if "." in name else "VIEW")
            what = Identifier("read", *name.split("."))
            connection.execute(SQL("COMMENT ON {} {} IS {}").format(kind, what, Literal(text)))


def _view(commented: str) -> str:
    """The view that the name, or the name of its column, is of."""
    return commented.partition(".")[0]


def _readers(connection: Connection[TupleRow]) -> dict[str, set[str]]:
    """Who was given the right to read each relation; and under no name, which of our own roles there are."""
    known = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname IN (%s, %s, %s)", (AUDITOR, PAYROLL, REP)
    )
    readers: dict[str, set[str]] = {"": {row[0] for row in known}}
    granted = connection.execute(
        "SELECT c.relname, coalesce(r.rolname, '') FROM pg_class c"
        " CROSS JOIN LATERAL aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee"
        " WHERE c.relnamespace = 'read'::regnamespace AND a.privilege_type = 'SELECT'"
        " AND a.grantee <> c.relowner"
    )
    for relation, role in granted:
        readers.setdefault(relation, set()).add(role)
    return readers


def _grant(
    connection: Connection[TupleRow],
    relations: Iterable[str],
    readers: Mapping[str, set[str]],
    strange: set[str],
) -> None:
    """Somebody else's view may be named as ours are, and show anything: it keeps the readers it had."""
    for relation in relations:
        ours = READERS.items() if relation not in strange else ()
        by_right = {AUDITOR, *(role for prefix, role in ours if relation.startswith(prefix))}
        for role in sorted(readers[""] & by_right | readers.get(relation, set())):
            to = Identifier(role) if role else SQL("PUBLIC")
            connection.execute(SQL("GRANT SELECT ON read.{} TO {}").format(Identifier(relation), to))


def _make_views(connection: Connection[TupleRow], views: Mapping[str, str], strange: set[str]) -> list[str]:
    """A view over tables that are not built yet waits for the swap that brings them.

    A strange one is nobody's to make again: rather than lose it, the database's refusal is raised.
    """
    made = []
    for name, sql in views.items():
        try:
            with connection.transaction():
                connection.execute(create_view(name, sql))
            made.append(name)
        except (UndefinedTable, UndefinedColumn, InvalidSchemaName) as error:
            if name in strange:
                raise
            _logger.warning("view_waits_for_its_tables", view=name, error=str(error).splitlines()[0])
    return made
