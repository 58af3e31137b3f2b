"""A company whose payroll a clerk can follow: what happened, in the order of recording, and what was paid."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from acceptance.company import Company as Outside
from acceptance.company import action
from payroll_reference import Reference, month_of

from domain.deals.events import DealAmended, DealOpened, DealReopened, DealSplit, DealWon, Share
from domain.finance.events import RateRecorded
from domain.kernel import Event, Recorded
from domain.leads.events import LeadClaimed
from domain.payments.events import PaymentMatched, PaymentRecorded, RefundRecorded
from domain.payroll.checking import checked
from domain.payroll.earnings import Earnings, earnings
from domain.payroll.entitlement import entitlement
from domain.payroll.events import (
    DisputeResolved,
    LineDisputed,
    PeriodClosed,
    PlanAssigned,
    PlanPublished,
    StatementIssued,
)
from domain.payroll.plans import Plan
from domain.payroll.records import Records
from domain.payroll.statement import statements
from domain.shared.periods import Period
from domain.team.events import RepHired, RepLeft, RepTransferred
from projections.payroll.reading import read_records

Shared = tuple[str, str] | tuple[str, str, str]
"""A rep, their percent, and perhaps their role."""


class Company(Protocol):
    """What happens to it, each at `on` (a date is its noon), recorded in the order told.

    A statement is told as lines such as `win D1 2026-01: 1000.00 at 5 % = 50.00`, at last `total 50.00`.
    """

    def hire(self, rep: str, manager: str | None = None, on: str = ...) -> None: ...
    def leave(self, rep: str, on: str) -> None: ...
    def plan(self, plan: str, **document: Any) -> None: ...
    def assign(self, rep: str, plan: str, start: str = ..., end: str | None = None) -> None: ...
    def deal(self, deal: str, owner: str | None, product: str | None = None) -> None: ...
    def claim(self, deal: str, rep: str, on: str) -> None: ...
    def win(self, deal: str, amount: str | None, on: str, currency: str = "USD") -> None: ...
    def amend(self, deal: str, amount: str, on: str, currency: str = "USD") -> None: ...
    def split(self, deal: str, *shares: Shared, on: str) -> None: ...
    def reopen(self, deal: str, on: str) -> None: ...
    def pay(self, payment: str, deal: str | None, amount: str, on: str, currency: str = "USD") -> None: ...
    def refund(self, payment: str, deal: str | None, amount: str, on: str, currency: str = "USD") -> None: ...
    def match(self, payment: str, deal: str, on: str) -> None: ...
    def rate(self, currency: str, quote: str, rate: str, day: str) -> None: ...
    def dispute(self, rep: str, period: str, line: int, amount: str | None, *, accepted: bool = True) -> None:
        """Line so and so is disputed, and answered."""

    def close(self, *periods: str) -> None: ...
    def paid(self, rep: str, period: str) -> list[str]: ...


def moment(on: str, zone: str = "UTC") -> datetime:
    """`2026-01-20` is noon there, all else an ISO moment; in UTC."""
    if len(on) == len("2026-01-20"):
        return datetime.fromisoformat(f"{on}T12:00").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return datetime.fromisoformat(on).astimezone(UTC)


def told(kind: str, deal: str | None, for_period: str, basis: str, rate: str | None, amount: str) -> str:
    return f"{kind} {deal or '-'} {for_period}: {f'{basis} at {rate} % = ' if rate else ''}{amount}"


def plain(number: Decimal) -> str:
    return format(number.normalize() + 0, "f")


class Clock:
    """When things are recorded: when they happen, or as soon after as what was recorded before allows."""

    def __init__(self, zone: str, begin: str) -> None:
        self.zone, self.now = zone, moment(begin, zone)

    def record(self, on: str | None) -> tuple[datetime, datetime]:
        """When it happened, and when it was recorded."""
        occurred = self.now if on is None else moment(on, self.zone)
        self.now = max(self.now, occurred)
        return occurred, self.now

    def end(self, period: str) -> None:
        self.now = max(self.now, Period.parse(period).end(ZoneInfo(self.zone)))


class InMemory:
    """Facts straight into payroll's functions, with no database. Each close is checked by `Reference`."""

    checks = True

    def __init__(self, zone: str = "UTC", currency: str = "USD", begin: str = "2026-01-01") -> None:
        self.zone, self.currency = zone, currency
        self.clock = Clock(zone, begin)
        self.facts: list[Recorded[Event]] = []
        self.owners: dict[str, str | None] = {}
        self.versions: dict[str, int] = {}

    # What happens

    def note(self, stream: str, event: Event, on: str | None = None) -> None:
        occurred, recorded = self.clock.record(on)
        self.facts.append(
            Recorded(
                event=event,
                stream=stream,
                version=1,
                position=len(self.facts) + 1,
                occurred_at=occurred,
                recorded_at=recorded,
                actor="admin:eve",
                source="test",
                action=f"a-{len(self.facts) + 1}",
            )
        )

    def hire(self, rep: str, manager: str | None = None, on: str | None = None) -> None:
        self.note(f"rep-{rep}", RepHired(name=rep, manager=manager), on)

    def transfer(self, rep: str, manager: str | None) -> None:
        self.note(f"rep-{rep}", RepTransferred(name=rep, manager=manager))

    def leave(self, rep: str, on: str) -> None:
        self.note(f"rep-{rep}", RepLeft(), on)
        self.owners = {deal: None if owner == rep else owner for deal, owner in self.owners.items()}

    def plan(self, plan: str, **document: Any) -> None:
        self.versions[plan] = self.versions.get(plan, 0) + 1
        whole = Plan.model_validate({"name": plan, "currency": self.currency, "basis": "won"} | document)
        self.note(f"plan-{plan}", PlanPublished(number=self.versions[plan], plan=checked(whole)))

    def assign(self, rep: str, plan: str, start: str = "2020-01-01", end: str | None = None) -> None:
        self.note(
            f"assignment-{rep}",
            PlanAssigned(
                plan=plan,
                number=self.versions[plan],
                first_day=date.fromisoformat(start),
                last_day=None if end is None else date.fromisoformat(end),
            ),
        )

    def deal(self, deal: str, owner: str | None, product: str | None = None) -> None:
        self.owners[deal] = owner
        if owner is not None:
            self.note(f"lead-L-{deal}", LeadClaimed(rep=owner, protection_days=3650))
        self.note(f"deal-{deal}", DealOpened(lead=f"L-{deal}", pipeline="sales", product=product))

    def claim(self, deal: str, rep: str, on: str) -> None:
        self.owners[deal] = rep
        self.note(f"lead-L-{deal}", LeadClaimed(rep=rep, protection_days=3650), on)

    def win(self, deal: str, amount: str | None, on: str, currency: str = "USD") -> None:
        worth = None if amount is None else Decimal(amount)
        won = DealWon(
            stage="Call", owner=self.owners[deal], amount=worth, currency=None if worth is None else currency
        )
        self.note(f"deal-{deal}", won, on)

    def amend(self, deal: str, amount: str, on: str, currency: str = "USD") -> None:
        self.note(f"deal-{deal}", DealAmended(amount=Decimal(amount), currency=currency), on)

    def split(self, deal: str, *shares: Shared, on: str) -> None:
        parts = tuple(
            Share(rep=rep, percent=Decimal(percent), role=role[0] if role else None)
            for rep, percent, *role in shares
        )
        self.note(f"deal-{deal}", DealSplit(shares=parts), on)

    def reopen(self, deal: str, on: str) -> None:
        self.note(f"deal-{deal}", DealReopened(stage="Call", reason="mistake"), on)

    def pay(self, payment: str, deal: str | None, amount: str, on: str, currency: str = "USD") -> None:
        received = PaymentRecorded(deal=deal, amount=Decimal(amount), currency=currency)
        self.note(f"payment-{payment}", received, on)

    def refund(self, payment: str, deal: str | None, amount: str, on: str, currency: str = "USD") -> None:
        back = RefundRecorded(deal=deal, amount=Decimal(amount), currency=currency)
        self.note(f"payment-{payment}", back, on)

    def match(self, payment: str, deal: str, on: str) -> None:
        self.note(f"payment-{payment}", PaymentMatched(deal=deal), on)

    def rate(self, currency: str, quote: str, rate: str, day: str) -> None:
        told = RateRecorded(quote=quote, rate=Decimal(rate), day=date.fromisoformat(day))
        self.note(f"rate-{currency}", told, day)

    def dispute(self, rep: str, period: str, line: int, amount: str | None, *, accepted: bool = True) -> None:
        stream = f"statement-{period}/{rep}"
        self.note(stream, LineDisputed(line=line, reason="wrong"))
        given = None if amount is None else Decimal(amount)
        self.note(stream, DisputeResolved(line=line, accepted=accepted, note="so it is", amount=given))

    # What payroll makes of it

    def records(self, upto: int | None = None) -> Records:
        return read_records(
            self.facts[:upto],
            began_at=self.facts[0].recorded_at,
            zone=ZoneInfo(self.zone),
            currency=self.currency,
        )

    def close(self, *periods: str) -> None:
        for period in periods:
            self.clock.end(period)
            self.close_at(period, len(self.facts))

    def close_at(self, period: str, cutoff: int) -> None:
        """What was recorded after the cutoff was recorded while the close was being worked out."""
        records = self.records(cutoff)
        issued = statements(records, earnings(records), Period.parse(period), cutoff)
        closed = PeriodClosed(
            cutoff_position=cutoff,
            timezone=self.zone,
            currency=self.currency,
            statements=len(issued),
            totals={},
        )
        self.note(f"period-{period}", closed)
        for statement in issued:
            self.note(f"statement-{period}/{statement.rep}", statement)
        if self.checks:
            self.check(period, cutoff)

    def check(self, period: str, cutoff: int) -> None:
        """Through this period every rep was paid what the reference says they earned, to the minor unit."""
        reference = Reference(self.facts[:cutoff], self.zone, self.currency)
        month = month_of(Period.parse(period).first_day)
        for rep in self.reps():
            paid = sum((one.total for one in self.issued(rep)), Decimal(0))
            assert paid == reference.total(rep, month), (
                f"{rep} through {period}: {reference.entitled(rep, month)}"
            )

    def reps(self) -> Sequence[str]:
        return list({fact.entity: None for fact in self.facts if isinstance(fact.event, RepHired)})

    def issued(self, rep: str) -> list[StatementIssued]:
        return [
            fact.event
            for fact in self.facts
            if isinstance(fact.event, StatementIssued) and fact.event.rep == rep
        ]

    def paid(self, rep: str, period: str) -> list[str]:
        (statement,) = (one for one in self.issued(rep) if one.period == period)
        lines = [
            told(
                one.kind,
                one.deal,
                one.for_period,
                str(one.basis),
                None if one.rate is None else plain(one.rate),
                str(one.amount),
            )
            for one in statement.lines
        ]
        return [*lines, f"total {statement.total}"]

    def exceptions(self, period: str) -> list[str]:
        """What can't be paid, as `no_rate D1 ann`."""
        records = self.records()
        earned = earnings(records)
        for rep in self.reps():
            entitlement(records, earned, rep, Period.parse(period))
        return sorted(f"{one.kind} {one.deal} {one.rep or '-'}" for one in earned.unpaid.values())

    def earned(self) -> tuple[Records, Earnings]:
        records = self.records()
        return records, earnings(records)


