"""What was shown while the log grew is what the log alone gives later; what was changed is found."""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from histories import History

from adapters.cli.main import cli

Run = Callable[..., Result]
REPORTS = (
    "funnel --pipeline sales --by rep",
    "funnel --pipeline sales --view flow --from 2026-02-01 --by month",
    "cycle-time --pipeline sales --by channel --since lead",
    "cycle-time --pipeline sales --outcome closed",
    "neglected",
    "overdue",
    "queue --rep ann",
    "encroachments",
    "refusals",
    "pool",
    "scorecard --rep bob",
    "owner L-2",
    "lead L-2",
    "deal D-twice",
    "payroll ghosts",
    "payroll exceptions",
    "payroll statement --rep ann --period 2026-01",
    "payroll statements --period 2026-01",
)
PAST = " --axis occurred --as-of 2026-02-10"


@pytest.fixture
def history(database_url: str) -> Iterator[History]:
    opened = History(database_url, 5)
    yield opened
    opened.close()


@pytest.fixture
def run(database_url: str) -> Run:
    def run(line: str, *words: object) -> Result:
        given = {"DATABASE_URL": database_url, "COLUMNS": "100", "DEALTRAIL_TIMEZONE": "Europe/Berlin"}
        return CliRunner().invoke(cli, [*line.split(), *map(str, words)], env=given)

    return run


def told(done: Result, code: int = 0) -> dict[str, Any]:
    assert (done.exit_code, done.stderr) == (code, ""), (done.output, done.exception)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_was_shown_is_what_the_log_gives_later(history: History, run: Run, tmp_path: Path) -> None:
    kept: list[tuple[str, Path]] = []
    tables: dict[int, list[dict[str, Any]]] = {}
    for part in range(3):
        history.live(90)
        for number, line in enumerate(REPORTS if part < 2 else ()):
            for past in ("", PAST) if part == 1 and not line.startswith("payroll s") else ("",):
                file = tmp_path / f"{part}-{number}-{len(past)}.json"
                file.write_text(json.dumps(told(run(f"{line}{past} --json"))))
                kept.append((line + past.split(" --as-of")[0], file))
        replayed = told(run("audit replay --json"))
        assert (replayed["count"], replayed["position"]) == (0, history.store.head())
        tables[replayed["position"]] = replayed["tables"]
    for line, file in kept:
        done = run("audit replay --shown", file, *line.split())
        assert done.exit_code == 0, (line, done.output)
        assert "what was kept is what the log gives" in done.stdout
    *before, _ = tables
    for position in before:
        again = told(run(f"audit replay --json --until {position}"))
        assert [one["digest"] for one in again["tables"]] == [one["digest"] for one in tables[position]]
        assert {one["differing"] for one in again["tables"]} == {None}
    assert len({str(one) for one in tables.values()}) == 3


def test_a_changed_number_in_a_kept_answer_is_found(history: History, run: Run, tmp_path: Path) -> None:
    history.live(120)
    line, file = "funnel --pipeline sales --by rep", tmp_path / "kept.json"
    kept = told(run(f"{line} --json"))
    history.live(20)
    kept["groups"][1]["stages"][0]["reached"] += 1
    kept["surplus"] = 1
    del kept["won"]
    file.write_text(json.dumps(kept))
    found = told(run("audit replay --json --shown", file, *line.split()), 1)
    assert (found["report"], found["equal"], found["position"]) == ("funnel", False, kept["position"])
    reached = kept["groups"][1]["stages"][0]["reached"]
    places = {one["path"]: (one["kept"], one["now"]) for one in found["items"]}
    assert places.keys() == {"surplus", "groups[1].stages[0].reached", "won"}
    assert places["groups[1].stages[0].reached"] == (reached, reached - 1)
    assert (places["surplus"], places["won"][0]) == ((1, "(absent)"), "(absent)")
    shown = run("audit replay --shown", file, *line.split())
    assert shown.exit_code == 1
    assert "3 differences" in shown.stdout
    assert "groups[1].stages[0].reached" in shown.stdout
    after = told(run(f"audit replay --json --until {kept['position'] + 1} --shown", file, *line.split()), 1)
    assert "position" in {one["path"] for one in after["items"]}


