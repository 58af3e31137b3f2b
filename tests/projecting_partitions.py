"""The log cut up by partitions, as a topic has it, and the read tables as PostgreSQL's own text."""

from collections.abc import Mapping, Sequence

from psycopg.sql import SQL, Identifier

from adapters.postgres.database import Database
from adapters.postgres.projecting.placing import partition_of
from adapters.postgres.projecting.projector import Projector
from adapters.postgres.projecting.spread_fold import Stretch
from adapters.postgres.projecting.tables import table_of
from adapters.postgres.store import PostgresStore
from projections.kernel import Projection


def stretches(
    store: PostgresStore, partitions: int, wanted: Mapping[int, tuple[int, int]]
) -> dict[int, Stretch]:
    """Of each partition what is behind the first position, up to the second."""
    rows = [row for _, page in store.read_raw(0) for row in page]
    cut = {}
    for number, (after, upto) in wanted.items():
        own = [row for row in rows if partition_of(row[0], partitions) == number and after < row[2] <= upto]
        cut[number] = Stretch(after, upto, own)
    return cut


def text_of(database: Database, projections: Sequence[Projection]) -> dict[str, bytes]:
    """Every table's rows in the order of their keys, byte for byte."""
    texts = {}
    with database.connection() as connection:
        for kind in [kind for projection in projections for kind in projection.rows]:
            table = table_of(kind)
            columns = SQL(", ").join(map(Identifier, table.names))
            order = SQL(", ").join(map(Identifier, table.key))
            copy = SQL("COPY (SELECT {} FROM read.{} ORDER BY {}) TO STDOUT").format(
                columns, Identifier(table.name), order
            )
            with connection.cursor().copy(copy) as blocks:
                texts[table.name] = b"".join(map(bytes, blocks))
    return texts


def assert_as_rebuilt(database: Database, projections: Sequence[Projection]) -> None:
    """The tables are those that one process builds from the log, to the byte."""
    found = text_of(database, projections)
    assert Projector(database, projections).rebuild(workers=1) == []
    assert found == text_of(database, projections)
    assert any(found.values())
