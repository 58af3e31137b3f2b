"""What payroll software reads by SQL, and that its role can reach nothing else of the database."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from payday import PAYROLL, Payday
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Identifier

from adapters.postgres.migrate import FOLDER
from projections.mine import MyViews
from projections.payroll.views import PayrollViews

ROLE = "dealtrail_payroll"
VIEWS = sorted(PayrollViews.views)


@pytest.fixture
def company(database_url: str) -> Iterator[Payday]:
    company = Payday(database_url).founded().win("D-1", "100").win("D-2", "50.00", rep="bob")
    for payment, deal in (("P-1", "D-1"), ("P-2", "D-9"), ("P-3", None)):
        money = {"payment": payment, "amount": "10", "currency": "USD"}
        company.do("payment.record", deal, money)
    company.on("2026-10-05T00:00:00Z").close("2026-09")
    company.do("statement.dispute", "2026-09/ann", {"line": 1, "reason": "more"}, actor="ann")
    answer = {"accepted": True, "note": "yes", "amount": "2.5"}
    company.do("statement.resolve", "2026-09/ann", answer, actor=PAYROLL)
    company.do("deal.amend", "D-2", {"amount": "40", "currency": "USD"})
    company.on("2026-11-05T00:00:00Z").close("2026-10")
    assert company.projector.catch_up() == []
    yield company
    company.close_database()


@pytest.fixture
def reader(company: Payday, database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(SQL("SET ROLE {}").format(Identifier(ROLE)))
        yield connection


def test_the_role_reads_the_views_of_payroll_and_nothing_else(
    reader: psycopg.Connection[Any], company: Payday
) -> None:
    company.projector.rebuild()
    with company.database.connection() as everything:
        relations = everything.execute(
            "SELECT nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind IN ('r', 'v', 'm', 'p', 'f', 'S') AND nspname NOT LIKE 'pg\\_%'"
            " AND nspname <> 'information_schema' ORDER BY 1, 2"
        ).fetchall()
        writable = everything.execute(
            "SELECT count(*) FROM pg_class c"
            " WHERE relnamespace = 'read'::regnamespace AND relkind IN ('r', 'v')"
            " AND (has_table_privilege(%(role)s, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')"
            " OR has_any_column_privilege(%(role)s, c.oid, 'INSERT, UPDATE'))",
            {"role": ROLE},
        ).fetchone()
    assert len(relations) > 30
    assert {"log", "vault", "read"} <= {schema for schema, _ in relations}
    readable = []
    for schema, name in relations:
        try:
            reader.execute(SQL("SELECT * FROM {} LIMIT 1").format(Identifier(schema, name)))
            readable.append((schema, name))
        except InsufficientPrivilege:
            pass
    assert readable == [("read", view) for view in VIEWS]
    assert writable == (0,)


@pytest.mark.parametrize(
    "attempt",
    [
        "SELECT log.position_at(now())",
        "SELECT pg_read_file('PG_VERSION')",
        "COPY read.payroll_line TO PROGRAM 'true'",
        "CREATE TABLE read.mine (one int)",
        "CREATE TABLE public.mine (one int)",
        "CREATE SCHEMA mine",
        "UPDATE read.payroll_period SET statements = 0",
        "DELETE FROM read.payroll_plan",
        "SET ROLE dealtrail_auditor",
    ],
)
def test_the_role_cannot_get_out_of_its_views(database_url: str, company: Payday, attempt: str) -> None:
    name = "payroll_software_" + database_url.rsplit("/", 1)[-1].split("?")[0]
    with psycopg.connect(database_url, autocommit=True) as connection:
        try:
            connection.execute(SQL("CREATE ROLE {} IN ROLE dealtrail_payroll").format(Identifier(name)))
            connection.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(name)))
            assert connection.execute("SELECT count(*) FROM read.payroll_line").fetchone() == (4,)
            with pytest.raises(InsufficientPrivilege):
                connection.execute(attempt.encode())
        finally:
            connection.execute("RESET SESSION AUTHORIZATION")
            connection.execute(SQL("DROP ROLE IF EXISTS {}").format(Identifier(name)))


def test_every_view_and_every_column_says_what_it_is(company: Payday) -> None:
    with company.database.connection() as connection:
        columns = connection.execute(
            "SELECT c.relname, a.attname, obj_description(c.oid, 'pg_class'),"
            " col_description(c.oid, a.attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'read'::regnamespace AND c.relkind = 'v' AND a.attnum > 0"
        ).fetchall()
    assert {view for view, *_ in columns} >= set(VIEWS)
    silent = [f"{view}.{column}" for view, column, *said in columns if not all(said)]
    assert silent == []
    names = {f"{view}.{column}" for view, column, *_ in columns} | {view for view, *_ in columns}
    assert {*PayrollViews.comments, *MyViews.comments} == names


def test_what_the_views_say(reader: psycopg.Connection[Any]) -> None:
    def rows(query: str) -> list[tuple[Any, ...]]:
        return reader.execute(query.encode()).fetchall()

    assert rows(
        "SELECT statement, rep_name, currency, total, lines FROM read.payroll_statement ORDER BY 1"
    ) == [
        ("2026-09/ann", "Ann", "USD", Decimal("5.00"), 1),
        ("2026-09/bob", "Bob", "USD", Decimal("2.50"), 1),
        ("2026-09/head", "Head", "USD", Decimal("0.00"), 0),
        ("2026-10/ann", "Ann", "USD", Decimal("2.50"), 1),
        ("2026-10/bob", "Bob", "USD", Decimal("-0.50"), 1),
        ("2026-10/head", "Head", "USD", Decimal("0.00"), 0),
    ]
    assert rows("SELECT line_id, kind, of, for_period, deal, amount FROM read.payroll_line ORDER BY 1") == [
        ("2026-09/ann/1", "win", "win", "2026-09", "D-1", Decimal("5.00")),
        ("2026-09/bob/1", "win", "win", "2026-09", "D-2", Decimal("2.50")),
        ("2026-10/ann/1", "adjustment", "dispute", "2026-09", "D-1", Decimal("2.50")),
        ("2026-10/bob/1", "adjustment", "win", "2026-09", "D-2", Decimal("-0.50")),
    ]
    assert rows(
        "SELECT bool_and(total = (SELECT coalesce(sum(amount), 0) FROM read.payroll_line l"
        " WHERE l.statement = s.statement)), bool_and(scale(total) = 2) FROM read.payroll_statement s"
    ) == [(True, True)]
    assert rows("SELECT period, statements, closed_by, timezone FROM read.payroll_period ORDER BY 1") == [
        ("2026-09", 3, PAYROLL, "UTC"),
        ("2026-10", 3, PAYROLL, "UTC"),
    ]
    assert rows("SELECT line_id, time, status, note, amount FROM read.payroll_dispute") == [
        ("2026-09/ann/1", 1, "accepted", "yes", Decimal("2.50"))
    ]
    assert rows("SELECT payment, deal, amount, refunded FROM read.payroll_ghost ORDER BY 1") == [
        ("P-2", "D-9", Decimal("10.00"), Decimal("0.00")),
        ("P-3", None, Decimal("10.00"), Decimal("0.00")),
    ]
    assert rows("SELECT plan, version, currency, document ->> 'rate' FROM read.payroll_plan") == [
        ("flat", 1, "USD", "5")
    ]


def test_a_line_leads_to_the_events_that_it_rests_on(company: Payday) -> None:
    with company.database.connection() as connection:
        names = connection.execute(
            "SELECT l.line_id, array_agg(e.name ORDER BY e.position) FROM read.payroll_line l"
            " JOIN log.events e ON e.position = ANY(l.events) GROUP BY 1 ORDER BY 1"
        ).fetchall()
    plan = ["payroll.PlanPublished", "payroll.PlanAssigned"]
    assert names == [
        ("2026-09/ann/1", [*plan, "deals.DealWon"]),
        ("2026-09/bob/1", [*plan, "deals.DealWon"]),
        ("2026-10/ann/1", ["payroll.DisputeResolved"]),
        ("2026-10/bob/1", [*plan, "deals.DealWon", "deals.DealAmended"]),
    ]


def test_what_the_role_could_read_before_is_taken_from_it(company: Payday) -> None:
    migration = (FOLDER / "0003_payroll_reader.sql").read_bytes()
    with company.database.connection() as connection:
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA read TO dealtrail_payroll")
        connection.execute(migration)
        left = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'read'::regnamespace"
            " AND relkind IN ('r', 'v') AND has_table_privilege(%s, oid, 'SELECT')",
            (ROLE,),
        ).fetchone()
    assert left == (0,)
