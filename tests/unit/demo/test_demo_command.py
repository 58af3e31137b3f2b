"""The demo command: into a file, into an empty database, and into one that isn't."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from adapters.cli.demo import DemoEngine, DemoRequest, run_demo
from adapters.demo.generator import Demo, generate
from services.answers import Answer
from services.intake import Submission

TODAY = date(2026, 11, 22)
REQUEST = DemoRequest(today=TODAY, timezone=ZoneInfo("UTC"), seed=3, leads=40)
END = datetime(2026, 11, 22, tzinfo=UTC)
REFUSAL = {"code": "invalid_key", "message": "The phone can't identify a lead.", "details": {}}


class Database:
    """A database that remembers what it was asked to record, and answers as told."""

    def __init__(self, source: str | None = None) -> None:
        self.source = source
        self.recorded: list[object] = []
        self.reports = 0

    def submit(self, submissions: Sequence[Submission], *, migration: bool = False) -> list[Answer]:
        assert migration
        known = self.source is not None
        first = not self.recorded
        self.recorded += [submission.raw for submission in submissions]
        answers = [Answer(positions=(1, 2), duplicate=known) for _ in submissions]
        return [Answer(error=REFUSAL), *answers[1:]] if first else answers

    @contextmanager
    def engine(self) -> Iterator[DemoEngine]:
        yield DemoEngine(lambda: self.source, self, self.report)

    def report(self) -> None:
        self.reports += 1


def test_an_empty_database_gets_the_company_and_its_reports(capsys: pytest.CaptureFixture[str]) -> None:
    database = Database()
    assert run_demo(REQUEST, database.engine) == 0
    expected = list(generate(3, 40, END))
    assert database.recorded == expected
    assert database.reports == 1
    told = capsys.readouterr().err
    assert f"{len(expected) - 1:,} actions recorded as {2 * (len(expected) - 1):,} events" in told
    assert "1 invalid_key, such as: The phone can't identify a lead." in told


def test_the_demo_of_another_day_is_kept_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    then = datetime(2026, 10, 1, tzinfo=UTC)
    database = Database(Demo(3, 40, then).source)
    assert run_demo(REQUEST, database.engine) == 0
    assert database.recorded == list(generate(3, 40, then))
    assert database.reports == 1
    told = capsys.readouterr().err
    assert "had been recorded before" in told
    assert "invalid_key" not in told


@pytest.mark.parametrize("source", ["crm-import", Demo(4, 40, END).source, Demo(3, 41, END).source])
def test_a_database_that_holds_something_else_is_refused(
    source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database(source)
    assert run_demo(REQUEST, database.engine) == 1
    assert not database.recorded
    assert not database.reports
    assert "isn't empty" in capsys.readouterr().err


def test_a_file_gets_the_actions_and_no_database_is_asked(tmp_path: Path) -> None:
    out = tmp_path / "demo.ndjson"
    request = DemoRequest(today=TODAY, timezone=ZoneInfo("UTC"), seed=3, leads=40, out=str(out))
    assert run_demo(request, pytest.fail) == 0
    lines = out.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == list(generate(3, 40, END))


def test_standard_output_is_a_file_too(capsys: pytest.CaptureFixture[str]) -> None:
    request = DemoRequest(today=TODAY, timezone=ZoneInfo("UTC"), seed=3, leads=1, out="-")
    assert run_demo(request, pytest.fail) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["type"] == "pipeline.define"


def test_a_file_that_cannot_be_written_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = DemoRequest(
        today=TODAY, timezone=ZoneInfo("UTC"), seed=3, leads=40, out=str(tmp_path / "no" / "demo.ndjson")
    )
    assert run_demo(request, pytest.fail) == 2
    assert "can't be written" in capsys.readouterr().err
