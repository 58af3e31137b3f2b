"""The statement as an object, and its canonical bytes."""

from decimal import Decimal

from statement_samples import EMPTY, REP_7, issued, line

from projections.payroll.documents import canonical, full, statement_object


def test_a_statement_has_the_contracts_keys_and_ids() -> None:
    statement = statement_object(REP_7)
    assert list(statement) == [
        *("statement", "rep", "period", "currency", "cutoff_position", "checkpoint", "total", "lines")
    ]
    assert {key: statement[key] for key in list(statement)[:7]} == {
        "statement": "2026-10/rep-7",
        "rep": "rep-7",
        "period": "2026-10",
        "currency": "USD",
        "cutoff_position": 4711,
        "checkpoint": None,
        "total": "127.50",
    }
    assert statement["lines"][2] == {
        "line": "2026-10/rep-7/3",
        "deal": "=cmd|' /C calc'!A0",
        "kind": "payment",
        "of": "payment",
        "for_period": "2026-10",
        "basis": "1000.00",
        "rate": "12.5",
        "share": "100",
        "amount": "50.00",
        "rule": "5 % of the won amount (standard v1)",
        "role": None,
        "credited": "rep-7",
        "plan": "standard",
        "plan_version": 1,
        "earning": "P-77",
        "events": [4, 17],
    }
    assert (statement["lines"][1]["share"], statement["lines"][4]["rate"]) == ("40", None)


def test_money_is_in_full_minor_units_of_its_currency() -> None:
    assert full(Decimal("5"), "USD") == "5.00"
    assert full(Decimal("-0.00"), "USD") == "0.00"
    assert full(Decimal("1E+3"), "JPY") == "1000"
    assert full(Decimal("-1.5"), "KWD") == "-1.500"
    assert statement_object(issued("a", line(1, rate=Decimal("5E+1"))))["lines"][0]["rate"] == "50"


def test_the_canonical_bytes_are_these() -> None:
    assert canonical(statement_object(EMPTY)) == (
        b'{"checkpoint":null,"currency":"USD","cutoff_position":4711,"lines":[],"period":"2026-10",'
        b'"rep":"rep-9","statement":"2026-10/rep-9","total":"0.00"}'
    )


def test_equal_statements_have_equal_bytes_however_their_numbers_were_written() -> None:
    loose = line(1, basis=Decimal("1E+3"), rate=Decimal("5.00"), share=Decimal("1E+2"), amount=Decimal("50"))
    assert canonical(statement_object(issued("a", loose))) == canonical(
        statement_object(issued("a", line(1)))
    )


def test_strings_are_spelled_as_in_the_examples_of_rfc_8785() -> None:
    told = canonical({"s": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/", "e": "\U0001f600\x7f"})
    assert told == '{"e":"\U0001f600\x7f","s":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode()
