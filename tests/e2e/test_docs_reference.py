"""The reference and the operations page say what the code says."""

import re
from pathlib import Path

from reference import REFERENCE, rejections, written

from adapters.settings import DOCUMENTATION
from domain.payroll.plans import Plan

ROOT = Path(__file__).parents[2]
CODE_ROW = re.compile(r"^\| `(\w+)`", re.MULTILINE)

OWN_CODE = re.compile(r'(?:Stopped\(\s*|"code": )"(\w+)"')


def _section(text: str, title: str) -> str:
    return text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_tables_of_the_reference_are_as_the_code_is() -> None:
    text = REFERENCE.read_text()
    assert written(text) == text, "run: make catalogue"


def test_the_error_tables_name_every_code_and_no_other() -> None:
    named = set(CODE_ROW.findall(_section(REFERENCE.read_text(), "Errors")))
    sources = [file.read_text() for file in (ROOT / "adapters" / "cli").rglob("*.py")]
    own = {code for source in sources for code in OWN_CODE.findall(source)}
    assert {"bad_setting", "database_newer"} <= own
    assert named == own | {kind.code for kind in rejections()}


def test_every_key_of_a_plan_is_told() -> None:
    plans = _section(REFERENCE.read_text(), "Plans")
    told = [
        key
        for row in re.findall(r"^\| (`.+?) \|", plans, re.MULTILINE)
        for key in re.findall(r"`(\w+)`", row)
    ]
    assert sorted(told) == sorted(Plan.model_fields)


def test_every_setting_is_in_the_operations_page_in_its_own_words() -> None:
    settings = _section((ROOT / "docs" / "operations.md").read_text(), "Settings")
    for name, meaning in DOCUMENTATION.items():
        assert f"| `{name}` | {meaning} |" in settings
    named = {
        name
        for file in (ROOT / "adapters").rglob("*.py")
        for name in re.findall(r"\bDEALTRAIL_[A-Z_]+\b", file.read_text())
    }
    assert named >= {name for name in DOCUMENTATION if name.startswith("DEALTRAIL_")}
    assert {name for name in named if f"`{name}`" not in settings} == set()


def test_every_span_is_in_the_operations_page_and_no_other() -> None:
    spans = _section((ROOT / "docs" / "operations.md").read_text(), "Traces")
    sources = [file.read_text() for file in (ROOT / "adapters").rglob("*.py")]
    made = {name for source in sources for name in re.findall(r'\bWork\("(\w+)"', source)}
    assert set(CODE_ROW.findall(spans)) == made


def test_every_log_line_is_in_the_operations_page_with_its_level() -> None:
    logs = _section((ROOT / "docs" / "operations.md").read_text(), "Logs")
    said = {
        (event, level)
        for file in (ROOT / "adapters").rglob("*.py")
        for level, event in re.findall(r'_logger\.(\w+)\(\s*"(\w+)"', file.read_text())
    }
    assert len(said) >= 6
    assert set(re.findall(r"^\| `(\w+)` \| (\w+) \|", logs, re.MULTILINE)) == said
