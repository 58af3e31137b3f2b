"""Files as they come: sent twice, broken, repaired, too large, in a hurry; and the migration's own rules."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from company import Action, Company, action, as_line, contact, founding, register

COMMAND = Path(sys.executable).parent / "dealtrail"
MIGRATION = ("--migration",)
BOM = b"\xef\xbb\xbf"


@pytest.fixture
def empty(database_url: str, tmp_path: Path) -> Company:
    return Company(database_url, tmp_path)


@pytest.fixture
def company(empty: Company) -> Company:
    empty.accept(*founding())
    return empty


def json_of(line: Action) -> bytes:
    return json.dumps(line).encode()


def test_the_same_action_has_one_effect_whatever_comes_with_its_id(company: Company) -> None:
    first, other = register("L-1", 1, id="same"), register("L-2", 2, id="same")
    company.accept(first, other)
    assert (company.summary["accepted"], company.summary["duplicates"], company.summary["events"]) == (
        1,
        1,
        3,
    )
    company.accept(first)
    assert (company.summary["duplicates"], company.summary["events"]) == (1, 0)
    assert company.run("owner", "L-2").exit_code == 1
    company.accept(other | {"source": "another"})  # An id is the source's own.
    assert company.summary["accepted"] == 1


def test_what_changes_nothing_is_known_when_it_comes_again(company: Company) -> None:
    again = register("L-1", 1)
    company.accept(register("L-1", 1), again)
    company.accept(again)
    assert company.summary["duplicates"] == 1


def test_a_refused_action_may_be_repaired_and_sent_under_its_id(company: Company) -> None:
    broken = action("lead.register", "L-1", {"keys": {"phone": "12"}})
    assert company.refuse(broken)["code"] == "invalid_key"
    company.accept(broken | {"data": {"keys": {"phone": "+79160000001"}}})
    assert not company.rejects.exists()  # Nothing is refused any more, so nothing is left of it.


def test_rejects_hold_the_line_as_it_came_and_can_be_sent_again(company: Company) -> None:
    early, late = contact("L-1"), register("L-1", 1)
    assert company.codes(early, late) == ["unknown_lead", None]
    (rejected,) = company.rejected()
    assert rejected.keys() == {"line", "error", "input"}
    assert rejected["line"] == 1
    assert rejected["error"].keys() == {"code", "message", "details"}
    assert json.loads(rejected["input"]) == early
    assert company.send(rejected["input"].encode()) == [None]


def test_a_line_that_is_no_action_is_refused_and_the_rest_goes_on(company: Company) -> None:
    whole = json_of(register("L-1", 1))
    lines: dict[bytes, str | None] = {
        b"{": "malformed",
        b"not json": "malformed",
        b"[]": "malformed",
        b"null": "malformed",
        b'"text"': "malformed",
        whole + b" {}": "malformed",
        whole.replace(b"acceptance", b"acc\xffeptance"): "malformed",
        whole.replace(b"acceptance", b"acc\\u0000eptance"): "malformed",
        whole.replace(b"acceptance", b"acc\\ud800eptance"): "malformed",
        b"[" * 5000 + b"]" * 5000: "malformed",
        json_of(register("L-2", 2, data={"name": "x" * 10_000_000})): "too_large",
        b"  ": None,
        b"": None,
        whole + b"\r": None,
    }
    errors = company.send(*lines)
    assert [error and error["code"] for error in errors] == list(lines.values())
    assert company.summary["accepted"] == 1
    assert (errors[10] or {})["details"]["line_max"] == 2**20
    assert "byte " in (errors[6] or {})["message"]
    kept = {one["line"]: one["input"] for one in company.rejected()}
    assert kept[2] == "not json"
    assert kept[7].encode("utf-8", "surrogateescape") == list(lines)[6]
    assert 0 < len(kept[11]) <= 1000


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(company: Company) -> None:
    file = company.folder / "windows.ndjson"
    file.write_bytes(BOM + json_of(register("L-1", 1)) + b"\r\n\r\n" + json_of(register("L-2", 2)))
    done = company.run("import", file, "--json")
    assert (done.exit_code, json.loads(done.stdout)["accepted"]) == (0, 2)


def test_stdin_is_read_beside_files_and_rejects_say_which(company: Company) -> None:
    file = company.folder / "one.ndjson"
    file.write_bytes(as_line(register("L-1", 1)))
    done = company.run(
        "import", file, "-", "--json", "--rejects", company.rejects, given=as_line(register("L-2", 2)) + b"{"
    )
    assert (done.exit_code, json.loads(done.stdout)["accepted"]) == (1, 2)
    assert [(one["file"], one["line"]) for one in company.rejected()] == [("stdin", 2)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import",), "Missing argument"),
        (("import", "{folder}"), "is a directory"),
        (("import", "{folder}/missing"), "No such file"),
        (("import", "{folder}/empty", "--rejects", "{folder}/no/where"), "--rejects"),
        (("import", "{folder}/empty", "--rejects", "{folder}/empty"), "one of the files to read"),
        (("import", "{folder}/empty", "--mapping", "{folder}/missing.toml"), "No such file"),
        (("import", "{folder}/empty", "--colour"), "No such option"),
        (("owner",), "Missing argument"),
        (("queue",), "--rep"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_to_do(
    company: Company, words: tuple[str, ...], said: str
) -> None:
    (company.folder / "empty").touch()
    done = company.run(*(word.format(folder=company.folder) for word in words))
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


def test_an_empty_file_is_no_mistake(company: Company) -> None:
    file = company.folder / "empty"
    file.touch()
    done = company.run("import", file, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) | {"seconds": 0} == {
        "accepted": 0,
        "duplicates": 0,
        "rejected": 0,
        "events": 0,
        "seconds": 0,
        "rejects": None,
    }


def test_two_processes_with_the_same_file_complete_it_once(company: Company) -> None:
    file = company.folder / "same.ndjson"
    file.write_bytes(b"".join(as_line(register(f"L-{number}", number)) for number in range(1_500)))
    both = [
        subprocess.Popen(
            [COMMAND, "import", file, "--json"],
            stdout=subprocess.PIPE,
            env={**os.environ, **company.environment},
        )
        for _ in range(2)
    ]
    summaries = [json.loads(one.communicate(timeout=120)[0]) for one in both]
    assert sum(summary["accepted"] for summary in summaries) == 1_500
    assert sum(summary["duplicates"] for summary in summaries) == 1_500
    assert sum(summary["events"] for summary in summaries) == 4_500


def test_a_migration_keeps_recording_times_in_their_order(empty: Company) -> None:
    older = [
        *founding(recordedtime="2026-01-01T00:00:00Z"),
        register("L-1", 1, recordedtime="2026-01-05T10:00:00.123456+03:00"),
        contact("L-1", recordedtime="2026-01-05T07:00:00.123456Z"),  # The same moment: in order.
    ]
    empty.accept(*older[:4], flags=MIGRATION)  # Interrupted here,
    empty.accept(*older, flags=MIGRATION)  # and run again.
    assert (empty.summary["accepted"], empty.summary["duplicates"]) == (len(older) - 4, 4)
    timeline = empty.ask("lead", "L-1")["timeline"]
    assert {event["recorded_at"] for event in timeline} == {"2026-01-05T07:00:00.123456+00:00"}
    (late,) = empty.send(contact("L-1", recordedtime="2026-01-05T07:00:00Z"), flags=MIGRATION)
    assert late is not None
    assert late["code"] == "recordedtime_order"
    assert late["details"] == {
        "recordedtime": "2026-01-05T07:00:00+00:00",
        "reached": "2026-01-05T07:00:00.123456+00:00",
    }


def test_recording_times_are_taken_in_a_migration_before_going_live_only(empty: Company) -> None:
    older = founding(recordedtime="2026-01-01T00:00:00Z")
    empty.accept(*older, flags=MIGRATION)
    dated = register("L-1", 1, recordedtime="2026-01-02T00:00:00Z")
    refused = empty.refuse(dated)
    assert (refused["code"], "--migration" in refused["message"]) == ("not_migration", True)
    future = register("L-2", 2, recordedtime="2999-01-02T00:00:00Z")
    naive = register("L-2", 2, recordedtime="2026-01-02T00:00:00")
    assert empty.codes(future, naive, dated, flags=MIGRATION) == ["future_time", "naive_time", None]
    empty.accept(register("L-3", 3))  # Live from here on.
    (refused_live,) = empty.send(register("L-4", 4, recordedtime="2026-01-03T00:00:00Z"), flags=MIGRATION)
    assert refused_live is not None
    assert (refused_live["code"], "gone live" in refused_live["message"]) == ("not_migration", True)
    empty.accept(*older, flags=MIGRATION)  # Known before, so nothing is migrated any more.
    assert empty.summary["duplicates"] == len(older)
