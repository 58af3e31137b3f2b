"""`dealtrail key`, and what a server that is asked by all kinds of callers writes into its log."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from oidc_provider import AUDIENCE, provider

DEALTRAIL = [sys.executable, "-m", "adapters.cli.main"]
PASSWORD = "pass-word-7319"


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    """With a password in the database's URL, which the server doesn't ask for."""
    return {**os.environ, "DATABASE_URL": f"{database_url}&password={PASSWORD}"}


def dealtrail(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DEALTRAIL, *arguments], env=environment, capture_output=True, text=True)


def test_keys_are_made_listed_and_revoked(environment: dict[str, str]) -> None:
    made = dealtrail(environment, "key", "make", "--role", "rep", "--rep", "ann", "--expires", "30")
    assert made.returncode == 0
    assert re.fullmatch(r"dtk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}\n", made.stdout)
    assert "not shown again" in made.stderr
    told = json.loads(
        dealtrail(environment, "key", "make", "--role", "service", "--name", "crm", "--json").stdout
    )
    assert (told["role"], told["name"], told["rep"], told["expires_at"]) == ("service", "crm", None, None)
    assert told["key"].startswith(f"dtk_{told['id']}_")
    assert dealtrail(environment, "key", "revoke", told["id"]).returncode == 0
    listed = dealtrail(environment, "key", "list", "--json").stdout
    found = json.loads(listed)
    assert [(one["role"], one["rep"], one["status"]) for one in found["items"]] == [
        ("rep", "ann", "opens"),
        ("service", None, "revoked"),
    ]
    assert found["count"] == 2
    secrets = (made.stdout.strip().split("_", 2)[2], told["key"].split("_", 2)[2])
    table = dealtrail(environment, "key", "list").stdout
    assert "revoked" in table
    assert not any(secret in listed + table for secret in secrets)


def test_keys_that_cannot_be_made(environment: dict[str, str]) -> None:
    for arguments, code, said in (
        (("make", "--role", "rep"), 1, "must say whose it is"),
        (("make", "--role", "admin", "--rep", "ann"), 1, "leave the rep ann out"),
        (("make", "--role", "root"), 2, "'root' is not one of"),
        (("make", "--role", "admin", "--expires", "0"), 2, "not in the range"),
        (("revoke", "nope"), 1, "There is no key nope"),
    ):
        answer = dealtrail(environment, "key", *arguments)
        assert (answer.returncode, answer.stdout) == (code, "")
        assert said in answer.stderr


@contextmanager
def served(environment: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """A server's URL, and once it has ended the lines that it wrote."""
    lines: list[str] = []
    with subprocess.Popen(
        [*DEALTRAIL, "serve", "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                lines.append(line)
                if found := re.search(r"Serving (http://\S+)\.", line):
                    break
            else:
                raise AssertionError("".join(lines))
            yield found[1], lines
        finally:
            process.send_signal(signal.SIGTERM)
            lines += process.stderr.readlines()


def test_denials_are_in_the_log_and_secrets_are_not(environment: dict[str, str]) -> None:
    with provider() as oidc:
        oidc.rsa("r1")
        said = {"DEALTRAIL_OIDC_ISSUER": oidc.issuer, "DEALTRAIL_OIDC_AUDIENCE": AUDIENCE}
        loud = {"DEALTRAIL_LOG": "json", "DEALTRAIL_LOG_LEVEL": "DEBUG", "DEALTRAIL_HOME": "/nonexistent"}
        made = json.loads(
            dealtrail(environment, "key", "make", "--role", "rep", "--rep", "ann", "--json").stdout
        )
        good = oidc.token("r1", dealtrail_role="auditor", sub="auditor-1")
        shown = (
            made["key"],
            made["key"][:-3] + "AAA",
            "dtk_" + "x" * 60,
            good,
            oidc.token("r1", exp=1),
            good[:-9] + "AAAAAAAAA",
            "password-in-the-header",
        )
        with served(environment | said | loud) as (url, lines), httpx.Client(base_url=url) as client:
            for credentials in shown:
                for scheme in ("Bearer", "Basic"):
                    headers = {"Authorization": f"{scheme} {credentials}"}
                    for path in ("/payroll/statements?period=2026-09", "/queue/bob", "/events"):
                        client.get(path, headers=headers)
                    client.post("/actions", headers=headers, json={"actor": "admin:x"})
            counted = {"Authorization": f"Bearer {made['key']}"}
            assert client.get("/queue/bob", headers=counted).status_code == 403
    text = "".join(lines)
    assert [
        secret
        for secret in (*shown, PASSWORD, made["key"].split("_", 2)[2], good.split(".")[2])
        if secret in text
    ] == []
    denials = [json.loads(line) for line in lines if '"access_denied"' in line]
    told = {(one["key"], one["role"], one["operation"], one["reason"]) for one in denials}
    assert {
        (made["id"], "rep", "queue", "not_theirs"),
        (made["id"], "rep", "events", "not_for_role"),
        (made["id"], "rep", "act", "not_their_actor"),
        (made["id"], "unknown", "authenticate", "unknown_key"),
        (None, "unknown", "authenticate", "malformed_key"),
        (None, "unknown", "authenticate", "expired_token"),
        (None, "unknown", "authenticate", "bad_signature"),
        (None, "unknown", "authenticate", "malformed_token"),
        (None, "unknown", "authenticate", "no_bearer"),
        ("auditor-1", "auditor", "act", "not_for_role"),
    } <= told
    assert all(one["request"] for one in denials)


def test_a_database_that_is_away_is_said_without_its_password(environment: dict[str, str]) -> None:
    url = f"postgresql://somebody:{PASSWORD}@127.0.0.1:1/none"
    for command in (("key", "list"), ("serve", "--port", "0")):
        answer = dealtrail(environment | {"DATABASE_URL": url, "DEALTRAIL_LOG_LEVEL": "DEBUG"}, *command)
        assert answer.returncode == 1
        assert PASSWORD not in answer.stdout + answer.stderr