class FromOutside:
    """The same as actions sent by `dealtrail import --migration`, and what `dealtrail payroll` answers."""

    def __init__(
        self, url: str, folder: Path, zone: str = "UTC", currency: str = "USD", begin: str = "2026-01-01"
    ) -> None:
        self.company = Outside(url, folder)
        self.company.environment |= {"DEALTRAIL_TIMEZONE": zone, "DEALTRAIL_CURRENCY": currency}
        self.currency = currency
        self.clock = Clock(zone, begin)
        self.waiting: list[dict[str, Any]] = []
        self.numbers = 0
        stages = [{"name": "Call"}]
        self.send("pipeline.define", "sales", {"stages": stages, "protection_days": 3650})

    def send(
        self,
        kind: str,
        subject: str | None,
        data: object = None,
        on: str | None = None,
        actor: str = "admin:eve",
    ) -> None:
        occurred, recorded = self.clock.record(on)
        self.waiting.append(
            action(kind, subject, data, actor, time=occurred.isoformat(), recordedtime=recorded.isoformat())
        )

    def hire(self, rep: str, manager: str | None = None, on: str | None = None) -> None:
        self.send("rep.hire", rep, {"name": rep, "manager": manager}, on)

    def leave(self, rep: str, on: str) -> None:
        self.send("rep.leave", rep, None, on)

    def plan(self, plan: str, **document: Any) -> None:
        whole = {"name": plan, "currency": self.currency, "basis": "won"} | document
        self.send("plan.publish", plan, whole)

    def assign(self, rep: str, plan: str, start: str = "2020-01-01", end: str | None = None) -> None:
        self.send("plan.assign", rep, {"plan": plan, "from": start} | ({} if end is None else {"to": end}))

    def deal(self, deal: str, owner: str | None, product: str | None = None) -> None:
        self.numbers += 1
        keys = {"external": deal}
        self.send("lead.register", f"L-{deal}", {"keys": keys, "owner": owner})
        named = {} if product is None else {"product": product}
        self.send("deal.open", deal, {"lead": f"L-{deal}", "pipeline": "sales"} | named)

    def claim(self, deal: str, rep: str, on: str) -> None:
        self.send("lead.claim", f"L-{deal}", None, on, actor=rep)

    def win(self, deal: str, amount: str | None, on: str, currency: str = "USD") -> None:
        self.send("deal.win", deal, {} if amount is None else {"amount": amount, "currency": currency}, on)

    def amend(self, deal: str, amount: str, on: str, currency: str = "USD") -> None:
        self.send("deal.amend", deal, {"amount": amount, "currency": currency}, on)

    def split(self, deal: str, *shares: Shared, on: str) -> None:
        parts = [
            {"rep": rep, "percent": percent, "role": role[0] if role else None}
            for rep, percent, *role in shares
        ]
        self.send("deal.split", deal, {"shares": parts}, on)

    def reopen(self, deal: str, on: str) -> None:
        self.send("deal.reopen", deal, {"reason": "mistake"}, on)

    def pay(self, payment: str, deal: str | None, amount: str, on: str, currency: str = "USD") -> None:
        self.send("payment.record", deal, {"payment": payment, "amount": amount, "currency": currency}, on)

    def refund(self, payment: str, deal: str | None, amount: str, on: str, currency: str = "USD") -> None:
        self.send("refund.record", deal, {"payment": payment, "amount": amount, "currency": currency}, on)

    def match(self, payment: str, deal: str, on: str) -> None:
        self.send("payment.match", payment, {"deal": deal}, on)

    def rate(self, currency: str, quote: str, rate: str, day: str) -> None:
        self.send("rate.record", currency, {"in": quote, "rate": rate, "date": day}, day)

    def dispute(self, rep: str, period: str, line: int, amount: str | None, *, accepted: bool = True) -> None:
        statement = f"{period}/{rep}"
        self.send("statement.dispute", statement, {"line": line, "reason": "wrong"}, actor=rep)
        answer = {"accepted": accepted, "note": "so it is"}
        self.send("statement.resolve", statement, answer | ({} if amount is None else {"amount": amount}))

    def close(self, *periods: str) -> None:
        for period in periods:
            self.clock.end(period)
            self.send("period.close", period)

    def paid(self, rep: str, period: str) -> list[str]:
        self.flush()
        statement = self.company.ask("payroll", "statement", "--rep", rep, "--period", period)
        lines = [
            told(one["kind"], one["deal"], one["for_period"], one["basis"], one["rate"], one["amount"])
            for one in statement["lines"]
        ]
        return [*lines, f"total {statement['total']}"]

    def flush(self) -> None:
        if self.waiting:
            self.company.accept(*self.waiting, flags=["--migration"])
            self.waiting.clear()


_AS_TOLD: Sequence[type[Company]] = (InMemory, FromOutside)
"""Both are companies: the type checker says so."""
