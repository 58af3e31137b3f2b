"""A statement: E(P, n) less all that earlier statements paid, line by line."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import get_args

from domain.payroll.earnings import Earnings
from domain.payroll.entitlement import Entitlement, Entry, Key, currency_of, entitlement
from domain.payroll.events import EntryKind, Line, StatementIssued
from domain.payroll.records import Records
from domain.payroll.standing import ZERO, rounded
from domain.shared.periods import Period

_ORDER = {kind: place for place, kind in enumerate(get_args(EntryKind))}


def statement(
    records: Records, earned: Earnings, rep: str, period: Period, cutoff_position: int
) -> StatementIssued:
    """What the rep is paid for the period by the records, which end at the cutoff.

    `earned` is `earnings(records)`. If earlier periods are not closed yet, it is what this one will pay once
    they are, as things stand.
    """
    entries = entitlement(records, earned, rep, period)
    if records.first_open < period:
        paid = entitlement(records, earned, rep, period.previous)
    else:
        paid = paid_before(records.statements.get(rep, ()))
    currency = currency_of(records, rep)
    changes = sorted(
        _changes(records, earned, entries, paid, rep), key=lambda one: _place(one[0], one[1], period)
    )
    lines = tuple(_line(at, *change, period) for at, change in enumerate(changes, start=1))
    return StatementIssued(
        period=str(period),
        rep=rep,
        currency=currency,
        cutoff_position=cutoff_position,
        total=sum((line.amount for line in lines), rounded(ZERO, currency)),
        lines=lines,
    )


def on_the_payroll(records: Records, earned: Earnings, period: Period) -> list[str]:
    """Who gets a statement whatever it says, and who may have a line: the others need not be looked at."""
    employed = {rep.id for rep in records.reps.values() if rep.employed_in(period, records.zone)}
    conceded = {concession.rep for concession in records.concessions}
    return sorted(employed | set(earned.credits) | set(records.statements) | conceded)


def statements(
    records: Records, earned: Earnings, period: Period, cutoff_position: int
) -> list[StatementIssued]:
    """One for every rep employed in the period or with a line, by rep."""
    issued = []
    for rep in on_the_payroll(records, earned, period):
        one = statement(records, earned, rep, period, cutoff_position)
        record = records.reps.get(rep)
        if one.lines or (record is not None and record.employed_in(period, records.zone)):
            issued.append(one)
    return issued


def paid_before(statements: Iterable[StatementIssued]) -> Entitlement:
    """What the statements paid, entry by entry."""
    paid: Entitlement = {}
    for issued in statements:
        for line in issued.lines:
            key = Key(
                kind=line.of,
                for_period=line.for_period,
                deal=line.deal,
                earning=line.earning,
                credited=line.credited,
                plan=line.plan,
                plan_version=line.plan_version,
                rate=line.rate,
            )
            before = paid.get(key)
            paid[key] = Entry(
                basis=line.basis + (before.basis if before else ZERO),
                amount=line.amount + (before.amount if before else ZERO),
                rule=line.rule,
                events=frozenset(line.events) | (before.events if before else frozenset()),
                share=line.share,
                role=line.role,
            )
    return paid


def _changes(
    records: Records, earned: Earnings, entries: Entitlement, paid: Entitlement, rep: str
) -> Iterator[tuple[Key, Entry]]:
    """What of the entries is not paid yet, or was paid and is no longer due."""
    for key, entry in entries.items():
        before = paid.get(key)
        if before is None:
            yield key, entry
        elif (entry.basis, entry.amount) != (before.basis, before.amount):
            yield key, _difference(entry, before)
    gone = [key for key, before in paid.items() if key not in entries and (before.basis or before.amount)]
    if not gone:
        return
    instead: defaultdict[tuple[str | None, str, str], frozenset[int]] = defaultdict(frozenset)
    for key, entry in entries.items():
        instead[key.deal, key.earning, key.credited] |= entry.events
    for key in gone:
        because = _bearing_on(records, earned, key, rep) | instead[key.deal, key.earning, key.credited]
        yield key, _taken_back(paid[key], because)


def _difference(entry: Entry, before: Entry) -> Entry:
    return Entry(
        basis=entry.basis - before.basis,
        amount=entry.amount - before.amount,
        rule=entry.rule,
        events=entry.events | before.events,
        share=entry.share,
        role=entry.role,
    )


def _taken_back(before: Entry, because: frozenset[int]) -> Entry:
    return Entry(
        basis=-before.basis,
        amount=-before.amount,
        rule=before.rule,
        events=before.events | because,
        share=before.share,
        role=before.role,
    )


def _bearing_on(records: Records, earned: Earnings, key: Key, rep: str) -> frozenset[int]:
    """The positions of all that may be why the entry is no more: of deal, payment and plans."""
    cutoff = records.closed[-1].cutoff_position if records.closed else 0
    found = {one.position for one in records.assignments.get(rep, ()) if one.position > cutoff}
    payments = list(earned.payments.get(key.deal or "", ()))
    moved = records.payments.get(key.earning)
    if moved is not None:
        payments.append(moved)
    for payment in payments:
        found.update(refund.position for refund in payment.refunds)
        found.add(payment.linked_position)
    deal = records.deals.get(key.deal or "")
    if deal is not None:
        found.update(split.position for split in deal.splits)
        for win in deal.wins:
            found.add(win.position)
            found.update(change.position for change in win.changes)
            found.update([win.reopened.position] if win.reopened is not None else ())
    return frozenset(found)


def _line(number: int, key: Key, entry: Entry, period: Period) -> Line:
    return Line(
        line=number,
        kind=key.kind if key.for_period == str(period) else "adjustment",
        of=key.kind,
        deal=key.deal,
        earning=key.earning,
        credited=key.credited,
        role=entry.role,
        for_period=key.for_period,
        basis=entry.basis,
        rate=key.rate,
        share=entry.share,
        amount=entry.amount,
        rule=entry.rule,
        plan=key.plan,
        plan_version=key.plan_version,
        events=tuple(sorted(entry.events)),
    )


def _place(key: Key, entry: Entry, period: Period) -> tuple[object, ...]:
    """The period's own first, then adjustments by period; each in the order of earning."""
    return (
        key.for_period != str(period),
        key.for_period,
        _ORDER[key.kind],
        _earned_by(key, entry),
        key.deal or "",
        key.earning,
        key.credited,
        key.plan or "",
        key.plan_version or 0,
        key.rate or ZERO,
    )


def _earned_by(key: Key, entry: Entry) -> int:
    """The position of the win, or else the last that the entry rests on."""
    if key.earning.isdecimal() and int(key.earning) in entry.events:
        return int(key.earning)
    return max(entry.events, default=0)
