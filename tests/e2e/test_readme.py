"""What the documents show is what their commands print, each company in a fresh home."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"^```sh run(?: exit=(?P<code>\d))?\n(?P<commands>.*?)^```\n(?:\n```text\n(?P<shown>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)
TOGETHER = (("README.md", "docs/guide.md"), ("docs/payroll.md",), ("docs/audit.md",))
"""Documents about one company: the demo's, and that of docs/examples/payroll.ndjson."""
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def _blocks(document: str) -> Iterator[tuple[int, str, str]]:
    """Exit code, commands and output of each block that is to be run."""
    for block in BLOCK.finditer((ROOT / document).read_text()):
        yield int(block["code"] or 0), block["commands"], block["shown"] or "…\n"


def _bare(text: str) -> list[str]:
    """Lines that say something; runs of blanks and of rules count as one."""
    return [re.sub(r"([ ─])\1+", r"\1", line).rstrip() for line in text.splitlines() if line.strip()]


def _pattern(shown: str) -> str:
    """`…` alone on a line stands for any lines, within a line for anything."""
    lines = [
        r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line).replace("…", ".*") + r"\n"
        for line in _bare(shown)
    ]
    return "".join(lines)


@pytest.fixture
def home() -> Iterator[str]:
    """Not in the folder of pytest, which another run as root would close to the server in the meantime."""
    with tempfile.TemporaryDirectory(prefix="dealtrail-") as folder:
        yield folder


@pytest.mark.parametrize("documents", TOGETHER, ids=" ".join)
def test_what_the_documents_show_is_what_the_commands_print(
    documents: tuple[str, ...], home: str, tmp_path: Path
) -> None:
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parent.parent)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    environment = {**os.environ, "DEALTRAIL_HOME": home, "COLUMNS": "80"}
    for name in ("DATABASE_URL", "DEALTRAIL_TIMEZONE", "DEALTRAIL_CURRENCY", "DEALTRAIL_AUDIT_KEY"):
        environment.pop(name, None)
    ran = 0
    for document in documents:
        for code, commands, shown in _blocks(document):
            done = subprocess.run(
                ["bash", "-e", "-c", commands],
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if code else subprocess.PIPE,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == code, f"{document}: {commands}{done.stdout}{done.stderr}"
            printed = "\n".join(_bare(done.stdout)) + "\n"
            assert re.fullmatch(_pattern(shown), printed), f"{document}: {commands}prints\n{printed}"
            ran += 1
    assert ran >= 12


def test_the_readmes_two_commands_are_there() -> None:
    readme = (ROOT / "README.md").read_text()
    assert re.findall(r"^    make (\w+)", readme, re.MULTILINE) == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^demo: install .*\n\t\$\(BIN\)/dealtrail demo$", makefile, re.MULTILINE)
    assert re.search(r"^test: install check ", makefile, re.MULTILINE)


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for target in LINK.findall(document.read_text())
        if not (document.parent / target).exists()
    ]
    assert broken == []
