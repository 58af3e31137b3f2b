"""The mappings that are shipped: what they make of their data, and that the engine understands all of it."""

import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from recording_submitter import RecordingSubmitter

from adapters.importers.mapping import load_mapping
from adapters.importers.plan import csv_sources
from adapters.importers.rejects import RejectsFile
from adapters.importers.run import ImportRun, Summary
from services.actions import parse

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "examples"
MAVEN = ROOT.parent / "shared" / "data" / "maven_crm"
needs_maven = pytest.mark.skipif(not MAVEN.is_dir(), reason="the Maven sample data is not here")


def run(
    mapping: str, *files: Path, folder: Path, engine: RecordingSubmitter, migration: bool = False
) -> Summary:
    sources = csv_sources(
        [str(file) for file in files],
        load_mapping(EXAMPLES / mapping),
        mapping,
        timezone=ZoneInfo("UTC"),
        migration=migration,
    )
    rejects = RejectsFile(folder / "r", name_files=True)
    return ImportRun(sources, engine, rejects, migration=migration, by_time=migration).run()


EXPECTED = {
    "pipeline.define": 1,
    "rep.hire": 35 + 6,
    "lead.register": 8_800,
    "deal.open": 8_800,
    "deal.move": 1_589,
    "deal.win": 4_238,
    "deal.lose": 2_473,
}


@needs_maven
@pytest.mark.parametrize("migration", [False, True])
def test_maven_gives_exactly_its_actions(tmp_path: Path, migration: bool) -> None:
    engine = RecordingSubmitter()
    summary = run("maven_crm.toml", MAVEN, folder=tmp_path, engine=engine, migration=migration)
    assert engine.types == EXPECTED
    assert (summary.accepted, summary.duplicates, summary.rejected) == (sum(EXPECTED.values()), 0, 0)
    won = [action for action in engine.actions if action["type"] == "deal.win"]
    assert sum(Decimal(action["data"]["amount"]) for action in won) == 10_005_534
    darcel = [action for action in won if action["actor"] == "Darcel Schlecht"]
    assert (len(darcel), sum(Decimal(action["data"]["amount"]) for action in darcel)) == (349, 1_153_214)
    opened = [action["data"] for action in engine.actions if action["type"] == "deal.open"]
    assert Counter(data["stage"] for data in opened) == {"Prospecting": 500, "Engaging": 8_300}
    assert sum(data["product"] == "GTX Pro" for data in opened) == 1_480
    assert not any(data["product"] == "GTXPro" for data in opened)


@needs_maven
def test_maven_in_a_migration_never_goes_back_in_time_and_says_things_in_order(tmp_path: Path) -> None:
    engine = RecordingSubmitter()
    run("maven_crm.toml", MAVEN, folder=tmp_path, engine=engine, migration=True)
    times = [action["recordedtime"] for action in engine.actions]
    assert times == sorted(times)
    seen: set[Any] = set()
    for action in engine.actions:
        if action["type"] == "rep.hire":
            assert action["data"].get("manager") in seen | {None}
        elif action["type"] == "deal.open":
            assert ("lead.register", action["data"]["lead"]) in seen
        elif action["type"].startswith("deal."):
            assert ("deal.open", action["subject"]) in seen
        seen |= {action["subject"], (action["type"], action["subject"])}


@needs_maven
def test_maven_again_shuffled_and_with_a_changed_stage_adds_only_the_change(tmp_path: Path) -> None:
    engine = RecordingSubmitter()
    run("maven_crm.toml", MAVEN, folder=tmp_path, engine=engine)
    header, *rows = (MAVEN / "sales_pipeline.csv").read_text("utf-8").splitlines(keepends=True)
    random.Random(7).shuffle(rows)
    text = header + "".join(rows)
    text = text.replace("Prospecting,,,\n", "Engaging,2017-12-31,,\n", 1)
    (tmp_path / "sales_pipeline_2018.csv").write_text(text, "utf-8")
    (tmp_path / "sales_teams.csv").write_bytes((MAVEN / "sales_teams.csv").read_bytes())
    summary = run("maven_crm.toml", tmp_path, folder=tmp_path, engine=engine)
    assert (summary.accepted, summary.duplicates) == (1, sum(EXPECTED.values()))
    assert (engine.actions[-1]["type"], engine.actions[-1]["data"]) == ("deal.move", {"stage": "Engaging"})


def understood(actions: list[Mapping[str, Any]]) -> list[str]:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return [f"{parse(action, now=now).type} {action['subject']}" for action in actions]


def test_pipedrive(tmp_path: Path) -> None:
    engine = RecordingSubmitter()
    file = EXAMPLES / "pipedrive_deals.csv"
    summary = run("pipedrive_deals.toml", file, folder=tmp_path, engine=engine)
    assert (summary.rejected, summary.duplicates) == (0, 0)
    assert understood(engine.actions) == [
        "pipeline.define pipedrive",
        "rep.hire Ann Becker",
        "rep.hire Tom Krause",
        "lead.register person-7",
        "deal.open deal-101",
        "deal.amend deal-101",
        "deal.move deal-101",
        "contact.record person-7",
        "deal.win deal-101",
        "lead.register person-8",
        "deal.open deal-102",
        "deal.move deal-102",
        "contact.record person-8",
        "deal.lose deal-102",
        "deal.open deal-103",
        "deal.move deal-103",
        "task.plan person-7",
    ]
    won = next(action for action in engine.actions if action["type"] == "deal.win")
    assert (won["time"], won["data"]) == (
        "2025-03-17T14:05:00+01:00",
        {"amount": "12400.00", "currency": "EUR"},
    )
    lost = next(action for action in engine.actions if action["type"] == "deal.lose")
    assert lost["data"] == {"reason": "price"}


def test_hubspot(tmp_path: Path) -> None:
    engine = RecordingSubmitter()
    files = [EXAMPLES / name for name in ("hubspot_deals.csv", "hubspot_contacts.csv")]
    summary = run("hubspot_deals.toml", *files, folder=tmp_path, engine=engine)
    assert (summary.rejected, summary.duplicates) == (0, 0)
    assert understood(engine.actions) == [
        "pipeline.define hubspot",
        "rep.hire Dana Fox",
        "lead.register contact-501",
        "lead.register contact-502",
        "deal.open 9001",
        "deal.win 9001",
        "deal.open 9002",
        "deal.move 9002",
        "task.plan contact-502",
        "deal.open 9003",
        "deal.lose 9003",
    ]
    pool = next(action for action in engine.actions if action["subject"] == "contact-502")
    assert (pool["actor"], pool["data"]["name"]) == ("service:hubspot", "Omar")
    assert engine.actions[-1]["data"]["note"] == "Budget was cut,\nmaybe next year"
