"""Every role, every operation, about their own, their team's, another's and nobody's: as the table says."""

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from entitled_company import BOBS, CUSTOMERS, NOBODYS, TEAM, ZEDS, Question, founded, questions
from http_serving import Api, action, must_be_problem, serving
from oidc_provider import AUDIENCE, provider
from payday import Payday

from adapters.access.gate import REMEMBERED_SECONDS
from adapters.audit.keys import read_keys
from adapters.http.access import Caller
from adapters.http.entitlements import ACTORS, OPERATIONS, ROLES, Role, Scope
from adapters.observing.metrics import measuring
from domain.payroll.events import StatementIssued
from domain.shared.rejections import NotEntitled
from services.payloads import PAYLOADS

REPS: dict[Role, str] = {"rep": "ann", "head": "head"}
THEIRS: dict[Role, tuple[str, ...]] = {"rep": ("ann",), "head": TEAM}


@pytest.fixture
def company(database_url: str) -> Iterator[Payday]:
    company = founded(database_url)
    yield company
    company.close_database()


@pytest.fixture
def api(company: Payday, database_url: str, audit_key: Path) -> Iterator[Api]:
    with serving(database_url) as api:
        api.parts.seal(read_keys(audit_key))
        yield api


class Asker:
    """Somebody of a role, who asks."""

    def __init__(self, api: Api, company: Payday, role: Role, rep: str | None = None) -> None:
        self.role, self.rep = role, rep or REPS.get(role)
        self._client = api.client
        self._headers = {"Authorization": f"Bearer {api.key(role, self.rep)}"}
        facts = company.facts()
        issued = {fact.event.rep: fact.position for fact in facts if isinstance(fact.event, StatementIssued)}
        first, *_, last = [one.size for one in api.parts.checkpoints.all()]
        self._places = {"issued": issued["zed"], "first": first, "size": last}

    def ask(self, question: Question) -> httpx.Response:
        path = question.path.format(**self._places)
        if question.sent is None:
            return self._client.get(path, headers=self._headers)
        return self._client.post(path, headers=self._headers, json=question.sent)

    def act(self, *actions: dict[str, Any]) -> list[dict[str, Any]]:
        told = self._client.post("/actions/batch", headers=self._headers, json=actions)
        assert told.status_code == 200, told.text
        results: list[dict[str, Any]] = told.json()["results"]
        return results


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
    assert set(_leaked(everything, sorted(secrets))) == secrets
    for role, rep, hidden in (
        ("rep", "ann", (*ZEDS, *BOBS, *NOBODYS, *(paid["zed"] | paid["bob"]) - paid["ann"])),
        ("rep", "head", (*ZEDS, *BOBS, *NOBODYS, "61.7", *(paid["zed"] | paid["bob"] | paid["ann"]))),
        ("head", "head", (*ZEDS, *NOBODYS, *paid["zed"] - paid["ann"] - paid["bob"])),
    ):
        asker = Asker(api, company, role, rep)  # type: ignore[arg-type]
        for question in questions():
            told = asker.ask(question).content.decode(errors="replace")
            assert _leaked(told, hidden) == [], f"{role} {rep}: {question.path}"


def _figures(issued: StatementIssued) -> set[str]:
    """Those of four digits and more: shorter ones are in other figures by chance."""
    figures = {issued.total, *(one for line in issued.lines for one in (line.amount, line.basis))}
    return {format(figure, "f") for figure in figures if abs(figure) >= Decimal(1000)}


def _leaked(text: str, secrets: Sequence[str]) -> list[str]:
    """Those that are in the text, figures also as 1,234; not where they are among the digits of another."""
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    return [
        secret
        for secret in secrets
        if any(re.search(rf"(?<![\d.]){re.escape(secret)}0*(?!\d)", one) for one in (text, plain))
    ]


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


def test_past_states_are_shown_by_whose_it_is_now(api: Api, company: Payday) -> None:
    """A deal was Ann's when it was open, and Bob won it. The lead is hers again."""
    ann = Asker(api, company, "rep")
    then = len(company.facts())
    company.do("lead.assign", "L-D-ann-open", {"rep": "bob", "reason": "distribution"})
    company.do("deal.win", "D-ann-open", {"amount": "900", "currency": "USD"}, actor="bob")
    company.do("lead.assign", "L-D-ann-open", {"rep": "ann", "reason": "distribution"})
    api.projected()
    for when in ("", f"?as_of=%23{then}", "?as_of=2026-09-30&axis=occurred"):
        assert ann.ask(Question("", f"/deals/D-ann-open{when}")).status_code == 403
        lead = ann.ask(Question("", f"/leads/L-D-ann-open{when}")).json()
        assert lead["deals"] == []
        assert not [one for one in lead["timeline"] if one["stream"] == "deal-D-ann-open"]


