"""When a period may be closed, and what may be said about its statements."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from scenario import NOON, Scenario, at

from domain.payroll.closing import (
    NoOpenDispute,
    PeriodIsClosed,
    PeriodNotEnded,
    PeriodOrder,
    TimezoneChanged,
    UnknownLine,
    UnknownStatement,
    close,
    dispute,
    issued,
    read_statement_id,
    resolve,
    statement_id,
)
from domain.payroll.events import DisputeResolved, Line, LineDisputed, PeriodClosed, StatementIssued
from domain.payroll.model import PERIOD, STATEMENT, PayrollPeriod, Statement
from domain.payroll.records import Closed, Employment, Records, RepRecord
from domain.shared.periods import Period
from domain.shared.rejections import InvalidData

UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
OCTOBER = Period.parse("2026-10")
CLOSED = PeriodClosed(
    cutoff_position=40, timezone="UTC", currency="USD", statements=1, totals={"USD": Decimal("5.00")}
)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def records(begin: str = "2026-10", *closed: int, zone: ZoneInfo = UTC_ZONE) -> Records:
    first = Period.parse(begin)
    made = Records(zone, first, "USD")
    made.closed = [Closed(Period(first.index + at), cutoff) for at, cutoff in enumerate(closed)]
    hired = Employment(moment("2026-01-05T09:00:00Z"))
    made.reps = {rep: RepRecord(rep, [hired]) for rep in ("bob", "ann")}
    return made


def period(text: str) -> Scenario[PayrollPeriod]:
    return Scenario(PERIOD, text)


def line(number: int, amount: str = "5.00") -> Line:
    return Line(
        line=number,
        kind="win",
        of="win",
        deal=f"D-{number}",
        earning="9",
        credited="ann",
        role=None,
        for_period="2026-10",
        basis=Decimal(100),
        rate=Decimal(5),
        share=Decimal(100),
        amount=Decimal(amount),
        rule="5 % flat",
        plan="flat",
        plan_version=1,
        events=(9,),
    )


def statement(lines: int = 3, currency: str = "USD") -> Scenario[Statement]:
    frozen = StatementIssued(
        period="2026-10",
        rep="ann",
        currency=currency,
        cutoff_position=40,
        total=Decimal(5 * lines),
        lines=tuple(line(number) for number in range(1, lines + 1)),
    )
    return Scenario(STATEMENT, "2026-10/ann").given(frozen)


def closing(of: str, now: str, *, zone: ZoneInfo = UTC_ZONE, **known: Records) -> Scenario[PayrollPeriod]:
    return period(of).when(
        close,
        records=known.get("records") or records(zone=zone),
        cutoff_position=40,
        zone=zone,
        now=moment(now),
    )


def test_a_close_freezes_a_statement_for_everyone_employed() -> None:
    done = closing("2026-10", "2026-11-02T08:00:00Z")
    closed, statements = done.came
    assert closed == PeriodClosed(
        cutoff_position=40, timezone="UTC", currency="USD", statements=2, totals={"USD": Decimal("0.00")}
    )
    assert [(one.rep, one.period, one.cutoff_position) for one in statements] == [
        ("ann", "2026-10", 40),
        ("bob", "2026-10", 40),
    ]


@pytest.mark.parametrize(
    ("zone", "of", "end"),
    [
        ("UTC", "2026-10", "2026-11-01T00:00:00Z"),
        ("Europe/Berlin", "2026-10", "2026-10-31T23:00:00Z"),  # Winter time began on the 25th.
        ("Europe/Berlin", "2026-03", "2026-03-31T22:00:00Z"),  # Summer time began on the 29th.
        ("America/New_York", "2026-10", "2026-11-01T04:00:00Z"),  # Summer time ends hours after the month.
        ("Asia/Kolkata", "2026-02", "2026-02-28T18:30:00Z"),
        ("Pacific/Kiritimati", "2028-02", "2028-02-29T10:00:00Z"),
        ("America/Havana", "2026-10", "2026-11-01T04:00:00Z"),  # The hour after midnight is there twice.
        ("Asia/Beirut", "2026-03", "2026-03-31T21:00:00Z"),
    ],
)
def test_a_period_ends_by_the_companys_clocks(zone: str, of: str, end: str) -> None:
    known = records(of, zone=ZoneInfo(zone))
    told = {"zone": ZoneInfo(zone), "records": known}
    just_before = moment(end) - timedelta(microseconds=1)
    early = closing(of, just_before.isoformat(), **told)
    refusal = early.then_rejected(PeriodNotEnded, period=of, timezone=zone)
    assert refusal.details["now"].startswith(f"{of}-")
    closed, _ = closing(of, end, **told).came
    assert closed.timezone == zone


@pytest.mark.parametrize(
    ("of", "next"), [("2026-08", "2026-09"), ("2026-10", "2026-09"), ("0001-01", "2026-09")]
)
def test_periods_close_in_order_from_the_first(of: str, next: str) -> None:
    closing(of, "2026-12-01T00:00:00Z", records=records("2026-09")).then_rejected(
        PeriodOrder, period=of, next=next
    )


def test_the_next_one_follows_the_last_that_was_closed() -> None:
    known = records("2026-08", 10, 20)
    closed, _ = closing("2026-10", "2026-12-01T00:00:00Z", records=known).came
    assert closed.cutoff_position == 40
    closing("2026-11", "2026-12-01T00:00:00Z", records=known).then_rejected(PeriodOrder, next="2026-10")


def test_the_last_month_that_there_is_has_not_ended() -> None:
    closing("9999-12", "2026-12-01T00:00:00Z").then_rejected(PeriodNotEnded, period="9999-12")


def test_a_period_closes_once() -> None:
    when = moment("2026-11-01T06:00:00Z")
    refusal = (
        period("2026-10")
        .given(at(when, CLOSED))
        .when(
            close,
            records=records("2026-10", 40),
            cutoff_position=90,
            zone=BERLIN,
            now=moment("2026-12-01T00:00:00Z"),
        )
        .then_rejected(PeriodIsClosed, period="2026-10", cutoff_position=40, closed_at=when)
    )
    assert (refusal.code, "2026-11-01 06:00" in refusal.message) == ("period_closed", True)


def test_the_time_zone_of_the_first_close_stays() -> None:
    period("2026-10").when(
        close,
        records=records(zone=BERLIN),
        cutoff_position=40,
        zone=UTC_ZONE,
        now=moment("2026-12-01T00:00Z"),
    ).then_rejected(TimezoneChanged, recorded="Europe/Berlin", timezone="UTC")


@pytest.mark.parametrize("text", ["2026-10/rep-7", "rep-7/2026-10"])
def test_a_statement_may_be_named_either_way(text: str) -> None:
    assert read_statement_id(text) == (OCTOBER, "rep-7")
    assert statement_id(*read_statement_id(text)) == "2026-10/rep-7"


def test_a_rep_may_have_any_name() -> None:
    assert read_statement_id("2026-10/a/b") == (OCTOBER, "a/b")
    assert read_statement_id("a/b/2026-10") == (OCTOBER, "a/b")
    assert read_statement_id("2026-10/2026-11") == (OCTOBER, "2026-11")


@pytest.mark.parametrize("text", ["", "rep-7", "2026-10", "2026-10/", "/2026-10", "2026-13/rep-7", "a/b"])
def test_what_is_no_statement_is_refused(text: str) -> None:
    with pytest.raises(InvalidData, match="is not a statement such as 2026-10/rep-7"):
        read_statement_id(text)


@pytest.mark.parametrize("named", ["2", "2026-10/ann/2", "ann/2026-10/2"])
def test_a_line_is_disputed_by_its_number_or_its_id(named: str) -> None:
    statement().when(dispute, line=named, reason="it was 200").then(LineDisputed(line=2, reason="it was 200"))


@pytest.mark.parametrize("named", ["0", "4", "-1", "02", "", "x", "2026-10/bob/2", "2026-11/ann/2", "ann/2"])
def test_a_line_that_is_not_there_is_refused(named: str) -> None:
    refusal = statement().when(dispute, line=named, reason="x").then_rejected(UnknownLine, line=named)
    assert refusal.details["lines"] == "1 to 3"


@pytest.mark.parametrize(("lines", "told"), [(0, "none"), (1, "line 1 only")])
def test_a_short_statement_says_what_it_has(lines: int, told: str) -> None:
    statement(lines).when(dispute, line="7", reason="x").then_rejected(UnknownLine, lines=told)


OPEN = LineDisputed(line=2, reason="it was 200")


def test_disputing_it_again_changes_nothing_until_it_is_answered() -> None:
    statement().given(OPEN).when(dispute, line="2", reason="still").then_nothing()
    answered = DisputeResolved(line=2, accepted=False, note="it was not")
    again = LineDisputed(line=2, reason="still")
    statement().given(OPEN, answered).when(dispute, line="2", reason="still").then(again)


def test_the_dispute_that_waits_longest_is_answered_first() -> None:
    waiting = statement().given(LineDisputed(line=3, reason="a"), LineDisputed(line=1, reason="b"))
    asked = {"accepted": True, "note": "so it is", "amount": None}
    waiting.when(resolve, line=None, **asked).then(DisputeResolved(line=3, accepted=True, note="so it is"))
    waiting.when(resolve, line=None, **asked).then(DisputeResolved(line=1, accepted=True, note="so it is"))
    waiting.when(resolve, line=None, **asked).then_rejected(NoOpenDispute, disputed="2026-10/ann")


def test_the_answer_may_name_the_line() -> None:
    statement().given(OPEN).when(resolve, line="2026-10/ann/2", accepted=False, note="no", amount=None).then(
        DisputeResolved(line=2, accepted=False, note="no")
    )
    statement().given(OPEN).when(resolve, line="1", accepted=False, note="no", amount=None).then_rejected(
        NoOpenDispute, disputed="2026-10/ann/1"
    )
    statement().given(OPEN).when(resolve, line="9", accepted=False, note="no", amount=None).then_rejected(
        UnknownLine, line="9"
    )


@pytest.mark.parametrize(
    ("currency", "given", "paid"),
    [("USD", "5", "5.00"), ("USD", "-12.5", "-12.50"), ("JPY", "7", "7"), ("KWD", "0.125", "0.125")],
)
def test_what_is_conceded_is_in_full_minor_units(currency: str, given: str, paid: str) -> None:
    done = statement(currency=currency).given(OPEN)
    done.when(resolve, line=None, accepted=True, note="x", amount=Decimal(given))
    assert [str(event.amount) for event in done.came] == [paid]


@pytest.mark.parametrize(
    ("accepted", "amount", "problem"),
    [
        (False, "5", "nothing is paid for a dispute that is not accepted"),
        (True, "0.005", "0.005 is finer than 2 decimals, the most USD has"),
        (True, "NaN", "NaN is not an amount of money below 1,000,000,000,000,000"),
    ],
)
def test_an_amount_that_cannot_be_paid_is_refused(accepted: bool, amount: str, problem: str) -> None:
    statement().given(OPEN).when(
        resolve, line="2", accepted=accepted, note="x", amount=Decimal(amount)
    ).then_rejected(InvalidData, field="amount", problem=problem)


def test_why_there_is_no_statement() -> None:
    none = Statement("2026-10/ann")
    Scenario(PERIOD, "2026-10").when(lambda period: issued(none, period)).then_rejected(
        UnknownStatement, statement="2026-10/ann", reason="the period isn't closed"
    )
    Scenario(PERIOD, "2026-10").given(at(NOON, CLOSED)).when(
        lambda period: issued(none, period)
    ).then_rejected(UnknownStatement, reason="the rep had none in that period")
