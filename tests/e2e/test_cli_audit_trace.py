"""Figures traced on the command line: what people see, what --json gives, what payroll rests on."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from payday import Payday

from adapters.cli.main import cli

Run = Callable[[str], Result]


@pytest.fixture
def company(database_url: str) -> Iterator[Payday]:
    """Two closed months; in the second what the first one missed, a reopened deal and a dispute."""
    payday = Payday(database_url).founded()
    payday.win("D-1", "1000").win("D-2", "500.50").win("D-3", "80", "bob")
    payday.do("lead.register", "L-idle", {"keys": {"external": "idle"}, "owner": "bob"})
    payday.do("payment.record", None, {"payment": "P-1", "amount": "5", "currency": "USD"})
    payday.do("deal.open", "D-odd", {"lead": "L-idle", "pipeline": "sales"})
    payday.do("deal.win", "D-odd", {"amount": "70", "currency": "EUR"})
    payday.on("2026-10-02T09:00:00Z").close("2026-09")
    payday.win("D-late", "200", time="2026-09-20T10:00:00Z")
    payday.do("deal.reopen", "D-2", {"reason": "they called"})
    payday.do("statement.dispute", "2026-09/ann", {"line": "2026-09/ann/1", "reason": "more"}, actor="ann")
    payday.on("2026-11-03T09:00:00Z").close("2026-10")
    payday.win("D-5", "90", "bob")
    yield payday
    payday.close_database()


@pytest.fixture
def run(database_url: str) -> Run:
    def run(line: str) -> Result:
        given = {"DATABASE_URL": database_url, "COLUMNS": "80", "DEALTRAIL_TIMEZONE": "UTC"}
        return CliRunner().invoke(cli, line.split(), env=given)

    return run


def told(done: Result, code: int = 0) -> dict[str, Any]:
    assert (done.exit_code, done.stderr) == (code, ""), (done.output, done.exception)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.usefixtures("company")
def test_a_figure_is_traced_to_its_deals_and_their_events(run: Run) -> None:
    found = told(run("audit trace --json funnel --pipeline sales --by rep groups.ann.won_amount.USD"))
    assert (found["value"], found["recomputed"], found["holds"]) == ("1200.00", "1200.00", True)
    assert [(item["kind"], item["id"], item["value"]) for item in found["items"]] == [
        ("deal", "D-1", "1000.00"),
        ("deal", "D-late", "200.00"),
    ]
    won = found["items"][1]["events"][-1]
    assert (won["event"], won["actor"], won["stream"]) == ("deals.DealWon", "admin:eve", "deal-D-late")
    assert won["occurred_at"] == "2026-09-20T10:00:00+00:00"
    assert won["recorded_at"] == "2026-10-02T09:00:00+00:00"
    shown = run("audit trace funnel --pipeline sales --by rep groups.ann.won_amount.USD")
    assert shown.exit_code == 0
    assert "funnel: groups.ann.won_amount.USD is 1200.00" in shown.stdout
    assert "deal D-late" in shown.stdout
    assert "Counted again from 2 items: 1200.00 (the sum of the amounts)." in shown.stdout
    then = told(run("audit trace --json funnel --pipeline sales --as-of 2026-09-30 won_amount.USD"))
    assert then["value"] == "1580.50"
    occurred = run("audit trace --json funnel --pipeline sales --as-of 2026-09-30 --axis occurred won")
    assert [item["id"] for item in told(occurred)["items"]] == ["D-1", "D-2", "D-3", "D-late", "D-odd"]
    assert told(run("audit trace --json cycle-time --pipeline sales n"))["figure"] == "groups.-.n"


@pytest.mark.usefixtures("company")
def test_a_statement_is_traced_to_its_lines_and_computed_anew(run: Run) -> None:
    for line in (
        "payroll statement --rep ann --period 2026-09 total",
        "payroll statement --rep ann --period 2026-10 total",
        "payroll statement --rep bob --period 2026-11 total",
        "payroll statement --rep ann --period 2026-10 --as-of 2026-10-20 total",
        "payroll statements --period 2026-09 totals.USD",
        "payroll statements --period 2026-11 totals.USD",
        "payroll statements --period 2026-10 statements.ann.total",
    ):
        found = told(run(f"audit trace --json {line}"))
        assert found["holds"], line
        assert all(item["events"] for item in found["items"] if item["value"] not in ("0", "0.00")), line
        assert found["count"] > 0, line
    for number, _ in enumerate(told(run("payroll statement --rep ann --period 2026-10 --json"))["lines"], 1):
        for name in ("amount", "basis", "rate", "rule"):
            line = f"payroll statement --rep ann --period 2026-10 lines.{number}.{name}"
            found = told(run(f"audit trace --json {line}"))
            assert found["holds"]
            assert found["story"] == told(run(f"payroll explain 2026-10/ann/{number} --json"))["story"]
            assert found["items"][0]["events"]
    same = "payroll statements --period 2026-10 statements.ann.lines.2026-10/ann/1.amount"
    assert told(run(f"audit trace --json {same}"))["items"][0]["id"] == "2026-10/ann/1"


@pytest.mark.usefixtures("company")
def test_the_lists_of_payroll_are_traced(run: Run) -> None:
    for report, least in (
        ("payroll ghosts", 1),
        ("payroll exceptions", 1),
        ("payroll disputes", 1),
        ("payroll plans", 1),
        ("payroll assignments", 2),
        ("payroll periods", 2),
    ):
        found = told(run(f"audit trace --json {report} count"))
        assert found["holds"], report
        assert (found["value"], len(found["items"])) == (found["count"], found["count"])
        assert found["count"] >= least, report
        assert all(item["events"] for item in found["items"]), report
        assert told(run(f"audit trace --json {report} items.0"))["holds"]


@pytest.mark.usefixtures("company")
def test_what_cannot_be_traced_is_refused(run: Run) -> None:
    for line, code in (
        ("payroll statement --rep ann --period 2026-09", "unknown_figure"),
        ("payroll statement --rep ann --period 2026-09 lines.99.amount", "unknown_figure"),
        ("payroll statement --rep ann --period 2026-09 currency", "not_traced"),
        ("payroll statement --rep ann --period 2026-09 rep", "not_traced"),
        ("payroll statements --period 2026-09 period", "not_traced"),
        ("payroll statements --period 2026-09 statements.ann.rep", "not_traced"),
        ("owner L-idle status", "not_traced"),
        ("scorecard --rep ann name", "not_traced"),
        ("cycle-time --pipeline sales groups.-.key", "not_traced"),
        ("deal D-1 amount", "not_traced"),
        ("lead L-idle status", "not_traced"),
        ("payroll verify 2026-09 count", "not_traced"),
        ("funnel --pipeline none won", "unknown_pipeline"),
    ):
        done = run(f"audit trace --json {line}")
        assert done.exit_code == 1, (line, done.output)
        assert json.loads(done.stdout)["error"]["code"] == code, line


def test_a_forged_statement_is_found_by_replay_and_by_trace(
    company: Payday, run: Run, database_url: str
) -> None:
    clean = told(run("audit replay --json"))
    assert (clean["count"], clean["statements"]["statements"]) == (0, 6)
    total = company.statements()["2026-09/ann"].total
    with psycopg.connect(database_url, autocommit=True) as superuser:
        superuser.execute("ALTER TABLE log.event DISABLE TRIGGER append_only")
        changed = superuser.execute(
            "UPDATE log.event SET state = convert_to(replace(convert_from(state, 'UTF8'),"
            ' \'"amount":"50.00"\', \'"amount":"55.00"\'), \'UTF8\')'
            " WHERE originator_id = 'statement-2026-09/ann'"
        )
        assert changed.rowcount >= 1
        superuser.execute("ALTER TABLE log.event ENABLE ALWAYS TRIGGER append_only")
    found = told(run("audit replay --json"), 1)
    wrong = [(one["statement"], one["problem"]) for one in found["statements"]["items"]]
    assert wrong[0] == ("2026-09/ann", "differs")
    assert ("2026-10/ann", "differs") in wrong, "it would have paid the difference"
    assert found["count"] > 1, "the read tables still say what was paid"
    assert {one["table"] for one in found["items"]} == {"statement_line"}
    shown = run("audit replay")
    assert shown.exit_code == 1
    assert "2026-09/ann" in shown.stdout
    traced = told(run("audit trace --json payroll statement --rep ann --period 2026-09 lines.1.amount"), 1)
    assert (traced["value"], traced["recomputed"], traced["holds"]) == ("55.00", "50.00", False)
    shown = run("audit trace payroll statement --rep ann --period 2026-09 lines.1.amount")
    assert shown.exit_code == 1
    assert "WRONG" in shown.stdout
    assert told(run("audit trace --json payroll statement --rep ann --period 2026-09 total"))["value"] == str(
        total
    )


def test_a_forged_read_table_is_found_by_a_trace_of_what_it_shows(
    company: Payday, run: Run, database_url: str
) -> None:
    assert company.projector.catch_up() == []
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("UPDATE read.payment SET occurred_at = occurred_at + interval '1 day'")
    found = told(run("audit trace --json payroll ghosts count"), 1)
    assert (found["value"], found["recomputed"], found["holds"]) == (1, 0, False)
    assert (
        told(run("audit trace --json payroll ghosts items.0"), 1)["recomputed"] == "not what the events say"
    )


def test_a_read_table_that_the_events_deny_is_found_by_a_trace(
    company: Payday, run: Run, database_url: str
) -> None:
    assert company.projector.catch_up() == []
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("UPDATE read.deal SET amount = amount * 10 WHERE deal = 'D-1'")
        database.execute("UPDATE read.deal SET status = 'lost', loss_reason = 'x' WHERE deal = 'D-5'")
        database.execute("UPDATE read.deal SET cycle_us = 86400000000 WHERE deal = 'D-3'")
    for line in (
        "funnel --pipeline sales won_amount.USD",
        "funnel --pipeline sales lost",
        "funnel --pipeline sales loss_reasons.x",
        "cycle-time --pipeline sales max_days",
        "scorecard --rep bob figures.deals_lost.rep",
        "scorecard --rep ann won_amount.rep.USD",
        "scorecard --rep bob figures.median_cycle_days.rep",
    ):
        assert told(run(f"audit trace --json {line}"), 1)["holds"] is False, line
    assert told(run("audit replay --json"), 1)["count"] == 3


@pytest.mark.usefixtures("company")
def test_an_empty_report_is_traced_to_nothing(run: Run) -> None:
    done = run("audit trace encroachments count")
    assert done.exit_code == 0
    assert "Nothing counts in it." in done.stdout
