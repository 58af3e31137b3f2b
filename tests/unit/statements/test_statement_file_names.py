"""Where the files go: safe names, whole files, the same bytes anywhere."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statement_samples import EMPTY, FROZEN, issued

from adapters.statements.files import FORMATS, export, file_name

TESTS = Path(__file__).parent


def test_plain_ids_name_their_files() -> None:
    assert [file_name(rep) for rep in ("rep-7", "anna_2", "7")] == ["rep-7", "anna_2", "7"]


@pytest.mark.parametrize(
    ("rep", "slug"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("..", "rep"),
        ("", "rep"),
        ("Rep-7", "rep-7"),
        ("con", "con"),
        ("a.b", "a-b"),
        ("王小明", "rep"),
        ("Łukasz Żak", "ukasz-ak"),
        ("x" * 900, "x" * 40),
        ("-rf", "rf"),
    ],
)
def test_other_ids_get_a_safe_name(rep: str, slug: str) -> None:
    name, digest = file_name(rep).split("~")
    assert (name, len(digest)) == (slug, 16)


@given(st.text(), st.text())
def test_names_are_safe_and_no_two_ids_share_one(one: str, other: str) -> None:
    names = {file_name(rep).casefold() for rep in (one, other, one.upper(), one.lower(), file_name(one))}
    assert len(names) == len({one, other, one.upper(), one.lower(), file_name(one)})
    for name in names:
        assert name.isascii()
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-~")
        assert 0 < len(name) <= 64


def test_files_go_into_the_periods_folder(tmp_path: Path) -> None:
    frozen = replace(FROZEN, statements=(EMPTY, issued("../Eve")))
    eve = file_name("../Eve")
    told: list[tuple[int, int]] = []
    written = export(frozen, tmp_path / "new", FORMATS, lambda done, total: told.append((done, total)))
    folder = tmp_path / "new" / "2026-10"
    assert {path.name for path in folder.iterdir()} == {
        *("statements.csv", "lines.csv"),
        *(f"{name}.{ending}" for name in ("rep-9", eve) for ending in ("json", "html", "pdf")),
    }
    assert sorted(written) == sorted(folder.iterdir())
    assert [path.name for path in tmp_path.rglob("*") if path.is_dir()] == ["new", "2026-10"]
    assert told == [(1, 2), (2, 2)]


def test_only_the_formats_asked_for_are_written(tmp_path: Path) -> None:
    assert len(export(FROZEN, tmp_path, ["json"])) == len(FROZEN.statements)
    assert {path.suffix for path in (tmp_path / "2026-10").iterdir()} == {".json"}


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "2026-10").mkdir()
    before = tmp_path / "2026-10" / "rep-7.json"
    before.write_bytes(b"x" * 100_000)
    kept = before.open("rb")
    export(FROZEN, tmp_path, ["json"])
    assert kept.read() == b"x" * 100_000  # Whoever was reading goes on with the old one.
    kept.close()
    assert before.read_bytes().startswith(b'{"checkpoint"')
    assert len(list((tmp_path / "2026-10").iterdir())) == len(FROZEN.statements)


def test_what_cannot_be_written_leaves_nothing_half(tmp_path: Path) -> None:
    (tmp_path / "2026-10" / "rep-7.json").mkdir(parents=True)
    with pytest.raises(OSError, match=r"rep-7\.json"):
        export(FROZEN, tmp_path, ["json"])
    assert [path.name for path in (tmp_path / "2026-10").iterdir()] == ["rep-7.json"]


def test_the_bytes_are_the_same_in_another_process_zone_and_locale(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from statement_samples import FROZEN;"
        "from adapters.statements.files import FORMATS, export; export(FROZEN, Path(sys.argv[1]), FORMATS)"
    )
    export(FROZEN, tmp_path / "here", FORMATS)
    elsewhere = {"PYTHONPATH": str(TESTS), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "there"],
        env={**os.environ, **elsewhere},
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    here, there = (
        {path.name: path.read_bytes() for path in (tmp_path / place / "2026-10").iterdir()}
        for place in ("here", "there")
    )
    assert here == there
    assert len(here) == 2 + 3 * len(FROZEN.statements)