def test_a_story_tells_no_shares_of_others(api: Api, company: Payday) -> None:
    """A split after the close is told of twice: as an event, and as what changed the line."""
    shares = [("ann", "50"), ("bob", "26.01"), ("zed", "23.99")]
    split = [{"rep": rep, "percent": percent} for rep, percent in shares]
    company.do("deal.split", "D-both", {"shares": split})
    path = "/payroll/explain/2026-10/ann/1"
    told, head, admin = (
        Asker(api, company, role).ask(Question("", path)).json()
        for role in ("rep", "head", "admin")  # type: ignore[arg-type]
    )
    split_to = "What changed it came since: the credit of deal D-both was split:"
    assert any(f"{split_to} ann 50 %, bob 26.01 %, zed 23.99 % (event " in line for line in admin["story"])
    assert any(f"{split_to} ann 50 % (event " in line for line in told["story"])
    assert _leaked(json.dumps(told), ("26.01", "23.99")) == []
    assert _leaked(json.dumps(head), ("26.01", "23.99")) == ["26.01"]


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
    assert any(
        _leaked(Asker(api, company, "admin").ask(question).text, CUSTOMERS) for question in questions()
    )
    for role in ("auditor", "payroll"):
        asker = Asker(api, company, role)  # type: ignore[arg-type]
        for question in questions():
            if "format=html" not in question.path:  # A statement names its deals.
                assert _leaked(asker.ask(question).text, CUSTOMERS) == [], f"{role}: {question.path}"


def test_whom_each_may_act_as(api: Api, company: Payday) -> None:
    names = ("ann", "bob", "zed", "head", "service:x", "payroll:x", "admin:x")
    may = {
        "service": {"ann", "bob", "zed", "head", "service:x"},
        "rep": {"ann"},
        "head": {"head"},
        "payroll": {"payroll:x"},
        "admin": set(names),
    }
    for role in ROLES:
        asker = Asker(api, company, role)
        sent = [
            action("lead.register", f"L-{role}-{at}", {"keys": {"external": f"{role}{at}"}}, actor=name)
            for at, name in enumerate(names)
        ]
        if role == "auditor":
            answer = api.client.post("/actions", json=sent[0], headers=asker._headers)
            must_be_problem(answer, 403, "forbidden")
            continue
        refused = {
            name
            for name, told in zip(names, asker.act(*sent), strict=True)
            if told.get("error", {}).get("details", {}).get("reason") == "the caller's key is not theirs"
        }
        assert refused == set(names) - may[role], role
        for name, one in zip(names, sent, strict=True):
            if name in refused:
                answer = api.client.post("/actions", json=one, headers=asker._headers)
                must_be_problem(answer, 403, "not_entitled")


@pytest.mark.parametrize("role", ["rep", "head"])
def test_a_key_of_a_rep_makes_nobody_an_admin(role: Role) -> None:
    """Whatever the rep is called: a database may have keys from before their names were looked at."""
    for actor in ("admin:x", "payroll:x", "service:x"):
        with pytest.raises(NotEntitled):
            Caller(role, "x", actor, "x").may_act_as(actor)
    Caller(role, "x", "ann", "x").may_act_as("ann")


WAYS = (
    '"actor": "ann", "actor": "admin:x"',
    '"\\u0061ctor": "admin:x"',
    '"actor": "admin:x", "type": "x", "type": "lead.claim"',
    '"Actor": "ann", "actor": "admin:x"',
    '"actor": "ann\\u0000"',
    '"actor": ["ann"]',
    '"actor": null',
    '"actor": " ann"',
    '"actor": "ann ", "data": {"actor": "ann"}',
)
"""To write an actor who isn't ann."""


def test_an_actor_is_read_once(api: Api, company: Payday) -> None:
    """Who is checked is who acts, however the action is written."""
    headers = {"Authorization": f"Bearer {api.key('rep', 'ann')}"}
    before = len(company.facts())
    whole = action("lead.claim", "L-pool")
    del whole["actor"]
    for actor in WAYS:
        body = f"{json.dumps(whole)[:-1]}, {actor}}}"
        for path, kind, content in (
            ("/actions", "application/json", body),
            ("/actions/batch", "application/json", f"[{body}]"),
            ("/actions/batch", "application/x-ndjson", body),
        ):
            answer = api.client.post(path, content=content, headers=headers | {"Content-Type": kind})
            assert answer.status_code in (200, 400, 403, 422), answer.text
            assert "error" in answer.text
    assert len(company.facts()) == before


