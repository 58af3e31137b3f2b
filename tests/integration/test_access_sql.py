"""A rep's own login of the database: their rows, and no way round."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from payday import Payday
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege, ObjectNotInPrerequisiteState
from psycopg.sql import SQL, Identifier

from projections.mine import MyViews

Reader = Connection[Any]
THEIRS = sorted(MyViews.views)


@pytest.fixture(scope="module")
def company(module_database_url: str) -> Iterator[Payday]:
    """Ann won D-1, Bob D-2; D-3 is Ann's and they share it; D-4 is Bob's and open. September is closed."""
    company = Payday(module_database_url).founded().win("D-1", "100").win("D-2", "55501", rep="bob")
    shares = [{"rep": "ann", "percent": "70"}, {"rep": "bob", "percent": "30"}]
    lead, opening, *_ = company.winning("D-3", "300")
    company.accept(lead, opening)
    company.do("deal.split", "D-3", {"shares": shares}, actor="head")
    company.do("deal.win", "D-3", {"amount": "300", "currency": "USD"})
    company.accept(*company.winning("D-4", "55502", rep="bob")[:2])
    company.on("2026-10-05T00:00:00Z").close("2026-09")
    assert company.projector.catch_up() == []
    yield company
    company.close_database()


@contextmanager
def login(company: Payday, url: str, rep: str | None, role: str = "rep") -> Iterator[Reader]:
    """A connection of a login that is mapped to the rep; to nobody for None."""
    name = f"{rep}_{role}_{url.rsplit('/', 1)[-1].split('?')[0]}"
    with psycopg.connect(url, autocommit=True) as owner:  # The role goes with the server.
        owner.execute(SQL("CREATE ROLE {} LOGIN IN ROLE dealtrail_rep").format(Identifier(name)))
        if rep is not None:
            mapped = "INSERT INTO access.login (login, rep, role) VALUES (%s, %s, %s)"
            owner.execute(mapped, (name, rep, role))
    with psycopg.connect(url, user=name, autocommit=True) as reader:
        yield reader


@pytest.fixture(scope="module")
def anns(company: Payday, module_database_url: str) -> str:
    """The name of a login of Ann's."""
    with login(company, module_database_url, "ann") as reader:
        return reader.info.user


@pytest.fixture
def ann(anns: str, module_database_url: str) -> Iterator[Reader]:
    with psycopg.connect(module_database_url, user=anns, autocommit=True) as reader:
        yield reader


def first(reader: Reader, query: str) -> list[Any]:
    return [row[0] for row in reader.execute(query.encode())]


def test_a_rep_reads_what_is_theirs(ann: Reader) -> None:
    assert first(ann, "SELECT lead FROM read.my_lead ORDER BY 1") == ["L-D-1", "L-D-3"]
    assert first(ann, "SELECT deal FROM read.my_deal ORDER BY 1") == ["D-1", "D-3"]
    assert first(ann, "SELECT rep || percent FROM read.my_share") == ["ann70"]
    assert first(ann, "SELECT statement FROM read.my_statement") == ["2026-09/ann"]
    assert first(ann, "SELECT DISTINCT rep FROM read.my_line") == ["ann"]


def test_a_head_reads_their_teams_and_one_who_shares_a_deal_sees_it(
    company: Payday, module_database_url: str
) -> None:
    with login(company, module_database_url, "head", "head") as head:
        assert first(head, "SELECT deal FROM read.my_deal ORDER BY 1") == ["D-1", "D-2", "D-3", "D-4"]
        assert first(head, "SELECT rep FROM read.my_statement ORDER BY 1") == ["ann", "bob", "head"]
    with login(company, module_database_url, "head") as alone:  # By the role rep, as anybody without a team.
        assert first(alone, "SELECT rep FROM read.my_statement") == ["head"]
    with login(company, module_database_url, "bob") as bob:
        assert first(bob, "SELECT deal FROM read.my_deal ORDER BY 1") == ["D-2", "D-3", "D-4"]
        assert first(bob, "SELECT rep || percent FROM read.my_share") == ["bob30"]
    with login(company, module_database_url, None) as nobody:
        assert all(first(nobody, f"SELECT count(*) FROM read.{view}") == [0] for view in THEIRS)


