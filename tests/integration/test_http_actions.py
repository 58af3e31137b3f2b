"""Actions over HTTP: what is taken, refused, and answered twice the same."""

import contextlib
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from http_serving import BATCH, LINES, ONE, Api, action, hire, must_be_problem, register, serving

from adapters.http.problems import ACTION_STATUS, STATUS


@pytest.fixture(scope="module")
def api(module_database_url: str) -> Iterator[Api]:
    limits = {"DEALTRAIL_BODY_MAX": "20000", "DEALTRAIL_BATCH_MAX": "20"}
    with serving(module_database_url, **limits) as one:
        for rep in ("ann", "bob"):
            assert one.act(hire(rep)).status_code == 200
        yield one


def batch(api: Api, actions: list[Any]) -> dict[str, Any]:
    answer = api.client.post("/actions/batch", json=actions, headers={"Content-Type": BATCH})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_an_action_is_answered_with_its_events_and_again_the_same(api: Api) -> None:
    head = api.parts.store.head()
    registered = register("L-1", "ann")
    first = api.act(registered, headers={"Content-Type": ONE})
    assert first.status_code == 200
    assert first.json() == {"position": head + 3, "events": [head + 1, head + 2, head + 3], "lead": "L-1"}
    assert first.headers["dealtrail-position"] == str(head + 3)
    assert "dealtrail-duplicate" not in first.headers
    again = api.act(registered)
    assert again.json() == first.json()
    assert again.headers["dealtrail-duplicate"] == "true"
    assert api.parts.store.head() == head + 3


def test_a_refusal_is_a_problem_with_the_facts_and_again_the_same(api: Api) -> None:
    api.act(register("R-1", "ann", phone=1))
    try_ = register("R-2", "bob", phone=1)
    first = api.act(try_)
    told = must_be_problem(first, 409, "lead_already_claimed")
    assert told["details"]["owner"] == "ann"
    again = api.act(try_)
    assert again.json() == first.json()
    assert (first.headers.get("dealtrail-duplicate"), again.headers["dealtrail-duplicate"]) == (None, "true")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"rubbish", 400, "malformed"),
        (b"", 400, "malformed"),
        (b"\xff\xfe", 400, "malformed"),
        (b"[]", 400, "malformed"),
        (b"null", 400, "malformed"),
        (json.dumps(action("lead.claim", "nope", actor="ann")).encode(), 404, "unknown_lead"),
        (json.dumps(action("lead.levitate", "L")).encode(), 422, "unknown_type"),
        (
            json.dumps(action("rep.hire", "z", {"name": "Z"}, time="2026-01-01T10:00:00")).encode(),
            422,
            "naive_time",
        ),
        (
            json.dumps(action("rep.hire", "z", {"name": "Z"}, time="2999-01-01T10:00:00Z")).encode(),
            422,
            "future_time",
        ),
        (json.dumps(action("rep.hire", "z", {"nam": "Z"})).encode(), 422, "invalid_data"),
        (json.dumps(action("rep.hire", "z", {"name": "Z"}, actor=7)).encode(), 422, "invalid_data"),
        (json.dumps(action("lead.register", "z", {"keys": {"phone": "1"}})).encode(), 422, "invalid_key"),
        (json.dumps(action("rep.leave", "ann", actor="bob")).encode(), 403, "not_entitled"),
        (b"[" * 10_000, 400, "malformed"),
    ],
)
def test_what_is_wrong_with_an_action_is_said_by_its_code(
    api: Api, body: bytes, status: int, code: str
) -> None:
    answer = api.client.post("/actions", content=body, headers={"Content-Type": ONE})
    must_be_problem(answer, status, code)


@pytest.mark.parametrize("path", ["/actions", "/actions/batch"])
@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/xml", "", "application/x-www-form-urlencoded"]
)
def test_a_body_of_another_type_is_not_taken(api: Api, path: str, media_type: str) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    told = must_be_problem(
        api.client.post(path, content=b"{}", headers=headers), 415, "unsupported_media_type"
    )
    assert "application/json" in told["details"]["wanted"]


