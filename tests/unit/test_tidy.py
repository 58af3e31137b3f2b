"""The rules of style that a tool can hold."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES_MAX, FUNCTION_LINES_MAX = 400, 60
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
NOT_OURS = re.compile(
    r"https?://[^ \"'>]*(?:pypi|pythonhosted|npmjs|maven|debian)\.|/work/|\.\./shared|shared/data",
    re.IGNORECASE,
)


def _tracked(*suffixes: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = [ROOT / name for name in listed.stdout.splitlines()]
    return [file for file in files if file.suffix in suffixes and file.exists()]


def _code() -> list[Path]:
    return [file for file in _tracked(".py") if "tests" not in file.parts]


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_there_is_code_to_look_at() -> None:
    assert len(_code()) > 20


@pytest.mark.parametrize("file", _code(), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_and_its_functions_stay_readable(file: Path) -> None:
    text = file.read_text()
    assert len(text.splitlines()) <= FILE_LINES_MAX
    tree = ast.parse(text)
    assert file.name == "__init__.py" or ast.get_docstring(tree), "a module says in one line what it is"
    for function in _functions(tree):
        lines = (function.end_lineno or 0) - function.lineno + 1
        assert lines <= FUNCTION_LINES_MAX, f"{function.name} has {lines} lines"


def test_no_name_says_nothing() -> None:
    assert [file for file in _tracked(".py") if file.stem in VAGUE_NAMES] == []


def test_nothing_is_left_to_do_later() -> None:
    later = re.compile(r"\b(" + "TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    assert [file for file in _tracked(".py", ".md", ".toml", ".sql") if later.search(file.read_text())] == []


def test_nothing_names_the_place_where_it_was_made() -> None:
    files = [
        file for file in _tracked(".py", ".md", ".toml", ".sql", ".txt", ".yaml") if "tests" not in file.parts
    ]
    assert [file for file in files if NOT_OURS.search(file.read_text())] == []
