"""A frozen statement as an object, and as the bytes that stand for it."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain.payroll.events import Line, StatementIssued
from domain.payroll.rating import plain
from domain.shared.money import minor_digits


def statement_object(issued: StatementIssued, checkpoint: str | None = None) -> dict[str, Any]:
    """The statement as the contract has it. `checkpoint` is the signed note of its cutoff, once there is one.

    Money is a string in full minor units, percents are plain strings ("12.5"), `line` and `statement` are
    full ids, `events` positions in the log.
    """
    statement = f"{issued.period}/{issued.rep}"
    return {
        "statement": statement,
        "rep": issued.rep,
        "period": issued.period,
        "currency": issued.currency,
        "cutoff_position": issued.cutoff_position,
        "checkpoint": checkpoint,
        "total": full(issued.total, issued.currency),
        "lines": [_line(statement, line, issued.currency) for line in issued.lines],
    }


def sealed_as(note: str) -> str:
    """`log of 4,711 events, root …`: what a checkpoint's note says."""
    _, size, root, *_ = note.split("\n")
    return f"log of {int(size):,} event{'' if size == '1' else 's'}, root {root}"


def canonical(value: Mapping[str, Any]) -> bytes:
    """The object by RFC 8785, without a newline: the same bytes for the same object, anywhere.

    Keys must be ASCII, and numbers whole and below 2**53: then Python's own order and spelling are those of
    the RFC.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def full(amount: Decimal, currency: str) -> str:
    """Money in full minor units: 5 USD is `5.00`."""
    return format(amount.quantize(Decimal(1).scaleb(-minor_digits(currency))) + 0, "f")


def _line(statement: str, line: Line, currency: str) -> dict[str, Any]:
    return {
        "line": f"{statement}/{line.line}",
        "deal": line.deal,
        "kind": line.kind,
        "of": line.of,
        "for_period": line.for_period,
        "basis": full(line.basis, currency),
        "rate": None if line.rate is None else plain(line.rate),
        "share": None if line.share is None else plain(line.share),
        "amount": full(line.amount, currency),
        "rule": line.rule,
        "role": line.role,
        "credited": line.credited,
        "plan": line.plan,
        "plan_version": line.plan_version,
        "earning": line.earning,
        "events": list(line.events),
    }
