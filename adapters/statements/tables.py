"""Statements as CSV for the payroll system: a row for every line, and a row for every rep."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from adapters.statements.frozen import Frozen
from projections.payroll.documents import full, statement_object

LINES = (
    "statement",
    "period",
    "rep",
    "rep_name",
    "line",
    "kind",
    "of",
    "for_period",
    "deal",
    "basis",
    "rate",
    "share",
    "amount",
    "currency",
    "rule",
    "events",
)
TOTALS = ("statement", "period", "rep", "rep_name", "currency", "total", "lines", "cutoff_position", "file")
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - spreadsheets take the full-width ones for formulas too


def lines_csv(frozen: Frozen) -> bytes:
    """One row per line of every statement, columns `LINES`; events are positions, a space between."""
    rows = []
    for issued in frozen.statements:
        statement = statement_object(issued)
        for line in statement["lines"]:
            rows.append(
                (
                    _text(statement["statement"]),
                    statement["period"],
                    _text(statement["rep"]),
                    _text(frozen.name(issued.rep)),
                    _text(line["line"]),
                    line["kind"],
                    line["of"],
                    line["for_period"],
                    _text(line["deal"]),
                    line["basis"],
                    line["rate"],
                    line["share"],
                    line["amount"],
                    statement["currency"],
                    _text(line["rule"]),
                    " ".join(map(str, line["events"])),
                )
            )
    return _written(LINES, rows)


def totals_csv(frozen: Frozen, files: Sequence[str]) -> bytes:
    """One row per statement, columns `TOTALS`; `files` are their file names without ending, in order."""
    return _written(
        TOTALS,
        (
            (
                _text(f"{issued.period}/{issued.rep}"),
                issued.period,
                _text(issued.rep),
                _text(frozen.name(issued.rep)),
                issued.currency,
                full(issued.total, issued.currency),
                len(issued.lines),
                issued.cutoff_position,
                file,
            )
            for issued, file in zip(frozen.statements, files, strict=True)
        ),
    )


def _text(text: str | None) -> str | None:
    """An apostrophe keeps a spreadsheet from running text as a formula."""
    return f"'{text}" if text is not None and text.startswith(_FORMULA) else text


def _written(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue().encode()
