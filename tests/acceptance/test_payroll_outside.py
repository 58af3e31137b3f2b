"""Payroll tried by somebody who knows only the contract: odd moments, odd ids, and figures by hand."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from company import Action, Company, action

ZERO_TIME = "0001-01-01T00:00:00Z"
"""What some languages send for a time that nobody set."""


def at(day: str, kind: str, subject: str | None, data: object = None, **said: Any) -> Action:
    """Happened and recorded at noon of the day, unless said otherwise."""
    moment = f"{day}T12:00:00+00:00"
    return action(kind, subject, data, "admin:eve", **({"time": moment, "recordedtime": moment} | said))


def deal(name: str, owner: str) -> list[Action]:
    lead = f"L {name}"
    return [
        at("2026-01-02", "lead.register", lead, {"keys": {"external": name}, "owner": owner}),
        at("2026-01-02", "deal.open", name, {"lead": lead, "pipeline": "sales"}),
    ]


def win(day: str, name: str, amount: str, currency: str = "USD", **said: Any) -> Action:
    return at(day, "deal.win", name, {"amount": amount, "currency": currency}, **said)


def pay(day: str, name: str | None, payment: str, amount: str) -> Action:
    said = {"payment": payment, "amount": amount, "currency": "USD"}
    return at(day, "payment.record", name, said)


def founded(company: Company, zone: str, *reps: str, basis: str = "won") -> None:
    """Everybody earns ten percent."""
    company.environment["DEALTRAIL_TIMEZONE"] = zone
    plan = {"name": "Ten", "currency": "USD", "basis": basis, "rate": "10"}
    take(
        company,
        at("2026-01-01", "pipeline.define", "sales", {"stages": [{"name": "Call"}], "protection_days": 3650}),
        *(at("2026-01-01", "rep.hire", rep, {"name": rep}) for rep in reps),
        at("2026-01-01", "plan.publish", "ten", plan),
        *(at("2026-01-01", "plan.assign", rep, {"plan": "ten", "from": "2020-01-01"}) for rep in reps),
    )


def take(company: Company, *actions: Action) -> None:
    company.accept(*actions, flags=["--migration"])


def paid(company: Company, rep: str, period: str) -> tuple[str, list[tuple[str, str, str, str]]]:
    one = company.ask("payroll", "statement", f"--rep={rep}", "--period", period)
    lines = [(line["kind"], line["deal"], line["basis"], line["amount"]) for line in one["lines"]]
    return one["total"], lines


@pytest.fixture
def company(database_url: str, tmp_path: Path) -> Company:
    return Company(database_url, tmp_path)


def test_a_time_that_nobody_set_stops_nobodys_pay(company: Company) -> None:
    founded(company, "America/New_York", "ann")
    take(company, *deal("D1", "ann"), *deal("D2", "ann"), win("2026-01-10", "D2", "100"))
    late = {"time": ZERO_TIME}
    refused = company.send(
        win("2026-01-10", "D1", "100", **late),
        at("2026-01-10", "payment.record", None, {"payment": "P", "amount": "1", "currency": "USD"}, **late),
        flags=["--migration"],
    )
    assert [error and error["details"]["field"] for error in refused] == ["time", "time"]
    take(company, at("2026-02-02", "period.close", "2026-01"))
    assert paid(company, "ann", "2026-01") == ("10.00", [("win", "D2", "100.00", "10.00")])


@pytest.mark.parametrize("moment", ["9999-12-31", ZERO_TIME, "9999-12-31T23:59:59-12:00", "0001-01-01"])
def test_a_moment_at_the_edge_of_the_calendar_is_wrong_usage(company: Company, moment: str) -> None:
    founded(company, "America/New_York", "ann")
    for words in (["statement", "--rep", "ann", "--period", "2026-01"], ["exceptions"], ["ghosts"]):
        for axis in ("recorded", "occurred"):
            done = company.run("payroll", *words, "--as-of", moment, "--axis", axis)
            assert done.exit_code == 2
            assert "the years 2 to 9998" in done.stderr


def test_months_at_the_edge_of_the_calendar_are_refused_in_words(company: Company, tmp_path: Path) -> None:
    founded(company, "UTC", "ann")
    draft = tmp_path / "draft.toml"
    draft.write_text('name = "d"\ncurrency = "USD"\nbasis = "won"\nrate = "1"\n')
    simulate = ["simulate", "--plan", str(draft), "--from", "2026-01", "--to"]
    for period in ("9999-12", "0001-01"):
        for words in (["close", period], ["statements", "--period", period]):
            refused(company, words, "period_not_ended", "period_order", "unknown_period")
    refused(company, [*simulate, "9999-12"], "unknown_period")


def refused(company: Company, words: Sequence[str], *codes: str) -> None:
    done = company.run("payroll", *words, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] in codes


def test_the_first_and_last_second_of_a_month_count_by_the_companys_clocks(company: Company) -> None:
    """In Kolkata February 2026 begins at 18:30 of 31 January, UTC."""
    founded(company, "Asia/Kolkata", "ann")
    names = ["D1", "D2", "D3"]
    moments = ["2026-01-31T18:29:59.999999Z", "2026-01-31T18:30:00Z", "2026-01-31T23:59:59Z"]
    take(company, *(one for name in names for one in deal(name, "ann")))
    for name, moment in zip(names, moments, strict=True):
        take(company, win("2026-01-31", name, "100", time=moment, recordedtime=moment))
    assert [line[1] for line in paid(company, "ann", "2026-01")[1]] == ["D1"]
    assert [line[1] for line in paid(company, "ann", "2026-02")[1]] == ["D2", "D3"]
    take(company, at("2026-01-31", "period.close", "2026-01", time=moments[2], recordedtime=moments[2]))
    assert paid(company, "ann", "2026-01")[0] == "10.00"


def test_ids_that_look_alike_are_kept_apart(company: Company) -> None:
    """A rep named as a month, a payment named as a deal, another as the number of a win's event."""
    odd = ["2026-01", "2026-01/2026-01", "a/b c", 'Zoë "<b>" $(x)', "-x", "=1+1"]
    founded(company, "UTC", *odd, basis="paid")
    take(company, *(one for number, rep in enumerate(odd) for one in deal(str(number), rep)))
    for number in range(len(odd)):
        take(company, win("2026-01-10", str(number), "500"))
    take(company, *(pay("2026-01-11", str(number), str(20 + number), "100") for number in range(len(odd))))
    take(company, pay("2026-01-12", "0", "1", "7"), at("2026-02-02", "period.close", "2026-01"))
    for number, rep in enumerate(odd):
        more = [("payment", "0", "7.00", "0.70")] if number == 0 else []
        total = "10.70" if more else "10.00"
        assert paid(company, rep, "2026-01") == (total, [("payment", str(number), "100.00", "10.00"), *more])
        line = company.ask("payroll", "explain", f"2026-01/{rep}/1")
        assert (line["rep"], line["amount"]) == (rep, "10.00")
    out = company.folder / "out"
    company.run("payroll", "export", "--period", "2026-01", "--out", out, "--format", "json,html")
    assert len(list((out / "2026-01").glob("*.json"))) == len(odd)
    assert not [page for page in out.rglob("*.html") if "<b>" in page.read_text("utf-8")]
    assert company.run("payroll", "verify").exit_code == 0