def test_actions_tell_a_rep_no_pay_of_others(api: Api, company: Payday) -> None:
    """Whatever they try, also under the ids of others' actions: refusals and answers name no amount."""
    ann = Asker(api, company, "rep")
    subjects = ("D-zed", "L-D-zed", "2026-09/zed", "P-zed", "zed", "quota", "sales", "2026-09", "USD", None)
    guesses = {
        "amount": "1", "currency": "USD", "reason": "x", "line": 1, "accepted": True, "note": "x",
        "payment": "P-zed", "deal": "D-zed", "lead": "L-D-zed", "pipeline": "sales", "stage": "Call",
        "rep": "ann", "into": "L-D-ann", "task": "T-zed", "result": "x", "plan": "quota",
        "from": "2026-09-01", "to": "2026-09-30", "in": "EUR", "rate": "2", "date": "2026-09-01",
        "keys": {"external": "D-zed"}, "shares": [{"rep": "ann", "percent": "100"}], "name": "x",
        "kind": "call", "direction": "in", "outcome": "x", "due_at": "2026-12-01T00:00:00Z",
        "stages": [{"name": "x"}],
    }  # fmt: skip
    tried = []
    for kind, payload in PAYLOADS.items():
        names = [field.alias or name for name, field in payload.model_fields.items()]
        data = {name: guesses[name] for name in names if name in guesses and name != "shares"}
        if kind == "deal.split":
            data = {"shares": guesses["shares"]}
        tried += [action(kind, subject, data, actor="ann") for subject in subjects]
    repeated = [
        action("lead.claim", "L-D-ann", actor="ann", source=fact.source, id=fact.action)
        for fact in company.facts()
    ]
    secrets = (*ZEDS, *BOBS, *NOBODYS)
    for told in [*ann.act(*tried), *ann.act(*repeated)]:
        assert _leaked(json.dumps(told), secrets) == [], told


def test_the_id_of_an_action_is_its_actors(api: Api, company: Payday) -> None:
    """Whoever sends another's source and id isn't told what became of that, nor is their own lost unseen."""
    ann, service = Asker(api, company, "rep"), Asker(api, company, "service")
    theirs = {(fact.source, fact.action) for fact in company.facts() if fact.actor == "ann"}
    for source, identity in sorted({(fact.source, fact.action) for fact in company.facts()} - theirs):
        (told,) = ann.act(action("lead.claim", "L-D-ann", actor="ann", source=source, id=identity))
        assert told.keys() == {"index", "error"}
        assert told["error"]["code"] == "action_id_taken"
        assert told["error"]["details"] == {"source": source, "id": identity}
    taken = action("lead.claim", "L-D-ann-open", actor="ann", source="crm", id="1")
    first, again = ann.act(taken, taken)
    assert again == first | {"index": 1, "duplicate": True}
    new = action("lead.register", "L-new", {"keys": {"external": "new"}}, actor="service:crm")
    (told,) = service.act(new | {"source": "crm", "id": "1"})
    assert told["error"]["code"] == "action_id_taken"
    whole = new | {"source": "crm", "id": "1"}
    must_be_problem(api.client.post("/actions", json=whole, headers=service._headers), 409, "action_id_taken")


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


def test_a_revoked_key_and_a_changed_team_count_at_once_or_nearly(
    api: Api, company: Payday, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert REMEMBERED_SECONDS <= 2
    monkeypatch.setattr("adapters.access.gate.REMEMBERED_SECONDS", 0.0)
    head = {"Authorization": f"Bearer {api.key('head', 'head')}"}
    assert api.get("/queue/bob", headers=head).status_code == 200
    api.act(action("rep.hire", "bob", {"name": "Bob", "manager": "boss"}))
    api.projected()
    assert api.get("/queue/bob", headers=head).status_code == 403
    boss = {"Authorization": f"Bearer {api.key('head', 'boss')}"}
    assert api.get("/queue/bob", headers=boss).status_code == 200
    api.act(action("rep.leave", "boss"))
    api.projected()
    for path in ("/queue/bob", "/payroll/statements/2026-09/zed", "/deals/D-zed"):
        must_be_problem(api.get(path, headers=boss), 403, "forbidden")
    (key,) = [one for one in api.parts.api_keys.every() if one.rep == "head"]
    api.parts.api_keys.revoke(key.id)
    must_be_problem(api.get("/queue/ann", headers=head), 401, "unauthenticated")


def test_tokens_open_as_keys_do(company: Payday, database_url: str) -> None:
    with provider() as oidc:
        oidc.rsa("r1")
        settings = {"DEALTRAIL_OIDC_ISSUER": oidc.issuer, "DEALTRAIL_OIDC_AUDIENCE": AUDIENCE}
        with serving(database_url, **settings) as api:

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
    with serving(database_url, **settings) as api:  # The provider is gone.
        must_be_problem(ask("/queue/ann", **ann), 503, "issuer_unavailable")
