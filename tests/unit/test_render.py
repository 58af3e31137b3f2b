"""Tables for people: a figure is shown whole or on lines of its own, never cut."""

from decimal import Decimal

import pytest

from adapters.cli.render import Column, draw, purse

PURSES = [
    {"EUR": Decimal("65286.72"), "USD": Decimal("484721.35")},
    {"USD": Decimal("1331510.47")},
]
COLUMNS = [
    Column("what", lambda _: "a text long enough to be folded"),
    *[Column(head, lambda one: purse(one, "\n"), number=True) for head in ("rep", "team", "best")],
]


@pytest.mark.parametrize("width", [30, 80, 120])
def test_no_figure_is_cut(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    draw(COLUMNS, PURSES)
    shown = capsys.readouterr().out
    for figure in ("65,286.72 EUR", "484,721.35 USD", "1,331,510.47 USD"):
        assert shown.count(figure) == 3
    assert "a text" in shown
    if width >= 80:
        assert max(map(len, shown.splitlines())) <= width
