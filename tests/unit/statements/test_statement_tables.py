"""The CSV files for the payroll system."""

import csv
from dataclasses import replace
from decimal import Decimal

import pytest
from statement_samples import ARABIC, FROZEN, issued, line

from adapters.statements.tables import LINES, TOTALS, lines_csv, totals_csv


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(content.decode().splitlines()))


def test_every_line_of_every_statement_is_a_row() -> None:
    content = lines_csv(FROZEN)
    assert content.startswith(",".join(LINES).encode() + b"\r\n")
    assert content.count(b"\r\n") == content.count(b"\n") == 1 + 7 + 0 + 1
    found = rows(content)
    assert found[5] == {
        "statement": "2026-10/rep-7",
        "period": "2026-10",
        "rep": "rep-7",
        "rep_name": "Анна Иванова",
        "line": "2026-10/rep-7/6",
        "kind": "adjustment",
        "of": "win",
        "for_period": "2026-08",
        "deal": "D-6",
        "basis": "-200.00",
        "rate": "5",
        "share": "100",
        "amount": "-10.00",
        "currency": "USD",
        "rule": "5 % of the won amount (standard v1)",
        "events": "4 17",
    }
    assert (found[4]["deal"], found[4]["rate"], found[4]["amount"]) == ("", "", "-25.00")
    assert found[7]["rep_name"] == "王小明"  # Nobody of that id was ever given a name.


def test_every_statement_is_a_row_with_its_total_and_they_add_up() -> None:
    content = totals_csv(FROZEN, ["rep-7", "rep-9", "rep~1"])
    assert content.startswith(",".join(TOTALS).encode() + b"\r\n")
    found = rows(content)
    assert [(row["rep"], row["total"], row["lines"], row["file"]) for row in found] == [
        ("rep-7", "127.50", "7", "rep-7"),
        ("rep-9", "0.00", "0", "rep-9"),
        ("王小明", "-50.00", "1", "rep~1"),
    ]
    amounts = [Decimal(row["amount"]) for row in rows(lines_csv(FROZEN))]
    assert sum(amounts) == sum(Decimal(row["total"]) for row in found)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝"])  # noqa: RUF001 - full-width
def test_no_text_can_be_taken_for_a_formula(start: str) -> None:
    told = f"{start}1+1"
    one = issued(told, line(1, deal=told, rule=told, amount=Decimal("-3.00")))
    frozen = replace(FROZEN, statements=(one,), names={told: told})
    (row,) = csv.reader(lines_csv(frozen).decode().split("\r\n", 1)[1].splitlines(keepends=True))
    found = dict(zip(LINES, row, strict=True))
    assert [found[name] for name in ("rep", "rep_name", "deal", "rule")] == [f"'{told}"] * 4
    assert found["amount"] == "-3.00"


def test_commas_quotes_and_line_ends_stay_within_their_cell() -> None:
    deal = f'a, "b"\r\n{ARABIC}'
    frozen = replace(FROZEN, statements=(issued("rep-7", line(1, deal=deal)),))
    (row,) = list(csv.reader(lines_csv(frozen).decode().splitlines(keepends=True)))[1:]
    assert row[LINES.index("deal")] == deal