def test_a_head_who_left_is_nobodys(company: Payday, module_database_url: str) -> None:
    company.do("rep.hire", "chief", {"name": "Chief"})
    company.do("rep.hire", "head", {"name": "Head", "manager": "chief"})
    assert company.projector.catch_up() == []
    with login(company, module_database_url, "chief", "head") as chief:
        assert first(chief, "SELECT rep FROM read.my_statement ORDER BY 1") == ["ann", "bob", "head"]
        company.do("rep.leave", "chief")
        assert company.projector.catch_up() == []
        assert first(chief, "SELECT rep FROM read.my_statement ORDER BY 1") == []


def test_a_rebuild_leaves_the_views_and_their_readers(company: Payday, ann: Reader) -> None:
    assert company.projector.rebuild() == []
    assert first(ann, "SELECT statement FROM read.my_statement") == ["2026-09/ann"]
    with pytest.raises(InsufficientPrivilege):
        ann.execute("SELECT FROM read.statement")


def test_nothing_else_can_be_read(company: Payday, ann: Reader) -> None:
    relations = ann.execute(
        "SELECT quote_ident(nspname) || '.' || quote_ident(relname) FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'v', 'm', 'p', 'f', 'S')"
        " AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' ORDER BY 1"
    ).fetchall()
    readable = []
    for (relation,) in relations:
        try:
            ann.execute(f"SELECT * FROM {relation} LIMIT 1".encode())
            readable.append(relation)
        except InsufficientPrivilege:
            pass
    assert len(relations) > 40
    assert readable == [f"read.{view}" for view in THEIRS]


@pytest.mark.parametrize(
    "attempt",
    [
        "SET ROLE dealtrail_app",
        "SET ROLE dealtrail_payroll",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "UPDATE access.login SET rep = 'bob'",
        "SELECT * FROM access.api_key",
        "CREATE SCHEMA read_mine",
        "CREATE TABLE read.mine (one int)",
        "CREATE OR REPLACE VIEW read.my_statement AS SELECT 1",
        "CREATE FUNCTION read.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER FUNCTION access.reps() SECURITY INVOKER",
        "DELETE FROM read.my_statement",
        "UPDATE read.my_lead SET owner = 'ann'",
        "SELECT log.set_up_roles()",
        "COPY read.statement TO STDOUT",
        "SELECT pg_read_file('PG_VERSION')",
        "ALTER TABLE read.my_statement SET (security_barrier = false)",
    ],
)
def test_there_is_no_way_out(ann: Reader, attempt: str) -> None:
    with pytest.raises((InsufficientPrivilege, ObjectNotInPrerequisiteState)):
        ann.execute(attempt.encode())


def test_settings_and_names_in_front_change_nothing(ann: Reader) -> None:
    """What the login puts before the engine's names in the search path is not what the views ask."""
    ann.execute(
        "CREATE TEMP TABLE statement (statement text, rep text);"
        "CREATE TEMP TABLE login (login text, rep text);"
        "INSERT INTO login VALUES (session_user, 'bob'); CREATE TEMP TABLE rep (rep text, manager text);"
        "INSERT INTO rep VALUES ('bob', 'ann'); SET search_path = pg_temp, read, pg_catalog;"
        "CREATE FUNCTION pg_temp.reps() RETURNS SETOF text LANGUAGE sql AS $$SELECT 'bob'$$"
    )
    assert first(ann, "SELECT rep FROM read.my_statement") == ["ann"]
    ann.execute("SET ROLE dealtrail_rep")
    assert first(ann, "SELECT rep FROM read.my_statement") == ["ann"]
    ann.execute("SET application_name = 'bob'; SET row_security = off")
    assert first(ann, "SELECT rep FROM read.my_statement") == ["ann"]


@pytest.mark.parametrize(
    "leak",
    [
        "SELECT deal FROM read.my_deal WHERE pg_temp.seen(deal || ' ' || coalesce(amount, 0))",
        "SELECT rep FROM read.my_statement WHERE pg_temp.seen(rep || total)",
        "SELECT rep FROM read.my_line WHERE pg_temp.seen(rep || amount) OR rep = 'bob'",
        "SELECT lead FROM read.my_lead WHERE pg_temp.seen(lead)",
        "SELECT rep FROM read.my_share WHERE pg_temp.seen(rep || percent)",
    ],
)
def test_a_function_of_their_own_sees_no_row_of_others(ann: Reader, leak: str) -> None:
    seen = seen_by(ann, leak)
    assert seen
    assert not any(word in text for text in seen for word in ("bob", "D-2", "D-4", "555"))


