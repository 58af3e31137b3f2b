"""The bundle of a closed statement, from the log and its checkpoints."""

from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.audit.bundle.bundle import StatementBundle
from adapters.audit.bundle.identity import decoded
from adapters.audit.bundle.making import Log, Noted, make_bundle
from adapters.postgres.audit.checkpoints import Checkpoints, NotSealed
from adapters.postgres.audit.leaves import stored
from adapters.postgres.audit.tree import LogIncomplete, Nodes
from adapters.postgres.database import Database
from domain.audit.leaf import Leaf, parse
from domain.kernel import Rejected
from domain.payroll.closing import UnknownStatement, statement_id
from domain.payroll.events import StatementIssued
from domain.payroll.model import PERIOD, STATEMENT
from domain.shared.periods import Period

_FIRST = "SELECT notification_id FROM log.event WHERE originator_id = %s AND originator_version = 1"


class StatementLater(Rejected):
    """The statement {statement} was recorded at {position}, after the {size} events of that checkpoint."""

    code = "statement_later"


def bundle_statement(
    database: Database, period: Period, rep: str, later: Noted | None = None
) -> StatementBundle:
    """What proves the rep's statement to whoever has no database: the same checkpoints give the same bytes.

    It rests on the checkpoint of the cutoff, and on `later`; by default on the smallest that covers the
    statement. Raises UnknownStatement, NotSealed, StatementLater, LogIncomplete; and whatever a check would
    find: nothing is handed out that doesn't hold.
    """
    checkpoints, statement = Checkpoints(database), statement_id(period, rep)
    with database.connection() as connection:
        log = Log(lambda position: _line(connection, position), Nodes(connection))
        issued, closed = _places(connection, period, statement)
        cutoff = decoded(parse(log.line(issued)), StatementIssued).cutoff_position
        sealed = checkpoints.first_of(cutoff) or checkpoints.of(cutoff)
        later = later or _smallest(checkpoints, issued)
        if later.checkpoint.size < issued:
            raise StatementLater(statement=statement, position=issued, size=later.checkpoint.size)
        return make_bundle(log, issued, closed, Noted.of(sealed.note), later)


def _places(connection: Connection[TupleRow], period: Period, statement: str) -> tuple[int, int]:
    """The positions of the statement's event, and of its period's close."""
    closed = connection.execute(_FIRST, (PERIOD.stream(str(period)),)).fetchone()
    if closed is None:
        raise UnknownStatement(statement=statement, reason="the period isn't closed")
    issued = connection.execute(_FIRST, (STATEMENT.stream(statement),)).fetchone()
    if issued is None:
        raise UnknownStatement(statement=statement, reason="the rep had none in that period")
    return issued[0], closed[0]


def _smallest(checkpoints: Checkpoints, position: int) -> Noted:
    """The first checkpoint of the fewest events that cover the position: later ones don't change it."""
    known = checkpoints.all()
    covering = [one for one in known if one.size >= position]
    if not covering:
        sizes = sorted({one.size for one in known})[-5:]
        raise NotSealed(wanted=f"position {position:,} or later", known=sizes or "none")
    return Noted.of(min(covering, key=lambda one: (one.size, one.number)).note)


def _line(connection: Connection[TupleRow], position: int) -> bytes:
    rows = stored(connection, position, position)
    if not rows:
        raise LogIncomplete(position=position, size=position)
    return Leaf._make(rows[0][:-1]).line()
