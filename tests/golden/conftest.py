"""A company that starts on 1 January 2026, in UTC and dollars if not told otherwise."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from payroll_company import Company, FromOutside, InMemory

Start = Callable[..., Company]


@pytest.fixture(params=["in memory", "from outside"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Start:
    """`start(zone=…, currency=…, begin=…)` gives a company with Ann and Bob hired and nothing else."""

    def start(**said: Any) -> Company:
        company: Company = (
            InMemory(**said)
            if request.param == "in memory"
            else FromOutside(request.getfixturevalue("database_url"), tmp_path, **said)
        )
        company.hire("ann")
        company.hire("bob")
        return company

    return start


@pytest.fixture
def company(start: Start) -> Company:
    """Ann and Bob earn a flat 5 % of what they win."""
    company = start()
    company.plan("five", rate="5")
    company.assign("ann", "five")
    company.assign("bob", "five")
    return company
