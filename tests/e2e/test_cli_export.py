"""`audit export` and the way back, from the command line, as docs/export.md says."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from payday import Payday

from adapters.cli.audit_export import FORMATS
from adapters.cli.main import cli
from adapters.export.concerns import NAMED, OBJECT_TYPES
from adapters.export.files import CHECKPOINTS, FILES
from adapters.export.objects import CHANGING, LASTING
from adapters.postgres.embedded import _binaries

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "export.md").read_text()
COMMAND = Path(sys.executable).parent / "dealtrail"
Run = Callable[..., Result]


@pytest.fixture
def head(database_url: str) -> int:
    """A company's log, and its last position."""
    payday = Payday(database_url, now="2026-01-10T09:00:00Z").founded("ann")
    payday.win("D-1", "1000")
    position = payday.store.head()
    payday.close_database()
    return position


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    def run(*words: object, url: str = database_url) -> Result:
        environment = {
            "DATABASE_URL": url,
            "DEALTRAIL_HOME": str(tmp_path / "home"),
            "DEALTRAIL_AUDIT_KEY": "",
        }
        return CliRunner().invoke(cli, [str(word) for word in words], env=environment)

    return run


def shell(text: str, folder: Path, **environment: str) -> str:
    path = f"{COMMAND.parent}:{_binaries()}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-euc", text],
        cwd=folder,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), text
    return done.stdout


def answer(result: Result, code: int = 0) -> dict[str, Any]:
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def rows(url: str, table: str) -> list[Any]:
    with psycopg.connect(url) as database:
        return database.execute(f"SELECT * FROM {table} ORDER BY 1, 2".encode()).fetchall()


def test_the_commands_of_the_page_take_a_log_from_one_database_to_another(
    head: int, run: Run, database_url: str, other_database_url: str, tmp_path: Path
) -> None:
    zoe = ("L-9", 'keys={"phone": "+491701234567"}', "name=Zoe")
    told = run("record", "lead.register", *zoe, "--actor", "ann")
    assert told.exit_code == 0, told.output
    assert run("audit", "seal").exit_code == 0
    first, hashed, back, both = [part.split("\n```", 1)[0] for part in PAGE.split("```sh\n")[1:]]
    assert "events in exported" in shell(first, tmp_path, DATABASE_URL=database_url)
    with psycopg.connect(database_url) as log:
        (leaf_hash,) = (
            log.execute("SELECT leaf_hash FROM log.event WHERE notification_id = 1").fetchone() or ()
        )
    assert shell(hashed, tmp_path).split()[0] == leaf_hash.hex()
    with_vault, import_vault = both.splitlines()
    shell(with_vault, tmp_path, DATABASE_URL=database_url)
    assert (tmp_path / "vault.ndjson").stat().st_mode & 0o777 == 0o600
    assert import_vault.startswith(back)
    assert " actions are back" in shell(import_vault, tmp_path, DATABASE_URL=other_database_url)
    for table in ("vault.secret", "vault.key", "audit.checkpoint", "log.event"):
        assert rows(database_url, table) == rows(other_database_url, table) != []
    assert answer(run("lead", "L-9", "--json", url=other_database_url))["name"] == "Zoe"
    (tmp_path / "exported").rename(tmp_path / "before")
    shell(first, tmp_path, DATABASE_URL=other_database_url)
    for name in (*FILES.values(), CHECKPOINTS):
        assert (tmp_path / "exported" / name).read_bytes() == (tmp_path / "before" / name).read_bytes()


def test_without_the_vault_nobody_is_known(
    head: int, run: Run, other_database_url: str, tmp_path: Path
) -> None:
    run("audit", "export", "--out", tmp_path, "--format", "ndjson")
    told = run("import", tmp_path / "log.ndjson", url=other_database_url)
    assert (told.exit_code, "Without --vault" in told.stderr) == (0, True)
    with psycopg.connect(other_database_url) as log:
        assert log.execute("SELECT DISTINCT name FROM read.rep").fetchall() == [("[erased]",)]


def test_a_broken_vault_or_checkpoint_changes_nothing(
    head: int, run: Run, other_database_url: str, tmp_path: Path
) -> None:
    assert run("audit", "seal").exit_code == 0
    log, vault = tmp_path / "log.ndjson", tmp_path / "vault"
    run("audit", "export", "--out", tmp_path, "--format", "ndjson", "--vault", vault)
    lines = vault.read_bytes().splitlines(keepends=True)
    for broken in (b"", b"".join(lines[1:]), b"".join([*lines, b"{}\n"]), lines[0] + lines[1][:-9] + b"\n"):
        (tmp_path / "broken").write_bytes(broken)
        refused = answer(
            run("import", log, "--vault", tmp_path / "broken", "--json", url=other_database_url), 1
        )
        assert refused["error"]["code"] == "broken_vault"
    sealed = tmp_path / CHECKPOINTS
    sealed.write_text(sealed.read_text().replace(f'"size": {head}', f'"size": {head + 1}'))
    refused = answer(run("import", log, "--vault", vault, "--json", url=other_database_url), 1)
    assert refused["error"]["code"] == "broken_checkpoints"
    with psycopg.connect(other_database_url) as other:
        assert other.execute("SELECT count(*) FROM log.event").fetchone() == (0,)
        assert other.execute("SELECT count(*) FROM vault.key").fetchone() == (0,)
    again = run("import", "-", "--vault", vault, url=other_database_url)
    assert again.exit_code == 2


