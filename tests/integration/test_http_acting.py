"""Whom every role may act as, what actions tell, and what is shown when things have changed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from entitled_asking import Asker, leaked
from entitled_company import BOBS, NOBODYS, ZEDS, Question, founded
from http_serving import Api, action, must_be_problem, serving
from payday import Payday

from adapters.access.entitlements import ROLES, Role
from adapters.access.gate import REMEMBERED_SECONDS
from adapters.audit.keys import read_keys
from adapters.http.access import Caller
from domain.shared.rejections import NotEntitled
from services.payloads import PAYLOADS


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
            answer = api.client.post("/actions", json=sent[0], headers=asker.headers)
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
                answer = api.client.post("/actions", json=one, headers=asker.headers)
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
        assert leaked(json.dumps(told), secrets) == [], told


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
    must_be_problem(api.client.post("/actions", json=whole, headers=service.headers), 409, "action_id_taken")


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
    assert leaked(json.dumps(told), ("26.01", "23.99")) == []
    assert leaked(json.dumps(head), ("26.01", "23.99")) == ["26.01"]


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
