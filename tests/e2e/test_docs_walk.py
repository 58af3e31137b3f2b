"""The walk of CONTRIBUTING.md, applied to a copy of the tree and tried there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("domain", "projections", "services", "adapters", "tests", "docs", "pyproject.toml")
BLOCK = re.compile(r"^```(diff|python) (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ACTIONS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("rep.hire", "ann", "admin:eve", {"name": "Ann"}),
    ("rep.hire", "bob", "admin:eve", {"name": "Bob"}),
    ("lead.register", "L-1", "ann", {"name": "Acme", "keys": {"external": "1"}}),
    ("lead.register", "L-2", "ann", {"name": "Bold", "keys": {"external": "2"}}),
    ("lead.rate", "L-1", "ann", {"rating": "hot"}),
    ("lead.rate", "L-1", "ann", {"rating": "hot"}),
    ("lead.rate", "L-2", "ann", {"rating": "cold"}),
    ("lead.rate", "L-2", "bob", {"rating": "hot"}),
    ("lead.rate", "L-2", "ann", {"rating": "lukewarm"}),
)


def _change(text: str, hunks: str, file: str) -> str:
    """The text with every hunk's old lines, found exactly once, in favour of its new ones."""
    for hunk in hunks.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] or "\n" for line in lines if not line.startswith("+"))
        new = "".join(line[1:] or "\n" for line in lines if not line.startswith("-"))
        assert text.count(old) == 1, f"{file} has {text.count(old)} times:\n{old}"
        text = text.replace(old, new)
    return text


def _blocks() -> list[tuple[str, str, str]]:
    """Kind, file and body of every block that changes or makes a file."""
    return BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text())


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree in which the walk was gone."""
    copy = tmp_path_factory.mktemp("walked")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    assert len(_blocks()) >= 10
    for kind, name, body in _blocks():
        file = copy / name
        assert file.exists() == (kind == "diff"), name
        file.write_text(_change(file.read_text(), body, name) if kind == "diff" else body)
    return copy


def _run(copy: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "COLUMNS": "80", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_walk_ends_in_a_command_and_a_route_that_work(walked: Path, database_url: str, port: int) -> None:
    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return _run(walked, "adapters.cli.main", *words, DATABASE_URL=database_url)

    envelope = {"specversion": "1.0", "source": "walk", "time": "2025-01-06T10:00:00Z"}
    actions = [
        envelope | {"id": str(number), "type": kind, "subject": subject, "actor": actor, "data": data}
        for number, (kind, subject, actor, data) in enumerate(ACTIONS)
    ]
    (walked / "walk.ndjson").write_text("".join(json.dumps(action) + "\n" for action in actions))
    imported = command("import", "walk.ndjson", "--json")
    assert (imported.returncode, json.loads(imported.stdout)["rejected"]) == (1, 2), imported.stderr
    rejects = (walked / "walk.ndjson.rejects.ndjson").read_text().splitlines()
    assert [json.loads(line)["error"]["code"] for line in rejects] == ["not_entitled", "invalid_data"]
    found = json.loads(command("hot-leads", "--json").stdout)
    assert [(one["lead"], one["name"], one["owner"]) for one in found["items"]] == [("L-1", "Acme", "ann")]
    before = json.loads(command("hot-leads", "--json", "--as-of", "2024-12-31").stdout)
    assert before["count"] == 0
    shown = command("hot-leads").stdout
    assert "Hot leads: 1" in shown
    assert "Acme" in shown
    assert "hot-leads" in command("--help").stdout
    served = _served(walked, database_url, port)
    assert {rep: [one["lead"] for one in items] for rep, items in served.items()} == {
        "ann": ["L-1"],
        "bob": [],
    }


def _served(walked: Path, database_url: str, port: int) -> dict[str, list[dict[str, Any]]]:
    """What each rep is told over HTTP."""

    def words(*words: str) -> list[str]:
        return [sys.executable, "-m", "adapters.cli.main", *words]

    environment = {**os.environ, "PYTHONPATH": str(walked), "DATABASE_URL": database_url}
    reps = ("ann", "bob")
    make = ("key", "make", "--role", "rep", "--rep")
    keys = [
        subprocess.check_output(words(*make, rep), cwd=walked, env=environment, text=True).strip()
        for rep in reps
    ]
    with subprocess.Popen(words("serve", "--port", str(port)), cwd=walked, env=environment) as server:
        try:
            transport = httpx.HTTPTransport(retries=8)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=30) as client:
                told = [client.get("/hot-leads", headers={"Authorization": f"Bearer {key}"}) for key in keys]
        finally:
            server.terminate()
    assert [one.status_code for one in told] == [200, 200], told[0].text
    return {rep: one.json()["items"] for rep, one in zip(reps, told, strict=True)}


def test_the_walks_own_tests_pass(walked: Path) -> None:
    done = _run(walked, "pytest", "tests/unit/leads/test_rating.py", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_the_walks_event_is_additive_and_its_code_is_tidy(walked: Path) -> None:
    taken = _run(walked, "tests.catalogue")
    assert (taken.returncode, taken.stderr) == (0, "")
    assert "leads.LeadRated" in (walked / "tests" / "catalogue.json").read_text()
    described = _run(walked, "tests.reference")
    assert (described.returncode, described.stderr) == (0, "")
    reference = (walked / "docs" / "reference.md").read_text()
    for line in (
        "| `lead.rate` | `rating` |",
        "### `dealtrail hot-leads`",
        "items: [{lead, name, owner, rated_at",
    ):
        assert line in reference
    code = sorted({name for _, name, _ in _blocks()})
    for rule in (("check",), ("format", "--check")):
        tidy = _run(walked, "ruff", *rule, "--no-cache", *code)
        assert tidy.returncode == 0, tidy.stdout
