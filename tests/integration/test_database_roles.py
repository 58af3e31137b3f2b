"""Who may do what in the database: every right is tried, and so is every way round."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, RestrictViolation
from reporting import Story

from adapters.postgres import migrate as migrating
from adapters.postgres.database import Database
from adapters.postgres.embedded import Embedded
from adapters.postgres.migrate import DatabaseOlder, migrate, set_up_roles
from adapters.postgres.projecting.projector import Projector
from adapters.wiring import PROJECTIONS

ROLES = ("dealtrail_app", "dealtrail_auditor", "dealtrail_payroll")
LOGINS: Mapping[str, str] = {
    "an_app": "IN ROLE dealtrail_app",
    "an_auditor": "IN ROLE dealtrail_auditor",
    "a_payroll": "IN ROLE dealtrail_payroll",
    "a_stranger": "",
}
WHO = ("postgres", "an_owner", *LOGINS)
TRIED = """
+ + + + - -  SELECT FROM log.event
+ + + + - -  SELECT FROM log.events
+ + + + - -  SELECT FROM log.migration
+ + + - - -  INSERT INTO log.event SELECT * FROM log.event WHERE false
+ + + - - -  LOCK TABLE log.event IN EXCLUSIVE MODE
T T - - - -  UPDATE log.event SET actor = 'nobody'
T T - - - -  DELETE FROM log.event
T T - - - -  TRUNCATE log.event
T T - - - -  TRUNCATE log.event CASCADE
T T - - - -  MERGE INTO log.event AS e USING (SELECT 1) AS s ON true WHEN MATCHED THEN DELETE
T T - - - -  INSERT INTO log.event TABLE log.event ON CONFLICT (notification_id) DO UPDATE SET actor = ''
T - - - - -  SET session_replication_role = replica; UPDATE log.event SET actor = 'nobody'
T - - - - -  SET session_replication_role = replica; DELETE FROM log.event
T - - - - -  SET session_replication_role = replica; TRUNCATE log.event
+ + - - - -  DROP TRIGGER append_only ON log.event
+ + - - - -  ALTER TABLE log.event DISABLE TRIGGER append_only
+ + - - - -  ALTER TABLE log.event ENABLE TRIGGER append_only
+ + - - - -  ALTER TABLE log.event DISABLE TRIGGER ALL; DELETE FROM log.event
+ + - - - -  CREATE RULE quiet AS ON INSERT TO log.event DO INSTEAD NOTHING
+ + - - - -  CREATE TRIGGER mine BEFORE INSERT ON log.event EXECUTE FUNCTION log.refuse_change()
+ + - - - -  ALTER FUNCTION log.refuse_change() RENAME TO gone
+ + - - - -  ALTER TABLE log.event ADD COLUMN note text
+ + - - - -  ALTER TABLE log.event RENAME TO gone
+ + - - - -  DROP TABLE log.event CASCADE
+ + - - - -  DROP INDEX log.event_notification_id_idx
+ + - - - -  DROP SCHEMA log CASCADE
+ + - - - -  CREATE TABLE log.mine (one int)
+ + - - - -  INSERT INTO log.migration (number, name) VALUES (9999, '9999_mine')
+ + - - - -  DELETE FROM log.migration
+ + - - - -  UPDATE log.app_right SET privileges = 'ALL'
+ + + + - -  SELECT FROM audit.checkpoint, audit.node, audit.tree
+ + + - - -  INSERT INTO audit.checkpoint VALUES (99, 1, '', '', now())
+ + + - - -  INSERT INTO audit.node VALUES (8, 99, '')
+ + + - - -  SELECT FROM audit.tree FOR UPDATE; UPDATE audit.tree SET size = size
+ + - - - -  DELETE FROM audit.tree
+ + - - - -  UPDATE audit.node SET hash = ''
+ + - - - -  DELETE FROM audit.node
T T - - - -  UPDATE audit.checkpoint SET note = ''
T T - - - -  DELETE FROM audit.checkpoint
T T - - - -  TRUNCATE audit.checkpoint
T - - - - -  SET session_replication_role = replica; DELETE FROM audit.checkpoint
+ + - - - -  DROP TRIGGER append_only ON audit.checkpoint
+ + - - - -  ALTER TABLE audit.checkpoint DISABLE TRIGGER append_only
+ + - - - -  DROP TABLE audit.checkpoint
+ + - - - -  CREATE TABLE audit.mine (one int)
+ + + - - -  SELECT FROM vault.secret
+ + - - - -  UPDATE vault.secret SET value = ''
+ + - - - -  DELETE FROM vault.secret
+ + - - - -  TRUNCATE vault.secret
+ + + - - -  SELECT FROM vault.key
+ + + - - -  DELETE FROM vault.key
+ + - - - -  UPDATE vault.key SET subject = ''
+ + - - - -  TRUNCATE vault.key
+ + - - - -  CREATE TABLE vault.mine (one int)
+ + + - - -  SELECT FROM access.api_key
+ + - - - -  UPDATE access.api_key SET role = 'admin'
+ + - - - -  DELETE FROM access.api_key
+ + - - - -  SELECT FROM access.login
+ + - - - -  INSERT INTO access.login VALUES (session_user, 'ann')
+ + - - - -  CREATE TABLE access.mine (one int)
+ + + + - -  SELECT FROM read.lead, read.checkpoint, read.projection
+ + + + + -  SELECT FROM read.payroll_line
+ + + - - -  UPDATE read.lead SET name = ''
+ + + - - -  DELETE FROM read.checkpoint
+ + + - - -  CREATE TABLE read.mine (one int)
+ + + - - -  DROP TABLE read.lead CASCADE
+ + - - - -  DROP SCHEMA read CASCADE
+ + + - - -  CREATE SCHEMA read_build_mine
+ + - - - -  CREATE TABLE public.mine (one int)
+ + + + + +  CREATE TEMP TABLE mine (one int)
+ + - - - -  SET ROLE an_owner
+ - - - - -  SET ROLE postgres
+ + + - - -  SET ROLE dealtrail_app
+ + - - - -  ALTER ROLE dealtrail_app CREATEROLE
+ + - - - -  REASSIGN OWNED BY an_owner TO dealtrail_app
T T - - - -  GRANT UPDATE ON log.event TO dealtrail_app; UPDATE log.event SET actor = 'nobody'
T T - - - -  SELECT log.set_up_roles(); UPDATE log.event SET actor = 'nobody'
"""
"""+ is done, - refused for want of the right, T refused by the trigger; in the order of WHO."""

_numbers = count(1)


@pytest.fixture(scope="module")
def bare() -> Iterator[Embedded]:
    """A server on which nobody has made a role yet."""
    with fresh_server() as server:
        yield server


@contextmanager
def fresh_server() -> Iterator[Embedded]:
    with tempfile.TemporaryDirectory(prefix="dealtrail-") as folder:
        embedded = Embedded(Path(folder), {"fsync": "off"}).start()
        try:
            yield embedded
        finally:
            embedded.stop()


@contextmanager
def superuser(
    server: Embedded, database: str = "postgres"
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        yield connection


@contextmanager
def ground(
    server: Embedded, owner: str = "", attributes: str = "", databases: int = 1
) -> Iterator[list[str]]:
    """Names of empty databases, belonging to a login `owner` made with them; all roles go with them."""
    names = [f"ground_{next(_numbers)}" for _ in range(databases)]
    with superuser(server) as admin:
        if owner:
            admin.execute(f"CREATE ROLE {owner} LOGIN {attributes}".encode())
        for name in names:
            admin.execute(f"CREATE DATABASE {name} OWNER {owner or 'postgres'}".encode())
        try:
            yield names
        finally:
            for name in names:
                admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
            for role in (*LOGINS, owner, *ROLES):
                if role:
                    admin.execute(f"DROP ROLE IF EXISTS {role}".encode())


def url_of(server: Embedded, database: str, login: str) -> str:
    return server.url(database).replace("user=postgres", f"user={login}")


def make_logins(server: Embedded) -> None:
    with superuser(server) as admin:
        for login, options in LOGINS.items():
            admin.execute(f"CREATE ROLE {login} LOGIN {options}".encode())


def acting(url: str) -> str:
    with Database(url) as database, database.connection() as connection:
        ((role,),) = connection.execute("SELECT current_user").fetchall()
    return str(role)


def owners(server: Embedded, database: str) -> set[object]:
    """Whose the relations of `read` are."""
    with superuser(server, database) as admin:
        rows = admin.execute(
            "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'read'::regnamespace"
        ).fetchall()
    return {owner for (owner,) in rows}


def fill(url: str) -> None:
    story = Story(url)
    story.pipeline().rep("ann").lead("L-1", "ann").deal("D-1", "L-1")
    story.close()


@dataclass(frozen=True)
class Served:
    """A server and a database of it."""

    server: Embedded
    name: str

    def url(self, login: str) -> str:
        return url_of(self.server, self.name, login)

    @cached_property
    def version(self) -> int:
        """PostgreSQL's."""
        with superuser(self.server) as admin:
            return admin.info.server_version // 10_000


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A database that a login without more than CREATEROLE has migrated; the read tables are built."""
    with fresh_server() as server, ground(server, "an_owner", "CREATEROLE") as (name,):
        served = Served(server, name)
        with Database(served.url("an_owner")) as database:
            migrate(database)
        make_logins(server)
        fill(served.url("an_app"))
        with Database(served.url("an_app")) as database:
            assert Projector(database, PROJECTIONS).catch_up() == []
        yield served


@pytest.mark.parametrize("row", TRIED.strip().splitlines(), ids=lambda row: row[13:])
def test_rights(served: Served, row: str) -> None:
    """Each is really tried, by a session of its own, and undone."""
    told, statement = row[:12].split(), row[13:]
    if served.version < 17 and statement.startswith("TRUNCATE log.event"):
        told[WHO.index("an_app")] = "T"  # The right to lock comes with no other there.
    found = []
    for login in WHO:
        with psycopg.connect(served.url(login)) as connection:
            try:
                connection.execute(statement.encode())
                found.append("+")
            except InsufficientPrivilege:
                found.append("-")
            except RestrictViolation:
                found.append("T")
            connection.rollback()
    assert found == told


def test_everyone_acts_as_the_application_who_may(served: Served) -> None:
    acts = {login: acting(served.url(login)) for login in WHO}
    app = "dealtrail_app"
    assert acts == {
        "postgres": app,
        "an_owner": app,
        "an_app": app,
        "an_auditor": "an_auditor",
        "a_payroll": "a_payroll",
        "a_stranger": "a_stranger",
    }


def test_a_rebuild_keeps_owners_and_rights(served: Served) -> None:
    for login in ("an_owner", "an_app", "postgres"):
        with Database(served.url(login)) as database:
            assert Projector(database, PROJECTIONS).rebuild(workers=2) == []
    assert owners(served.server, served.name) == {"dealtrail_app"}
    for login, readable in (("an_auditor", True), ("a_payroll", False)):
        with psycopg.connect(served.url(login), autocommit=True) as connection:
            connection.execute("SELECT FROM read.payroll_line")
            if readable:
                connection.execute("SELECT FROM read.deal")
            else:
                with pytest.raises(InsufficientPrivilege):
                    connection.execute("SELECT FROM read.deal")


def test_migrating_goes_on_with_the_role_at_once(bare: Embedded) -> None:
    """Also where the pool had connected before there was a role."""
    with ground(bare) as (name,), Database(bare.url(name)) as database:
        for _ in range(3):
            with database.connection() as one, database.connection() as other:
                assert one.execute("SELECT current_user").fetchone() == ("postgres",)
                assert other.execute("SELECT current_user").fetchone() == ("postgres",)
        assert migrate(database)[-1] >= "0005_roles"
        for _ in range(3):
            with database.connection() as one, database.connection() as other:
                assert one.execute("SELECT current_user").fetchone() == ("dealtrail_app",)
                assert other.execute("SELECT current_user").fetchone() == ("dealtrail_app",)
        assert migrate(database) == []


def test_an_older_database_whose_read_tables_are_somebody_elses(
    bare: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ground(bare, "an_owner") as (name,):
        with superuser(bare) as admin:
            for role in ROLES:
                admin.execute(f"CREATE ROLE {role}".encode())
            admin.execute("GRANT dealtrail_app TO an_owner")
        with Database(url_of(bare, name, "an_owner")) as database, monkeypatch.context() as patched:
            for file in migrating.FOLDER.glob("000[1234]_*.sql"):
                shutil.copy(file, tmp_path)
            patched.setattr(migrating, "FOLDER", tmp_path)
            assert migrate(database)[-1] == "0004_audit"
        assert acting(bare.url(name)) == "postgres"  # The role is there, but not for this database.
        with Database(bare.url(name)) as database:
            assert Projector(database, PROJECTIONS).catch_up() == []
        with superuser(bare, name) as admin:
            admin.execute("CREATE VIEW read.my_own AS SELECT count(*) FROM read.lead")
            admin.execute("CREATE SCHEMA read_build_killed; CREATE TABLE read_build_killed.lead (one int)")
        assert owners(bare, name) == {"an_owner", "postgres"}
        make_logins(bare)
        with Database(url_of(bare, name, "an_app")) as database, pytest.raises(DatabaseOlder, match="an_app"):
            migrate(database)
        with Database(bare.url(name)) as database:
            assert migrate(database)[0] == "0005_roles"
        assert owners(bare, name) == {"dealtrail_app"}
        with Database(url_of(bare, name, "an_app")) as database:
            assert migrate(database) == []
            fill(database.url)
            assert Projector(database, PROJECTIONS).rebuild() == []
            with database.connection() as connection:
                assert connection.execute("SELECT * FROM read.my_own").fetchone() == (1,)
                left = connection.execute("SELECT FROM pg_namespace WHERE nspname ~ '^read_build'").fetchall()
        assert left == []
        assert owners(bare, name) == {"dealtrail_app"}


def test_a_server_that_lets_us_make_no_role_is_served_all_the_same(
    bare: Embedded, capfd: pytest.CaptureFixture[str]
) -> None:
    with ground(bare, "an_owner") as (name,):
        url = url_of(bare, name, "an_owner")
        with Database(url) as database:
            assert migrate(database)[-1] >= "0005_roles"
            said = capfd.readouterr().err
            assert "roles_not_set_up" in said
            assert "there is no role dealtrail_app" in said
            fill(url)
            assert Projector(database, PROJECTIONS).rebuild() == []
            assert migrate(database) == []
            assert capfd.readouterr().err == ""
        assert acting(url) == "an_owner"
        assert owners(bare, name) == {"an_owner"}
        with superuser(bare, name) as admin:  # What operations.md says to do then.
            admin.execute("CREATE ROLE dealtrail_app NOLOGIN; GRANT dealtrail_app TO an_owner")
        with Database(url) as database:
            assert set_up_roles(database) == "dealtrail_app"
        assert acting(url) == "dealtrail_app"
        assert owners(bare, name) == {"dealtrail_app"}


def test_rights_on_the_database_that_are_not_the_owners_to_give(
    bare: Embedded, capfd: pytest.CaptureFixture[str]
) -> None:
    with ground(bare, "an_owner", "CREATEROLE") as (name,):
        with superuser(bare) as admin:
            admin.execute(f"ALTER DATABASE {name} OWNER TO postgres".encode())
            admin.execute(f"GRANT CREATE ON DATABASE {name} TO an_owner".encode())
        with Database(url_of(bare, name, "an_owner")) as database:
            migrate(database)
            assert f"an_owner may not grant CREATE ON DATABASE {name}" in capfd.readouterr().err
            assert Projector(database, PROJECTIONS).rebuild() == []
            assert owners(bare, name) == {"an_owner"}
            with superuser(bare) as admin:
                admin.execute(f"GRANT CREATE ON DATABASE {name} TO an_owner WITH GRANT OPTION".encode())
            assert set_up_roles(database) == "dealtrail_app"
            assert capfd.readouterr().err == ""
            assert Projector(database, PROJECTIONS).rebuild() == []
        assert owners(bare, name) == {"dealtrail_app"}


def test_rights_lost_with_a_copy_come_back(bare: Embedded) -> None:
    with ground(bare, databases=2) as (name, other):
        with Database(bare.url(name)) as database:
            migrate(database)
        with superuser(bare) as admin:
            admin.execute(f"DROP DATABASE {other}; ".encode())
            admin.execute(f"CREATE DATABASE {other} TEMPLATE {name}".encode())
        assert acting(bare.url(other)) == "postgres"
        with Database(bare.url(other)) as database:
            assert migrate(database) == []
        assert acting(bare.url(other)) == "dealtrail_app"


@pytest.mark.parametrize("attributes", ["SUPERUSER", "CREATEROLE"])
def test_processes_that_migrate_two_databases_at_once(bare: Embedded, attributes: str) -> None:
    code = (
        "import sys; from adapters.postgres.database import Database;"
        "from adapters.postgres.migrate import migrate;"
        "sys.stdout.write(str(len(migrate(Database(sys.argv[1])))))"
    )
    with ground(bare, "an_owner", attributes, databases=2) as names:
        urls = [url_of(bare, name, "an_owner") for name in names] * 3
        racing = [
            subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True)
            for url in urls
        ]
        applied = [int(one.communicate(timeout=60)[0]) for one in racing]
        assert [one.returncode for one in racing] == [0] * 6
        assert sorted(applied)[:4] == [0] * 4
        assert sorted(applied)[4] >= 5
        assert [acting(url) for url in urls] == ["dealtrail_app"] * 6