def test_a_report_as_of_a_position_is_the_report_as_of_it(history: History, run: Run) -> None:
    history.live(100)
    line = "funnel --pipeline sales --by rep"
    assert told(run(f"audit replay --until 80 {line} --json")) == told(run(f"{line} --as-of #80 --json"))
    assert told(run(f"audit replay --json --until #80 {line}")) == told(run(f"{line} --as-of #80 --json"))
    day = told(run(f"audit replay --json --until 2026-02-10 {line}"))
    expected = told(run(f"{line} --as-of 2026-02-10 --json"))
    assert {**day, "as_of": None} == {**expected, "as_of": None}
    occurred = f"{line} --axis occurred --json"
    assert told(run(f"audit replay --until 2026-02-10 {occurred}")) == told(
        run(f"{occurred} --as-of 2026-02-10")
    )
    assert "Funnel of sales" in run(f"audit replay {line}").stdout


def test_tampered_read_tables_are_found_and_named(history: History, run: Run, database_url: str) -> None:
    history.live(120)
    position = told(run("audit replay --json"))["position"]
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("UPDATE read.deal SET amount = 31337, title = 'x' WHERE deal = 'D-twice'")
        database.execute("DELETE FROM read.lead WHERE lead = 'L-2'")
        database.execute("INSERT INTO read.lead_pointer VALUES ('ghost', 'L-1')")
        database.execute("UPDATE read.contact SET occurred_at = occurred_at + interval '1 microsecond'")
        ((view,),) = database.execute("SELECT pg_get_viewdef('read.payroll_period')").fetchall()
        none = f"SELECT * FROM ({view.rstrip(';')}) AS x WHERE false"
        hiding = f"CREATE OR REPLACE VIEW read.payroll_period AS {none}"
        database.execute(hiding.encode())
        contacts = database.execute("SELECT count(*) FROM read.contact").fetchone()
        assert contacts is not None
    found = told(run("audit replay --json"), 1)
    differing = {one["table"]: one["differing"] for one in found["tables"] if one["differing"]}
    assert differing == {"deal": 1, "lead": 1, "lead_pointer": 1, "contact": contacts[0]}
    assert found["count"] == 3 + contacts[0] + 1
    items = [one for one in found["items"] if one["table"] != "contact"]
    assert [(one["table"], one["problem"], one["column"], one["key"]) for one in items] == [
        ("lead", "missing", None, {"lead": "L-2"}),
        ("lead_pointer", "extra", None, {"lead": "ghost"}),
        ("deal", "changed", "title", {"deal": "D-twice"}),
        ("deal", "changed", "amount", {"deal": "D-twice"}),
        ("payroll_period", "view", None, {}),
    ]
    assert items[3]["found"] == "31337"
    assert "false" in items[4]["found"]
    assert "false" not in items[4]["expected"]
    named = [one for one in found["items"] if one["table"] == "contact"]
    assert len(named) == min(contacts[0], 20)
    assert {one["column"] for one in named} == {"occurred_at"}
    shown = run("audit replay")
    assert shown.exit_code == 1
    assert "31337" in shown.stdout
    assert run(f"audit replay --until {position - 1}").exit_code == 0, "the past was not tampered with"


def test_rows_that_no_table_should_hold_are_extra(history: History, run: Run, database_url: str) -> None:
    """The same deal twice, and a row that says nothing, where somebody dropped what forbids them."""
    history.live(120)
    told(run("audit replay --json"))
    with psycopg.connect(database_url, autocommit=True) as database:
        for (name,) in database.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'read.deal'::regclass AND contype = 'p'"
        ).fetchall():
            database.execute(f'ALTER TABLE read.deal DROP CONSTRAINT "{name}"'.encode())
        for (column,) in database.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'read.deal'::regclass AND attnum > 0"
        ).fetchall():
            database.execute(f'ALTER TABLE read.deal ALTER "{column}" DROP NOT NULL'.encode())
        database.execute("INSERT INTO read.deal SELECT * FROM read.deal WHERE deal = 'D-twice'")
        database.execute("INSERT INTO read.deal (deal) VALUES (NULL)")
    found = told(run("audit replay --json"), 1)
    assert [(one["table"], one["problem"], one["key"]) for one in found["items"]] == [
        ("deal", "extra", {"deal": "D-twice"}),
        ("deal", "extra", {"deal": None}),
    ]
    assert run("audit replay").exit_code == 1


