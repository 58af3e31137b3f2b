"""How `payroll explain` says where a basis comes from: the sum, or where it doesn't come out the facts."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from payday import Payday

from adapters.cli.main import cli

Run = Callable[..., Result]
Explain = Callable[..., list[str]]
EVENT = re.compile(r" \(event \d+\)")


@pytest.fixture
def payday(database_url: str) -> Iterator[Payday]:
    one = Payday(database_url, now="2026-01-10T09:00:00Z")
    yield one
    one.close_database()


@pytest.fixture
def run(database_url: str) -> Run:
    def run(*words: str) -> Result:
        given = {"DATABASE_URL": database_url, "COLUMNS": "120", "DEALTRAIL_TIMEZONE": "UTC"}
        return CliRunner().invoke(cli, ["payroll", *words], env=given)

    return run


@pytest.fixture
def explain(run: Run) -> Explain:
    """The story of a line but for its first sentence, without the numbers of events."""

    def explain(line: str) -> list[str]:
        done = run("explain", line, "--json")
        assert done.exit_code == 0, done.output
        return [EVENT.sub("", sentence) for sentence in json.loads(done.stdout)["story"][1:]]

    return explain


def founded(payday: Payday, **document: Any) -> Payday:
    """Ann and Bob earn by this plan."""
    whole = {"name": "Own", "currency": "USD", "basis": "won"} | document
    payday.founded("ann", "bob").do("plan.publish", "own", whole)
    for rep in ("ann", "bob"):
        payday.do("plan.assign", rep, {"plan": "own", "from": "2026-01-01"})
    return payday


def opened(payday: Payday, deal: str) -> None:
    payday.do("lead.register", f"L-{deal}", {"keys": {"external": deal}, "owner": "ann"})
    payday.do("deal.open", deal, {"lead": f"L-{deal}", "pipeline": "sales"})


def money(amount: str, currency: str = "USD", **other: str) -> dict[str, str]:
    return {"amount": amount, "currency": currency} | other


def shared(payday: Payday, deal: str, anns: str, bobs: str) -> None:
    shares = [{"rep": "ann", "percent": anns}, {"rep": "bob", "percent": bobs}]
    payday.do("deal.split", deal, {"shares": shares})


def test_a_basis_is_told_from_the_won_amount_to_the_part(payday: Payday, explain: Explain) -> None:
    founded(payday, rate="10")
    opened(payday, "D-1")
    payday.do("rate.record", "EUR", {"in": "USD", "rate": "1.0834", "date": "2026-01-10"})
    payday.do("deal.win", "D-1", money("1000", "EUR"))
    payday.do("refund.record", "D-1", money("100", "EUR", payment="R-1"))
    shared(payday, "D-1", "40", "60")
    assert explain("2026-01/ann/1") == [
        "It was won for 1,000.00 EUR.",
        "100.00 EUR went back: 900.00 EUR left.",
        "One EUR was 1.0834 USD on 2026-01-10: 975.06 USD.",
        "Your part of the deal is 40 %: 390.02 USD.",
        "390.02 USD at 10 % is 39.00 USD: 10 % of the won amount (own v1).",
    ]


def test_a_cent_that_makes_up_the_whole_is_told(payday: Payday, explain: Explain) -> None:
    founded(payday, rate="10").win("D-1", "0.05")
    shared(payday, "D-1", "50", "50")
    assert "Your part of the deal is 50 %: 0.03 USD, so that all parts make up the whole." in explain(
        "2026-01/ann/1"
    )


def test_what_stayed_of_an_earlier_win_is_told(payday: Payday, explain: Explain) -> None:
    founded(payday, rate="10", clawback_days=30).win("D-1", "1100").on("2026-03-02T09:00:00Z")
    payday.do("deal.reopen", "D-1", {"reason": "another offer"})
    assert explain("2026-01/ann/1")[0] == (
        "The reopening takes nothing back: it came on 2026-03-02, more than 30 days after the earning."
    )
    payday.do("deal.win", "D-1", money("1200"))
    assert explain("2026-03/ann/1") == [
        "It was won for 1,200.00 USD.",
        "An earlier win of it, worth 1,100.00 USD, was reopened; "
        "what commission was paid on and stayed is not paid again: 100.00 USD.",
        "100.00 USD at 10 % is 10.00 USD: 10 % of the won amount (own v1).",
    ]


def test_a_sum_that_does_not_come_out_is_not_stated(payday: Payday, explain: Explain) -> None:
    founded(payday, rate="10", clawback_days=30).win("D-1", "1100").on("2026-03-02T09:00:00Z")
    payday.do("deal.reopen", "D-1", {"reason": "another offer"})
    payday.do("deal.win", "D-1", money("1200"))
    payday.do("deal.split", "D-1", {"shares": [{"rep": "ann", "percent": "100"}]})
    assert explain("2026-03/ann/1") == [
        "It was won for 1,200.00 USD.",
        "An earlier win of it, worth 1,100.00 USD, was reopened; "
        "what commission was paid on and stayed is not paid again.",
        "Your part of the deal is 100 %.",
        "By the plan nothing is taken back later than 30 days after the earning.",
        "On these rests the basis, 100.00 USD; it is not a plain sum of them.",
        "100.00 USD at 10 % is 10.00 USD: 10 % of the won amount (own v1).",
    ]


def test_what_takes_nothing_back_is_told_with_the_reason(payday: Payday, explain: Explain) -> None:
    founded(payday, rate="10", clawback_days=30).win("D-1", "1000")
    payday.do("refund.record", "D-1", money("7", "EUR", payment="R-1"))
    payday.on("2026-03-02T09:00:00Z").do("deal.amend", "D-1", money("900"))
    payday.do("refund.record", "D-1", money("100", payment="R-2"))
    assert explain("2026-01/ann/1") == [
        "The refund of 7.00 EUR takes nothing back "
        "as long as no rate of EUR in USD on 2026-01-10 is recorded.",
        "The correction to 900.00 USD takes nothing back: it came on 2026-03-02, "
        "more than 30 days after the earning.",
        "The refund of 100.00 USD takes nothing back: it came on 2026-03-02, "
        "more than 30 days after the earning.",
        "1,000.00 USD at 10 % is 100.00 USD: 10 % of the won amount (own v1).",
    ]


def test_what_came_after_the_close_is_no_part_of_the_story(payday: Payday, explain: Explain) -> None:
    founded(payday, rate="10", clawback_days=30).win("D-1", "1000")
    payday.on("2026-03-02T09:00:00Z").close("2026-01")
    payday.do("deal.amend", "D-1", money("900"))
    assert explain("2026-01/ann/1") == [
        "1,000.00 USD at 10 % is 100.00 USD: 10 % of the won amount (own v1)."
    ]


def test_a_void_win_is_told(payday: Payday, explain: Explain) -> None:
    founded(payday, rate="10").win("D-1", "1000").on("2026-02-02T09:00:00Z").close("2026-01")
    payday.do("deal.reopen", "D-1", {"reason": "a mistake"})
    assert explain("2026-02/ann/1")[0] == "The deal was reopened: nothing is earned by that win."


def test_a_payment_less_its_refund_is_told(payday: Payday, explain: Explain) -> None:
    founded(payday, rate="10", basis="paid").win("D-1", "1000")
    payday.do("payment.record", "D-1", money("500", payment="P-1"))
    payday.do("payment.record", "D-1", money("300", payment="P-2"))
    payday.do("refund.record", None, money("50", payment="P-1"))
    assert explain("2026-01/ann/2") == [
        "500.00 USD came in.",
        "50.00 USD went back: 450.00 USD left.",
        "450.00 USD at 10 % is 45.00 USD: 10 % of the payment (own v1).",
    ]
    assert explain("2026-01/ann/1") == ["300.00 USD at 10 % is 30.00 USD: 10 % of the payment (own v1)."]


@pytest.mark.parametrize("method", ["marginal", "retroactive"])
def test_tiers_are_told_by_what_reached_them(payday: Payday, explain: Explain, run: Run, method: str) -> None:
    steps = [{"above": "0", "percent": "3"}, {"above": "1000", "percent": "6"}]
    tiers = {"method": method, "measure": "amount", "window": "month", "steps": steps}
    founded(payday, tiers=tiers).win("D-1", "800").win("D-2", "700")
    first = run("explain", "2026-01/ann/1")
    told = " ".join(first.stdout.split())
    if method == "retroactive":
        assert "deal D-2 was won for 700.00 USD; the lead was ann's (by it the tier was reached)" in told
        assert explain("2026-01/ann/1")[-1].startswith("800.00 USD at 6 % is 48.00 USD")
    else:
        assert "D-2" not in told
        assert explain("2026-01/ann/2")[-1] == (
            "The rest of the basis is paid at another percent, by line 3."
        )


def test_the_hint_can_be_pasted_into_a_shell(payday: Payday, run: Run) -> None:
    rep = "o'hara; ls $HOME"
    payday.founded(rep).win("D-1", "1000", rep).on("2026-02-02T09:00:00Z").close("2026-01")
    (hint,) = (line for line in run("explain", f"2026-01/{rep}/1").stdout.splitlines() if "Wrong?" in line)
    assert shlex.split(hint)[4:7] == [f"2026-01/{rep}/1", "--actor", rep]
    shown = run("statement", "--rep", rep, "--period", "2026-01").stdout
    (hint,) = (line for line in shown.splitlines() if "comes from" in line)
    assert shlex.split(hint)[-1] == f"2026-01/{rep}/1"


def test_one_is_not_many(payday: Payday, run: Run) -> None:
    payday.do("rep.hire", "ann", {"name": "Ann"})
    payday.on("2026-02-02T09:00:00Z")
    assert "1 statement, in all 0.00 USD." in run("close", "2026-01").stdout


def test_only_a_truth_value_accepts_a_dispute(payday: Payday) -> None:
    payday.founded("ann").win("D-1", "1000").on("2026-02-02T09:00:00Z").close("2026-01")
    payday.do("statement.dispute", "2026-01/ann", {"line": "1", "reason": "more"}, actor="ann")
    for accepted in ("yes", "true", 1):
        refused = payday.refuse("statement.resolve", "2026-01/ann", {"accepted": accepted, "note": "so"})
        assert (refused["code"], refused["details"]["field"]) == ("invalid_data", "accepted")
        assert "must be true or false" in refused["message"]
