"""A statement's checkpoint from the command line: made with the close, and the same for ever after."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from payday import Payday

from adapters.audit.keys import read_keys
from adapters.cli.main import cli
from domain.audit.checkpoint import Checkpoint, open_checkpoint
from domain.audit.leaf import leaf_hash, parse
from domain.audit.merkle import root

COMMAND = Path(sys.executable).parent / "dealtrail"
Run = Callable[..., Result]
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def company(database_url: str) -> Iterator[Payday]:
    """Ann won 1,000 in January; now it is March."""
    one = Payday(database_url, now="2026-01-10T09:00:00Z").founded().win("D-1", "1000")
    yield one.on("2026-03-03T09:00:00Z").win("D-2", "80", "bob")
    one.close_database()


@pytest.fixture
def given(database_url: str, tmp_path: Path) -> dict[str, str]:
    key = str(tmp_path / "keys" / "audit.key")
    return {"DATABASE_URL": database_url, "DEALTRAIL_AUDIT_KEY": key, "COLUMNS": "80"}


@pytest.fixture
def run(given: dict[str, str]) -> Run:
    def run(line: str, **environment: str) -> Result:
        return CliRunner().invoke(cli, line.split(), env=given | environment)

    return run


@pytest.fixture
def ask(run: Run) -> Ask:
    """The JSON of a command that is done."""

    def ask(line: str, **environment: str) -> dict[str, Any]:
        done = run(f"{line} --json", **environment)
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return ask


def trusted(given: dict[str, str]) -> Any:
    return read_keys(Path(given["DEALTRAIL_AUDIT_KEY"])).verifiers


def exported(run: Run, folder: Path) -> dict[str, bytes]:
    assert run(f"payroll export --period 2026-01 --out {folder}").exit_code == 0
    return {path.name: path.read_bytes() for path in (folder / "2026-01").iterdir()}


@pytest.mark.usefixtures("company")
def test_a_close_gives_its_statements_a_checkpoint_of_the_log_that_they_rest_on(
    run: Run, ask: Ask, given: dict[str, str], tmp_path: Path
) -> None:
    preview = ask("payroll statements --period 2026-01")
    assert (preview["checkpoint"], preview["statements"][0]["checkpoint"]) == (None, None)
    closed = ask("payroll close 2026-01")
    statement = ask("payroll statement --rep ann --period 2026-01")
    checkpoint = open_checkpoint(statement["checkpoint"].encode(), trusted(given))
    assert checkpoint.size == statement["cutoff_position"] == closed["cutoff_position"]
    whole = ask("payroll statements --period 2026-01")
    notes = {closed["checkpoint"], whole["checkpoint"], *(one["checkpoint"] for one in whole["statements"])}
    assert notes == {statement["checkpoint"]}
    assert run(f"audit export --format ndjson --out {tmp_path / 'log'}").exit_code == 0
    ndjson = tmp_path / "log" / "log.ndjson"
    lines = [line for line in ndjson.read_bytes().splitlines() if parse(line).position <= checkpoint.size]
    assert root(leaf_hash(line) for line in lines) == checkpoint.root
    assert sealed_sizes(given) == [checkpoint.size, len(ndjson.read_bytes().splitlines())]


def sealed_sizes(given: dict[str, str]) -> list[int]:
    with psycopg.connect(given["DATABASE_URL"]) as connection:
        return [row[0] for row in connection.execute("SELECT size FROM audit.checkpoint ORDER BY number")]


def test_the_checkpoint_is_the_same_after_more_months_other_keys_and_a_rebuild(
    company: Payday, run: Run, ask: Ask, given: dict[str, str], tmp_path: Path
) -> None:
    ask("payroll close 2026-01")
    before, files = ask("payroll statement --rep ann --period 2026-01"), exported(run, tmp_path / "before")
    (old,) = read_keys(Path(given["DEALTRAIL_AUDIT_KEY"])).signers
    assert run("audit keygen --rotate").exit_code == 0
    company.win("D-9", "1")
    ask("payroll close 2026-02")
    assert run(f"audit keygen --retire {old.verifier.known_as}").exit_code == 0
    company.on("2026-04-03T09:00:00Z").win("D-3", "70")
    ask("payroll close 2026-03")
    ask("rebuild")
    after = ask("payroll statement --rep ann --period 2026-01")
    assert after["checkpoint"] == before["checkpoint"]
    assert after["lines"] == before["lines"]
    assert exported(run, tmp_path / "after") == files
    notes = [ask(f"payroll statements --period 2026-0{month}")["checkpoint"] for month in (1, 2, 3)]
    assert [note.count("\n— ") for note in notes] == [1, 2, 1]
    for note in notes:
        open_checkpoint(note.encode(), trusted(given))
    assert ask("payroll verify")["count"] == 0
    assert ask("audit verify")["count"] == 0


@pytest.mark.usefixtures("company")
def test_files_and_reports_say_which_log_it_is(run: Run, tmp_path: Path) -> None:
    closed = run("payroll close 2026-01")
    statement = run("payroll statement --rep ann --period 2026-01")
    files = exported(run, tmp_path)
    told = json.loads(files["ann.json"])
    checkpoint = Checkpoint.parse(told["checkpoint"].split("\n\n")[0] + "\n")
    said = f"Checkpoint: log of {checkpoint.size:,} events, root"
    for shown in (closed.stdout, statement.stdout, files["ann.html"].decode()):
        assert said in " ".join(shown.split())
        assert told["checkpoint"].split("\n")[2] in shown


def test_a_close_that_cannot_be_sealed_holds_and_the_next_seal_makes_up_for_it(
    company: Payday, run: Run, ask: Ask, given: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    for key, why in (("file/audit.key", "can't be read or written"), ("file", "There is no key in")):
        period = "2026-01" if "/" in key else "2026-02"
        done = run(f"payroll close {period} --json", DEALTRAIL_AUDIT_KEY=str(tmp_path / key))
        assert (done.exit_code, json.loads(done.stdout)["checkpoint"]) == (0, None), done.output
        assert done.stderr.startswith("The close holds, but it is not sealed: ")
        assert why in done.stderr
    assert ask("payroll verify")["count"] == 0
    assert run("audit keygen").exit_code == 0
    assert run("project --once").exit_code == 0
    for closed in company.closed().values():
        assert closed.cutoff_position in sealed_sizes(given)
    assert ask("payroll statement --rep ann --period 2026-01")["checkpoint"]


@pytest.mark.usefixtures("company")
def test_a_close_is_sealed_however_it_came_in(
    run: Run, ask: Ask, given: dict[str, str], tmp_path: Path
) -> None:
    assert run("record period.close 2026-01 --actor payroll:pam").exit_code == 0
    assert ask("payroll statements --period 2026-01")["checkpoint"]
    action = {"specversion": "1.0", "id": "c", "source": "s", "type": "period.close", "subject": "2026-02"}
    told = action | {"time": "2026-03-01T09:00:00Z", "actor": "payroll:pam", "data": {}}
    (tmp_path / "actions.ndjson").write_text(json.dumps(told))
    assert ask(f"import {tmp_path / 'actions.ndjson'}")["accepted"] == 1
    assert ask("payroll statements --period 2026-02")["checkpoint"]
    sealed = sealed_sizes(given)
    assert run("record rep.hire zoe --actor admin:eve name=Zoe").exit_code == 0
    assert sealed_sizes(given) == sealed, "nothing was closed"


def test_a_worker_seals_what_others_close_and_stops_when_told(
    company: Payday, ask: Ask, given: dict[str, str]
) -> None:
    assert ask("audit seal")["size"] > 0
    cutoff = company.win("D-3", "70").close("2026-01").positions[0] - 1
    for expected in (2, 0):
        before = len(sealed_sizes(given))
        with subprocess.Popen(
            [COMMAND, "project"], env={**os.environ, **given}, stderr=subprocess.PIPE
        ) as worker:
            try:
                patience = time.monotonic() + 30
                while len(sealed_sizes(given)) < before + expected and time.monotonic() < patience:
                    time.sleep(0.05)
                assert worker.stderr is not None
                assert worker.stderr.readline().startswith(b"Following the log")
            finally:
                worker.send_signal(signal.SIGTERM)
                assert worker.wait(20) == 0
        assert len(sealed_sizes(given)) == before + expected
    assert cutoff in sealed_sizes(given)
