"""Payroll from the command line: what is paid, why, what waits, and what is recorded by hand."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from payday import Payday

from adapters.cli.main import cli
from adapters.cli.payroll.group import COMMANDS

COMMAND = Path(sys.executable).parent / "dealtrail"
FLAT = 'name = "Ten"\ncurrency = "USD"\nbasis = "won"\nrate = "10"\n'
REPORTS = (
    "statement --rep ann --period 2026-01",
    "statement --rep ann --period 2026-02",
    "statements --period 2026-01",
    "statements --period 2026-02",
    "explain 2026-01/ann/1",
    "explain 2026-02/ann/2",
    "verify",
    "verify 2026-01",
    "ghosts",
    "exceptions",
    "exceptions --rep bob --period 2026-01",
    "disputes",
    "disputes --open --rep ann",
    "plans",
    "assignments",
    "assignments --rep ann",
    "periods",
)
Run = Callable[..., Result]


@pytest.fixture
def payday(database_url: str) -> Iterator[Payday]:
    one = Payday(database_url, now="2026-01-10T09:00:00Z")
    yield one
    one.close_database()


@pytest.fixture
def run(database_url: str) -> Run:
    def run(*words: str, **environment: str) -> Result:
        given = {"DATABASE_URL": database_url, "COLUMNS": "80", "DEALTRAIL_TIMEZONE": "UTC", **environment}
        return CliRunner().invoke(cli, [str(word) for word in words], env=given)

    return run


@pytest.fixture
def ask(run: Run) -> Callable[..., dict[str, Any]]:
    """The JSON of a payroll command that is done."""

    def ask(line: str, *more: str) -> dict[str, Any]:
        done = run("payroll", *line.split(), *more, "--json")
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return ask


Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def company(payday: Payday) -> Payday:
    """January is closed: 1,000 of Ann's at 5 %. Bob's euros lack a rate, one payment a deal.

    In February Ann's deal turned out to be 900, and she won another one for 200.
    """
    payday.founded("ann", "bob").win("D-1", "1000").win("D-2", "80", "bob")
    payday.do("lead.register", "L-3", {"keys": {"external": "3"}, "owner": "bob"})
    payday.do("deal.open", "D-3", {"lead": "L-3", "pipeline": "sales"})
    payday.do("deal.win", "D-3", {"amount": "500", "currency": "EUR"})
    payday.do("payment.record", "D-99", {"payment": "P-1", "amount": "70", "currency": "USD"})
    payday.on("2026-02-03T09:00:00Z").close("2026-01")
    payday.do("deal.amend", "D-1", {"amount": "900", "currency": "USD"})
    payday.win("D-4", "200")
    payday.do("statement.dispute", "2026-01/ann", {"line": "1", "reason": "it was more"}, actor="ann")
    return payday


@pytest.mark.usefixtures("company")
def test_every_report_answers_in_json_and_fits_a_terminal(run: Run) -> None:
    for line in REPORTS:
        told = run("payroll", *line.split(), "--json")
        assert (told.exit_code, told.stderr) == (0, ""), (line, told.output)
        found = json.loads(told.stdout)
        assert (found["axis"], found["as_of"][-6:]) == ("recorded", "+00:00"), line
        if "items" in found:
            assert found["count"] == len(found["items"]), line
            assert found["count"] > 0 or line.startswith("verify"), line
        shown = run("payroll", *line.split())
        assert shown.exit_code == 0, (line, shown.output)
        assert f"position {found['position']:,}" in shown.stdout, line
        assert max(map(len, shown.stdout.splitlines())) <= 80, line


def test_a_statement_has_the_contracts_names_and_is_frozen(company: Payday, ask: Ask) -> None:
    found = ask("statement --rep ann --period 2026-01")
    frozen = company.statements()["2026-01/ann"]
    line = {
        "line": "2026-01/ann/1",
        "deal": "D-1",
        "kind": "win",
        "of": "win",
        "for_period": "2026-01",
        "basis": "1000.00",
        "rate": "5",
        "share": "100",
        "amount": "50.00",
        "rule": "5 % of the won amount (flat v1)",
        "role": None,
        "credited": "ann",
        "plan": "flat",
        "plan_version": 1,
        "earning": frozen.lines[0].earning,
        "events": list(frozen.lines[0].events),
    }
    assert {name: found[name] for name in found if name not in ("as_of", "axis", "position")} == {
        "statement": "2026-01/ann",
        "rep": "ann",
        "period": "2026-01",
        "currency": "USD",
        "cutoff_position": frozen.cutoff_position,
        "checkpoint": None,
        "total": "50.00",
        "closed": True,
        "lines": [line],
    }


def test_an_open_period_is_shown_as_things_stand(company: Payday, ask: Ask) -> None:
    found = ask("statement --rep ann --period 2026-02")
    assert (found["closed"], found["total"], found["cutoff_position"]) == (
        False,
        "5.00",
        company.store.head(),
    )
    assert [(one["kind"], one["for_period"], one["amount"]) for one in found["lines"]] == [
        ("win", "2026-02", "10.00"),
        ("adjustment", "2026-01", "-5.00"),
    ]
    everybody = ask("statements --period 2026-02")
    assert (everybody["totals"], everybody["closed"]) == ({"USD": "5.00"}, False)
    (anns,) = (one for one in everybody["statements"] if one["rep"] == "ann")
    assert anns == {name: found[name] for name in anns}
    assert [one["rep"] for one in everybody["statements"]] == ["ann", "bob", "head"]


def test_as_of_a_past_a_statement_is_what_was_known_then(company: Payday, ask: Ask) -> None:
    cutoff = company.closed()["2026-01"].cutoff_position
    before = ask("statement --rep ann --period 2026-01", "--as-of", f"#{cutoff}")
    after = ask("statement --rep ann --period 2026-01", "--as-of", "2026-02-03")
    assert (before["closed"], before["position"]) == (False, cutoff)
    assert (after["closed"], after["as_of"]) == (True, "2026-02-03T23:59:59.999999+00:00")
    assert before["lines"] == after["lines"]
    amid = ask("statement --rep ann --period 2026-01", "--as-of", f"#{cutoff + 1}")
    assert (amid["closed"], amid["lines"]) == (True, after["lines"])
    happened = ask("statement --rep ann --period 2026-01", "--as-of", "2026-02-02", "--axis", "occurred")
    assert (happened["closed"], happened["total"]) == (False, "50.00")
    assert ask("periods", "--as-of", f"#{cutoff}")["count"] == 0
    assert ask("exceptions", "--as-of", "2026-01-20")["count"] == 1
    assert ask("statements --period 2026-01", "--as-of", f"#{cutoff}")["totals"] == {"USD": "54.00"}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("statement --rep nobody --period 2026-01", "unknown_rep"),
        ("statement --rep nobody --period 2026-02", "unknown_rep"),
        ("statement --rep ann --period 2025-12", "unknown_period"),
        ("statement --rep ann --period 2999-01", "unknown_period"),
        ("statement --rep ann --period January", "invalid_data"),
        ("statements --period 2999-01", "unknown_period"),
        ("statement --rep late --period 2026-01", "unknown_statement"),
        ("explain 2026-01/ann/2", "unknown_line"),
        ("explain 2026-01/nobody/1", "unknown_rep"),
        ("verify 2026-02", "period_open"),
        ("exceptions --rep nobody", "unknown_rep"),
        ("exceptions --period 9999-12", "unknown_period"),
        ("exceptions --period 2025-12", "unknown_period"),
        ("disputes --rep nobody", "unknown_rep"),
        ("assignments --rep nobody", "unknown_rep"),
        ("close 2026-01", "period_closed"),
        ("close 2026-03", "period_order"),
        ("close 2999-01", "period_not_ended"),
        ("close 2026-02 --actor ann", "not_entitled"),
        ("assign ann nothing --from 2026-01-01", "unknown_plan"),
        ("dispute 2026-01/ann/7 --reason no --actor ann", "unknown_line"),
        ("resolve 2026-01/bob/1 --declined --note no", "no_open_dispute"),
    ],
)
def test_what_cannot_be_is_refused_with_its_code(company: Payday, run: Run, line: str, code: str) -> None:
    company.do("rep.hire", "late", {"name": "Late"})
    head = company.store.head()
    done = run("payroll", *line.split(), "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.exit_code, error["code"], done.stderr) == (1, code, f"{error['message']}\n")
    assert company.store.head() == head


@pytest.mark.parametrize(
    "line",
    [
        "payroll statement --rep ann",
        "payroll explain ann/1",
        "payroll explain 2026-01/ann/first",
        "payroll verify --axis occurred",
        "payroll simulate --plan none.toml --from 2026-01 --to 2026-02",
        "payroll resolve 2026-01/ann/1 --note hm",
        "payroll nonsense",
        "record deal.win D-1 amount",
        "record deal.win D-1 amount=1 amount=2 --actor ann",
        "record deal.win D-1",
    ],
)
def test_wrong_usage_is_told_apart(run: Run, line: str) -> None:
    done = run(*line.split())
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert "Error: " in done.stderr


def test_an_empty_log_is_said_to_be_empty(run: Run) -> None:
    done = run("payroll", "statements", "--period", "2026-01", "--json")
    assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (1, "nothing_recorded")


def test_a_close_prints_what_was_frozen(company: Payday, ask: Ask, run: Run) -> None:
    found = ask("close 2026-02")
    closed = company.closed()["2026-02"]
    assert found.pop("checkpoint").split("\n")[1] == str(closed.cutoff_position)
    assert found == {
        "period": "2026-02",
        "cutoff_position": closed.cutoff_position,
        "closed": True,
        "totals": {"USD": "5.00"},
        "statements": 3,
    }
    shown = run("payroll", "close", "2026-03")
    assert shown.exit_code == 0, shown.output
    assert "2026-03 is closed" in shown.stdout
    assert "3 statements, in all 0.00 USD." in shown.stdout
    assert ask("periods")["items"][1]["closed_by"] == "payroll:cli"


def test_a_dispute_is_raised_answered_and_paid(company: Payday, ask: Ask) -> None:
    ask("resolve 2026-01/ann/1 --accepted --note right --amount 12.50")
    (settled,) = ask("disputes")["items"]
    assert (settled["status"], settled["conceded"], settled["reason"]) == ("accepted", "12.50", "it was more")
    assert ask("disputes --open")["count"] == 0
    february = ask("statement --rep ann --period 2026-02")
    assert [(one["of"], one["amount"]) for one in february["lines"]][-1] == ("dispute", "12.50")
    story = ask(f"explain {february['lines'][-1]['line']}")
    assert story["story"][0] == "Dispute of line 2026-01/ann/1 accepted."
    again = ask("explain 2026-01/ann/1")
    assert [one["event"] for one in again["events"]][-2:] == [
        "payroll.LineDisputed",
        "payroll.DisputeResolved",
    ]
    ask("dispute 2026-01/bob/1 --actor bob", "--reason", "no")
    assert ask("disputes --open")["items"][0]["line"] == "2026-01/bob/1"


def test_plans_are_published_and_assigned(company: Payday, ask: Ask, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ten.toml"
    file.write_text(FLAT)
    assert len(ask(f"publish ten {file}")["events"]) == 1
    ask("assign ann ten --from 2026-02-01 --to 2026-02-28")
    ten = ask("plans")["items"][1]
    assert (ten["plan"], ten["number"], ten["document"]["rate"]) == ("ten", 1, "10")
    (held, _) = ask("assignments --rep ann")["items"]
    assert (held["plan"], held["first_day"], held["last_day"]) == ("ten", "2026-02-01", "2026-02-28")
    assert ask("statement --rep ann --period 2026-02")["lines"][0]["amount"] == "20.00"
    file.write_text(FLAT.replace('"10"', "10.5"))
    refused = run("payroll", "publish", "ten", str(file))
    assert refused.exit_code == 1
    assert "string" in refused.stderr


def test_ghosts_and_exceptions_are_worked_off_by_hand(company: Payday, ask: Ask, run: Run) -> None:
    (ghost,), (waiting,) = ask("ghosts")["items"], ask("exceptions")["items"]
    assert (ghost["payment"], ghost["deal"]) == ("P-1", "D-99")
    assert (waiting["kind"], waiting["deal"], waiting["rep"], waiting["amount"], waiting["period"]) == (
        "no_rate",
        "D-3",
        "bob",
        "500.00",
        "2026-01",
    )
    assert "rate.record" in waiting["missing"]
    by = ("--actor", "payroll:kim")
    done = run("record", "rate.record", "EUR", "in=USD", "rate=1.1", "date=2026-01-10", *by, "--json")
    assert (done.exit_code, json.loads(done.stdout)["events"]) == (0, [company.store.head()])
    done = run("record", "payment.match", "P-1", "deal=D-1", *by, "--source", "kim", "--id", "1")
    assert (done.exit_code, done.stdout) == (0, f"Recorded as event {company.store.head()}.\n")
    again = run("record", "payment.match", "P-1", "deal=D-1", *by, "--source", "kim", "--id", "1")
    assert again.stdout == f"Recorded before, as event {company.store.head()}.\n"
    assert (ask("ghosts")["count"], ask("exceptions")["count"]) == (0, 0)
    (late,) = ask("statement --rep bob --period 2026-02")["lines"]
    assert (late["kind"], late["for_period"], late["basis"], late["amount"]) == (
        "adjustment",
        "2026-01",
        "550.00",
        "27.50",
    )
    story = ask(f"explain {late['line']}")
    assert "2026-01 was closed before this could be paid, and no statement had paid it." in story["story"]
    assert [one["told"] for one in story["events"] if one["since"]] == ["one EUR was 1.1 USD on 2026-01-10"]


def test_values_by_hand_are_json_where_they_can_be_nothing_else(company: Payday, run: Run) -> None:
    shares = '[{"rep": "ann", "percent": "50"}, {"rep": "bob", "percent": "50"}]'
    by = ("--actor", "admin:eve")
    assert run("record", "deal.split", "D-4", f"shares={shares}", *by).exit_code == 0
    owner = ("record", "lead.register", "L-9", 'keys={"external": "9"}', "owner=null", "name=17", *by)
    assert run(*owner).exit_code == 0
    unknown = ("record", "payment.record", "-", "payment=P-2", "amount=5.00", "currency=USD", *by)
    assert run(*unknown, "--time", "2026-02-01T12:00:00Z").exit_code == 0
    naive = run(*unknown, "--time", "2026-02-01T12:00:00", "--json")
    assert (naive.exit_code, json.loads(naive.stdout)["error"]["code"]) == (1, "naive_time")
    payment = company.facts()[-1]
    assert (payment.entity, payment.occurred_at.isoformat()) == ("P-2", "2026-02-01T12:00:00+00:00")


def test_an_adjustment_is_explained_by_what_was_paid_and_what_came_since(company: Payday, ask: Ask) -> None:
    found = ask("explain 2026-02/ann/2")
    won, amended = (
        next(fact.position for fact in company.facts() if fact.event.stored_name == f"deals.{name}")
        for name in ("DealWon", "DealAmended")
    )
    assert found["story"] == [
        "Deal D-1 won, of lead L-D-1.",
        f"It was won for 1,000.00 USD (event {won}).",
        f"The amount was corrected to 900.00 USD (event {amended}).",
        "Line 2026-01/ann/1 paid 50.00 USD on 1,000.00 USD at 5 %.",
        "By what is recorded now it is 45.00 USD on 900.00 USD at 5 %: 5 % of the won amount (flat v1).",
        f"What changed it came since: the amount of deal D-1 was corrected to 900.00 USD (event {amended}).",
        "The difference, -5.00 USD, is this line.",
    ]
    assert found["before"] == [{"line": "2026-01/ann/1", "basis": "1000.00", "rate": "5", "amount": "50.00"}]
    assert [one["event"] for one in found["events"]] == [
        "payroll.PlanPublished",
        "payroll.PlanAssigned",
        "deals.DealOpened",
        "deals.DealWon",
        "deals.DealAmended",
    ]
    assert found["amount"] == "-5.00"


def test_changed_frozen_statements_are_found(company: Payday, ask: Ask, run: Run, database_url: str) -> None:
    assert ask("verify")["statements"] == 3
    with psycopg.connect(database_url, autocommit=True) as forger:
        forger.execute("ALTER TABLE log.event DISABLE TRIGGER append_only")
        forger.execute(
            "UPDATE log.event SET state = convert_to(replace(convert_from(state, 'UTF8'), '\"50.00\"',"
            " '\"51.00\"'), 'UTF8') WHERE originator_id = 'statement-2026-01/ann'"
        )
    done = run("payroll", "verify", "--json")
    found = json.loads(done.stdout)
    (wrong,) = found["items"]
    assert (done.exit_code, found["count"]) == (1, 1)
    assert (wrong["statement"], wrong["problem"]) == ("2026-01/ann", "differs")
    assert (wrong["frozen"]["total"], wrong["recomputed"]["total"]) == ("51.00", "50.00")
    assert run("payroll", "verify").exit_code == 1


def test_a_draft_is_tried_and_nothing_recorded(company: Payday, ask: Ask, tmp_path: Path) -> None:
    file, head = tmp_path / "ten.toml", company.store.head()
    file.write_text(FLAT)
    found = ask(f"simulate --plan {file} --from 2026-01 --to 2026-02")
    assert (found["plan"], found["from"], found["to"]) == ("Ten", "2026-01-01", "2026-02-28")
    assert found["items"] == [
        {
            "rep": "ann",
            "currency": "USD",
            "paid": "50.00",
            "earned": "55.00",
            "simulated": "110.00",
            "difference": "55.00",
        },
        {
            "rep": "bob",
            "currency": "USD",
            "paid": "4.00",
            "earned": "4.00",
            "simulated": "8.00",
            "difference": "4.00",
        },
    ]
    only = ask(f"simulate --plan {file} --from 2026-01-01 --to 2026-01-09 --rep ann")
    assert [(one["rep"], one["difference"]) for one in only["items"]] == [("ann", "0.00")]
    file.write_text(FLAT.replace("USD", "EUR"))
    euros = ask(f"simulate --plan {file} --from 2026-01 --to 2026-01 --rep ann")
    assert [(one["currency"], one["simulated"]) for one in euros["items"]] == [("USD", None)]
    assert company.store.head() == head


def test_a_closed_statement_needs_no_tables(company: Payday, ask: Ask, database_url: str) -> None:
    ask("statement --rep ann --period 2026-01")
    with psycopg.connect(database_url) as reader:
        built = {name for (name,) in reader.execute("SELECT name FROM read.projection")}
    assert "statements" not in built
    ask("periods")
    with psycopg.connect(database_url) as reader:
        assert ("statements",) in reader.execute("SELECT name FROM read.projection").fetchall()


def test_help_names_every_command_and_imports_none() -> None:
    done = subprocess.run(
        [COMMAND, "payroll", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout
    code = "import sys, adapters.cli.payroll.group; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("pydantic", "psycopg", "rich", "eventsourcing", "structlog", "phonenumbers"):
        assert f"'{heavy}'" not in loaded


def plan(company: Payday, name: str, **document: Any) -> None:
    whole = {"name": name, "currency": "USD", "basis": "won"} | document
    company.do("plan.publish", name, whole)
    company.do("plan.assign", "ann", {"plan": name, "from": "2026-01-01"})


def story(ask: Ask, number: int, period: str = "2026-01") -> list[str]:
    told: list[str] = ask(f"explain {period}/ann/{number}")["story"]
    return told


def test_a_tier_is_explained_by_where_the_window_stood(payday: Payday, ask: Ask) -> None:
    steps = [{"above": "0", "percent": "3"}, {"above": "1000", "percent": "6"}]
    tiers = {"method": "retroactive", "measure": "amount", "window": "quarter", "steps": steps}
    plan(payday.founded("ann"), "tiers", tiers=tiers)
    payday.win("D-1", "800").on("2026-02-02T09:00:00Z").close("2026-01")
    payday.win("D-2", "700")
    stood = (
        "All credit of 2026-01 to 2026-03 by tiers came to {}; it pays above 0 USD 3 %, above 1000 USD 6 %."
    )
    assert stood.format("800.00 USD") in story(ask, 1)
    back, anew = story(ask, 2, "2026-02"), story(ask, 3, "2026-02")
    assert stood.format("1,500.00 USD") in back
    assert "Line 2026-01/ann/1 paid 24.00 USD on 800.00 USD at 3 %." in back
    assert "The rest of this change is in line 3 of this statement." in back
    assert (back[-1], anew[-1]) == (
        "The difference, -24.00 USD, is this line.",
        "The difference, 48.00 USD, is this line.",
    )


def test_cap_and_draw_are_explained_by_their_sums(payday: Payday, ask: Ask) -> None:
    draw = {"amount": "30", "recoverable": True}
    plan(payday.founded("ann"), "bounds", rate="5", cap="100", draw=draw)
    payday.on("2026-02-10T09:00:00Z").win("D-1", "800")
    payday.on("2026-03-10T09:00:00Z").win("D-2", "4000")
    lines = {
        one["of"]: one["line"]
        for month in ("2026-01", "2026-02", "2026-03")
        for one in ask(f"statement --rep ann --period {month}")["lines"]
    }

    def second(kind: str) -> str:
        return str(ask(f"explain {lines[kind]}")["story"][1])

    assert second("cap") == (
        "The commission of 2026-03 came to 200.00 USD; the plan pays no more than 100.00 USD."
    )
    assert second("draw") == (
        "The commission of 2026-01 came to 0.00 USD; the plan pays no less than 30.00 USD."
    )
    assert "the plan pays no less than 30.00 USD" in second("recovery")
    assert Decimal(ask("statement --rep ann --period 2026-03")["total"]) == Decimal("80.00")


def test_a_late_deal_is_explained_by_the_close_that_it_missed(company: Payday, ask: Ask) -> None:
    company.accept(*company.winning("D-5", "60", time="2026-01-20T09:00:00Z"))
    late = ask("statement --rep ann --period 2026-02")["lines"][1]
    assert (late["deal"], late["kind"], late["for_period"]) == ("D-5", "win", "2026-02")
    assert (
        "It happened in 2026-01, which was closed already when it was recorded: "
        "it counts in 2026-02, the first period then open."
    ) in ask(f"explain {late['line']}")["story"]


def test_what_is_taken_back_is_explained(company: Payday, ask: Ask) -> None:
    shares = [{"rep": "ann", "percent": "40"}, {"rep": "bob", "percent": "60"}]
    company.do("deal.split", "D-2", {"shares": shares})
    company.on("2026-03-02T09:00:00Z").close("2026-02")
    company.do("deal.split", "D-2", {"shares": [{"rep": "bob", "percent": "100"}]})
    (back,) = ask("statement --rep ann --period 2026-03")["lines"]
    told = ask(f"explain {back['line']}")["story"]
    assert told[1] == "Your part of the deal was 40 %."
    assert "By what is recorded now there is nothing left to pay for it." in told
    assert told[-1] == "The difference, -1.60 USD, is this line."


def test_a_draw_that_shrinks_is_explained_by_the_corrections(payday: Payday, ask: Ask) -> None:
    plan(payday.founded("ann"), "least", rate="5", draw={"amount": "30", "recoverable": False})
    payday.win("D-1", "200").on("2026-02-02T09:00:00Z").close("2026-01")
    payday.do("deal.amend", "D-1", {"amount": "300", "currency": "USD"})
    lines = ask("statement --rep ann --period 2026-02")["lines"]
    (change,) = (one for one in lines if (one["kind"], one["of"]) == ("adjustment", "draw"))
    assert ask(f"explain {change['line']}")["story"] == [
        "Up to the draw of 2026-01.",
        "The commission of 2026-01 came to 15.00 USD; the plan pays no less than 30.00 USD.",
        "Line 2026-01/ann/2 paid 20.00 USD.",
        "It follows from this statement's other corrections of 2026-01.",
        "By what is recorded now it is 15.00 USD: no less than 30 USD in a period (least v1).",
        "What changed it came since: the amount of deal D-1 was corrected to 300.00 USD (event 19).",
        "The difference, -5.00 USD, is this line.",
    ]


def test_a_share_is_explained(payday: Payday, ask: Ask) -> None:
    payday.founded("ann", "bob").win("D-1", "1000")
    shares = [
        {"rep": "ann", "role": "opener", "percent": "30"},
        {"rep": "bob", "role": "closer", "percent": "70"},
    ]
    payday.do("deal.split", "D-1", {"shares": shares})
    found = ask("explain 2026-01/ann/1")
    won, split = (one["position"] for one in found["events"][-2:])
    assert found["story"][1:] == [
        f"It was won for 1,000.00 USD (event {won}).",
        f"Your part of the deal is 30 % as opener (event {split}): 300.00 USD.",
        "300.00 USD at 5 % is 15.00 USD: 5 % of the won amount (flat v1).",
    ]
    assert found["events"][-1]["told"] == (
        "the credit of deal D-1 was split: ann 30 % as opener, bob 70 % as closer"
    )
