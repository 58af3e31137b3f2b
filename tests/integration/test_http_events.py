"""The log over HTTP: pages, and streams that miss nothing, whoever writes and whatever is restarted."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from http_serving import Api, hire, must_be_problem, register, running, serving

from adapters.http import streaming
from adapters.http.service import Service
from adapters.postgres.store import PostgresStore

BATCH = "application/cloudevents-batch+json"
STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with serving(database_url, tables=False) as one:
        one.act(hire("ann"))
        yield one


def read_stream(
    api: Api, until: int, *, url: str | None = None, last: int | None = None, query: str = ""
) -> Iterator[dict[str, Any]]:
    """Events of one connection, until the position or its end."""
    headers = {**api.client.headers, **STREAM} | ({} if last is None else {"Last-Event-ID": str(last)})
    address = f"{url or api.url}/events{query}"
    with httpx.stream("GET", address, headers=headers, timeout=httpx.Timeout(10, read=10)) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told: dict[str, str] = {}
        for line in answer.iter_lines():
            if not line and "data" in told:
                event: dict[str, Any] = json.loads(told["data"])
                assert (told["id"], told["event"]) == (event["id"], event["type"])
                yield event
                if int(event["id"]) >= until:
                    return
            if not line:
                told = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                told[name] = value


def test_pages_hold_the_stored_events_in_order(api: Api) -> None:
    for number in range(5):
        api.act(register(f"L-{number}", "ann"))
    head = api.parts.store.head()
    found: list[dict[str, Any]] = []
    after = 0
    while after < head:
        page = api.get(f"/events?after={after}&limit=3")
        assert page.headers["content-type"] == BATCH
        after = int(page.headers["dealtrail-position"])
        found += page.json()
    assert [one["id"] for one in found] == [str(position) for position in range(1, head + 1)]
    fact = api.parts.store.at([2])[0]
    second = found[1]
    assert second["specversion"] == "1.0"
    assert second["type"] == fact.event.stored_name
    assert (second["subject"], second["sequence"], second["actor"]) == (fact.stream, "2", fact.actor)
    assert (second["time"], second["recordedtime"]) == (
        fact.occurred_at.isoformat(),
        fact.recorded_at.isoformat(),
    )
    assert (second["actionsource"], second["actionid"]) == (fact.source, fact.action)
    assert set(second["data"]) == set(fact.event.model_dump())
    end = api.get(f"/events?after={head}")
    assert (end.json(), end.headers["dealtrail-position"]) == ([], str(head))


def test_personal_texts_stay_sealed(api: Api) -> None:
    api.act(register("L-1", "ann", phone=4567890))
    assert "4567890" not in api.get("/events").text
    assert "sealed" in api.get("/events").text


def test_names_choose_events_and_the_position_goes_on_past_the_others(api: Api) -> None:
    for number in range(4):
        api.act(register(f"L-{number}", "ann"))
    head = api.parts.store.head()
    page = api.get("/events?names=leads.LeadRegistered,team.RepHired&limit=3")
    assert [one["type"] for one in page.json()] == [
        "team.RepHired",
        "leads.LeadRegistered",
        "leads.LeadRegistered",
    ]
    assert page.headers["dealtrail-position"] == page.json()[-1]["id"]
    rest = api.get(f"/events?names=team.RepHired&after={page.headers['dealtrail-position']}")
    assert (rest.json(), rest.headers["dealtrail-position"]) == ([], str(head))


@pytest.mark.parametrize(
    "query",
    [
        "after=-1",
        "after=x",
        "limit=0",
        "limit=5001",
        "names=leads.Nothing",
        "names=",
        "after=9223372036854775808",
    ],
)
def test_what_cannot_be_asked_is_refused(api: Api, query: str) -> None:
    must_be_problem(api.get(f"/events?{query}"), 422, "invalid_data")


def test_a_stream_goes_on_from_where_it_is_asked_to(api: Api) -> None:
    written = [int(one["id"]) for one in read_stream(api, 1)]
    assert written == [1]
    reading: list[int] = []
    reader = threading.Thread(
        target=lambda: reading.extend(int(one["id"]) for one in read_stream(api, 7, last=2))
    )
    reader.start()
    for number in range(2):
        api.act(register(f"L-{number}", "ann"))
    reader.join(20)
    assert reading == [3, 4, 5, 6, 7]
    assert [int(one["id"]) for one in read_stream(api, 7, query="?after=5")] == [6, 7]
    only = read_stream(api, 7, query="?names=leads.LeadRegistered")
    assert next(only)["type"] == "leads.LeadRegistered"
    only.close()


def test_the_header_of_a_reconnection_goes_before_the_address(api: Api) -> None:
    api.act(register("L-1", "ann"))
    assert [int(one["id"]) for one in read_stream(api, 4, last=3, query="?after=0")] == [4]
    refused = api.get("/events", headers={**STREAM, "Last-Event-ID": "x"})
    must_be_problem(refused, 422, "invalid_data")


def test_those_who_wait_for_the_same_events_share_one_look(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    waiting: list[float] = []
    page, heard = streaming.page, Service.heard

    def counted(store: PostgresStore, after: int, limit: int, names: Any) -> Any:
        looks.append(after)
        return page(store, after, limit, names)

    async def waited(service: Service, seconds: float) -> bool:
        waiting.append(seconds)
        return await heard(service, seconds)

    monkeypatch.setattr(streaming, "page", counted)
    monkeypatch.setattr(Service, "heard", waited)
    read: list[list[str]] = []
    listeners = [
        threading.Thread(target=lambda: read.append([one["id"] for one in read_stream(api, 2, last=1)]))
        for _ in range(30)
    ]
    for listener in listeners:
        listener.start()
    while len(waiting) < len(listeners):
        time.sleep(0.05)
    looks.clear()
    api.act(hire("bob"))
    for listener in listeners:
        listener.join(20)
    assert read == [["2"]] * len(listeners)
    assert looks.count(1) < 5


def test_a_silent_stream_says_that_it_is_there(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "HEARTBEAT_SECONDS", 0.05)
    with httpx.stream("GET", f"{api.url}/events?after=1", headers={**api.client.headers, **STREAM}) as answer:
        lines = answer.iter_lines()
        beats = 0
        while beats < 3:
            beats += next(lines).startswith(":")


def test_a_stream_ends_after_a_while_so_that_the_key_is_asked_for_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "STREAM_SECONDS_MAX", 0.2)
    monkeypatch.setattr(streaming, "HEARTBEAT_SECONDS", 0.05)
    assert [int(one["id"]) for one in read_stream(api, 99)] == [1]


def test_no_event_is_missed_while_eight_write_and_the_server_is_restarted(api: Api) -> None:
    each, writers = 40, 8
    total = 1 + each * writers * 3

    def write(number: int) -> None:
        with httpx.Client(base_url=api.url, headers=api.client.headers, timeout=30) as client:
            for one in range(each):
                answer = client.post("/actions", json=register(f"L-{number}-{one}", "ann"))
                assert answer.status_code == 200

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    seen: list[int] = []
    restarts = 0
    for thread in threads:
        thread.start()
    while (last := seen[-1] if seen else 0) < total:
        # Another server over the same log, stopped while it streams.
        with running(api.parts) as url:
            stop_at = min(last + total // 4, total)
            for one in read_stream(api, stop_at, url=url, last=last):
                seen.append(int(one["id"]))
        restarts += 1
    for thread in threads:
        thread.join()
    assert seen == list(range(1, total + 1))
    assert restarts >= 4


def test_a_reader_who_takes_nothing_holds_up_nobody(api: Api) -> None:
    host, port = api.url.removeprefix("http://").split(":")
    for number in range(30):
        api.client.post("/actions/batch", json=[register(f"L-{number}-{one}", "ann") for one in range(100)])
    with socket.create_connection((host, int(port))) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        headers = {**STREAM, "Host": "x", "Authorization": api.client.headers["Authorization"]}
        lines = ["GET /events HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        slow.sendall("\r\n".join([*lines, "", ""]).encode())
        time.sleep(0.3)
        assert api.act(register("after", "ann")).status_code == 200
        assert len(list(read_stream(api, 9000))) == 9000
    assert api.get("/health/ready").status_code == 200
