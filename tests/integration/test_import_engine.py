"""Imports into the real engine on a real PostgreSQL: the seam holds, and importing again changes nothing."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.cli.import_ import ImportRequest, run_import
from adapters.importers.submission import Submitter
from adapters.settings import read_settings
from adapters.wiring import Engine, engine

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
MAVEN = ROOT.parent / "shared" / "data" / "maven_crm"


@pytest.fixture
def dealtrail(database_url: str) -> Iterator[Engine]:
    with engine(read_settings({"DATABASE_URL": database_url, "DEALTRAIL_CURRENCY": "EUR"})) as parts:
        yield parts


class Import:
    """The command on the engine; gives its exit code and its summary."""

    def __init__(self, parts: Engine, capsys: pytest.CaptureFixture[str], rejects: Path) -> None:
        self._parts, self._capsys, self.rejects = parts, capsys, rejects

    def __call__(
        self, *files: Path | str, stdin: bytes = b"", **options: object
    ) -> tuple[int, dict[str, int]]:
        request = ImportRequest(
            [str(file) for file in files], as_json=True, rejects=str(self.rejects), **options
        )
        code = run_import(request, self._submitter, stdin=io.BytesIO(stdin))
        told = self._capsys.readouterr()
        assert told.err == ""
        return code, json.loads(told.out)

    @contextmanager
    def _submitter(self) -> Iterator[Submitter]:
        yield self._parts.intake()


@pytest.fixture
def import_(dealtrail: Engine, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Import:
    return Import(dealtrail, capsys, tmp_path / "rejects.ndjson")


def stored(parts: Engine) -> Counter[str]:
    return Counter(fact.event.stored_name for page in parts.store.read(0) for fact in page)


@pytest.mark.parametrize("migration", [False, True])
@pytest.mark.parametrize(
    ("mapping", "files"),
    [
        ("pipedrive_deals.toml", ["pipedrive_deals.csv"]),
        ("hubspot_deals.toml", ["hubspot_contacts.csv", "hubspot_deals.csv"]),
    ],
)
def test_the_shipped_examples_go_in_whole_and_once(
    dealtrail: Engine, import_: Import, mapping: str, files: list[str], migration: bool
) -> None:
    paths = [EXAMPLES / name for name in files]
    options = {"mapping": str(EXAMPLES / mapping), "migration": migration}
    code, first = import_(*paths, **options)
    assert (code, first["rejected"], first["duplicates"]) == (0, 0, 0)
    assert first["events"] == dealtrail.store.head()
    code, again = import_(*paths, **options)
    assert (code, again["accepted"], again["duplicates"], again["events"]) == (0, 0, first["accepted"], 0)
    assert dealtrail.store.head() == first["events"]


def test_what_the_engine_refuses_ends_its_row_and_is_told(import_: Import, tmp_path: Path) -> None:
    text = (EXAMPLES / "pipedrive_deals.csv").read_text("utf-8").replace("+49 89 289220", "12")
    (tmp_path / "pipedrive_deals.csv").write_text(text, "utf-8")
    mapping = str(EXAMPLES / "pipedrive_deals.toml")
    code, report = import_(tmp_path / "pipedrive_deals.csv", mapping=mapping)
    [line] = [json.loads(each) for each in import_.rejects.read_text("utf-8").splitlines()]
    assert (code, report["rejected"], report["accepted"]) == (1, 1, 12)
    assert (line["line"], line["error"]["code"], line["input"][:4]) == (3, "invalid_key", "102;")


def test_each_wrong_line_has_its_code(import_: Import) -> None:
    def action(number: int, **fields: object) -> bytes:
        whole = {
            "specversion": "1.0",
            "id": f"a-{number}",
            "source": "s",
            "type": "lead.register",
            "subject": f"L-{number}",
            "time": "2025-01-01T00:00:00Z",
            "actor": "admin:a",
            "data": {"keys": {"external": f"x-{number}"}},
        }
        return json.dumps(whole | fields).encode()

    lines = [
        action(1),
        action(2, type="lead.sell"),
        action(3, time="2025-01-01T00:00:00"),
        action(4, time="2999-01-01T00:00:00Z"),
        action(5, data={}),
        action(6, type="lead.disqualify", subject="nobody", data={"reason": "x"}),
        action(7, recordedtime="2024-01-01T00:00:00Z"),
        b'{"x": "\xff"}',
        b'"' + b"y" * 10_000_000 + b'"',
        action(8),
    ]
    code, report = import_("-", stdin=b"\n".join(lines))
    told = [json.loads(each) for each in import_.rejects.read_text("utf-8").splitlines()]
    assert (code, report["accepted"], report["rejected"]) == (1, 2, 8)
    assert [(each["line"], each["error"]["code"]) for each in told] == [
        (2, "unknown_type"),
        (3, "naive_time"),
        (4, "future_time"),
        (5, "invalid_data"),
        (6, "unknown_lead"),
        (7, "not_migration"),
        (8, "malformed"),
        (9, "too_large"),
    ]


@pytest.mark.skipif(not MAVEN.is_dir(), reason="the Maven sample data is not here")
def test_maven_as_a_migration(dealtrail: Engine, import_: Import, tmp_path: Path) -> None:
    options = {"mapping": str(EXAMPLES / "maven_crm.toml"), "migration": True}
    code, first = import_(MAVEN, **options)
    assert (code, first["rejected"], first["accepted"]) == (0, 0, 25_942)
    events = stored(dealtrail)
    assert sum(events.values()) == first["events"]
    assert {name: events[name] for name in ("deals.DealOpened", "deals.DealWon", "deals.DealLost")} == {
        "deals.DealOpened": 8_800,
        "deals.DealWon": 4_238,
        "deals.DealLost": 2_473,
    }
    assert (events["leads.LeadRegistered"], events["team.RepHired"], events["leads.ClaimLapsed"]) == (
        8_800,
        41,
        0,
    )
    lines = (MAVEN / "sales_pipeline.csv").read_text("utf-8").splitlines(keepends=True)
    excerpt = tmp_path / "sales_pipeline_excerpt.csv"
    excerpt.write_text(lines[0] + "".join(reversed(lines[-500:])), "utf-8")
    code, again = import_(MAVEN / "sales_teams.csv", excerpt, **options)
    assert (code, again["accepted"], again["events"], again["rejected"]) == (0, 0, 0, 0)
    assert again["duplicates"] > 1_000
