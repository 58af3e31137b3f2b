"""The demo's actions: the same everywhere, in order, well-formed, and like those of a company."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from adapters.demo.generator import Demo, generate
from domain.kernel import Rejected
from domain.shared.keys import normalise
from services.actions import parse

END = datetime(2026, 11, 22, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
SHA_256 = "3b5aaec55b9a720b7c8594a39c2c618606213b1baa1cdbcd883f40dfc93cf834"


@pytest.fixture(scope="module")
def actions() -> list[dict[str, Any]]:
    return list(generate(7, 1_000, END))


def of_type(actions: list[dict[str, Any]], kind: str) -> Iterator[dict[str, Any]]:
    return (action for action in actions if action["type"] == kind)


def digest_of_300_leads() -> str:
    digest = hashlib.sha256()
    for action in generate(7, 300, END, zone=BERLIN):
        digest.update(json.dumps(action, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def test_the_same_arguments_give_the_same_bytes_on_every_machine() -> None:
    assert digest_of_300_leads() == SHA_256


def test_neither_the_machines_time_zone_nor_its_hash_order_matters() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "import test_demo_generator as t; sys.stdout.write(t.digest_of_300_leads())"
    )
    strange = {**os.environ, "TZ": "Pacific/Apia", "PYTHONHASHSEED": "4242"}
    here = os.path.dirname(__file__)
    ran = subprocess.run([sys.executable, "-c", script, here], env=strange, capture_output=True, check=True)
    assert ran.stdout.decode() == SHA_256


def test_another_seed_is_another_company() -> None:
    first, other = (list(islice(generate(seed, 50, END), 20)) for seed in (1, 2))
    assert [action["data"] for action in first] != [action["data"] for action in other]


def test_every_action_is_one_that_the_engine_understands(actions: list[dict[str, Any]]) -> None:
    for action in actions:
        parse(json.dumps(action).encode(), now=END)


def test_recording_times_never_decrease_and_stay_before_the_end(actions: list[dict[str, Any]]) -> None:
    recorded = [datetime.fromisoformat(action["recordedtime"]) for action in actions]
    assert recorded == sorted(recorded)
    assert recorded[-1] < END
    assert recorded[-1] > END - timedelta(days=4)
    assert recorded[0] - (END - timedelta(days=548)) < timedelta(days=4)


def test_nothing_is_recorded_before_it_happened_and_some_is_recorded_days_later(
    actions: list[dict[str, Any]],
) -> None:
    lags = [
        datetime.fromisoformat(action["recordedtime"]) - datetime.fromisoformat(action["time"])
        for action in actions
    ]
    assert min(lags) == timedelta(0)
    assert 0.005 < sum(lag > timedelta(hours=12) for lag in lags) / len(lags) < 0.1


def test_what_happens_to_a_lead_and_its_deals_happens_in_order(actions: list[dict[str, Any]]) -> None:
    times = defaultdict(list)
    for action in actions:
        if action["type"].startswith(("lead.", "contact.", "task.", "deal.")):
            times[action["subject"].split("-")[1]].append(datetime.fromisoformat(action["time"]))
    assert len(times) == 1_000
    assert all(moments == sorted(moments) for moments in times.values())


def test_the_company_works_on_weekdays_in_its_own_time_zone() -> None:
    recorded = [
        datetime.fromisoformat(action["recordedtime"]) for action in generate(3, 200, END, zone=BERLIN)
    ]
    assert {moment.utcoffset() for moment in recorded} == {timedelta(hours=1), timedelta(hours=2)}
    assert all(moment.utcoffset() == moment.astimezone(BERLIN).utcoffset() for moment in recorded)
    assert all(moment.weekday() < 5 and 9 <= moment.hour < 18 for moment in recorded)


def test_next_steps_are_planned_for_later(actions: list[dict[str, Any]]) -> None:
    for action in of_type(actions, "task.plan"):
        assert datetime.fromisoformat(action["data"]["due_at"]) > datetime.fromisoformat(
            action["recordedtime"]
        )


def test_ids_are_unique_and_the_source_names_the_demo(actions: list[dict[str, Any]]) -> None:
    assert len({action["id"] for action in actions}) == len(actions)
    (source,) = {action["source"] for action in actions}
    assert Demo.of(source) == Demo(7, 1_000, END)


@pytest.mark.parametrize("source", ["crm", "demo/1/2", "demo/a/2/2026-01-01", "crm/1/2/2026-01-01T00:00:00"])
def test_other_sources_are_no_demo(source: str) -> None:
    assert Demo.of(source) is None


def test_a_few_phones_lack_their_country_and_all_other_keys_are_valid(
    actions: list[dict[str, Any]],
) -> None:
    kinds: Counter[str] = Counter()
    refused = 0
    for action in of_type(actions, "lead.register"):
        phone = action["data"]["keys"].get("phone", "+")
        if phone[0] != "+":
            refused += 1
            with pytest.raises(Rejected, match="country code"):
                normalise({"phone": phone}, source="demo")
            continue
        keys = normalise(action["data"]["keys"], source="demo")
        kinds.update(key.kind for key in keys)
        assert all(
            phonenumbers.is_valid_number(phonenumbers.parse(key.value)) for key in keys if key.kind == "phone"
        )
    assert 1 <= refused < 20
    assert set(kinds) == {"phone", "email", "tax_id", "external"}


def test_customers_come_again_under_other_ids(actions: list[dict[str, Any]]) -> None:
    first: dict[str, str] = {}
    again = Counter[bool]()
    for action in of_type(actions, "lead.register"):
        try:
            phone = normalise(action["data"]["keys"], source="demo")[0].value
        except Rejected:
            continue
        if phone in first:
            again[first[phone] == action["actor"]] += 1
        first.setdefault(phone, action["actor"])
    assert again[True] > 5
    assert again[False] > 5


def test_every_kind_of_action_occurs(actions: list[dict[str, Any]]) -> None:
    kinds = Counter(action["type"] for action in actions)
    more = Counter(action["type"] for action in generate(1, 3_000, END))
    assert set(kinds) | set(more) == {
        *("pipeline.define", "rep.hire", "rep.leave", "contact.record"),
        *("lead.register", "lead.claim", "lead.release", "lead.disqualify", "lead.assign"),
        *("lead.merge", "lead.unmerge", "task.plan", "task.complete", "task.cancel", "deal.open"),
        *("deal.move", "deal.amend", "deal.split", "deal.win", "deal.lose", "deal.reopen"),
        *("payment.record", "refund.record", "rate.record", "plan.publish", "plan.assign", "period.close"),
    }
    assert kinds["rep.leave"] == 2
    assert {len(action["data"]) for action in of_type(actions, "rep.leave")} == {0, 1}


def test_deals_are_won_and_lost_as_in_a_real_company(actions: list[dict[str, Any]]) -> None:
    kinds = Counter(action["type"] for action in actions)
    assert 0.2 < kinds["deal.win"] / (kinds["deal.win"] + kinds["deal.lose"]) < 0.45
    assert 0.4 < kinds["deal.open"] / 1_000 < 0.8
    assert 1 < kinds["deal.move"] / kinds["deal.open"] < 3
    assert {action["data"]["currency"] for action in of_type(actions, "deal.open")} == {"USD", "EUR"}
    assert len({action["data"]["reason"] for action in of_type(actions, "deal.lose")}) > 5


def test_a_new_loss_reason_is_used_only_after_it_was_defined(actions: list[dict[str, Any]]) -> None:
    kinds = [
        action["type"]
        for action in actions
        if action["data"].get("reason") == "compliance"
        or "compliance" in action["data"].get("loss_reasons", ())
    ]
    assert kinds[0] == "pipeline.define"
    assert set(kinds[1:]) == {"deal.lose"}


def test_better_channels_bring_more_customers() -> None:
    channels: dict[str, str] = {}
    won, come = Counter[str](), Counter[str]()
    for action in generate(5, 4_000, END):
        if action["type"] == "lead.register":
            number = action["subject"].split("-")[1]
            if number not in channels:
                channels[number] = action["data"]["channel"]
                come[channels[number]] += 1
        elif action["type"] == "deal.win":
            won[channels[action["subject"].split("-")[1]]] += 1
    rates = {channel: won[channel] / come[channel] for channel in come}
    assert rates["referral"] > rates["site"] > rates["cold-call"]


def test_summer_is_quiet_and_the_quarters_end_is_busy() -> None:
    come, won = Counter[int](), Counter[bool]()
    for action in generate(5, 4_000, END, days=730):
        moment = datetime.fromisoformat(action["time"])
        if action["type"] == "lead.register":
            come[moment.month] += 1
        elif action["type"] == "deal.win":
            next_week = moment + timedelta(days=7)
            won[moment.month % 3 == 0 and next_week.month != moment.month] += 1
    assert come[8] < 0.75 * come[9]
    assert come[12] < 0.8 * come[10]
    assert won[True] / won.total() > 1.5 * 7 / 91


def test_leads_come_as_many_as_asked_for_and_the_first_at_once() -> None:
    assert next(generate(1, 200_000, END))["type"] == "pipeline.define"
    subjects = {action["subject"] for action in of_type(list(generate(1, 123, END)), "lead.register")}
    assert sum(subject.count("-") == 1 for subject in subjects) == 123


@pytest.mark.parametrize("leads", [0, 1, 5])
def test_a_tiny_company_works(leads: int) -> None:
    subjects = {action["subject"] for action in generate(1, leads, END, days=200)}
    assert sum(subject.startswith("L-") and subject.count("-") == 1 for subject in subjects) == leads


def test_an_end_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        next(generate(1, 10, END.replace(tzinfo=None)))
