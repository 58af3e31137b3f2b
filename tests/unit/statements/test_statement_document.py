"""What docs/statements.md says of the files is so."""

import re
from pathlib import Path

from statement_samples import REP_7
from test_statement_pages import COVERED

from adapters.cli.payroll_files import FORMATS as OFFERED
from adapters.statements.files import FORMATS
from adapters.statements.tables import LINES, TOTALS
from projections.payroll.documents import statement_object

DOCUMENT = (Path(__file__).parents[3] / "docs" / "statements.md").read_text()


def names(text: str) -> list[str]:
    return re.findall(r"`([a-z_]+)`", text)


def first_cells(text: str) -> set[str]:
    return {name for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in names(row)}


def test_the_columns_are_these() -> None:
    lines, totals = re.findall(
        r"^`(?:lines|statements)\.csv`:\n(.*?\.)\n\n", DOCUMENT, re.MULTILINE | re.DOTALL
    )
    assert (tuple(names(lines)), tuple(names(totals))) == (LINES, TOTALS)


def test_the_keys_are_these() -> None:
    whole, line = DOCUMENT.split("## JSON")[1].split("## CSV")[0].split("Each line has")
    statement = statement_object(REP_7)
    assert first_cells(whole) == set(statement)
    assert first_cells(line) == set(statement["lines"][0])


def test_the_scripts_that_are_promised_are_tried() -> None:
    (promised,) = re.findall(r"The PDF brings its own: (.*?);", DOCUMENT, re.DOTALL)
    assert re.split(r",\s+", promised) == list(COVERED)


def test_the_command_offers_every_format() -> None:
    assert OFFERED == FORMATS
