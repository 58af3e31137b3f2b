"""Closing periods and answering disputes."""

from domain.payroll import closing
from domain.payroll.model import PERIOD, STATEMENT, Statement
from domain.shared.periods import Period
from services.desk import Desk
from services.payloads import DisputeLine, NoData, ResolveDispute
from services.ports import EmptyLog, PayrollBooks


class Payroll:
    """One method per intention."""

    def __init__(self, books: PayrollBooks) -> None:
        self._books = books

    def close(self, desk: Desk, data: NoData) -> None:
        """Freeze what everybody is paid for a period."""
        self._must_be_payroll(desk, "close a period")
        period = Period.parse(desk.subject, field="subject")
        desk.state(PERIOD, str(period.previous))  # Whoever closes that one meanwhile has this decided anew.
        state = desk.state(PERIOD, str(period))
        try:
            position, records = self._books.records()
        except EmptyLog:
            raise closing.NothingRecorded from None
        closed, statements = closing.close(
            state, records=records, cutoff_position=position, zone=self._books.zone, now=desk.now
        )
        desk.record(PERIOD.stream(state.id), [closed])
        streams = [STATEMENT.stream(closing.statement_id(period, one.rep)) for one in statements]
        desk.foresee(streams)
        for stream, issued in zip(streams, statements, strict=True):
            desk.record(stream, [issued])

    def dispute(self, desk: Desk, data: DisputeLine) -> None:
        """A rep, or somebody for them, says that a line is wrong."""
        period, rep = closing.read_statement_id(desk.subject)
        desk.actor.must_work_for(rep, beside=desk.heads(rep), action="dispute the statement")
        statement = self._issued(desk, period, rep)
        events = closing.dispute(statement, line=data.line, reason=data.reason)
        desk.record(STATEMENT.stream(statement.id), events)

    def resolve(self, desk: Desk, data: ResolveDispute) -> None:
        """Payroll answers."""
        self._must_be_payroll(desk, "answer a dispute")
        statement = self._issued(desk, *closing.read_statement_id(desk.subject))
        events = closing.resolve(
            statement, line=data.line, accepted=data.accepted, note=data.note, amount=data.amount
        )
        desk.record(STATEMENT.stream(statement.id), events)

    def _issued(self, desk: Desk, period: Period, rep: str) -> Statement:
        statement = desk.state(STATEMENT, closing.statement_id(period, rep))
        return closing.issued(statement, desk.state(PERIOD, str(period)))

    def _must_be_payroll(self, desk: Desk, action: str) -> None:
        if desk.actor.role not in ("payroll", "admin"):
            raise desk.actor.refuse(action, "only payroll or an admin may")
