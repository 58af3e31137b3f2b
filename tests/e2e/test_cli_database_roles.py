"""The command line with logins that own nothing: what services, auditors and strangers get done."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from adapters.cli.main import cli
from adapters.postgres.embedded import Embedded

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "payroll.ndjson"
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def guarded(tcp_server: Embedded) -> Embedded:
    """A server that asks whoever comes over TCP for a password."""
    with psycopg.connect(tcp_server.url(), autocommit=True) as admin:
        ((rules,),) = admin.execute("SHOW hba_file").fetchall()
        Path(rules).write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        admin.execute("SELECT pg_reload_conf()")
    return tcp_server


@pytest.fixture
def company(guarded: Embedded) -> Iterator[str]:
    """The owner's URL of an empty database; there are logins, but in no role yet."""
    with psycopg.connect(guarded.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE company")
        for login in ("service", "auditor"):
            admin.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'its own'".encode())
        try:
            yield guarded.url("company")
        finally:
            admin.execute("DROP DATABASE company WITH (FORCE)")
            admin.execute("DROP ROLE service, auditor")


@pytest.fixture
def run(company: str, port: int, tmp_path: Path) -> Run:
    def run(login: str, *words: str | Path) -> Result:
        url = f"postgresql://{login}:its%20own@127.0.0.1:{port}/company" if login != "owner" else company
        environment = {"DATABASE_URL": url, "DEALTRAIL_AUDIT_KEY": str(tmp_path / "audit.key")}
        return CliRunner().invoke(cli, [str(word) for word in words], env=environment)

    return run


def done(result: Result) -> dict[str, Any]:
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def refused(result: Result) -> dict[str, Any]:
    assert (result.exit_code, type(result.exception)) == (1, SystemExit), result.output
    assert "Traceback" not in result.output
    found: dict[str, Any] = json.loads(result.stdout)["error"]
    return found


def enter(company: str) -> None:
    with psycopg.connect(company, autocommit=True) as admin:
        admin.execute("GRANT dealtrail_app TO service; GRANT dealtrail_auditor TO auditor")


def test_services_need_no_owner(run: Run, company: str, tmp_path: Path) -> None:
    migrated = done(run("owner", "migrate", "--json"))
    assert migrated["role"] == "dealtrail_app"
    assert "0005_roles" in migrated["migrations"]
    enter(company)
    assert run("service", "audit", "keygen").exit_code == 0
    imported = done(run("service", "import", "--migration", "--json", EXAMPLE))
    assert imported["rejected"] == 0
    assert done(run("service", "project", "--once", "--json"))["stopped"] == []
    shown = done(run("service", "funnel", "--pipeline", "sales", "--json"))
    now = done(run("service", "funnel", "--pipeline", "sales", "--json", "--as-of", f"#{shown['position']}"))
    assert now["won"] == shown["won"]
    assert run("service", "payroll", "close", "2025-04").exit_code == 0
    assert done(run("service", "payroll", "verify", "--json"))["count"] == 0
    assert done(run("service", "rebuild", "--json"))["stopped"] == []
    sealed = done(run("service", "audit", "seal", "--json"))
    assert done(run("service", "audit", "verify", "--json"))["sealed"] == sealed["size"]
    assert done(run("service", "migrate", "--json")) == migrated
    assert done(run("auditor", "audit", "verify", "--json"))["sealed"] == sealed["size"]
    with psycopg.connect(company) as admin:
        rows = admin.execute(
            "SELECT DISTINCT nspname, relowner::regrole::text FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname IN ('log', 'audit', 'vault', 'read') ORDER BY 1"
        ).fetchall()
    assert rows == [
        ("audit", "postgres"),
        ("log", "postgres"),
        ("read", "dealtrail_app"),
        ("vault", "postgres"),
    ]


def test_an_auditor_is_told_what_they_may_not(run: Run, company: str) -> None:
    done(run("owner", "migrate", "--json"))
    enter(company)
    error = refused(run("auditor", "import", "--json", EXAMPLE))
    assert error["code"] == "not_permitted"
    assert error["message"].startswith("The database refused it: permission denied for ")


def test_a_login_that_may_not_migrate_says_who_may(run: Run, company: str) -> None:
    def must_say_so() -> None:
        error = refused(run("service", "pool", "--json"))
        assert error["code"] == "database_older"
        assert error["message"].startswith("Run dealtrail migrate as the owner: service may not")

    must_say_so()
    done(run("owner", "migrate", "--json"))
    must_say_so()
    enter(company)
    assert done(run("service", "pool", "--json"))["count"] == 0
    with psycopg.connect(company, autocommit=True) as owner:
        owner.execute("DELETE FROM log.migration WHERE number = (SELECT max(number) FROM log.migration)")
    must_say_so()
