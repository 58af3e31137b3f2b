"""Short ways to import a text in a test."""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from recording_submitter import RecordingSubmitter

from adapters.importers.mapping import load_mapping
from adapters.importers.plan import csv_sources, ndjson_sources
from adapters.importers.rejects import RejectsFile
from adapters.importers.run import ImportRun, Summary

MAPPING = """
source = "test"
timezone = "Europe/Berlin"
[[section]]
name = "deals"
files = "deals*.csv"
key = "{id}"
subject = "{id}"
actor = "service:test"
time = "{won}"
columns.won = { type = "time" }
columns.value = { type = "amount", decimal = ",", thousands = "." }
columns.stage = { values = ["Won", "Lost"], aliases = { "won!" = "Won" } }
[[section.action]]
type = "deal.win"
when = { stage = "Won" }
data = { amount = "{value}" }
[[section.action]]
type = "deal.lose"
when = { stage = "Lost" }
"""
HEADER = "id,stage,won,value\n"
GOOD = 'a,Won,2025-07-01,"1.234,50"\n'


class Imported:
    """What a run did."""

    def __init__(self, summary: Summary, engine: RecordingSubmitter, rejects: Path) -> None:
        self.summary = summary
        self.actions = engine.actions
        self.rejects: list[dict[str, Any]] = (
            [json.loads(line) for line in rejects.read_text("utf-8").splitlines()] if rejects.exists() else []
        )

    @property
    def codes(self) -> list[tuple[int, str]]:
        return [(reject["line"], reject["error"]["code"]) for reject in self.rejects]


def import_csv(
    folder: Path,
    text: str | bytes,
    mapping: str = MAPPING,
    *,
    name: str = "deals.csv",
    engine: RecordingSubmitter | None = None,
    migration: bool = False,
    line_max: int = 1_048_576,
) -> Imported:
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    (folder / "mapping.toml").write_text(mapping, "utf-8")
    sources = csv_sources(
        [str(file)],
        load_mapping(folder / "mapping.toml"),
        "mapping.toml",
        timezone=ZoneInfo("UTC"),
        migration=migration,
        line_max=line_max,
    )
    engine = engine or RecordingSubmitter()
    rejects = folder / "rejects.ndjson"
    rejects_file = RejectsFile(rejects, name_files=False)
    run = ImportRun(sources, engine, rejects_file, migration=migration, by_time=migration)
    return Imported(run.run(), engine, rejects)


def import_ndjson(
    folder: Path,
    text: bytes,
    *,
    engine: RecordingSubmitter | None = None,
    migration: bool = False,
    batch: int = 1_000,
    line_max: int = 1_048_576,
) -> Imported:
    file = folder / "actions.ndjson"
    file.write_bytes(text)
    engine = engine or RecordingSubmitter()
    rejects = folder / "rejects.ndjson"
    with file.open("rb") as stdin:
        sources = ndjson_sources([str(file)], stdin, line_max=line_max)
        run = ImportRun(
            sources, engine, RejectsFile(rejects, name_files=False), migration=migration, batch=batch
        )
        return Imported(run.run(), engine, rejects)
