"""Companies made at random are paid what a calculator outside of the engine says, whenever months close."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from company import Company, as_line
from payroll_by_hand import ByHand, Fact, RandomCompany

MIGRATION = ["--migration"]


@pytest.mark.parametrize("seed", range(12))
def test_everybody_is_paid_what_was_worked_out_by_hand(seed: int, database_url: str, tmp_path: Path) -> None:
    made, company = RandomCompany(seed), Company(database_url, tmp_path)
    company.environment["DEALTRAIL_TIMEZONE"] = made.zone.key
    company.accept(*(fact.as_action() for fact in made.facts), flags=MIGRATION)
    assert worked_out(made, company)
    assert company.run("payroll", "verify").exit_code == 0


@pytest.mark.parametrize("seed", [101, 102])
def test_a_preview_is_what_the_close_then_pays_and_nothing_changes_that(
    seed: int, database_url: str, tmp_path: Path
) -> None:
    made, company = RandomCompany(seed), Company(database_url, tmp_path)
    company.environment["DEALTRAIL_TIMEZONE"] = made.zone.key
    frozen: dict[str, Any] = {}
    for before, close in up_to_closes(made.facts):
        period = str(close.about)
        company.accept(*(fact.as_action() for fact in before), flags=MIGRATION)
        alone = {rep: statement(company, rep, period) for rep in made.reps}
        together = statements(company, period)
        company.accept(close.as_action(), flags=MIGRATION)
        frozen[period] = statements(company, period)
        assert frozen[period] == together == alone
    for period, then in frozen.items():
        assert statements(company, period) == then


def test_files_of_one_import_are_one_history(
    database_url: str, other_database_url: str, tmp_path: Path
) -> None:
    made = RandomCompany(103)
    actions = [fact.as_action() for fact in made.facts]
    whole, parts = Company(database_url, tmp_path), Company(other_database_url, tmp_path)
    for company in (whole, parts):
        company.environment["DEALTRAIL_TIMEZONE"] = made.zone.key
    whole.accept(*actions, flags=MIGRATION)
    files = []
    for at, start in enumerate(range(0, len(actions), 90)):
        files.append(tmp_path / f"{at}.ndjson")
        files[-1].write_bytes(b"".join(as_line(one) for one in actions[start : start + 90]))
    assert parts.run("import", *files, *MIGRATION).exit_code == 0
    again = parts.run("import", *files, *MIGRATION, "--json")
    assert (json.loads(again.stdout)["accepted"], json.loads(again.stdout)["events"]) == (0, 0)
    for fact in made.facts:
        if fact.kind == "period.close":
            assert statements(parts, str(fact.about)) == statements(whole, str(fact.about))


def worked_out(made: RandomCompany, company: Company) -> int:
    """How many totals were compared: of each rep through each closed month."""
    paid = dict.fromkeys(made.reps, Decimal(0))
    compared = 0
    for place, fact in enumerate(made.facts):
        if fact.kind != "period.close":
            continue
        issued = company.ask("payroll", "statements", "--period", str(fact.about))
        for one in issued["statements"]:
            assert Decimal(one["total"]) == sum(Decimal(line["amount"]) for line in one["lines"])
            paid[one["rep"]] += Decimal(one["total"])
        assert Decimal(issued["totals"]["USD"]) == sum(Decimal(one["total"]) for one in issued["statements"])
        by_hand = ByHand(made, place)
        year, month = str(fact.about).split("-")
        for rep in set(made.reps) - by_hand.unclear:
            due = by_hand.due(rep, (int(year), int(month)))
            assert paid[rep] == due, f"{rep} through {fact.about}"
            compared += 1
    return compared


def up_to_closes(facts: list[Fact]) -> Iterator[tuple[list[Fact], Fact]]:
    """What was recorded before each close and after the one before it, and the close."""
    before: list[Fact] = []
    for fact in facts:
        if fact.kind == "period.close":
            yield before, fact
            before = []
        else:
            before.append(fact)


def statements(company: Company, period: str) -> dict[str, Any]:
    """Total and lines by rep."""
    issued = company.ask("payroll", "statements", "--period", period)["statements"]
    return {one["rep"]: (one["total"], one["lines"]) for one in issued}


def statement(company: Company, rep: str, period: str) -> Any:
    one = company.ask("payroll", "statement", "--rep", rep, "--period", period)
    return one["total"], one["lines"]
