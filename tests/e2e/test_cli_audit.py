"""The audit from the command line: keys, checkpoints, proofs, and what was done to a log."""

import json
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import run as start
from typing import Any

import pytest
from audited_log import REHASH, AuditedLog
from click.testing import CliRunner, Result

from adapters.audit.keys import make_keys, read_keys
from adapters.cli.main import cli
from adapters.postgres.audit.checkpoints import Checkpoints
from domain.audit.checkpoint import Checkpoint

COMMAND = Path(sys.executable).parent / "dealtrail"
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
Run = Callable[..., Result]
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def log(database_url: str) -> Iterator[AuditedLog]:
    opened = AuditedLog(database_url)
    yield opened.append(300)
    opened.close()


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    def run(line: str, **environment: str) -> Result:
        given = {
            "DATABASE_URL": database_url,
            "DEALTRAIL_AUDIT_KEY": str(tmp_path / "keys" / "audit.key"),
            "COLUMNS": "80",
            **environment,
        }
        return CliRunner().invoke(cli, ["audit", *line.split()], env=given)

    return run


@pytest.fixture
def ask(run: Run) -> Ask:
    """The JSON of a command that is done."""

    def ask(line: str, **environment: str) -> dict[str, Any]:
        done = run(f"{line} --json", **environment)
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return ask


def code_of(done: Result) -> str:
    """Of a refused command's error object."""
    assert done.exit_code == 1, done.output
    assert done.stderr.strip()
    return str(json.loads(done.stdout)["error"]["code"])


def verified(url: str, *words: str | Path) -> dict[str, Any]:
    """What verify finds, trusting the keys given; a path is a kept checkpoint."""
    options = [word for given in words for word in (_option(given), str(given))]
    done = CliRunner().invoke(cli, ["audit", "verify", "--json", *options], env={"DATABASE_URL": url})
    assert done.exit_code in (0, 1), done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _option(given: str | Path) -> str:
    return "--checkpoint" if isinstance(given, Path) else "--key"


@pytest.mark.usefixtures("log")
def test_a_log_is_sealed_proved_and_checked_by_somebody_without_the_database(
    run: Run, ask: Ask, tmp_path: Path
) -> None:
    kept, proof, growth = tmp_path / "kept", tmp_path / "proof.json", tmp_path / "growth.json"
    (vkey,) = ask("keygen --name example.com/deals")["signing"]
    assert run(f"seal --out {kept}").output == ""
    assert kept.read_text().startswith("example.com/deals\n300\n")
    assert run("seal").stdout == kept.read_text()
    assert ask("seal")["checkpoint"] == kept.read_text()
    assert run(f"prove 17 --out {proof}").exit_code == 0
    assert run(f"prove --from 300 --to 300 --out {growth}").exit_code == 0
    away = {"DATABASE_URL": NOWHERE, "DEALTRAIL_AUDIT_KEY": str(tmp_path / "none")}
    found = ask(f"check {proof} --key {vkey} --checkpoint {kept}", **away)
    assert (found["proof"], found["size"], found["event"]["position"]) == ("inclusion", 300, 17)
    assert ask(f"check {growth} --key {vkey} --checkpoint {kept}", **away)["new"] == 300
    assert run(f"check {proof} --key {vkey}", **away).exit_code == 0
    assert (
        run(f"check {growth} --key {vkey}", **away).stdout
        == "The log of 300 events begins with that of 300.\n"
    )
    proof.write_text(proof.read_text().replace("rep-7", "rep-8"))
    assert code_of(run(f"check {proof} --key {vkey} --json", **away)) == "invalid_proof"
    assert code_of(run(f"check {growth} --json", **away)) == "no_audit_key"


