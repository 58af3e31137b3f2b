"""The command line as its users meet it: commands, tables, JSON, refusals, exit codes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from reporting import ClaimRefused, Story, day

from adapters.cli.main import cli

COMMAND = Path(sys.executable).parent / "dealtrail"
LISTS = ("neglected", "overdue", "encroachments", "refusals", "pool", "queue --rep ann")
REPORTS = (
    "funnel --pipeline sales --by rep",
    "funnel --pipeline sales --view flow --from 2026-01-01 --to 2026-01-31",
    "cycle-time --pipeline sales --by month --outcome closed --since lead",
    "owner L-1",
    "scorecard --rep ann",
    "deal D-1",
    "lead L-1",
    *LISTS,
)


@pytest.fixture
def told(database_url: str) -> str:
    """The URL of a database in which a little has happened."""
    story = Story(database_url)
    story.pipeline().rep("ann").rep("bob").lead("L-1", "ann", name="Acme").deal("D-1", "L-1", "Offer")
    story.plan("L-1", "T-1", 1).on(2).contact("L-1", "bob", past="ann").lead("L-2")
    story.of_lead("L-1", ClaimRefused(rep="bob", subject="L-9", owner="ann", since=day(0)), actor="bob")
    story.on(3).win("D-1", "L-1", "Offer", owner="ann", amount="12.50").deal("D-2", "L-1")
    story.projector.catch_up()
    story.close()
    return database_url


def run(url: str, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *line.split()],
        capture_output=True,
        text=True,
        env={**os.environ, "DATABASE_URL": url, "COLUMNS": "80", **environment},
        timeout=120,
        check=False,
    )


def asked(url: str, line: str, **environment: str) -> dict[str, Any]:
    done = run(url, f"{line} --json", **environment)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_help_names_every_command_and_imports_none() -> None:
    started = time.monotonic()
    done = subprocess.run([COMMAND, "--help"], capture_output=True, text=True, check=True, timeout=60)
    seconds = time.monotonic() - started
    for command in ("demo", "import", "funnel", "cycle-time", "owner", "scorecard", "project", "rebuild"):
        assert f"\n  {command} " in done.stdout
    assert seconds < 3  # Measured at 0.1 s; the machine may be busy.
    code = "import sys, adapters.cli.main; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("pydantic", "psycopg", "rich", "eventsourcing", "structlog", "phonenumbers"):
        assert f"'{heavy}'" not in loaded


def test_the_version_is_told() -> None:
    done = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("dealtrail, version ")


def test_every_report_answers_in_json_and_fits_a_terminal(told: str) -> None:
    def run_here(*arguments: str) -> str:
        done = CliRunner().invoke(cli, arguments, env={"DATABASE_URL": told, "COLUMNS": "80"})
        assert (done.exit_code, done.stderr) == (0, ""), arguments
        return done.stdout

    for line in REPORTS:
        words = [*line.split(), "--as-of", "2026-01-20"]
        found = json.loads(run_here(*words, "--json"))
        assert found["as_of"].endswith("+00:00"), line
        assert (found["axis"], found["position"] > 0) == ("recorded", True), line
        if line in LISTS:
            assert found["count"] == len(found["items"]) > 0, line
        shown = run_here(*words)
        assert f"position {found['position']}" in shown, line
        assert max(map(len, shown.splitlines())) <= 80, line


def test_a_report_has_the_contracts_names(told: str) -> None:
    funnel = asked(told, "funnel --pipeline sales --by rep")
    figures = {"leads", "deals", "open", "won", "lost", "won_amount", "win_rate_closed", "win_rate_all"}
    assert funnel.keys() >= figures | {"pipeline", "stages", "loss_reasons", "groups"}
    assert funnel["stages"][0].keys() == {
        "stage",
        "reached",
        "current",
        "lost",
        "conversion",
        "median_days",
        "p90_days",
    }
    assert [group["key"] for group in funnel["groups"]] == ["ann", None]
    assert funnel["groups"][0].keys() == figures | {"key", "stages", "loss_reasons"}
    assert funnel["won_amount"] == {"USD": "12.50"}
    cycle = asked(told, "cycle-time --pipeline sales")
    assert cycle["groups"][0] | {"key": None} == cycle["groups"][0]
    assert asked(told, "owner L-1").keys() >= {"lead", "owner", "since", "by_position", "history"}
    assert asked(told, "deal D-1")["timeline"][0]["position"] > 0


def test_a_date_means_the_end_of_the_day_in_the_companys_zone(told: str) -> None:
    then = asked(told, "funnel --pipeline sales --as-of 2026-01-03", DEALTRAIL_TIMEZONE="Asia/Tokyo")
    assert (then["as_of"], then["won"], then["open"]) == ("2026-01-03T23:59:59.999999+09:00", 0, 1)
    later = asked(told, "funnel --pipeline sales --as-of 2026-01-04T09:00:00Z --axis occurred")
    assert (later["won"], later["axis"]) == (1, "occurred")


def test_a_position_is_a_past_too(told: str) -> None:
    now = asked(told, "funnel --pipeline sales")
    then = asked(told, f"funnel --pipeline sales --as-of #{now['position']}")
    assert {**then, "as_of": "", "stages": []} == {**now, "as_of": "", "stages": []}
    before = asked(told, f"funnel --pipeline sales --as-of #{now['position'] - 1}")
    assert before["position"] == now["position"] - 1


def test_the_range_is_inclusive_of_its_last_day(told: str) -> None:
    assert asked(told, "funnel --pipeline sales --from 2026-01-01 --to 2026-01-03")["deals"] == 1
    assert asked(told, "funnel --pipeline sales --from 2026-01-01 --to 2026-01-04")["deals"] == 2
    assert asked(told, "funnel --pipeline sales --from 2026-01-02")["deals"] == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("funnel --pipeline rental", "unknown_pipeline"),
        ("cycle-time --pipeline rental", "unknown_pipeline"),
        ("owner L-77", "unknown_lead"),
        ("lead L-77", "unknown_lead"),
        ("deal D-77", "unknown_deal"),
        ("queue --rep nobody", "unknown_rep"),
        ("scorecard --rep nobody", "unknown_rep"),
        ("neglected --rep nobody", "unknown_rep"),
    ],
)
def test_what_is_not_known_is_refused_with_its_code(told: str, line: str, code: str) -> None:
    done = CliRunner().invoke(cli, [*line.split(), "--json"], env={"DATABASE_URL": told})
    error = json.loads(done.stdout)["error"]
    assert (done.exit_code, error["code"]) == (1, code)
    assert done.stderr == f"{error['message']}\n"


@pytest.mark.parametrize(
    "line",
    [
        "funnel",
        "funnel --pipeline sales --by weather",
        "funnel --pipeline sales --as-of tomorrow",
        "funnel --pipeline sales --as-of #last",
        "funnel --pipeline sales --as-of #3 --axis occurred",
        "funnel --pipeline sales --as-of 2026-01-04T09:00:00",
        "nonsense",
    ],
)
def test_wrong_usage_is_told_apart(told: str, line: str) -> None:
    done = CliRunner().invoke(cli, line.split(), env={"DATABASE_URL": told})
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: " in done.stderr


def test_a_setting_that_cannot_be_is_named(told: str) -> None:
    done = run(told, "pool", DEALTRAIL_TIMEZONE="Mars/Olympus")
    assert done.returncode == 2
    assert "DEALTRAIL_TIMEZONE" in done.stderr


def test_a_database_that_is_away_is_said_in_a_sentence() -> None:
    done = run("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1", "pool --json")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (1, "database_unavailable")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("line", ["neglected", "lead L-1 --json"])
def test_a_reader_who_has_seen_enough_meets_no_traceback(told: str, line: str) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as nobody:
        done = subprocess.run(
            [COMMAND, *line.split()],
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "DATABASE_URL": told},
            timeout=60,
            check=False,
        )
    assert done.stderr == ""


def test_tables_are_rebuilt_and_reports_say_the_same(told: str) -> None:
    before = asked(told, "funnel --pipeline sales")
    done = run(told, "rebuild deals leads --json")
    assert (done.returncode, json.loads(done.stdout)["stopped"]) == (0, [])
    after = asked(told, "funnel --pipeline sales")
    assert {**after, "as_of": "", "stages": []} == {**before, "as_of": "", "stages": []}
    assert run(told, "project --once").returncode == 0
    unknown = run(told, "rebuild weather --json")
    assert (unknown.returncode, json.loads(unknown.stdout)["error"]["code"]) == (1, "unknown_projection")
