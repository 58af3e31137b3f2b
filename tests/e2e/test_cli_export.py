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
from adapters.export.files import FILES
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


def test_the_commands_of_the_page_take_a_log_from_one_database_to_another(
    head: int, database_url: str, other_database_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(other_database_url) as other:
        other.execute("UPDATE vault.secret SET value = 'another'")
    first, hashed, back, vault = [part.split("\n```", 1)[0] for part in PAGE.split("```sh\n")[1:]]
    assert f"{head} events in exported" in shell(first, tmp_path, DATABASE_URL=database_url)
    with psycopg.connect(database_url) as log:
        (leaf_hash,) = (
            log.execute("SELECT leaf_hash FROM log.event WHERE notification_id = 1").fetchone() or ()
        )
    assert shell(hashed, tmp_path).split()[0] == leaf_hash.hex()
    said = shell(back, tmp_path, DATABASE_URL=other_database_url)
    assert said.startswith(f"{head} events of ")
    shell(vault, tmp_path, OLD_DATABASE=database_url, NEW_DATABASE=other_database_url)
    secrets = []
    for url in (database_url, other_database_url):
        with psycopg.connect(url) as log:
            secrets.append(log.execute("SELECT name, value FROM vault.secret ORDER BY name").fetchall())
    assert secrets[0] == secrets[1] != []
    (tmp_path / "exported").rename(tmp_path / "before")
    shell(first, tmp_path, DATABASE_URL=other_database_url)
    for name in FILES.values():
        assert (tmp_path / "exported" / name).read_bytes() == (tmp_path / "before" / name).read_bytes()


def test_it_says_what_was_written(head: int, run: Run, tmp_path: Path) -> None:
    told = answer(
        run("audit", "export", "--out", tmp_path, "--format", "xes", "--format", "ndjson", "--json")
    )
    assert told == {"position": head, "folder": str(tmp_path), "files": ["log.ndjson", "deals.xes"]}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deals.xes", "log.ndjson"]
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
    assert run("audit", "keygen", "--name", "example.com/deals").exit_code == 0
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
    assert run("audit", "keygen", "--name", "example.com/deals").exit_code == 0
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
    said = shell("cat log.ndjson | dealtrail import -", tmp_path, DATABASE_URL=other_database_url)
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
