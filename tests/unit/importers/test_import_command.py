"""The command's body: which files are read, exit codes, the summary and Ctrl-C."""

import io
import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from importing import GOOD, HEADER, MAPPING
from recording_submitter import RecordingSubmitter

from adapters.cli.import_ import ImportRequest, line_max_of, run_import
from adapters.importers.submission import Submitter
from adapters.settings import BadSetting
from services.answers import Answer
from services.intake import Submission

ACTION = b'{"source": "s", "id": "1", "type": "lead.claim"}\n'


class Command:
    """Runs the command against one engine and keeps what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.engine: RecordingSubmitter = RecordingSubmitter()
        self.opened = 0
        self._capsys = capsys

    def __call__(
        self, *files: str | Path, stdin: bytes = b"", **options: Any
    ) -> tuple[int, dict[str, Any], str]:
        request = ImportRequest([str(file) for file in files], as_json=True, **options)
        code = run_import(request, self._submitter, stdin=io.BytesIO(stdin))
        out, err = self._capsys.readouterr()
        return code, json.loads(out) if out else {}, err

    @contextmanager
    def _submitter(self) -> Iterator[Submitter]:
        self.opened += 1
        yield self.engine


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    return Command(capsys)


@pytest.fixture
def mapping(tmp_path: Path) -> str:
    owners = '[[section]]\nname = "owners"\nfiles = ["team*.csv", "TEAM.tsv"]\nkey = "{rep}"\nactor = "a"\n'
    hire = '[[section.action]]\ntype = "rep.hire"\nsubject = "{rep}"\nonce = true\ntime = 2020-01-01\n'
    deals = MAPPING[MAPPING.index("[[section]]") :]
    (tmp_path / "m.toml").write_text('source = "test"\n' + owners + hire + deals, "utf-8")
    return str(tmp_path / "m.toml")


def test_everything_went_in(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(ACTION)
    code, report, err = command("a.ndjson")
    assert (code, report["accepted"], report["rejects"], err) == (0, 1, None, "")


def test_rejects_are_next_to_the_first_file_and_name_theirs_if_there_are_several(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.ndjson").write_bytes(ACTION + b"x\n")
    (tmp_path / "b.ndjson").write_bytes(b"\ny\n")
    code, report, _ = command("in/a.ndjson", "b.ndjson")
    assert (code, report["rejected"], report["rejects"]) == (1, 2, "in/a.ndjson.rejects.ndjson")
    lines = [json.loads(line) for line in Path(report["rejects"]).read_text("utf-8").splitlines()]
    assert [(line["file"], line["line"], line["input"]) for line in lines] == [
        ("in/a.ndjson", 2, "x"),
        ("b.ndjson", 2, "y"),
    ]


def test_stdin(command: Command) -> None:
    code, report, _ = command("-", stdin=ACTION + b"x\n")
    assert (code, report["accepted"], report["rejects"]) == (1, 1, "stdin.rejects.ndjson")
    assert json.loads(Path("stdin.rejects.ndjson").read_text("utf-8"))["line"] == 2


def test_rejects_go_where_they_are_wanted(command: Command) -> None:
    assert command("-", stdin=b"x", rejects="wrong.ndjson")[1]["rejects"] == "wrong.ndjson"
    assert Path("wrong.ndjson").exists()


def test_files_are_read_in_the_order_of_the_mapping(command: Command, tmp_path: Path, mapping: str) -> None:
    (tmp_path / "deals-1.csv").write_text(HEADER + GOOD, "utf-8")
    (tmp_path / "Team_a.CSV").write_text("rep\nAnn\n", "utf-8")
    (tmp_path / "team.tsv").write_text("rep\nBob\nAnn\n", "utf-8")
    (tmp_path / "other.csv").write_text("nothing", "utf-8")
    for files in (["deals-1.csv", "team.tsv", "Team_a.CSV"], [str(tmp_path)]):
        command.engine = RecordingSubmitter()
        code, report, _ = command(*files, mapping=mapping)
        assert (code, report["accepted"]) == (0, 3)
        assert [action["type"] for action in command.engine.actions] == ["rep.hire", "rep.hire", "deal.win"]


def test_a_directory_has_its_rejects_by_its_first_file(
    command: Command, tmp_path: Path, mapping: str
) -> None:
    (tmp_path / "deals.csv").write_text(HEADER + "b,Paused,2025-07-01,1\n", "utf-8")
    assert command(".", mapping=mapping)[1]["rejects"] == "deals.csv.rejects.ndjson"


def test_a_line_that_two_sections_refuse_is_rejected_once(
    command: Command, tmp_path: Path, mapping: str
) -> None:
    text = Path(mapping).read_text("utf-8").replace('["team*.csv", "TEAM.tsv"]', '"deals*.csv"')
    Path(mapping).write_text(text.replace("rep}", "id}"), "utf-8")
    (tmp_path / "deals.csv").write_text(HEADER + "b,Won\n", "utf-8")
    assert command("deals.csv", mapping=mapping)[1]["rejected"] == 1


@pytest.mark.parametrize(
    ("files", "options", "exit_code", "error", "says"),
    [
        (["gone.ndjson"], {}, 2, "no_file", "gone.ndjson: No such file"),
        (["."], {}, 2, "wrong_usage", "--mapping"),
        (["-"], {"mapping": "m.toml"}, 2, "wrong_usage", "stdin"),
        (
            ["other.csv"],
            {"mapping": "m.toml"},
            2,
            "no_section",
            "owners (team*.csv TEAM.tsv), deals (deals*.csv)",
        ),
        (["empty"], {"mapping": "m.toml"}, 2, "no_section", "owners"),
        (["team.csv"], {"mapping": "gone.toml"}, 2, "no_file", "gone.toml"),
        (["team.csv"], {"mapping": "other.csv"}, 2, "invalid_mapping", "other.csv: not TOML"),
        (["team.csv"], {"mapping": "m.toml"}, 1, "missing_column", "no column rep"),
        (["deals.csv"], {"mapping": "m.toml"}, 1, "wrong_delimiter", "delimiter = ';'"),
        (["other.csv"], {"rejects": "other.csv"}, 2, "rejects_not_writable", "one of the files"),
        (["other.csv"], {"rejects": "no/where.ndjson"}, 2, "rejects_not_writable", "--rejects"),
    ],
)
def test_what_cannot_be_meant_is_told_before_anything_is_imported(
    command: Command,
    tmp_path: Path,
    mapping: str,
    files: list[str],
    options: dict[str, Any],
    exit_code: int,
    error: str,
    says: str,
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.csv").write_text("x y", "utf-8")
    (tmp_path / "team.csv").write_text("name,office\n", "utf-8")
    (tmp_path / "deals.csv").write_text(HEADER.replace(",", ";"), "utf-8")
    code, report, err = command(*files, **options)
    told = json.loads(err)["error"]
    assert (code, told["code"], report) == (exit_code, error, {})
    assert says in told["message"]
    assert command.engine.batches == []


def test_people_read_sentences(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    run_import(ImportRequest(["-"]), command._submitter, stdin=io.BytesIO(ACTION + b"x"))
    out, _ = capsys.readouterr()
    assert out.startswith("1 action accepted (1 event), 0 known before, 1 line rejected")
    assert "stdin.rejects.ndjson" in out
    run_import(ImportRequest(["gone"]), command._submitter)
    assert capsys.readouterr().err == "no_file: gone: No such file or directory.\n"


class Interrupted(RecordingSubmitter):
    """Somebody presses Ctrl-C while the second batch is being recorded."""

    def submit(self, submissions: Sequence[Submission], *, migration: bool = False) -> Sequence[Answer]:
        if len(self.batches) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return super().submit(submissions, migration=migration)


def test_ctrl_c_ends_between_batches_and_the_next_run_completes(command: Command) -> None:
    text = b"".join(ACTION.replace(b'"1"', b'"%d"' % number) for number in range(3_500))
    command.engine = Interrupted()
    code, report, err = command("-", stdin=text)
    assert (code, report["accepted"], report["interrupted"]) == (130, 2_000, True)
    assert "run the same command again" in err
    code, report, _ = command("-", stdin=text)
    assert (code, report["accepted"], report["duplicates"]) == (0, 1_500, 2_000)


def test_ctrl_c_ends_the_reading_at_once(command: Command) -> None:
    class Waiting(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            os.kill(os.getpid(), signal.SIGINT)
            return b""

    code = run_import(ImportRequest(["-"]), command._submitter, stdin=Waiting())
    assert code == 130


def test_an_error_of_the_engine_is_not_swallowed(command: Command) -> None:
    def broken(action: Mapping[str, Any]) -> str | None:
        raise ConnectionError("gone")

    command.engine = RecordingSubmitter(broken)
    with pytest.raises(ConnectionError):
        command("-", stdin=ACTION)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_longest_line_is_a_setting() -> None:
    assert line_max_of({}) == 1_048_576
    assert line_max_of({"DEALTRAIL_LINE_MAX": "2000"}) == 2_000
    for wrong in ("0", "-1", "1MB", "²"):
        with pytest.raises(BadSetting, match="DEALTRAIL_LINE_MAX"):
            line_max_of({"DEALTRAIL_LINE_MAX": wrong})