@pytest.mark.parametrize("path", ["/actions", "/actions/batch"])
def test_a_compressed_body_is_refused_before_it_is_read(api: Api, path: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    must_be_problem(api.client.post(path, content=bomb, headers=headers), 415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/actions", "/actions/batch"])
def test_a_body_that_is_too_large_is_refused(api: Api, path: str) -> None:
    answer = api.client.post(path, content=b"x" * 20_001, headers={"Content-Type": "application/json"})
    assert must_be_problem(answer, 413, "too_large")["details"] == {"unit": "bytes", "most": 20_000}


@pytest.mark.parametrize("path", ["/actions", "/actions/batch"])
def test_a_body_that_does_not_say_how_large_it_is_is_read_up_to_the_limit(api: Api, path: str) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 50_000_000:
            sent += 4096
            yield b"x" * 4096

    with httpx.Client(base_url=api.url, headers=api.client.headers) as client:
        try:
            answer = client.post(path, content=endless(), headers={"Content-Type": "application/json"})
        except httpx.WriteError:
            answer = None  # The server answered and hung up while more was sent.
    if answer is not None:
        must_be_problem(answer, 413, "too_large")
    assert sent < 10_000_000
    assert api.act(hire(f"after{path}")).status_code == 200


def said_to(api: Api, sent: bytes) -> bytes:
    """What a connection is answered that sends this and no more."""
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    "sent",
    [
        b"rubbish\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"BREW /pool HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /actions HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /actions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_what_is_no_request_is_a_problem_too(api: Api, sent: bytes) -> None:
    head, _, body = said_to(api, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"Content-Type: application/problem+json" in head
    assert json.loads(body)["code"] == "malformed"


def test_who_hangs_up_in_the_midst_of_a_body_is_no_fault_of_ours(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    head = api.parts.store.head()
    key = api.client.headers["Authorization"]
    asks = f"POST /actions HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nContent-Type: application/json\r\n"
    said_to(api, f"{asks}Content-Length: 100\r\n\r\n".encode() + b'{"spec')
    assert api.parts.store.head() == head
    assert "failed" not in (errors := capsys.readouterr().err)
    assert "Traceback" not in errors


def test_a_body_behind_an_upgrade_is_refused_by_that_name(api: Api) -> None:
    headers = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAEAAEAAAAIAAAAB",
    }
    told = must_be_problem(api.act(hire("java"), headers=headers), 400, "malformed")
    assert told["details"] == {"problem": "upgrade"}


@pytest.mark.parametrize("late", [0, 0.2])
def test_a_body_behind_an_upgrade_is_not_the_next_request(api: Api, late: float) -> None:
    """Whoever lets bodies of others through must not send requests of theirs."""
    body = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    head = (
        f"POST /actions HTTP/1.1\r\nHost: x\r\nAuthorization: {api.client.headers['Authorization']}\r\n"
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode())
        time.sleep(late)
        with contextlib.suppress(ConnectionError):
            connection.sendall(body)
        told = b"".join(iter(lambda: connection.recv(65536), b""))
    assert told.lower().count(b"http/1.1 ") == 1 == told.lower().count(b"connection: close")
    assert b'"problem":"upgrade"' in told


def test_a_request_without_a_body_may_offer_an_upgrade_and_keeps_its_connection(api: Api) -> None:
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAAAAIAAAAB"}
    answer = api.get("/health/live", headers=offer)
    assert (answer.status_code, answer.headers.get("connection")) == (200, None)
    assert api.get("/health/live").status_code == 200


def test_each_action_of_a_batch_succeeds_or_fails_alone(api: Api) -> None:
    good, again = register("B-1", "ann", phone=2), register("B-5")
    api.act(again)
    told = batch(api, [good, {"no": "action"}, register("B-2", "bob", phone=2), 7, again, register("B-3")])
    assert {name: told[name] for name in ("accepted", "duplicates", "rejected")} == {
        "accepted": 2,
        "duplicates": 1,
        "rejected": 3,
    }
    results = told["results"]
    assert [one["index"] for one in results] == [0, 1, 2, 3, 4, 5]
    codes = [one["error"]["code"] if "error" in one else one["lead"] for one in results]
    assert codes == ["B-1", "invalid_data", "lead_already_claimed", "malformed", "B-5", "B-3"]
    assert results[4]["duplicate"] is True


def test_an_action_of_a_batch_may_rest_on_the_one_before(api: Api) -> None:
    leaving = [hire("dave"), register("D-1", "dave"), action("rep.leave", "dave"), register("D-2", "dave")]
    told = batch(api, leaving)
    assert [one.get("error", {}).get("code") for one in told["results"]] == [None, None, None, "rep_left"]


def test_lines_are_a_batch_too(api: Api) -> None:
    lines = [json.dumps(hire("carol")), "", "rubbish", json.dumps(register("N-1", "carol"))]
    body = b"\xef\xbb\xbf" + "\r\n".join(lines).encode()
    answer = api.client.post("/actions/batch", content=body, headers={"Content-Type": LINES})
    told = answer.json()
    assert (told["accepted"], told["rejected"]) == (2, 1)
    assert answer.headers["dealtrail-position"] == str(api.parts.store.head())


def test_an_empty_batch_does_nothing(api: Api) -> None:
    assert batch(api, []) == {"accepted": 0, "duplicates": 0, "rejected": 0, "results": []}


def test_a_batch_of_too_many_is_refused_whole(api: Api) -> None:
    head = api.parts.store.head()
    answer = api.client.post("/actions/batch", json=[hire(f"r-{n}") for n in range(21)])
    assert must_be_problem(answer, 413, "too_large")["details"] == {"unit": "actions", "most": 20}
    assert api.parts.store.head() == head


def test_what_no_parser_takes_is_refused_alone(api: Api) -> None:
    good = json.dumps(hire("frank")).encode()
    rubbish = (
        b"NaN",
        b"9" * 5000,
        b'{"id": "\\ud800"}',
        b"1e999",
        b"[[]]",
        good.replace(b"frank", b"\\udfff"),
    )
    body = b"\xef\xbb\xbf [" + b" ,\n".join((*rubbish, good)) + b"]\n"
    answer = api.client.post("/actions/batch", content=body, headers={"Content-Type": BATCH})
    told = answer.json()
    codes = [one.get("error", {}).get("code") for one in told["results"]]
    assert codes == ["malformed"] * len(rubbish) + [None]


@pytest.mark.parametrize(
    "body",
    [b"{}", b'"x"', b"rubbish", b"", b"[" * 5000, b"[1", b"[1,]", b"[1 2]", b"[1] 2", b"[,1]", b'["\xff"]'],
)
def test_a_batch_must_be_a_list(api: Api, body: bytes) -> None:
    answer = api.client.post("/actions/batch", content=body, headers={"Content-Type": BATCH})
    must_be_problem(answer, 400, "malformed")


def test_of_many_who_race_for_one_lead_one_wins_and_all_are_answered(api: Api) -> None:
    answers: list[httpx.Response] = []

    def claim(number: int) -> None:
        racing = register(f"race-{number}", ("ann", "bob")[number % 2], phone=3)
        with httpx.Client(base_url=api.url, headers=api.client.headers) as client:
            answers.append(client.post("/actions", json=racing))

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [answer.json()["lead"] for answer in answers if answer.status_code == 200]
    assert len(won) == 8  # The winner's own others are the same lead again.
    assert len(set(won)) == 1
    for answer in answers:
        if answer.status_code != 200:
            must_be_problem(answer, 409, "lead_already_claimed")


def test_what_reads_the_log_is_decided_beside_the_rest(api: Api) -> None:
    problem = api.act(action("period.close", "2020-01"))
    must_be_problem(problem, 409, problem.json()["code"])
    plan = {"name": "Ten", "currency": "USD", "basis": "won", "rate": "10"}
    assert api.act(action("plan.publish", "ten", plan)).status_code == 200


def test_every_rejection_of_an_action_has_a_status() -> None:
    import services.intake  # noqa: F401 - with it, all that an action may be refused with is known
    from domain.kernel import Rejected

    def below(kind: type[Rejected]) -> Iterator[type[Rejected]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    ours = {
        one.code
        for one in below(Rejected)
        if one.__module__.startswith(("domain.", "services."))
        and not one.__module__.startswith("domain.audit")
    }
    assert ours == set(ACTION_STATUS)
    assert set(STATUS) > set(ACTION_STATUS)
