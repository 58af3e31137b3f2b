"""Frozen statements made by hand: every kind of line, and ids and names that could do harm."""

from decimal import Decimal
from typing import Any

from adapters.statements.frozen import Frozen
from domain.payroll.events import Line, StatementIssued
from domain.shared.periods import Period

OCTOBER = Period.parse("2026-10")
SCRIPT = "<script>alert('x')</script>"
ARABIC, CHINESE, RUSSIAN = "تجديد عقد", "年度合同续签", "Продление договора"


def line(number: int, **other: Any) -> Line:
    """A won deal of 1000.00 USD at 5 %, but for what is `other`."""
    fields = {
        "line": number,
        "kind": "win",
        "of": "win",
        "deal": f"D-{number}",
        "earning": "17",
        "credited": "rep-7",
        "role": None,
        "for_period": "2026-10",
        "basis": Decimal("1000.00"),
        "rate": Decimal("5"),
        "share": Decimal("100"),
        "amount": Decimal("50.00"),
        "rule": "5 % of the won amount (standard v1)",
        "plan": "standard",
        "plan_version": 1,
        "events": (4, 17),
    }
    return Line.model_validate(fields | other)


def issued(rep: str, *lines: Line, currency: str = "USD") -> StatementIssued:
    """The rep's statement for October with these lines."""
    return StatementIssued(
        period="2026-10",
        rep=rep,
        currency=currency,
        cutoff_position=4711,
        total=sum((one.amount for one in lines), Decimal("0.00")),
        lines=lines,
    )


def taken(number: int, **other: Any) -> Line:
    """A line that concerns a period as a whole."""
    nothing = {"deal": None, "earning": "", "rate": None, "share": None, "basis": Decimal("0.00")}
    return line(number, **(nothing | other))


REP_7 = issued(
    "rep-7",
    line(1),
    line(2, share=Decimal("40.0"), role="closer", deal=SCRIPT),
    line(3, kind="payment", of="payment", earning="P-77", deal="=cmd|' /C calc'!A0", rate=Decimal("12.50")),
    line(4, kind="override", of="override", credited="rep-9", rate=Decimal("0.5"), amount=Decimal("5.00")),
    taken(5, kind="cap", of="cap", amount=Decimal("-25.00"), rule="no more than 130 USD (standard v1)"),
    line(6, kind="adjustment", for_period="2026-08", basis=Decimal("-200.00"), amount=Decimal("-10.00")),
    taken(7, kind="adjustment", of="dispute", for_period="2026-09", amount=Decimal("7.50"), deal="D-3"),
)
EMPTY = issued("rep-9")
OWING = issued("王小明", line(1, kind="adjustment", for_period="2026-09", amount=Decimal("-50.00")))
FROZEN = Frozen(
    period=OCTOBER,
    statements=(REP_7, EMPTY, OWING),
    names={"rep-7": "Анна Иванова", "rep-9": "محمد علي"},
    titles={"D-1": RUSSIAN, SCRIPT: SCRIPT, "D-4": ARABIC, "D-6": CHINESE},
)