def test_it_would_but_for_the_barrier(company: Payday, ann: Reader) -> None:
    with company.database.connection() as connection:
        connection.execute("ALTER VIEW read.my_statement RENAME TO kept")
        ((kept,),) = connection.execute("SELECT pg_get_viewdef('read.kept')").fetchall()
        plain = kept.replace("OFFSET 0", "")
        connection.execute(f"CREATE VIEW read.my_statement AS {plain}")
        connection.execute("GRANT SELECT ON read.my_statement TO dealtrail_rep")
    try:
        seen = seen_by(ann, "SELECT FROM read.my_statement WHERE pg_temp.seen(rep)")
    finally:
        with company.database.connection() as connection:
            connection.execute("DROP VIEW read.my_statement; ALTER VIEW read.kept RENAME TO my_statement")
    assert any("bob" in text for text in seen)


def seen_by(reader: Reader, leak: str) -> list[str]:
    """What a function of the reader's sees. It costs next to nothing: a free planner would ask it first."""
    reader.execute(
        "CREATE FUNCTION pg_temp.seen(one text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
        " $$BEGIN RAISE NOTICE 'seen: %', one; RETURN true; END$$"
    )
    seen: list[str] = []
    reader.add_notice_handler(lambda notice: seen.append(str(notice.message_primary)))
    reader.execute(leak.encode())
    return seen


def test_an_error_tells_of_no_row_of_others(ann: Reader) -> None:
    """What fails on others' rows alone doesn't fail."""
    assert first(ann, "SELECT 1 / (CASE WHEN total > 1000 THEN 0 ELSE 1 END) FROM read.my_statement") == [1]
    ann.execute("SELECT FROM read.my_deal WHERE 1 / (CASE WHEN amount > 1000 THEN 0 ELSE 1 END) = 1")
    ann.execute("SELECT FROM read.my_deal WHERE (CASE WHEN amount > 1000 THEN deal ELSE '1' END)::int = 1")
    plan = "\n".join(first(ann, "EXPLAIN (VERBOSE) SELECT * FROM read.my_statement WHERE total > 5"))
    assert "bob" not in plan


@pytest.mark.parametrize(
    ("view", "told_of_others"),
    [
        ("my_lead", "lead > 'L-D-1' AND lead < 'L-D-3'"),
        ("my_deal", "deal IN ('D-2', 'D-4')"),
        ("my_share", "rep = 'bob'"),
        ("my_statement", "rep = 'bob' AND lines = 2"),
        ("my_line", "deal = 'D-2' AND rule LIKE '5 %'"),
    ],
)
def test_explain_counts_no_rows_of_others_by_what_they_say(
    ann: Reader, view: str, told_of_others: str
) -> None:
    """Operators that are known to tell nothing pass a barrier; how many rows they hold for is told."""

    def counted(condition: str) -> list[str]:
        plan = f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF, SUMMARY OFF) SELECT FROM read.{view}"
        return [line for line in first(ann, f"{plan} WHERE {condition}") if "Filter: (" not in line]

    assert counted(told_of_others) == counted(told_of_others.replace("= 'bob'", "= 'x'").replace("D-", "X-"))


def test_an_operators_own_view_is_not_given_to_reps(
    company: Payday, ann: Reader, module_database_url: str
) -> None:
    with psycopg.connect(module_database_url, autocommit=True) as owner:
        owner.execute("CREATE VIEW read.my_salaries AS SELECT rep, total FROM read.statement")
        owner.execute("SELECT log.set_up_roles()")
        with pytest.raises(InsufficientPrivilege):
            ann.execute("SELECT FROM read.my_salaries")
        assert company.projector.rebuild() == []
        with pytest.raises(InsufficientPrivilege):
            ann.execute("SELECT FROM read.my_salaries")
        owner.execute("DROP VIEW read.my_salaries")
