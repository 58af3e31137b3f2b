"""A company whose clock the test moves: it sells, closes its periods, and disputes what was paid."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from adapters.postgres.books import Books
from adapters.postgres.database import Database
from adapters.postgres.lookups import Lookups, view_of
from adapters.postgres.projecting.as_of import AsOf
from adapters.postgres.projecting.projector import Projector
from adapters.postgres.store import PostgresStore
from adapters.wiring import PROJECTIONS
from domain.kernel import Event, Recorded
from domain.payroll.events import PeriodClosed, StatementIssued
from projections.asking import View
from services.answers import Answer
from services.intake import Intake, Submission

ADMIN, PAYROLL = "admin:eve", "payroll:pam"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class Payday:
    """`founded` sets the first month. `name` sets apart the actions of several processes."""

    def __init__(self, url: str, *, zone: str = "UTC", now: str = "2026-09-10T09:00:00Z", name: str = "p"):
        self.now = moment(now)
        self.database = Database(url)
        self.store = PostgresStore(self.database)
        self.projector = Projector(self.database, PROJECTIONS)
        self.books = Books(self.store, self._reading(Books.READS), zone=ZoneInfo(zone), currency="USD")
        self._ids = (f"{name}-{number}" for number in count(1))
        self.intake = self.desk()

    def desk(self) -> Intake:
        """Another way in, that remembers nothing yet."""
        return Intake(
            self.store,
            secret=b"x" * 32,
            claims=Lookups(self._reading(Lookups.READS)),
            books=self.books,
            clock=lambda: self.now,
            currency="USD",
        )

    def _reading(self, names: Sequence[str]) -> Projector:
        return Projector(self.database, [one for one in PROJECTIONS if one.name in names])

    def close_database(self) -> None:
        self.database.close()

    def on(self, now: str) -> "Payday":
        self.now = moment(now)
        return self

    def action(self, kind: str, subject: str | None, data: object = None, **said: Any) -> dict[str, Any]:
        whole = {
            "specversion": "1.0",
            "id": next(self._ids),
            "source": "payday",
            "type": kind,
            "subject": subject,
            "time": self.now.isoformat(),
            "actor": ADMIN,
            "data": data or {},
        }
        return whole | said

    def submit(self, *actions: dict[str, Any], migration: bool = False) -> list[Answer]:
        return self.intake.submit([Submission(action) for action in actions], migration=migration)

    def accept(self, *actions: dict[str, Any], migration: bool = False) -> list[Answer]:
        answers = self.submit(*actions, migration=migration)
        refused = [answer.error for answer in answers if answer.error is not None]
        assert not refused, refused
        return answers

    def do(self, kind: str, subject: str | None, data: object = None, **said: Any) -> Answer:
        (answer,) = self.accept(self.action(kind, subject, data, **said))
        return answer

    def refuse(self, kind: str, subject: str | None, data: object = None, **said: Any) -> dict[str, Any]:
        (answer,) = self.submit(self.action(kind, subject, data, **said))
        assert answer.error is not None, f"accepted: {kind} {subject} {data}"
        return dict(answer.error)

    def founding(self, *reps: str, **said: Any) -> Iterator[dict[str, Any]]:
        """A pipeline, Head, the reps below, and 5 % flat of what they win, from the beginning."""
        plan = {"name": "Flat", "currency": "USD", "basis": "won", "rate": "5"}
        stages = [{"name": "Call", "probability": "50", "days": 7}]
        yield self.action("pipeline.define", "sales", {"stages": stages}, **said)
        yield self.action("rep.hire", "head", {"name": "Head"}, **said)
        yield self.action("plan.publish", "flat", plan, **said)
        for rep in reps:
            yield self.action("rep.hire", rep, {"name": rep.title(), "manager": "head"}, **said)
            yield self.action("plan.assign", rep, {"plan": "flat", "from": "2020-01-01"}, **said)

    def founded(self, *reps: str) -> "Payday":
        self.accept(*self.founding(*(reps or ("ann", "bob"))))
        return self

    def winning(self, deal: str, amount: str, rep: str = "ann", **said: Any) -> list[dict[str, Any]]:
        """The actions of a deal that is won at once, for a customer of its own."""
        lead = {"keys": {"external": deal}, "owner": rep}
        opening = {"lead": f"L-{deal}", "pipeline": "sales"}
        return [
            self.action("lead.register", f"L-{deal}", lead, **said),
            self.action("deal.open", deal, opening, **said),
            self.action("deal.win", deal, {"amount": amount, "currency": "USD"}, **said),
        ]

    def win(self, deal: str, amount: str, rep: str = "ann", **said: Any) -> "Payday":
        self.accept(*self.winning(deal, amount, rep, **said))
        return self

    def closing(self, period: str, **said: Any) -> dict[str, Any]:
        return self.action("period.close", period, **({"actor": PAYROLL} | said))

    def close(self, period: str, **said: Any) -> Answer:
        (answer,) = self.accept(self.closing(period, **said))
        return answer

    def facts(self) -> list[Recorded[Event]]:
        return [fact for page in self.store.read(0) for fact in page]

    def closed(self) -> dict[str, PeriodClosed]:
        return {fact.entity: fact.event for fact in self.facts() if isinstance(fact.event, PeriodClosed)}

    def statements(self) -> dict[str, StatementIssued]:
        return {fact.entity: fact.event for fact in self.facts() if isinstance(fact.event, StatementIssued)}

    def lines(self, statement: str) -> list[tuple[str, str | None, str, str]]:
        """Kind, deal, period that it is for, amount."""
        lines = self.statements()[statement].lines
        return [(line.kind, line.deal, line.for_period, str(line.amount)) for line in lines]

    def paid(self) -> Decimal:
        return sum((one.total for one in self.statements().values()), Decimal(0))

    def ask(self, question: Any, *args: Any, **kwargs: Any) -> Any:
        """The items of a list report, as things stand."""
        with self.view() as view:
            return question(view, *args, **kwargs).items

    @contextmanager
    def view(self, position: int | None = None) -> Iterator[View]:
        """The read tables, as things stand or as of a position."""
        assert self.projector.catch_up() == []
        with self.projector.snapshot(at=None if position is None else AsOf(position=position)) as snapshot:
            yield view_of(snapshot)