def test_it_says_what_was_written(head: int, run: Run, tmp_path: Path) -> None:
    told = answer(
        run("audit", "export", "--out", tmp_path, "--format", "xes", "--format", "ndjson", "--json")
    )
    assert told == {
        "position": head,
        "folder": str(tmp_path),
        "files": ["log.ndjson", "deals.xes", CHECKPOINTS],
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == [CHECKPOINTS, "deals.xes", "log.ndjson"]
    assert len((tmp_path / "log.ndjson").read_bytes().splitlines()) == head


def test_an_earlier_end_is_one_that_there_was(head: int, run: Run, tmp_path: Path) -> None:
    options = ("audit", "export", "--out", tmp_path, "--format", "ndjson", "--until")
    assert "3 events in" in run(*options, 3).stdout
    beyond = run(*options, head + 1)
    assert beyond.exit_code == 2
    assert f"the log ends at position {head}" in beyond.output


def test_a_place_that_cannot_be_written_is_refused(head: int, run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = run("audit", "export", "--out", tmp_path / "file", "--json")
    assert json.loads(refused.stdout)["error"]["code"] == "cannot_write"
    assert refused.exit_code == 1


def test_import_tells_of_an_export_what_it_tells_of_actions(
    head: int, run: Run, other_database_url: str, tmp_path: Path
) -> None:
    run("audit", "export", "--out", tmp_path, "--format", "ndjson")
    log = tmp_path / "log.ndjson"
    told = answer(run("import", log, "--json", url=other_database_url))
    assert told.pop("seconds") > 0
    assert told.pop("accepted") < head
    assert told == {"duplicates": 0, "rejected": 0, "events": head, "rejects": None}
    assert answer(run("deal", "D-1", "--json", url=other_database_url))["status"] == "won"
    twice = answer(run("import", log, "--json", url=other_database_url), code=1)
    assert twice["error"]["code"] == "log_not_empty"


def test_a_kept_checkpoint_holds_for_the_restored_log_and_is_signed_anew_to_the_byte(
    head: int, run: Run, other_database_url: str, tmp_path: Path
) -> None:
    kept, again = tmp_path / "kept", tmp_path / "again"
    assert run("audit", "seal", "--out", kept).exit_code == 0
    run("audit", "export", "--out", tmp_path, "--format", "ndjson")
    assert answer(run("import", tmp_path / "log.ndjson", "--json", url=other_database_url))["events"] == head
    verified = run("audit", "verify", "--checkpoint", kept, url=other_database_url)
    assert verified.exit_code == 0, verified.output
    assert run("audit", "seal", "--out", again, url=other_database_url).exit_code == 0
    assert again.read_bytes() == kept.read_bytes()


def test_a_cut_tail_is_seen_by_a_kept_checkpoint(
    head: int, run: Run, other_database_url: str, tmp_path: Path
) -> None:
    assert run("audit", "seal", "--out", tmp_path / "kept").exit_code == 0
    run("audit", "export", "--out", tmp_path, "--format", "ndjson", "--until", head - 1)
    assert run("import", tmp_path / "log.ndjson", url=other_database_url).exit_code == 0
    assert run("audit", "verify", "--checkpoint", tmp_path / "kept", url=other_database_url).exit_code == 1


def test_an_export_is_imported_alone(head: int, run: Run, other_database_url: str, tmp_path: Path) -> None:
    run("audit", "export", "--out", tmp_path, "--format", "ndjson")
    (tmp_path / "other.ndjson").write_text("{}\n")
    both = run("import", tmp_path / "other.ndjson", tmp_path / "log.ndjson", url=other_database_url)
    assert both.exit_code == 2
    assert "alone" in both.output


def test_an_export_comes_in_through_a_pipe(
    head: int, run: Run, other_database_url: str, tmp_path: Path
) -> None:
    run("audit", "export", "--out", tmp_path, "--format", "ndjson")
    said = shell("cat log.ndjson | dealtrail import - 2>/dev/null", tmp_path, DATABASE_URL=other_database_url)
    assert said.startswith(f"{head} events of ")


def test_a_broken_export_changes_nothing(
    head: int, run: Run, other_database_url: str, tmp_path: Path
) -> None:
    run("audit", "export", "--out", tmp_path, "--format", "ndjson")
    log = tmp_path / "log.ndjson"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:2] + lines[3:]))
    refused = answer(run("import", log, "--json", url=other_database_url), code=1)["error"]
    assert (refused["code"], refused["details"]["line"]) == ("broken_export", 3)
    log.write_bytes(b"".join(lines))
    assert answer(run("import", log, "--json", url=other_database_url))["events"] == head


def test_the_page_names_every_file_object_attribute_and_qualifier() -> None:
    assert tuple(FILES) == FORMATS
    for format_, name in FILES.items():
        assert f"`{format_}`" in PAGE
        assert f"`{name}`" in PAGE
    for kind in OBJECT_TYPES:
        lasting, changing = (", ".join(f"`{one}`" for one in names[kind]) for names in (LASTING, CHANGING))
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{kind}` |"))
        assert [cell.strip() for cell in row.split("|")[3:5]] == [lasting, changing]
    for field in NAMED:
        assert f"`{field}`" in PAGE
