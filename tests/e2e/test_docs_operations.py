"""What the operations page promises of the month's end and of upgrades."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from reporting import Story, day

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).parent / "dealtrail"
ASKED = ("funnel", "--pipeline", "sales", "--json", "--as-of", day(30).isoformat(), "--axis", "occurred")


@pytest.fixture
def told(database_url: str) -> str:
    """The URL of a database in which a deal was won, with the reports up to date."""
    story = Story(database_url)
    story.pipeline().rep("ann").lead("L-1", "ann", name="Acme").deal("D-1", "L-1").on(3)
    story.win("D-1", "L-1", owner="ann", amount="12.50").projector.catch_up()
    story.close()
    return database_url


def run(url: str, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_months_end_goes_as_the_page_says(database_url: str, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operations.md").read_text().split("## The month's end\n", 1)[1]
    commands = page.split("```sh\n", 1)[1].split("```", 1)[0].replace("PERIOD", "2025-04").splitlines()
    assert len(commands) == 7
    company = ROOT / "docs" / "examples" / "payroll.ndjson"
    assert run(database_url, COMMAND, "import", "--migration", company).returncode == 0
    printed = {}
    for command in commands:
        words = command.replace("--out statements", f"--out {tmp_path}").split()[1:]
        done = run(database_url, COMMAND, *words)
        assert (done.returncode, done.stderr) == (0, ""), command
        printed[words[1]] = done.stdout
    assert "2025-04 is closed" in printed["close"]
    assert "every one is what the log gives" in printed["verify"]
    assert len(list((tmp_path / "2025-04").iterdir())) == 29
    again = run(database_url, COMMAND, "payroll", "close", "2025-04", "--json")
    assert json.loads(again.stdout)["error"]["code"] == "period_closed"


def test_an_older_program_leaves_a_newer_database_alone(told: str) -> None:
    with psycopg.connect(told, autocommit=True) as admin:
        admin.execute("INSERT INTO log.migration (number, name) VALUES (9999, '9999_later')")
    done = run(told, COMMAND, *ASKED)
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (1, "database_newer")
    assert "Traceback" not in done.stderr
