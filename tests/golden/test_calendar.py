"""Months and days are those of the company's time zone."""

import pytest
from conftest import Start
from payroll_company import Company


def five(start: Start, **said: str) -> Company:
    company = start(**said)
    company.plan("five", rate="5", clawback_days=30)
    company.assign("ann", "five")
    company.deal("D1", "ann")
    return company


def test_29_february_is_a_day_of_february(start: Start) -> None:
    company = five(start, begin="2024-02-01")
    company.win("D1", "1000.00", "2024-02-29T23:59:59+00:00")
    company.close("2024-02", "2024-03")
    assert company.paid("ann", "2024-02") == ["win D1 2024-02: 1000.00 at 5 % = 50.00", "total 50.00"]


@pytest.mark.parametrize(
    ("refunded", "total"), [("2024-03-30", "total -50.00"), ("2024-03-31", "total 0.00")]
)
def test_thirty_days_from_29_february(start: Start, refunded: str, total: str) -> None:
    company = five(start, begin="2024-02-01")
    company.win("D1", "1000.00", "2024-02-29")
    company.close("2024-02")
    company.refund("R1", "D1", "1000.00", refunded)
    company.close("2024-03")
    assert company.paid("ann", "2024-03")[-1] == total


def test_a_plan_from_29_february(start: Start) -> None:
    company = five(start, begin="2024-02-01")
    company.plan("eight", rate="8")
    company.assign("ann", "eight", "2024-02-29", "2024-02-29")
    company.deal("D2", "ann")
    company.win("D1", "1000.00", "2024-02-28")
    company.win("D2", "1000.00", "2024-02-29")
    company.close("2024-02")
    assert company.paid("ann", "2024-02")[-1] == "total 130.00"


@pytest.mark.parametrize(
    ("won", "period"),
    [
        ("2026-01-31T22:59:59.999999+00:00", "2026-01"),  # the last instant of January in Berlin
        ("2026-01-31T23:00:00+00:00", "2026-02"),  # its first of February
        ("2026-02-01T00:30:00+02:00", "2026-01"),  # what the sender's clock says doesn't matter
    ],
)
def test_a_month_ends_at_the_companys_midnight(start: Start, won: str, period: str) -> None:
    company = five(start, zone="Europe/Berlin")
    company.win("D1", "1000.00", won)
    company.close("2026-01", "2026-02")
    assert company.paid("ann", period) == [f"win D1 {period}: 1000.00 at 5 % = 50.00", "total 50.00"]


@pytest.mark.parametrize(
    ("won", "period"),
    [
        ("2026-03-31T21:59:59+00:00", "2026-03"),  # summer time: midnight is two hours before that of UTC
        ("2026-03-31T22:00:00+00:00", "2026-04"),
    ],
)
def test_a_month_ends_at_midnight_of_summer_time(start: Start, won: str, period: str) -> None:
    company = five(start, zone="Europe/Berlin", begin="2026-03-01")
    company.win("D1", "1000.00", won)
    company.close("2026-03", "2026-04")
    assert company.paid("ann", period) == [f"win D1 {period}: 1000.00 at 5 % = 50.00", "total 50.00"]


def test_both_hours_that_the_clock_shows_twice_are_of_the_same_day(start: Start) -> None:
    """On 26 October 2025 it is 02:30 in Berlin twice. A plan for that day alone pays both."""
    company = five(start, zone="Europe/Berlin", begin="2025-10-01")
    company.plan("sunday", rate="10")
    company.assign("ann", "sunday", "2025-10-26", "2025-10-26")
    company.deal("D2", "ann")
    company.win("D1", "1000.00", "2025-10-26T02:30:00+02:00")
    company.win("D2", "1000.00", "2025-10-26T02:30:00+01:00")
    company.close("2025-10")
    assert company.paid("ann", "2025-10") == [
        "win D1 2025-10: 1000.00 at 10 % = 100.00",
        "win D2 2025-10: 1000.00 at 10 % = 100.00",
        "total 200.00",
    ]


@pytest.mark.parametrize(
    ("refunded", "total"),
    [
        ("2025-11-09T22:59:59+00:00", "total -50.00"),  # the last second of day 30 in Berlin
        ("2025-11-09T23:00:00+00:00", "total 0.00"),
    ],
)
def test_the_window_counts_days_though_one_of_them_has_25_hours(
    start: Start, refunded: str, total: str
) -> None:
    company = five(start, zone="Europe/Berlin", begin="2025-10-01")
    company.win("D1", "1000.00", "2025-10-10T00:00:00+02:00")
    company.close("2025-10")
    company.refund("R1", "D1", "1000.00", refunded)
    company.close("2025-11")
    assert company.paid("ann", "2025-11")[-1] == total


def test_a_log_that_begins_in_the_last_hour_of_a_month_begins_with_the_companys_month(start: Start) -> None:
    """23:30 UTC on 31 January is February in Berlin: there is no January to close."""
    company = five(start, zone="Europe/Berlin", begin="2026-01-31T23:30:00+00:00")
    company.win("D1", "1000.00", "2026-01-31T12:00:00+00:00")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 1000.00 at 5 % = 50.00", "total 50.00"]
