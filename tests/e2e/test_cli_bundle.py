"""`dealtrail audit bundle` and `audit check`: a statement for somebody who has no database."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapters.cli.main import cli

ACTIONS = Path(__file__).parents[2] / "docs" / "examples" / "payroll.ndjson"
NOWHERE = "postgresql://127.0.0.1:1/nothing"


class Desk:
    """The command line, with a database or without."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "DATABASE_URL": url,
            "DEALTRAIL_AUDIT_KEY": str(folder / "audit.key"),
            "DEALTRAIL_HOME": str(folder),
            "DEALTRAIL_CURRENCY": "USD",
        }

    def run(self, *words: object, **environment: str) -> Result:
        given = [str(word) for word in words]
        return CliRunner().invoke(cli, given, env={**self.environment, **environment})

    def do(self, *words: object) -> str:
        done = self.run(*words)
        assert done.exit_code == 0, done.output
        return done.stdout

    def away(self, *words: object) -> Result:
        """Where there is neither database nor key."""
        return self.run(*words, DATABASE_URL=NOWHERE, DEALTRAIL_AUDIT_KEY=str(self.folder / "none"))


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Desk:
    desk = Desk(database_url, tmp_path)
    desk.do("audit", "keygen", "--name", "acme.example/deals")
    desk.do("import", "--migration", ACTIONS)
    return desk


def code_of(done: Result) -> str:
    """Of a refused command's error object."""
    assert (done.exit_code, bool(done.stderr.strip())) == (1, True), done.output
    return str(json.loads(done.stdout)["error"]["code"])


def test_a_statement_is_checked_without_the_database(desk: Desk, tmp_path: Path) -> None:
    kept, file = tmp_path / "kept.txt", tmp_path / "bundle.json"
    desk.do("audit", "seal", "--out", kept)
    key = json.loads(desk.do("audit", "seal", "--json"))["key"][0]
    assert desk.do("audit", "bundle", "2025-02/ann", "--out", file) == ""
    assert desk.do("audit", "bundle", "ann/2025-02") == file.read_text() + "\n"
    told: dict[str, Any] = json.loads(desk.away("audit", "check", file, "--key", key, "--json").stdout)
    assert (told["proof"], told["origin"], told["size"]) == ("statement", "acme.example/deals", 157)
    assert (told["cutoff_position"], told["position"], told["events"]) == (140, 142, 6)
    desk.do("payroll", "export", "--period", "2025-02", "--out", tmp_path, "--format", "json")
    assert told["statement"] == json.loads((tmp_path / "2025-02" / "ann.json").read_text())
    said = desk.away("audit", "check", file, "--key", key).stdout
    assert said.startswith(
        "Statement 2025-02/ann is what was issued: 400.00 USD (3 lines, 6 events behind).\n"
    )
    checked = ("audit", "check", file, "--key", key, "--checkpoint", kept, "--json")
    assert code_of(desk.away(*checked)) == "other_checkpoint"
    desk.do("audit", "bundle", "2025-02/ann", "--for-checkpoint", kept, "--out", file)
    assert json.loads(desk.away(*checked).stdout)["size"] == 167


def test_every_statement_is_proven_to_whoever_has_the_key(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "bundle.json"
    for period in ("2025-01", "2025-03"):
        issued = json.loads(desk.do("payroll", "statements", "--period", period, "--json"))["statements"]
        for one in issued:
            desk.do("audit", "bundle", f"{period}/{one['rep']}", "--out", file)
            found = json.loads(desk.run("audit", "check", file, "--json", DATABASE_URL=NOWHERE).stdout)
            assert found["statement"]["total"] == one["total"]


def test_refusals_have_codes(desk: Desk, tmp_path: Path) -> None:
    file, key = tmp_path / "bundle.json", tmp_path / "audit.key"
    assert code_of(desk.run("audit", "bundle", "2025-09/ann")) == "unknown_statement"
    assert code_of(desk.run("audit", "bundle", "2025-02/nobody")) == "unknown_statement"
    assert code_of(desk.run("audit", "bundle", "ann")) == "invalid_data"
    (tmp_path / "bad").write_text("no note")
    assert (
        code_of(desk.run("audit", "bundle", "2025-02/ann", "--for-checkpoint", tmp_path / "bad"))
        == "malformed_note"
    )
    (tmp_path / "bad").write_bytes(b"\xff\n")
    assert (
        code_of(desk.run("audit", "bundle", "2025-02/ann", "--for-checkpoint", tmp_path / "bad"))
        == "malformed_note"
    )
    desk.do("audit", "bundle", "2025-02/ann", "--out", file)
    assert code_of(desk.away("audit", "check", file, "--json")) == "no_audit_key"
    file.write_text(file.read_text().replace('"total":"400.00"', '"total":"401.00"'))
    assert code_of(desk.run("audit", "check", file, "--json")) == "statement_differs"
    key.unlink()
    (other,) = json.loads(desk.do("audit", "keygen", "--json"))["signing"]
    assert code_of(desk.run("audit", "check", file, "--key", other, "--json")) == "unknown_signer"
    assert desk.run("audit", "bundle", "2025-02/ann", "--out", "/nowhere/x.json").exit_code == 2
    assert desk.run("audit", "bundle").exit_code == 2
