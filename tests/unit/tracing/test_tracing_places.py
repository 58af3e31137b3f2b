"""Figures by their path, and figures counted again."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.cli.audit.unlike import unlike
from projections.tracing.places import UnknownFigure, find
from projections.tracing.trace import percentile, same

STAGE = {"reached": 1, "lost": 0}
ANSWER: dict[str, Any] = {
    "won": 3,
    "won_amount": {"USD": "1.00"},
    "loss_reasons": {"price": 1, "price.high": 2},
    "stages": [{"stage": "Call", **STAGE}, {"stage": "Call.2", "reached": 7}],
    "groups": [{"key": "rep-7", "won": 2}, {"key": None, "won": 1}],
    "items": [{"rep": "ann", "stage": "Call", "days": 1.5}, {"rep": "bob", "stage": None, "days": 2.5}],
    "lines": [{"line": "2026-10/ann/1", "amount": "5.00"}, {"line": "2026-10/ann/2", "amount": "6.00"}],
    "statements": [{"rep": "ann", "total": "11.00"}],
}


@pytest.mark.parametrize(
    ("figure", "value", "path"),
    [
        ("won", 3, ("won",)),
        ("won_amount.USD", "1.00", ("won_amount", "USD")),
        ("loss_reasons.price.high", 2, ("loss_reasons", "price.high")),
        ("loss_reasons.price", 1, ("loss_reasons", "price")),
        ("stages.Call.reached", 1, ("stages", "Call", "reached")),
        ("stages.Call.2.reached", 7, ("stages", "Call.2", "reached")),
        ("groups.rep-7.won", 2, ("groups", "rep-7", "won")),
        ("groups.-.won", 1, ("groups", None, "won")),
        ("items.1.days", 2.5, ("items", 1, "days")),
        ("items.1", ANSWER["items"][1], ("items", 1)),
        ("lines.2.amount", "6.00", ("lines", "2026-10/ann/2", "amount")),
        ("lines.2026-10/ann/2.amount", "6.00", ("lines", "2026-10/ann/2", "amount")),
        ("statements.ann.total", "11.00", ("statements", "ann", "total")),
    ],
)
def test_a_figure_is_found_by_its_path(figure: str, value: object, path: tuple[object, ...]) -> None:
    place = find("report", ANSWER, figure)
    assert (place.value, place.path) == (value, path)


@pytest.mark.parametrize(
    ("figure", "known"),
    [
        ("", [*ANSWER]),
        ("nothing", [*ANSWER]),
        ("won.more", ["none"]),
        ("stages", ["Call", "Call.2"]),
        ("stages.Call", ["stage", "reached", "lost"]),
        ("stages.Offer.reached", ["Call", "Call.2"]),
        ("items", ["0", "1"]),
        ("items.2", ["0", "1"]),
        ("groups.rep", ["rep-7", "-"]),
        ("won_amount.", ["USD"]),
    ],
)
def test_what_is_no_figure_is_told_with_what_there_is(figure: str, known: list[str]) -> None:
    with pytest.raises(UnknownFigure) as refused:
        find("report", ANSWER, figure)
    assert [name.removesuffix(".…") for name in refused.value.details["figures"]] == known


def test_percentiles_are_those_of_sql() -> None:
    assert percentile([], 0.5) is None
    assert percentile([3.0], 0.9) == 3.0
    assert percentile([4.0, 1.0], 0.5) == 2.5
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.9) == pytest.approx(3.7)


def test_a_figure_is_the_same_but_for_float_noise() -> None:
    assert same(0.1 + 0.2, 0.3)
    assert not same(0.3, 0.3001)
    assert not same(3, 4)
    assert not same(None, 0)
    assert same("1.50", Decimal("1.5"))
    assert not same("1.50", Decimal("1.51"))
    assert not same(None, Decimal(0))
    moment = datetime(2026, 10, 1, 12, tzinfo=UTC)
    assert same("2026-10-01T14:00:00+02:00", moment)
    assert not same("2026-10-01T14:00:01+02:00", moment)


def test_answers_differ_by_their_places() -> None:
    kept = {"a": 1, "b": [1, 2, {"c": None}], "checkpoint": None, "d": True, "gone": 1}
    now = {"a": 1.0, "b": [1, 3, {"c": 0}, 4], "checkpoint": "a note", "d": 1, "new": "x"}
    assert [(one.path, one.kept, one.now) for one in unlike(kept, now)] == [
        ("a", 1, 1.0),
        ("b[1]", 2, 3),
        ("b[2].c", None, 0),
        ("b[3]", "(absent)", 4),
        ("d", True, 1),
        ("gone", 1, "(absent)"),
        ("new", "(absent)", "x"),
    ]
    assert [*unlike(kept, dict(kept))] == []
    assert [one.path for one in unlike({"checkpoint": "a note"}, {"checkpoint": None})] == ["checkpoint"]
