"""The worked example of docs/import.md gives what the guide says."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from recording_submitter import RecordingSubmitter

from adapters.importers import mapping, refusals
from adapters.importers.plan import csv_sources
from adapters.importers.rejects import RejectsFile
from adapters.importers.run import ImportRun

GUIDE = (Path(__file__).parents[3] / "docs" / "import.md").read_text("utf-8")


def test_the_worked_example(tmp_path: Path) -> None:
    for name, text in re.findall(r"```\w+ (\S+)\n(.*?)```", GUIDE, re.DOTALL):
        (tmp_path / name).write_text(text, "utf-8")
    loaded = mapping.load_mapping(tmp_path / "deals.toml")
    sources = csv_sources([str(tmp_path / "deals.csv")], loaded, "deals.toml", timezone=ZoneInfo("UTC"))
    rejects = tmp_path / "r"
    engine = RecordingSubmitter()
    summary = ImportRun(sources, engine, RejectsFile(rejects, name_files=False)).run()
    assert (summary.accepted, summary.rejected) == (8, 1)
    assert '"line": 4, "error": {"code": "unmapped_value"' in rejects.read_text("utf-8")
    assert "accepts 8 actions" in GUIDE


@pytest.mark.parametrize("model", [mapping.Section, mapping.ActionTemplate, mapping.Column])
def test_every_key_of_the_language_is_explained(model: type[mapping.Section]) -> None:
    names = {field.alias or name for name, field in model.model_fields.items()}
    assert [name for name in sorted(names) if f"`{name}`" not in GUIDE] == []


def test_every_code_is_explained() -> None:
    kinds = [kind for kind in vars(refusals).values() if isinstance(kind, type) and hasattr(kind, "code")]
    told = {kind.code for kind in kinds} - {"wrong_usage", "rejects_not_writable"}
    assert [code for code in sorted(told) if f"`{code}`" not in GUIDE] == []
