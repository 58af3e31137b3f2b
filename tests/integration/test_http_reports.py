"""Every report over HTTP says what the command line says, and what can't be answered is a problem."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from http_serving import Api, action, hire, must_be_problem, register, serving

from adapters.audit.keys import read_keys
from adapters.cli.main import cli
from adapters.demo.generator import generate
from adapters.demo.recording import record
from benchmarks.ground import END

Ask = Callable[..., dict[str, Any]]
P = "new-business"
PAIRS = (
    (f"/funnel?pipeline={P}", f"funnel --pipeline {P}"),
    (
        f"/funnel?pipeline={P}&by=rep&view=flow&from=2025-07-01&to=2025-09-30",
        f"funnel --pipeline {P} --by rep --view flow --from 2025-07-01 --to 2025-09-30",
    ),
    (f"/cycle-time?pipeline={P}", f"cycle-time --pipeline {P}"),
    (
        f"/cycle-time?pipeline={P}&by=month&outcome=closed&since=lead",
        f"cycle-time --pipeline {P} --by month --outcome closed --since lead",
    ),
    ("/owners/L-1", "owner L-1"),
    ("/neglected", "neglected"),
    ("/neglected?rep=rep-5", "neglected --rep rep-5"),
    ("/overdue", "overdue"),
    ("/overdue?rep=rep-5", "overdue --rep rep-5"),
    ("/queue/rep-5", "queue --rep rep-5"),
    ("/encroachments", "encroachments"),
    ("/encroachments?rep=rep-5", "encroachments --rep rep-5"),
    ("/refusals", "refusals"),
    ("/refusals?rep=rep-5&lead=L-1", "refusals --rep rep-5 --lead L-1"),
    ("/pool", "pool"),
    ("/scorecards/rep-5", "scorecard --rep rep-5"),
    ("/deals/D-1", "deal D-1"),
    ("/leads/L-1", "lead L-1"),
    ("/payroll/statements?period=2025-09", "payroll statements --period 2025-09"),
    ("/payroll/statements/2025-09/rep-5", "payroll statement --period 2025-09 --rep rep-5"),
    ("/payroll/explain/2025-09/rep-5/1", "payroll explain 2025-09/rep-5/1"),
    ("/payroll/ghosts", "payroll ghosts"),
    ("/payroll/exceptions", "payroll exceptions"),
    ("/payroll/exceptions?rep=rep-5&period=2025-09", "payroll exceptions --rep rep-5 --period 2025-09"),
    ("/payroll/disputes", "payroll disputes"),
    ("/payroll/disputes?open=true&rep=rep-5", "payroll disputes --open --rep rep-5"),
    ("/payroll/plans", "payroll plans"),
    ("/payroll/assignments", "payroll assignments"),
    ("/payroll/assignments?rep=rep-5", "payroll assignments --rep rep-5"),
    ("/payroll/periods", "payroll periods"),
)


@pytest.fixture(scope="module")
def api(module_database_url: str, audit_key: Path) -> Iterator[Api]:
    with serving(module_database_url) as one:
        record(generate(7, 120, END), one.parts.intake())
        one.projected()
        one.parts.seal(read_keys(audit_key))
        yield one


@pytest.fixture
def cli_says(api: Api, module_database_url: str) -> Ask:
    def ask(*words: str) -> dict[str, Any]:
        done = CliRunner().invoke(cli, [*words, "--json"], env={"DATABASE_URL": module_database_url})
        assert done.exit_code == 0, done.output
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return ask


@pytest.mark.parametrize(("path", "command"), PAIRS, ids=[path for path, _ in PAIRS])
def test_a_report_of_the_past_is_what_the_command_line_says(
    api: Api, cli_says: Ask, path: str, command: str
) -> None:
    head = api.parts.store.head()
    sign = "&" if "?" in path else "?"
    answer = api.get(f"{path}{sign}as_of=%23{head}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["dealtrail-position"] == str(head)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == cli_says(*command.split(), "--as-of", f"#{head}")


@pytest.mark.parametrize("path", [path for path, _ in PAIRS])
def test_a_report_of_the_present_is_of_the_same_shape(api: Api, path: str) -> None:
    sign = "&" if "?" in path else "?"
    now, past = api.get(path), api.get(f"{path}{sign}as_of=%23{api.parts.store.head()}")
    assert now.status_code == 200, now.text
    assert now.headers["dealtrail-position"] == str(api.parts.store.head())
    assert list(now.json()) == list(past.json())


@pytest.mark.parametrize("path", [path for path, _ in PAIRS if "explain" not in path and "/2025" not in path])
def test_a_report_may_be_asked_for_by_what_had_happened(api: Api, path: str) -> None:
    sign = "&" if "?" in path else "?"
    answer = api.get(f"{path}{sign}as_of=2025-12-01T00:00:00Z&axis=occurred")
    if answer.status_code != 404:  # What is asked about hadn't happened yet.
        assert answer.status_code == 200, answer.text
        assert answer.json()["axis"] == "occurred"
        assert answer.json()["as_of"] == "2025-12-01T00:00:00+00:00"


@pytest.mark.parametrize("path", ["/pool", "/payroll/ghosts", "/payroll/exceptions", f"/funnel?pipeline={P}"])
@pytest.mark.parametrize(
    "said",
    [
        "as_of=then",
        "as_of=%23x",
        "as_of=%23" + "9" * 19,
        "as_of=%23" + "9" * 5000,
        "as_of=%239&axis=occurred",
        "as_of=2026-01-01T10:00",
        "axis=sideways",
        "as_of=0001-01-01",
    ],
)
def test_what_is_no_moment_is_refused(api: Api, path: str, said: str) -> None:
    must_be_problem(api.get(f"{path}{'&' if '?' in path else '?'}{said}"), 422, "invalid_data")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/funnel", 422, "invalid_data"),
        ("/funnel?pipeline=x", 404, "unknown_pipeline"),
        (f"/funnel?pipeline={P}&by=height", 422, "invalid_data"),
        (f"/funnel?pipeline={P}&from=yesterday", 422, "invalid_data"),
        ("/cycle-time?pipeline=x", 404, "unknown_pipeline"),
        (f"/cycle-time?pipeline={P}&outcome=open", 422, "invalid_data"),
        ("/owners/x", 404, "unknown_lead"),
        ("/owners/", 404, "unknown_lead"),
        ("/leads/x", 404, "unknown_lead"),
        ("/leads/a%2Fb", 404, "unknown_lead"),
        ("/leads/a%0Ab%0A", 404, "unknown_lead"),
        ("/audit/bundles/2025-09/a%0A", 404, "unknown_statement"),
        ("/leads/a%2Fb%00", 422, "invalid_data"),
        ("/neglected?rep=%00", 422, "invalid_data"),
        ("/deals/x", 404, "unknown_deal"),
        ("/scorecards/x", 404, "unknown_rep"),
        ("/queue/x", 404, "unknown_rep"),
        ("/neglected?rep=x", 404, "unknown_rep"),
        ("/overdue?rep=x", 404, "unknown_rep"),
        ("/encroachments?rep=x", 404, "unknown_rep"),
        ("/refusals?rep=x", 404, "unknown_rep"),
        ("/refusals?lead=x", 404, "unknown_lead"),
        ("/payroll/statements", 422, "invalid_data"),
        ("/payroll/statements?period=2025-13", 422, "invalid_data"),
        ("/payroll/statements?period=2019-01", 404, "unknown_period"),
        ("/payroll/statements/2025-09/x", 404, "unknown_rep"),
        ("/payroll/statements/2025-09/x?format=pdf", 404, "unknown_statement"),
        ("/payroll/statements/2025-09/rep-5?format=doc", 422, "invalid_data"),
        ("/payroll/explain/2025-09/rep-5/999", 404, "unknown_line"),
        ("/payroll/explain/2025-09/rep-5/first", 404, "unknown_line"),
        ("/payroll/explain/2025-09/x/1", 404, "unknown_rep"),
        ("/payroll/exceptions?rep=x", 404, "unknown_rep"),
        ("/payroll/exceptions?period=x", 422, "invalid_data"),
        ("/payroll/disputes?rep=x", 404, "unknown_rep"),
        ("/payroll/disputes?open=perhaps", 422, "invalid_data"),
        ("/payroll/assignments?rep=x", 404, "unknown_rep"),
        ("/audit/proofs/0", 422, "invalid_data"),
        ("/audit/proofs/99999999", 404, "not_sealed"),
        ("/audit/proofs?from=1&to=2", 404, "not_sealed"),
        ("/audit/proofs?from=2&to=1", 422, "invalid_data"),
        ("/audit/proofs", 422, "invalid_data"),
        ("/audit/bundles/2025-09/x", 404, "unknown_statement"),
        ("/audit/bundles/2019-01/rep-5", 404, "unknown_statement"),
        ("/audit/bundles/x/rep-5", 422, "invalid_data"),
        ("/nothing", 404, "not_found"),
        ("/pool?as-of=2025-09-01", 422, "invalid_data"),
        ("/pool?as_of=2025-09-01&as_of=2025-09-02", 422, "invalid_data"),
        ("/events?as_of=2025-09-01", 422, "invalid_data"),
        ("/audit/checkpoints?as_of=2025-09-01", 422, "invalid_data"),
        ("/audit/proofs/1?as_of=2025-09-01", 422, "invalid_data"),
        ("/audit/bundles/2025-09/rep-5?axis=occurred", 422, "invalid_data"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(api: Api, path: str, status: int, code: str) -> None:
    must_be_problem(api.get(path), status, code)


def test_what_cannot_be_done_somewhere_is_a_problem(api: Api) -> None:
    answer = api.client.delete("/pool")
    must_be_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


def test_a_statement_may_be_had_as_a_file(api: Api) -> None:
    for format, media_type, begins in (
        ("html", "text/html; charset=utf-8", b"<!DOCTYPE html>"),
        ("csv", "text/csv; charset=utf-8", b"statement,"),
        ("pdf", "application/pdf", b"%PDF-"),
    ):
        answer = api.get(f"/payroll/statements/2025-09/rep-5?format={format}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
        assert answer.content.lower().startswith(begins.lower())
        assert answer.headers["content-disposition"] == f'inline; filename="2025-09-rep-5.{format}"'
    csv = api.get("/payroll/statements/2025-09/rep-5?format=csv").text.splitlines()
    statement = api.get("/payroll/statements/2025-09/rep-5").json()
    assert len(csv) == 1 + len(statement["lines"])
    for later in ("2099-01/rep-5?format=html", "2025-09/rep-5?format=csv&as_of=2025-09-30"):
        must_be_problem(api.get(f"/payroll/statements/{later}"), 409, "period_open")
    since = api.get(f"/payroll/statements/2025-09/rep-5?format=csv&as_of=%23{api.parts.store.head()}")
    assert since.text.splitlines() == csv


def test_a_draft_is_tried_in_toml_and_in_json(api: Api, cli_says: Ask, tmp_path: Path) -> None:
    toml = 'name = "Ten"\ncurrency = "USD"\nbasis = "won"\nrate = "10"\n'
    (tmp_path / "plan.toml").write_text(toml)
    said = f"from=2025-07-01&to=2025-09-30&as_of=%23{api.parts.store.head()}"
    by_toml = api.client.post(
        f"/payroll/simulate?{said}", content=toml, headers={"Content-Type": "application/toml"}
    )
    plan = {"name": "Ten", "currency": "USD", "basis": "won", "rate": "10"}
    by_json = api.client.post(f"/payroll/simulate?{said}", json=plan)
    options = f"--from 2025-07-01 --to 2025-09-30 --as-of #{api.parts.store.head()}".split()
    assert by_toml.json() == by_json.json()
    assert by_json.json() == cli_says("payroll", "simulate", "--plan", str(tmp_path / "plan.toml"), *options)


@pytest.mark.parametrize(
    ("query", "body", "media_type", "status", "code"),
    [
        ("from=2025-07-01&to=2025-09-30", b"name =", "application/toml", 400, "malformed"),
        ("from=2025-07-01&to=2025-09-30", b"{", "application/json", 400, "malformed"),
        ("from=2025-07-01&to=2025-09-30", b"[]", "application/json", 400, "malformed"),
        ("from=2025-07-01&to=2025-09-30", b'{"name": 1}', "application/json", 422, "invalid_data"),
        ("from=2025-07-01&to=2025-09-30", b"", "text/plain", 415, "unsupported_media_type"),
        ("from=2025-07-01&to=2025-06-30", b"{}", "application/json", 422, "invalid_data"),
        ("from=2025-07", b"{}", "application/json", 422, "invalid_data"),
    ],
)
def test_a_draft_that_cannot_be_tried_is_refused(
    api: Api, query: str, body: bytes, media_type: str, status: int, code: str
) -> None:
    answer = api.client.post(f"/payroll/simulate?{query}", content=body, headers={"Content-Type": media_type})
    must_be_problem(answer, status, code)


def test_checkpoints_proofs_and_bundles_hold(api: Api, audit_key: Path) -> None:
    from adapters.audit.bundle.bundle import StatementBundle
    from adapters.audit.proofs import ConsistencyProof, InclusionProof
    from domain.audit.checkpoint import open_checkpoint

    trusted = read_keys(audit_key).verifiers
    listed = api.get("/audit/checkpoints").json()
    assert listed["count"] == len(listed["items"]) > 2
    latest = api.get("/audit/checkpoints/latest")
    assert latest.headers["content-type"] == "text/plain; charset=utf-8"
    checkpoint = open_checkpoint(latest.content, trusted)
    assert checkpoint.size == int(latest.headers["dealtrail-position"]) == listed["items"][-1]["size"]
    inclusion = InclusionProof.model_validate_json(api.get("/audit/proofs/7").content)
    assert inclusion.check(trusted, checkpoint).position == 7
    first = listed["items"][0]["size"]
    grown = api.get(f"/audit/proofs?from={first}&to={checkpoint.size}")
    old, new = ConsistencyProof.model_validate_json(grown.content).check(trusted)
    assert (old.size, new) == (first, checkpoint)
    bundle = StatementBundle.model_validate_json(api.get("/audit/bundles/2025-09/rep-5").content)
    issued, _ = bundle.check(trusted)
    assert issued.event.rep == "rep-5"


def test_a_parameter_that_is_not_known_is_named_with_those_that_are(api: Api) -> None:
    told = must_be_problem(api.get("/owners/L-1?position=1"), 422, "invalid_data")
    assert told["details"] == {"field": "position", "known": ["as_of", "axis"]}
    assert told["detail"] == "position: no such parameter. It may be asked with as_of, axis."


def test_nothing_is_told_to_who_does_not_say_who_they_are(api: Api) -> None:
    for path in ("/pool", "/events", "/audit/checkpoints", "/payroll/periods"):
        answer = api.get(path, headers={"Authorization": ""})
        must_be_problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert api.get("/health/ready", headers={"Authorization": ""}).status_code == 200


def test_what_one_wrote_is_read_by_its_position(database_url: str) -> None:
    with serving(database_url, project=True) as api:
        api.act(hire("ann"))
        for number in range(20):
            written = api.act(register(f"L-{number}", "ann"))
            at_least = {"Dealtrail-At-Least": written.headers["dealtrail-position"]}
            answer = api.get(f"/owners/L-{number}", headers=at_least)
            assert (answer.status_code, answer.json()["owner"]) == (200, "ann")
            assert int(answer.headers["dealtrail-position"]) >= int(at_least["Dealtrail-At-Least"])


def test_tables_that_are_not_brought_up_in_time_are_a_problem(database_url: str) -> None:
    with serving(database_url, DEALTRAIL_WAIT_SECONDS="1") as api:
        written = int(api.act(hire("ann")).headers["dealtrail-position"])
        answer = api.get("/pool", headers={"Dealtrail-At-Least": str(written)})
        told = must_be_problem(answer, 503, "not_yet")
        assert told["details"] == {"position": written - 1, "wanted": written}
        assert answer.headers["retry-after"] == "1"
        api.projected()
        assert api.get("/pool", headers={"Dealtrail-At-Least": str(written)}).status_code == 200


def test_a_position_that_the_log_has_not_reached_is_refused(api: Api) -> None:
    head = api.parts.store.head()
    for path in ("/pool", "/payroll/periods", "/payroll/exceptions", "/events"):
        answer = api.get(path, headers={"Dealtrail-At-Least": str(head + 1)})
        told = must_be_problem(answer, 422, "unknown_position")
        assert told["details"] == {"position": head + 1, "head": head}
        if path != "/events":
            past = api.get(f"{path}?as_of=%231", headers={"Dealtrail-At-Least": str(head + 1)})
            must_be_problem(past, 422, "unknown_position")
    for said in ("-1", "x", "+0.0", "9223372036854775808"):
        must_be_problem(api.get("/pool", headers={"Dealtrail-At-Least": said}), 422, "invalid_data")


def test_reports_on_tables_that_were_never_built_say_so(database_url: str) -> None:
    with serving(database_url) as api:
        with api.parts.database.connection() as connection:
            connection.execute("UPDATE read.projection SET fingerprint = 'other' WHERE name = 'leads'")
        must_be_problem(api.get("/pool"), 503, "projection_stopped")
        assert api.get("/payroll/periods").status_code == 200
        must_be_problem(api.get("/payroll/exceptions"), 409, "nothing_recorded")
        must_be_problem(api.get("/audit/checkpoints/latest"), 404, "not_sealed")
        assert api.act(action("rep.hire", "ann", {"name": "Ann"})).status_code == 200
