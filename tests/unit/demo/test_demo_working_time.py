"""The demo's clock and its seeded chance."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from adapters.demo.chance import Chance, Wheel
from adapters.demo.working_time import DAY, HOUR, WorkingTime

NEW_YORK = ZoneInfo("America/New_York")
MONDAY_NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)


def test_time_stands_still_at_night_and_on_weekends() -> None:
    clock = WorkingTime(MONDAY_NOON, 7, NEW_YORK)
    assert clock.moment(0) == "2026-11-16T09:00:00-05:00"
    assert clock.moment(5 * DAY - 1) == "2026-11-20T17:59:59-05:00"
    assert clock.moment(5 * DAY) == "2026-11-23T09:00:00-05:00"


def test_the_end_is_the_first_moment_that_is_not_past() -> None:
    assert WorkingTime(MONDAY_NOON, 7, NEW_YORK).end == 5 * DAY + 3 * HOUR
    sunday, early, late = (
        datetime(2026, 11, day, hour, tzinfo=UTC) for day, hour in ((22, 12), (23, 4), (24, 4))
    )
    assert WorkingTime(sunday, 6, UTC).end == 5 * DAY
    assert WorkingTime(early, 7, UTC).end == 5 * DAY
    assert WorkingTime(late, 8, NEW_YORK).end == 6 * DAY


def test_offsets_follow_the_daylight_saving_of_each_day() -> None:
    clock = WorkingTime(datetime(2026, 3, 31, tzinfo=UTC), 6, ZoneInfo("Europe/Berlin"))
    assert [clock.moment(day * DAY)[-6:] for day in range(4)] == ["+01:00"] * 3 + ["+02:00"]


def test_the_eve_may_be_a_sunday() -> None:
    clock = WorkingTime(MONDAY_NOON, 7, NEW_YORK)
    assert clock.evening_before(5 * DAY + HOUR, 61) == "2026-11-22T20:01:00-05:00"


def test_quarters_end_with_their_last_working_day() -> None:
    clock = WorkingTime(datetime(2026, 3, 10, tzinfo=UTC), 30, UTC)
    last = clock.quarter_end(0) - 1
    assert clock.date_at(last) == date(2026, 3, 31)
    assert clock.quarter_end(last) == last + 1
    assert clock.date_at(clock.quarter_end(last + 1) - 1) == date(2026, 6, 30)


def test_arrivals_add_up() -> None:
    clock = WorkingTime(MONDAY_NOON, 400, UTC)
    for total in (0, 1, 17, 10_000):
        coming = clock.arrivals(total)
        assert sum(coming) == total
        assert len(coming) == clock.days
        assert min(coming) >= 0


def test_chance_is_the_same_for_the_same_seed() -> None:
    chance = Chance(7)
    assert [chance.between(1, 6) for _ in range(8)] == [2, 1, 4, 1, 4, 3, 1, 4]
    assert Chance(7).draw() == 0.32383276483316237


def test_skewed_durations_spread_around_their_median() -> None:
    chance = Chance(1)
    drawn = sorted(chance.skewed(1_000) for _ in range(4_001))
    assert 900 < drawn[2_000] < 1_100
    assert drawn[0] >= 200
    assert 4_000 < drawn[-1] <= 4_800


def test_a_wheel_never_gives_what_has_no_weight() -> None:
    chance, wheel = Chance(1), Wheel([("never", 0), ("often", 3), ("seldom", 1)])
    drawn = [wheel.spin(chance) for _ in range(2_000)]
    assert "never" not in drawn
    assert 0.7 < drawn.count("often") / 2_000 < 0.8