def test_a_payment_that_moves_takes_its_commission_along(company: Company) -> None:
    founded(company, "UTC", "ann", "bob", basis="paid")
    take(company, *deal("D1", "ann"), *deal("D2", "bob"), win("2026-01-05", "D1", "9"))
    take(company, win("2026-01-05", "D2", "9"), pay("2026-01-06", "D1", "P", "300"))
    take(company, at("2026-02-02", "period.close", "2026-01"))
    take(company, at("2026-02-03", "payment.match", "P", {"deal": "D2"}))
    take(company, at("2026-03-02", "period.close", "2026-02"))
    take(company, at("2026-03-03", "payment.match", "P", {"deal": "D1"}))
    take(company, at("2026-04-02", "period.close", "2026-03"))
    back = ("-30.00", [("adjustment", "D1", "-300.00", "-30.00")])
    assert paid(company, "ann", "2026-01") == ("30.00", [("payment", "D1", "300.00", "30.00")])
    assert paid(company, "ann", "2026-02") == back
    assert paid(company, "bob", "2026-02") == ("30.00", [("payment", "D2", "300.00", "30.00")])
    assert paid(company, "bob", "2026-03") == ("-30.00", [("adjustment", "D2", "-300.00", "-30.00")])
    assert paid(company, "ann", "2026-03") == ("30.00", [("payment", "D1", "300.00", "30.00")])


def test_no_figure_of_payroll_is_a_float(company: Company, tmp_path: Path) -> None:
    founded(company, "UTC", "ann")
    draft = tmp_path / "draft.toml"
    draft.write_text('name = "d"\ncurrency = "USD"\nbasis = "won"\nrate = "0.5"\n')
    take(company, *deal("D1", "ann"), *deal("D2", "ann"), win("2026-01-05", "D1", "999999999999999.99"))
    take(company, win("2026-01-05", "D2", "0.10", "EUR"), pay("2026-01-06", None, "P", "0.30"))
    take(company, at("2026-02-02", "period.close", "2026-01"))
    company.accept(
        action("statement.dispute", "2026-01/ann", {"line": "1", "reason": "too much"}, "ann"),
        action(
            "statement.resolve",
            "2026-01/ann",
            {"accepted": True, "note": "so", "amount": "-0.1"},
            "payroll:p",
        ),
    )
    for words in (
        ["statement", "--rep", "ann", "--period", "2026-01"],
        ["statement", "--rep", "ann", "--period", "2026-02"],
        ["statements", "--period", "2026-01"],
        ["explain", "2026-01/ann/1"],
        ["explain", "2026-02/ann/1"],
        ["simulate", "--plan", str(draft), "--from", "2026-01", "--to", "2026-02"],
        ["ghosts"],
        ["exceptions"],
        ["disputes"],
        ["plans"],
    ):
        done = company.run("payroll", *words, "--json")
        assert done.exit_code == 0, done.output
        assert not list(floats(json.loads(done.stdout))), words
    assert paid(company, "ann", "2026-01")[0] == "100000000000000.00"
    assert paid(company, "ann", "2026-02")[0] == "-0.10"


def floats(value: object) -> list[float]:
    """All floats within a JSON value."""
    if isinstance(value, dict):
        return [found for part in value.values() for found in floats(part)]
    if isinstance(value, list):
        return [found for part in value for found in floats(part)]
    return [value] if isinstance(value, float) else []
