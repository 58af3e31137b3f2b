"""Statement files of a real company: closed and exported on the command line, the same bytes each time."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from acceptance.company import Company
from reporting import DealAmended, Story

from domain.payroll.events import PlanAssigned, PlanPublished
from domain.payroll.plans import Plan
from domain.team.events import RepTransferred

HARM = "<script>alert('x')</script>"
ENDINGS = ("json", "html", "pdf")
PLAN = Plan(name="Standard", currency="USD", basis="won", rate=Decimal(5))


@contextmanager
def told(url: str) -> Iterator[Story]:
    """January 2026: Ann wins D-1 and a deal with a bad name, Bob/2 wins nothing."""
    story = Story(url)
    try:
        story.pipeline().rep("ann").rep("Bob/2").tell(("plan-standard", PlanPublished(number=1, plan=PLAN)))
        for rep in ("ann", "Bob/2"):
            assigned = PlanAssigned(plan="standard", number=1, first_day=date(2026, 1, 1))
            story.tell((f"assignment-{rep}", assigned))
        story.lead("L-1", "ann").deal("D-1", "L-1", title="Продление").win("D-1", "L-1", owner="ann")
        story.lead("L-2", "ann").deal(HARM, "L-2", title=HARM)
        story.win(HARM, "L-2", owner="ann", amount="1234.50")
        yield story
    finally:
        story.close()


def export(company: Company, out: Path, *words: str, period: str = "2026-01") -> dict[str, bytes]:
    done = company.run("payroll", "export", "--period", period, "--out", out, *words)
    assert done.exit_code == 0, done.output
    return {path.name: path.read_bytes() for path in (out / period).iterdir()}


def closed(company: Company, period: str = "2026-01") -> None:
    done = company.run("payroll", "close", period)
    assert done.exit_code == 0, done.output


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(content.decode().splitlines()))


def test_the_files_say_what_was_frozen(database_url: str, tmp_path: Path) -> None:
    with told(database_url):
        company = Company(database_url, tmp_path)
        closed(company)
        files = export(company, tmp_path / "out")
        asked = company.ask("payroll", "statement", "--rep", "ann", "--period", "2026-01")
    totals = {row["rep"]: row for row in rows(files["statements.csv"])}
    bob = totals["Bob/2"]["file"]
    assert set(files) == {
        *("statements.csv", "lines.csv"),
        *(f"{name}.{ending}" for name in ("ann", bob) for ending in ENDINGS),
    }
    statement: dict[str, Any] = json.loads(files["ann.json"])
    assert (statement["total"], totals["ann"]["total"], totals["ann"]["rep_name"]) == (
        "66.72",
        "66.72",
        "Ann",
    )
    assert {line["deal"]: line["amount"] for line in statement["lines"]} == {"D-1": "5.00", HARM: "61.72"}
    assert statement == {key: asked[key] for key in statement}
    assert json.loads(files[f"{bob}.json"])["lines"] == []
    assert {row["deal"]: row["amount"] for row in rows(files["lines.csv"])} == {"D-1": "5.00", HARM: "61.72"}
    shown = files["ann.html"].decode()
    assert "Продление" in shown
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown
    assert files["ann.pdf"].startswith(b"%PDF-")


def test_nothing_recorded_later_changes_a_byte(database_url: str, tmp_path: Path) -> None:
    with told(database_url) as story:
        company = Company(database_url, tmp_path)
        closed(company)
        before = export(company, tmp_path / "out")
        story.on(40).tell(("rep-ann", RepTransferred(name="Anna")))
        story.tell(("deal-D-1", DealAmended(amount=Decimal("80.00"), currency="USD")))
        closed(company, "2026-02")
        assert export(company, tmp_path / "out") == before
        assert export(company, tmp_path / "again") == before
        after = export(company, tmp_path / "out", "--format", "json,csv", period="2026-02")
    (line,) = json.loads(after["ann.json"])["lines"]
    assert [line[key] for key in ("kind", "for_period", "basis", "amount")] == [
        *("adjustment", "2026-01", "-20.00", "-1.00")
    ]
    assert {row["rep_name"] for row in rows(after["statements.csv"])} == {"Anna", "Bob/2"}


def test_the_same_log_in_another_database_gives_the_same_bytes(
    database_url: str, other_database_url: str, tmp_path: Path
) -> None:
    with told(database_url):
        company, other = Company(database_url, tmp_path), Company(other_database_url, tmp_path)
        closed(company)
        found = export(company, tmp_path / "here")
        vault = tmp_path / "vault"
        company.run("audit", "export", "--out", tmp_path / "log", "--format", "ndjson", "--vault", vault)
        other.run("import", tmp_path / "log" / "log.ndjson", "--vault", vault)
        assert export(other, tmp_path / "there") == found


def test_an_open_period_is_refused_and_nothing_is_written(database_url: str, tmp_path: Path) -> None:
    with told(database_url):
        done = Company(database_url, tmp_path).run(
            "payroll", "export", "--period", "2026-01", "--out", tmp_path / "out", "--json"
        )
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == "period_open"
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_said(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with told(database_url):
        company = Company(database_url, tmp_path)
        closed(company)
        done = company.run("payroll", "export", "--period", "2026-01", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == "cannot_write"
    assert "File exists" in done.stderr or "Not a directory" in done.stderr


def test_wrong_usage_is_told_before_the_database_is_asked(tmp_path: Path) -> None:
    company = Company("postgresql://nobody@localhost:1/none", tmp_path)
    for words in (("--period", "2026-13"), ("--period", "2026-01", "--format", "json,docx")):
        done = company.run("payroll", "export", "--out", tmp_path, *words)
        assert done.exit_code == 2
        assert "is not a month" in done.stderr or "is none of json, csv, html, pdf" in done.stderr