def test_the_digest_is_that_of_a_copy_of_the_live_table(
    history: History, run: Run, database_url: str
) -> None:
    history.live(60)
    digests = {one["table"]: one for one in told(run("audit replay --json"))["tables"]}
    with psycopg.connect(database_url) as database:
        database.execute("SET TimeZone = 'UTC'")
        for table, key in {"deal": 'deal COLLATE "C"', "stage_visit": 'deal COLLATE "C", visit'}.items():
            query = f"COPY (SELECT * FROM read.{table} ORDER BY {key}) TO STDOUT"
            with database.cursor().copy(query.encode()) as copy:
                text = b"".join(map(bytes, copy))
            assert digests[table]["digest"] == sha256(text).hexdigest()
            assert digests[table]["rows"] == len(text.splitlines())


@pytest.fixture
def auditors_url(database_url: str) -> Iterator[str]:
    """A login that may read as auditors do, and do nothing else."""
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute("CREATE ROLE carol LOGIN IN ROLE dealtrail_auditor")
        yield database_url.replace("user=postgres", "user=carol")
        admin.execute("DROP ROLE carol")


def test_an_auditor_who_may_only_read_can_replay_and_trace(
    history: History, run: Run, auditors_url: str, tmp_path: Path
) -> None:
    history.live(60)
    assert told(run("audit replay --json"))["count"] == 0
    with psycopg.connect(auditors_url) as auditor, pytest.raises(psycopg.errors.InsufficientPrivilege):
        auditor.execute("SELECT FROM vault.key")
    for line in (
        "audit replay",
        "audit replay --until 40",
        "audit replay --until 40 funnel --pipeline sales",
        "audit trace funnel --pipeline sales deals",
        "audit trace payroll statement --rep ann --period 2026-01 total",
        f"audit export --format ndjson --out {tmp_path}",
        "payroll statement --rep ann --period 2026-01",
        "payroll verify",
        "lead L-2",
        "funnel --pipeline sales --as-of #40",
    ):
        done = CliRunner().invoke(cli, line.split(), env={"DATABASE_URL": auditors_url})
        assert done.exit_code == 0, (line, done.output, done.exception)


def test_what_an_auditor_may_not_open_is_not_compared_and_all_else_is(
    history: History, run: Run, auditors_url: str, database_url: str
) -> None:
    history.live(60)
    opened = told(run("audit replay --json"))
    assert (opened["opened"], opened["count"]) == (True, 0)
    auditor = {"DATABASE_URL": auditors_url, "COLUMNS": "200"}
    with psycopg.connect(database_url) as connection:
        assert connection.execute("UPDATE read.rep SET name = 'Nobody' WHERE rep = 'ann'").rowcount == 1
        assert connection.execute("UPDATE read.rep SET branch = 'Moon' WHERE rep = 'bob'").rowcount == 1
    sealed = json.loads(CliRunner().invoke(cli, ["audit", "replay", "--json"], env=auditor).stdout)
    assert [(one["column"], one["found"]) for one in sealed["items"]] == [("branch", "Moon")]
    assert sealed["opened"] is False
    assert "they were not compared" in CliRunner().invoke(cli, ["audit", "replay"], env=auditor).stdout
    whole = told(run("audit replay --json"), 1)
    assert {(one["column"], one["found"]) for one in whole["items"]} == {
        ("branch", "Moon"),
        ("name", "Nobody"),
    }


def test_wrong_usage_is_told(history: History, run: Run, tmp_path: Path) -> None:
    history.live(10)
    (tmp_path / "no.json").write_text('{"as_of": "2026-01-01T00:00:00Z"}')
    (tmp_path / "kept.json").write_text(json.dumps(told(run("pool --json"))))
    for line in (
        "replay import x.ndjson",
        "replay nothing",
        "replay payroll",
        "replay payroll close 2026-01",
        "replay --until soon",
        "replay --until 2026-01-01T10:00:00",
        f"replay --shown {tmp_path / 'kept.json'}",
        f"replay --shown {tmp_path / 'no.json'} pool",
        f"replay --shown {tmp_path / 'none.json'} pool",
        f"replay --until 2026-02-01 --shown {tmp_path / 'kept.json'} pool",
        "replay pool --as-of 2026-02-01",
        "replay --until 3 pool --axis occurred",
        "replay funnel",
        "trace",
        "trace import x",
        "trace pool count items",
        "trace funnel won",
    ):
        assert run(f"audit {line}").exit_code == 2, line
    for line in (
        "replay --until 99999",
        "replay --until 99999 pool",
        "trace pool counts",
        "trace deal D-twice lead",
    ):
        refused = run(f"audit {line} --json" if "pool" in line or "deal" in line else f"audit {line}")
        assert refused.exit_code == 1, line
        assert refused.stderr
