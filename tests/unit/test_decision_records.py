"""Decision records: numbered without a gap, of one form, all in the list."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "adr"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))


def test_records_are_numbered_and_of_one_form() -> None:
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))
    for record in RECORDS:
        text = record.read_text()
        assert text.startswith(f"# {record.name[:4]}: ")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"], record
        assert len(text.splitlines()) <= 60, f"{record.name} is more than a page"


def test_the_list_names_every_record_by_its_title() -> None:
    listed = (FOLDER / "README.md").read_text()
    for record in RECORDS:
        title = record.read_text().splitlines()[0].split(": ", 1)[1]
        assert f"| [{record.name[:4]}]({record.name}) | {title} |" in listed
