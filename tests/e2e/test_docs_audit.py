"""The audit page names what the code has, and its SQL is what an auditor may ask."""

import hashlib
import inspect
import re
import subprocess
from pathlib import Path
from typing import get_args

import psycopg
from audited_log import AuditedLog
from lying_server import event

from adapters.audit.bundle import refusals
from adapters.audit.bundle.bundle import StatementBundle
from adapters.postgres.audit.findings import Problem
from domain.audit.leaf import leaf_hash
from domain.audit.merkle import root

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text()
QUERY = re.compile(r"^```sql\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def table(first: str) -> list[str]:
    """The first column of the table that begins with this heading."""
    rows = PAGE.split(f"\n| {first} | ", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\| `(\w+)` \|", rows, re.MULTILINE)


def test_every_finding_key_and_refusal_is_explained() -> None:
    assert sorted(table("problem")) == sorted(get_args(Problem))
    assert table("key") == [*StatementBundle.model_fields]
    codes = [
        kind.code
        for _, kind in inspect.getmembers(refusals, inspect.isclass)
        if kind.__module__ == refusals.__name__
    ]
    assert sorted(table("code")) == sorted(codes)


def test_a_root_is_made_by_hand_as_the_page_shows(tmp_path: Path) -> None:
    (commands,) = re.findall(r"^```sh run\n(leaf\(\).*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "exported").mkdir()
    for number in range(20):
        lines = [event(number + place).line() for place in (1, 2)]
        (tmp_path / "exported" / "log.ndjson").write_bytes(b"".join(line + b"\n" for line in lines))
        made = subprocess.run(["bash", "-e", "-c", commands], cwd=tmp_path, capture_output=True, check=True)
        assert made.stdout.decode().strip() == root(map(leaf_hash, lines)).hex()


def test_an_auditor_may_ask_what_the_page_shows(database_url: str) -> None:
    log = AuditedLog(database_url).append(3)
    try:
        (query,) = QUERY.findall(PAGE)
        with psycopg.connect(database_url) as connection:
            connection.execute("SET ROLE dealtrail_auditor")
            ((position, stored, computed),) = connection.execute(query).fetchall()
            ((line,),) = connection.execute("SELECT log.leaf(event) FROM log.event WHERE notification_id = 1")
        assert (position, stored) == (1, computed)
        assert hashlib.sha256(b"\0" + line).hexdigest() == stored
    finally:
        log.close()
