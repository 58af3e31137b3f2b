"""The payroll page names what the code has, and its SQL is what payroll's role may ask."""

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import get_args

import psycopg

from adapters.settings import read_settings
from adapters.wiring import engine
from domain.payroll.events import LineKind
from domain.payroll.standing import MissingKind
from projections.payroll.views import PayrollViews
from services.intake import Submission

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "payroll.md").read_text()
QUERY = re.compile(r"^```sql\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_every_view_for_payroll_software_is_described_column_by_column() -> None:
    said = re.findall(r"^(?:\*\*`(payroll_\w+)`\.\*\* (.+)|\| `(\w+)` \| (.+) \|)$", PAGE, re.MULTILINE)
    view, described = "", {}
    for name, of_view, column, meaning in said:
        view = name or view
        if view:
            described[f"{view}.{column}" if column else view] = of_view or meaning
    assert described == PayrollViews.comments


def test_every_kind_of_line_and_of_exception_is_explained() -> None:
    kinds = re.findall(r"^\| `(\w+)` \|", PAGE.split("\n## For payroll software")[0], re.MULTILINE)
    assert sorted(kinds) == sorted([*get_args(LineKind), *get_args(MissingKind)])


def test_payrolls_role_may_ask_what_the_page_shows(database_url: str) -> None:
    actions = (ROOT / "docs" / "examples" / "payroll.ndjson").read_bytes().splitlines()
    with engine(replace(read_settings({}), database_url=database_url)) as parts:
        answers = parts.intake().submit([Submission(action) for action in actions], migration=True)
        parts.projector.catch_up()
    assert [answer.error for answer in answers if answer.error] == []
    (query,) = QUERY.findall(PAGE)
    with psycopg.connect(database_url) as connection:
        connection.execute("SET ROLE dealtrail_payroll")
        rows = connection.execute(query).fetchall()
    assert rows[0] == ("ann", "Ann", "USD", Decimal("500.00"))
    assert len(rows) == 9
