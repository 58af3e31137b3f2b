"""Every role, every operation, about their own, their team's, another's and nobody's: as the table says."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from entitled_asking import Asker, leaked
from entitled_company import BOBS, CUSTOMERS, NOBODYS, TEAM, ZEDS, Question, founded, questions
from http_serving import Api, action, must_be_problem, serving
from oidc_provider import AUDIENCE, provider
from payday import Payday

from adapters.access.entitlements import ACTORS, OPERATIONS, ROLES, Role, Scope
from adapters.audit.keys import read_keys
from adapters.observing.metrics import measuring
from domain.payroll.events import StatementIssued

THEIRS: dict[Role, tuple[str, ...]] = {"rep": ("ann",), "head": TEAM}


@pytest.fixture(scope="module")
def company(module_database_url: str) -> Iterator[Payday]:
    company = founded(module_database_url)
    yield company
    company.close_database()


@pytest.fixture(scope="module")
def api(company: Payday, module_database_url: str, audit_key: Path) -> Iterator[Api]:
    with serving(module_database_url) as api:
        api.parts.seal(read_keys(audit_key))
        yield api


def expected(role: Role, question: Question) -> int:
    """The status by the table alone."""
    operation = OPERATIONS[question.operation]
    scope = operation.scopes[role]
    if scope is Scope.NONE:
        return 403
    if scope is Scope.OWN and question.of is not None:
        return 200 if question.of in THEIRS[role] else 403
    return 404 if question.of == "nobody" else 200


def test_the_questions_are_about_every_operation() -> None:
    assert {question.operation for question in questions()} == set(OPERATIONS) - {"act"}
    assert all(list(operation.scopes) == list(ROLES) for operation in OPERATIONS.values())
    assert list(ACTORS) == list(ROLES)


def test_every_route_is_an_operation_of_the_table(api: Api) -> None:
    told = {"act_batch": "act", "latest_checkpoint": "checkpoints"}
    routes = {
        told.get(route["operationId"], route["operationId"])
        for path, methods in api.get("/openapi.json").json()["paths"].items()
        for route in methods.values()
        if not path.startswith("/health")
    }
    assert routes == set(OPERATIONS)


def test_every_role_may_what_the_table_says(api: Api, company: Payday) -> None:
    wrong = []
    for role in ROLES:
        asker = Asker(api, company, role)
        for question in questions():
            answer = asker.ask(question)
            if answer.status_code != expected(role, question):
                wrong.append(f"{role} {question.path}: {answer.status_code} {answer.text[:200]}")
            elif answer.status_code == 403:
                must_be_problem(answer, 403, "forbidden")
    assert wrong == []


def test_nobody_gets_anything_without_a_key(api: Api) -> None:
    with httpx.Client(base_url=api.url) as stranger:
        for question in questions():
            if question.sent is None:
                answer = stranger.get(question.path.format(issued=1, first=1, size=1))
                must_be_problem(answer, 401, "unauthenticated")
                assert answer.headers["www-authenticate"] == "Bearer"
        assert stranger.post("/actions", json=action("lead.claim", "L-1")).status_code == 401
        assert stranger.post("/actions/batch", content=b"x").status_code == 401
        assert stranger.post("/payroll/simulate", content=b"x").status_code == 401


def test_a_rep_learns_no_pay_of_others(api: Api, company: Payday) -> None:
    paid = {one.rep: _figures(one) for one in company.statements().values()}
    admin = Asker(api, company, "admin")
    everything = "".join(admin.ask(one).content.decode(errors="replace") for one in questions())
    secrets: set[str] = {*ZEDS, *BOBS, *NOBODYS, *paid["zed"], *paid["bob"]}
    assert len(secrets) > 12
    assert set(leaked(everything, sorted(secrets))) == secrets
    for role, rep, hidden in (
        ("rep", "ann", (*ZEDS, *BOBS, *NOBODYS, *(paid["zed"] | paid["bob"]) - paid["ann"])),
        ("rep", "head", (*ZEDS, *BOBS, *NOBODYS, "61.7", *(paid["zed"] | paid["bob"] | paid["ann"]))),
        ("head", "head", (*ZEDS, *NOBODYS, *paid["zed"] - paid["ann"] - paid["bob"])),
    ):
        asker = Asker(api, company, role, rep)  # type: ignore[arg-type]
        for question in questions():
            told = asker.ask(question).content.decode(errors="replace")
            assert leaked(told, hidden) == [], f"{role} {rep}: {question.path}"


def _figures(issued: StatementIssued) -> set[str]:
    """Those of four digits and more: shorter ones are in other figures by chance."""
    figures = {issued.total, *(one for line in issued.lines for one in (line.amount, line.basis))}
    return {format(figure, "f") for figure in figures if abs(figure) >= Decimal(1000)}


def test_what_is_shown_is_whole_where_all_is_theirs(api: Api, company: Payday) -> None:
    """The head of both and an admin are told the same: nothing is withheld too much."""
    admin, head, ann = (Asker(api, company, role) for role in ("admin", "head", "rep"))  # type: ignore[arg-type]
    for path in ("/deals/D-both", "/leads/L-D-both", "/queue/ann", "/payroll/statements/2026-09/ann"):
        whole, theirs = (asker.ask(Question("", path)).json() for asker in (admin, head))
        whole.pop("as_of"), theirs.pop("as_of")
        assert theirs == whole
    shares = ann.ask(Question("", "/deals/D-both")).json()["shares"]
    assert [(one["rep"], one["percent"]) for one in shares] == [("ann", "61.7"), ("bob", None)]
    old = ann.ask(Question("", "/leads/L-D-old")).json()
    assert old["deals"] == []
    assert not [one for one in old["timeline"] if one["stream"] == "deal-D-old"]
    funnel = ann.ask(Question("", "/funnel?pipeline=sales&by=rep")).json()
    assert [(one["key"], one["won_amount"]) for one in funnel["groups"]] == [("ann", {"USD": "400.00"})]
    assert (funnel["deals"], funnel["won_amount"]) == (4, {"USD": "400.00"})
    card = ann.ask(Question("", "/scorecards/ann")).json()
    assert card["won_amount"] == {"rep": {"USD": "400.00"}, "team_median": {}, "team_best": {}}
    statements = head.ask(Question("", "/payroll/statements?period=2026-09")).json()
    assert {one["rep"] for one in statements["statements"]} == set(TEAM)
    total = sum(Decimal(one["total"]) for one in statements["statements"])
    assert statements["totals"] == {"USD": str(total)}


def test_lists_have_what_is_theirs(api: Api, company: Payday) -> None:
    ann = Asker(api, company, "rep")

    def items(path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ann.ask(Question("", path)).json()["items"]
        return found

    assert {one["rep"] for one in items("/neglected")} == {"ann"}
    assert [one["task"] for one in items("/overdue")] == ["T-ann"]
    assert {(one["owner"], one["by"]) for one in items("/encroachments")} == {("ann", "bob"), ("zed", "ann")}
    assert {(one["rep"], one["owner"]) for one in items("/refusals")} == {("zed", "ann")}
    assert {one["rep"] for one in items("/payroll/disputes")} == {"ann"}
    assert {one["rep"] for one in items("/payroll/assignments")} == {"ann"}


def test_what_is_anothers_is_answered_as_what_is_not_there(api: Api, company: Payday) -> None:
    for role in ("rep", "head"):
        asker = Asker(api, company, role)  # type: ignore[arg-type]
        for question in questions():
            if question.of == "zed" and "lead=" not in question.path:
                other = asker.ask(question)
                path = question.path.replace("zed", "nobody")
                unknown = asker.ask(Question(question.operation, path))
                assert (other.status_code, other.content) == (unknown.status_code, unknown.content)


def test_personal_texts_stay_sealed_for_auditors_and_payroll(api: Api, company: Payday) -> None:
    assert any(leaked(Asker(api, company, "admin").ask(question).text, CUSTOMERS) for question in questions())
    for role in ("auditor", "payroll"):
        asker = Asker(api, company, role)  # type: ignore[arg-type]
        for question in questions():
            if "format=html" not in question.path:  # A statement names its deals.
                assert leaked(asker.ask(question).text, CUSTOMERS) == [], f"{role}: {question.path}"


def test_a_denial_names_the_request(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where a thread of the readers finds that it isn't theirs."""
    ann = {"Authorization": f"Bearer {api.key('rep', 'ann')}"}
    paths = ("/queue/zed", "/deals/D-zed", "/leads/L-D-zed", "/owners/L-D-zed", "/refusals?lead=L-D-zed")
    for number, path in enumerate(paths):
        assert api.get(path, headers=ann | {"X-Request-ID": f"mine-{number}"}).status_code == 403
    lines = [line for line in capsys.readouterr().err.splitlines() if "access_denied" in line]
    assert [f"request=mine-{number}" in line for number, line in enumerate(lines)] == [True] * len(paths)