def test_verify_says_what_was_done_and_where(log: AuditedLog, run: Run, ask: Ask, tmp_path: Path) -> None:
    assert "No checkpoint vouches for it" in run("verify").stdout
    ask("keygen")
    run(f"seal --out {tmp_path / 'kept'}")
    found = ask(f"verify --checkpoint {tmp_path / 'kept'} --workers 1")
    assert (found["position"], found["sealed"], found["checkpoints"], found["count"]) == (300, 300, 2, 0)
    assert found["root"] == (tmp_path / "kept").read_text().split("\n")[2]
    assert "2 checkpoints looked at, the latest of 300 events" not in run("verify").stdout
    assert "1 checkpoint looked at, the latest of 300 events" in run("verify").stdout
    log.forge("UPDATE log.event SET actor = 'rep-9' WHERE notification_id = 123")
    done = run("verify --json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["count"], found["root"], found["sealed"]) == (1, 1, None, 0)
    assert found["items"] == [
        {
            "position": 123,
            "upto": 123,
            "problem": "changed",
            "message": "Event 123 is not what was recorded: its hash is another.",
        }
    ]
    shown = run("verify")
    assert shown.exit_code == 1
    assert "123" in shown.stdout
    assert "changed" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


@pytest.mark.usefixtures("log")
def test_files_and_what_is_printed_are_utf_8_in_any_locale(database_url: str, tmp_path: Path) -> None:
    """A note has a dash, and a name any letters, that other charsets have not."""
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environment = {"DATABASE_URL": database_url, "DEALTRAIL_AUDIT_KEY": str(tmp_path / "audit.key"), **locale}

    def run(*words: str | Path) -> str:
        done = start([COMMAND, "audit", *words], env=environment, capture_output=True, check=True)
        return done.stdout.decode()

    make_keys(tmp_path / "audit.key", "größe.example/deals")
    note = run("seal")
    run("seal", "--out", tmp_path / "kept")
    run("prove", "17", "--out", tmp_path / "proof.json")
    run("export", "--format", "ndjson", "--out", tmp_path / "exported")
    assert (tmp_path / "kept").read_bytes().decode() == note
    assert json.loads(run("seal", "--json"))["checkpoint"] == note
    run("check", tmp_path / "proof.json", "--checkpoint", tmp_path / "kept")
    run("keygen", "--rotate")
    assert run("verify").startswith("Each of 300 events")


@pytest.mark.usefixtures("log")
def test_keys_are_made_rotated_and_retired(run: Run, ask: Ask) -> None:
    made = ask("keygen")
    file = Path(made["file"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run("keygen").exit_code == 1
    assert code_of(run("keygen --json")) == "audit_key_exists"
    assert code_of(run("keygen --retire xyz --json")) == "unknown_audit_key"
    (old,) = made["signing"]
    assert code_of(run(f"keygen --retire {old} --json")) == "last_audit_key"
    first = ask("seal")
    assert (first["key"], first["checkpoint"].count("\n— ")) == ([old], 1)
    rotated = ask("keygen --rotate")
    assert rotated["signing"][0] == old
    retired = ask(f"keygen --retire {'+'.join(old.split('+')[:2])}")
    assert (retired["signing"], retired["retired"]) == (rotated["signing"][1:], [f"{old} until 300"])
    assert "PRIVATE+KEY+" + old.split("+")[0] + "+" + old.split("+")[1] not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    last = ask("seal")
    assert (last["number"], last["key"]) == (3, rotated["signing"][1:])
    assert ask("verify")["checkpoints"] == 3
    assert [item.name for item in file.parent.iterdir()] == ["audit.key"]


def test_whoever_has_the_old_key_alone_can_follow_to_the_new_one(
    log: AuditedLog, run: Run, ask: Ask, database_url: str, tmp_path: Path
) -> None:
    (old,) = ask("keygen --name example.com/deals")["signing"]
    rotated = ask("keygen --rotate")["signing"]
    (retired,) = ask(f"keygen --retire {old}")["retired"]
    both = Checkpoints(log.database).of(300)
    (tmp_path / "both").write_text(both.note)
    log.append(10)
    assert ask("seal")["size"] == 310
    for vkey in (old, rotated[1]):
        done = verified(database_url, vkey, tmp_path / "both")
        assert [one["problem"] for one in done["items"]] == ["checkpoint"] * (vkey == old)
    assert verified(database_url, retired, rotated[1])["count"] == 0


def test_who_steals_a_retired_key_signs_nothing_new(
    log: AuditedLog, run: Run, ask: Ask, database_url: str, tmp_path: Path
) -> None:
    (old,) = ask("keygen --name example.com/deals")["signing"]
    (stolen,) = read_keys(tmp_path / "keys" / "audit.key").signers
    ask("keygen --rotate")
    ask(f"keygen --retire {old}")
    log.append(10)
    forged = Checkpoint("example.com/deals", 310, b"x" * 32).sign([stolen])
    (tmp_path / "forged").write_bytes(forged)
    done = run(f"verify --checkpoint {tmp_path / 'forged'} --json")
    (item,) = json.loads(done.stdout)["items"]
    assert (done.exit_code, item["problem"]) == (1, "checkpoint")
    assert f"signed only by {stolen.verifier.known_as}, which was retired at 300" in item["message"]
    log.forge(
        "INSERT INTO audit.checkpoint SELECT max(number) + 1, 310, %s, %s, now() FROM audit.checkpoint",
        parameters=(b"x" * 32, forged.decode()),
    )
    assert code_of(run("seal --json")) == "retired_key"


@pytest.mark.usefixtures("log")
def test_a_key_is_made_for_the_first_checkpoint_and_never_after(run: Run, ask: Ask, tmp_path: Path) -> None:
    done = run("seal --json")
    made = json.loads(done.stdout)
    file = tmp_path / "keys" / "audit.key"
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        f"A key that signs checkpoints was made in {file}: keep a copy of it.",
        f"Its public half, for whoever shall check: {made['key'][0]}",
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ask("seal") == made
    file.unlink()
    assert code_of(run("seal --json")) == "no_audit_key"
    assert not file.exists()
    file.write_text(made["key"][0] + "\n")
    assert code_of(run("seal --json")) == "no_audit_key"
    ask("keygen", DEALTRAIL_AUDIT_KEY=str(tmp_path / "other"))
    assert code_of(run("seal --json", DEALTRAIL_AUDIT_KEY=str(tmp_path / "other"))) == "unknown_signer"


@pytest.mark.parametrize(
    "line",
    [
        "prove",
        "prove 0",
        "prove 3 --from 1 --to 2",
        "prove --from 1",
        "keygen --rotate --name x",
        "check nothing.json",
        "verify --checkpoint nothing",
        "prove 3 --out /nowhere/proof.json",
    ],
)
@pytest.mark.usefixtures("log")
def test_wrong_usage_is_told(run: Run, ask: Ask, line: str) -> None:
    ask("keygen")
    ask("seal")
    assert run(line).exit_code == 2, line


@pytest.mark.usefixtures("log")
def test_refusals_have_codes(run: Run, ask: Ask, tmp_path: Path) -> None:
    assert code_of(run("prove 3")) == "not_sealed"
    assert code_of(run("keygen --name a+b --json")) == "malformed_key"
    ask("keygen")
    (tmp_path / "bad").write_text("no note")
    assert code_of(run("verify --key nonsense --json")) == "malformed_key"
    done = run(f"verify --checkpoint {tmp_path / 'bad'} --json")
    assert [item["problem"] for item in json.loads(done.stdout)["items"]] == ["checkpoint"]
    assert code_of(run(f"check {tmp_path / 'bad'} --json")) == "malformed_proof"


def test_a_log_of_several_ranges_is_read_by_processes(log: AuditedLog, database_url: str) -> None:
    """The command itself, as its workers are started from it."""
    log.forge(
        "INSERT INTO log.event SELECT 'lead-x' || n, 1, topic, state, n, event_version, occurred_at,"
        " (SELECT max(recorded_at) FROM log.event), actor, 'x', n::text, 0, NULL, NULL, false, ''"
        " FROM log.event, generate_series(301, 140000) AS n WHERE notification_id = 1",
        f"{REHASH} WHERE notification_id > 300",
        "UPDATE log.event SET state = state || ' ' WHERE notification_id = 139000",
    )
    done = start(
        [COMMAND, "audit", "verify", "--workers", "2", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"DATABASE_URL": database_url},
    )
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr, found["position"]) == (1, "", 140_000)
    assert [(one["problem"], one["position"]) for one in found["items"]] == [("changed", 139_000)]


def test_a_lost_key_is_replaced_by_whoever_names_its_public_half(log: AuditedLog, run: Run, ask: Ask) -> None:
    made = ask("keygen --name example.com/deals")
    file = Path(made["file"])
    ask("seal")
    file.unlink()
    ask("keygen --name example.com/deals")
    log.append(1)
    assert code_of(run("seal --json")) == "unknown_signer"
    file.write_text(f"{made['signing'][0]} until 300\n{file.read_text()}")
    assert ask("seal")["size"] == 301
    assert ask("verify")["count"] == 0