def test_denials_are_counted(api: Api) -> None:
    ann = {"Authorization": f"Bearer {api.key('rep', 'ann')}"}
    with measuring(api.parts.database) as metrics:
        assert api.get("/queue/bob", headers=ann).status_code == 403
        assert api.get("/queue/ann", headers=ann).status_code == 200
        assert api.get("/queue/ann", headers={"Authorization": "Bearer x"}).status_code == 401
        counted = [line for line in metrics.text().decode().splitlines() if "access_denied_total{" in line]
    assert sorted(counted) == [
        'dealtrail_access_denied_total{operation="authenticate",role="unknown"} 1.0',
        'dealtrail_access_denied_total{operation="queue",role="rep"} 1.0',
    ]


def test_tokens_open_as_keys_do(company: Payday, module_database_url: str) -> None:
    with provider() as oidc:
        oidc.rsa("r1")
        settings = {"DEALTRAIL_OIDC_ISSUER": oidc.issuer, "DEALTRAIL_OIDC_AUDIENCE": AUDIENCE}
        with serving(module_database_url, **settings) as api:

            def ask(path: str, **claims: Any) -> httpx.Response:
                token = oidc.token("r1", **claims)
                return api.get(path, headers={"Authorization": f"bearer {token}"})

            ann = {"dealtrail_role": "rep", "dealtrail_rep": "ann"}
            assert ask("/queue/ann", **ann).status_code == 200
            must_be_problem(ask("/queue/bob", **ann), 403, "forbidden")
            assert ask("/queue/bob", dealtrail_role="head", dealtrail_rep="head").status_code == 200
            must_be_problem(ask("/queue/ann", **ann, exp=1), 401, "unauthenticated")
            oidc.away = True
            assert ask("/queue/ann", **ann).status_code == 200
    with serving(module_database_url, **settings) as api:  # The provider is gone.
        must_be_problem(ask("/queue/ann", **ann), 503, "issuer_unavailable")
