"""Plans as they are written: read from an action's object and from TOML, kept exactly, or refused."""

import json
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel import Rejected
from domain.payroll.checking import (
    InvalidPlan,
    NoPercent,
    NoQuota,
    NotAPercent,
    PercentSaidTwice,
    TiersGap,
    TiersOverlap,
)
from domain.payroll.earnings import Credited, Earnings
from domain.payroll.events import PlanPublished
from domain.payroll.plans import Plan
from domain.payroll.rating import rate
from domain.payroll.records import Assignment, Published
from domain.shared.periods import Period
from domain.shared.rejections import InvalidData
from services.plan_documents import UnreadablePlan, read_plan, read_plan_toml

EXAMPLES = sorted((Path(__file__).parents[3] / "docs" / "examples" / "plans").glob("*.toml"))
FLAT: dict[str, Any] = {"name": "Flat", "currency": "USD", "basis": "won", "rate": "5"}


def tiers(*steps: tuple[str, str], measure: str = "amount", **more: Any) -> dict[str, Any]:
    """A plan with steps of (above, percent)."""
    written = {
        "method": "marginal",
        "measure": measure,
        "window": "month",
        "steps": [{"above": above, "percent": percent} for above, percent in steps],
    }
    return {**without("rate"), "tiers": written, **more}


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in FLAT.items() if key not in keys}


def refusal(kind: type[Rejected], data: dict[str, Any]) -> Rejected:
    with pytest.raises(kind) as caught:
        read_plan(data)
    assert type(caught.value) is kind
    assert "{" not in caught.value.message
    return caught.value


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: str(file.stem))
def test_the_examples_are_sound(file: Path) -> None:
    assert read_plan_toml(file.read_bytes()).name


def test_there_is_an_example_of_each_kind() -> None:
    stems = ["draw", "flat", "head", "products", "quota", "retroactive", "roles", "tiers"]
    assert [file.stem for file in EXAMPLES] == stems


@pytest.mark.parametrize(
    ("name", "sold", "paid"),
    [
        ("tiers", ["60000"], ["600.00", "1500.00", "800.00"]),
        ("retroactive", ["20000", "40000"], ["1000.00", "2000.00"]),
        ("retroactive", ["50000"], ["2000.00"]),
    ],
)
def test_the_figures_told_in_the_examples_are_those_paid(name: str, sold: list[str], paid: list[str]) -> None:
    (file,) = (file for file in EXAMPLES if file.stem == name)
    published = Published(1, read_plan_toml(file.read_bytes()))
    credits = [
        Credited(
            rep="ann",
            kind="win",
            deal=f"D-{position}",
            product=None,
            earning=str(position),
            credited="ann",
            role=None,
            share=Decimal(100),
            basis=Decimal(amount),
            period=Period.parse("2026-02"),
            earned_at=datetime(2026, 2, position, tzinfo=UTC),
            position=position,
            assignment=Assignment(1, name, 1, date(2026, 1, 1), None),
            published=published,
            events=frozenset({position}),
        )
        for position, amount in enumerate(sold, start=2)
    ]
    rated = rate(credits, Earnings(defaultdict(list)))
    assert [f"{one.basis * one.percent / 100:.2f}" for one in rated] == paid


def test_amounts_are_kept_in_full_minor_units_and_percents_without_needless_zeros() -> None:
    plan = read_plan({**FLAT, "rate": "05.50", "cap": 100, "draw": {"amount": "5", "recoverable": False}})
    assert (str(plan.rate), str(plan.cap)) == ("5.5", "100.00")
    assert plan.draw is not None
    assert str(plan.draw.amount) == "5.00"
    assert str(read_plan({**FLAT, "rate": "1e2"}).rate) == "100"
    assert str(read_plan({**FLAT, "rate": "-0.0"}).rate) == "0"
    assert str(read_plan({**FLAT, "currency": "JPY", "cap": "100.0"}).cap) == "100"


def test_the_same_plan_reads_the_same_from_toml_and_from_json() -> None:
    toml = 'name = "Flat"\ncurrency = "USD"\nbasis = "won"\nrate = "5"\n'
    assert read_plan_toml(toml) == read_plan_toml(toml.encode()) == read_plan(FLAT)


# What is not written as a plan at all.


def problem_of(data: dict[str, Any]) -> tuple[str, str]:
    refused = refusal(InvalidData, data)
    return refused.details["field"], refused.details["problem"]


@pytest.mark.parametrize("key", ["name", "currency", "basis"])
def test_a_missing_key_is_named(key: str) -> None:
    assert problem_of(without(key)) == (key, "is missing")


def test_an_unknown_key_is_refused_by_name_wherever_it_is() -> None:
    field, problem = problem_of({**FLAT, "ratio": "5"})
    assert (field, problem[:22]) == ("ratio", "no such field is known")
    plan = tiers(("0", "5"), ("10", "6"))
    plan["tiers"]["steps"][1]["upto"] = "20"
    assert problem_of(plan)[0] == "tiers.steps.1.upto"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"rate": 5.5}, "rate"),
        ({"cap": 1000.0}, "cap"),
        ({"override": 1.5}, "override"),
        ({"products": {"Licence": 7.5}}, "products.Licence"),
        ({"roles": {"closer": 7.5}}, "roles.closer"),
        ({"quota": {"default": 1.5}}, "quota.default"),
        ({"quota": {"reps": {"ann": 1.5}}}, "quota.reps.ann"),
        ({"draw": {"amount": 1.5, "recoverable": True}}, "draw.amount"),
    ],
)
def test_a_float_is_refused_so_that_nothing_is_lost(more: dict[str, Any], field: str) -> None:
    named, problem = problem_of({**FLAT, **more})
    assert named == field
    assert problem.startswith("write it as a string, such as ")


def test_a_float_in_a_tier_is_refused_from_toml_too() -> None:
    toml = """
        name = "x"
        currency = "USD"
        basis = "won"
        tiers = { method = "marginal", measure = "amount", window = "month", steps = [
            { above = "0", percent = "5" }, { above = "9", percent = 6.5 } ] }
    """
    with pytest.raises(InvalidData, match=r'tiers\.steps\.1\.percent: write it as a string, such as "6\.5"'):
        read_plan_toml(toml)


@pytest.mark.parametrize(
    ("more", "field", "problem"),
    [
        ({"rate": "five"}, "rate", "must be a number"),
        ({"rate": True}, "rate", "must be a number"),
        ({"rate": "nan"}, "rate", "must be a number"),
        ({"rate": "\u0665"}, "rate", "must be a number"),
        ({"name": 7}, "name", "must be text"),
        ({"basis": "invoiced"}, "basis", "must be 'won' or 'paid'"),
        ({"clawback_days": 1.5}, "clawback_days", "must be a whole number"),
        ({"clawback_days": True}, "clawback_days", "must be a whole number"),
        ({"products": ["Licence"]}, "products", "must be an object"),
        ({"quota": "50000"}, "quota", "must be an object"),
        ({"tiers": {"steps": {}}}, "tiers.method", "is missing"),
        ({"draw": {"amount": "5"}}, "draw.recoverable", "is missing"),
        ({"draw": {"amount": "5", "recoverable": "yes"}}, "draw.recoverable", "must be true or false"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(more: dict[str, Any], field: str, problem: str) -> None:
    named, said = problem_of({**FLAT, **more})
    assert (named, said[: len(problem)]) == (field, problem)


@pytest.mark.parametrize(("key", "choices"), [("method", "marginal"), ("measure", "amount")])
def test_only_the_known_kinds_of_tiers_are_taken(key: str, choices: str) -> None:
    plan = tiers(("0", "5"))
    plan["tiers"][key] = "other"
    named, problem = problem_of(plan)
    assert named == f"tiers.{key}"
    assert problem.startswith(f"must be '{choices}' or ")


def test_toml_that_does_not_parse_is_refused_with_the_line() -> None:
    with pytest.raises(UnreadablePlan, match=r"not a plan in TOML: .*line 2") as caught:
        read_plan_toml('name = "Flat"\nrate = = 5\n')
    assert caught.value.code == "malformed"


def test_toml_that_is_not_utf_8_is_refused_with_the_place() -> None:
    with pytest.raises(UnreadablePlan, match="byte 9 is not UTF-8"):
        read_plan_toml('name = "Büro"'.encode("latin-1").replace(b"B", b"", 1))


def test_toml_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(UnreadablePlan, match="nested too deeply"):
        read_plan_toml("a = " + "[" * 100_000)


# What is written as a plan, but makes no sense.


def test_every_fault_of_meaning_has_the_code_of_the_contract() -> None:
    kinds = [InvalidPlan, NoPercent, NoQuota, NotAPercent, PercentSaidTwice, TiersGap, TiersOverlap]
    assert {kind.code for kind in kinds} == {"invalid_plan"}


def test_a_first_step_that_begins_above_0_leaves_a_gap() -> None:
    refused = refusal(TiersGap, tiers(("100", "5"), ("200", "6")))
    assert refused.details["field"] == "tiers.steps.0.above"
    assert "leave a gap: tiers.steps.0.above is 100.00" in refused.message


@pytest.mark.parametrize("above", ["100", "99.99"])
def test_a_step_not_above_the_one_before_overlaps_it(above: str) -> None:
    refused = refusal(TiersOverlap, tiers(("0", "5"), ("100", "6"), (above, "7")))
    assert refused.details["field"] == "tiers.steps.2.above"
    assert "The tiers overlap" in refused.message
    assert "the step before is above 100.00" in refused.message


def test_the_same_above_is_the_same_however_it_is_written() -> None:
    refusal(TiersOverlap, tiers(("0", "5"), ("0.00", "6")))


@pytest.mark.parametrize("at", [0, 1])
def test_a_step_above_less_than_nothing_is_refused(at: int) -> None:
    steps = [("0", "5"), ("100", "6")]
    steps[at] = ("-1", "5")
    refused = refusal(InvalidPlan, tiers(*steps))
    assert refused.message == f"The plan's tiers.steps.{at}.above: -1.00 is less than 0."
    attained = tiers(*steps, measure="attainment", quota={"default": "100"})
    assert refusal(NotAPercent, attained).details["field"] == f"tiers.steps.{at}.above"


def test_tiers_without_a_step_are_refused() -> None:
    assert "tiers.steps: must name at least one" in refusal(InvalidPlan, tiers()).message


def test_attainment_may_pass_the_quota_but_not_be_finer_than_a_percent_may() -> None:
    quota = {"default": "100"}
    assert read_plan(tiers(("0", "5"), ("250", "6"), measure="attainment", quota=quota)).tiers
    finer = tiers(("0", "5"), ("99.9999999", "6"), measure="attainment", quota=quota)
    assert "0 to 1000000 with at most 6 decimals" in refusal(NotAPercent, finer).message


def test_tiers_by_attainment_need_a_quota() -> None:
    assert "has no quota" in refusal(NoQuota, tiers(("0", "5"), measure="attainment")).message


def test_a_quota_without_tiers_by_attainment_is_only_information() -> None:
    assert read_plan({**FLAT, "quota": {"reps": {"ann": "100"}}}).quota


@pytest.mark.parametrize(
    ("quota", "field"),
    [
        ({}, "quota: must have a default, or name reps"),
        ({"default": "0"}, "quota.default: must be more than 0"),
        ({"default": "-5"}, "quota.default: -5.00 is less than 0"),
        ({"reps": {"ann": "0"}}, "quota.reps.ann: must be more than 0"),
        ({"default": "1.001"}, "quota.default: 1.001 is finer than 2 decimals"),
    ],
)
def test_a_quota_is_more_than_nothing(quota: dict[str, Any], field: str) -> None:
    assert field in refusal(InvalidPlan, {**FLAT, "quota": quota}).message


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"rate": "100.000001"}, "rate"),
        ({"rate": "-1"}, "rate"),
        ({"rate": "0.0000001"}, "rate"),
        ({"rate": "1e300"}, "rate"),
        ({"override": "101"}, "override"),
        ({"products": {"Licence": "100.5"}}, "products.Licence"),
        ({"roles": {"closer": "-0.1"}}, "roles.closer"),
    ],
)
def test_a_percent_is_from_0_to_100_with_six_decimals(more: dict[str, Any], field: str) -> None:
    refused = refusal(NotAPercent, {**FLAT, **more})
    assert refused.details["field"] == field
    assert "is not a percent from 0 to 100 with at most 6 decimals" in refused.message


def test_a_percent_of_a_step_is_named_by_its_place() -> None:
    refused = refusal(NotAPercent, tiers(("0", "5"), ("100", "120")))
    assert refused.details["field"] == "tiers.steps.1.percent"


@pytest.mark.parametrize("rate", ["0", "100", "0.000001"])
def test_the_ends_are_percents(rate: str) -> None:
    assert str(read_plan({**FLAT, "rate": rate}).rate) == rate


def test_a_plan_that_says_no_percent_is_refused() -> None:
    assert "says no percent" in refusal(NoPercent, {**without("rate"), "cap": "5"}).message


def test_a_heads_plan_may_have_the_override_only() -> None:
    assert read_plan({**without("rate"), "override": "1"}).rate is None


@pytest.mark.parametrize(
    ("more", "both"),
    [
        ({"rate": "5"}, {"tiers", "rate"}),
        ({"products": {"Licence": "5"}}, {"tiers", "products"}),
        ({"roles": {"closer": "5"}}, {"tiers", "roles"}),
    ],
)
def test_beside_tiers_nothing_else_says_the_percent(more: dict[str, Any], both: set[str]) -> None:
    refused = refusal(PercentSaidTwice, tiers(("0", "5"), **more))
    assert {refused.details["field"], refused.details["beside"]} == both


def test_products_and_roles_together_are_refused() -> None:
    both = {**FLAT, "products": {"Licence": "5"}, "roles": {"closer": "5"}}
    assert "both products and roles" in refusal(PercentSaidTwice, both).message


@pytest.mark.parametrize("key", ["products", "roles"])
def test_a_rate_beside_products_or_roles_is_for_those_not_named(key: str) -> None:
    assert read_plan({**FLAT, key: {"x": "5"}}).rate == 5
    assert read_plan({**without("rate"), key: {"x": "5"}}).rate is None


@pytest.mark.parametrize("key", ["products", "roles"])
def test_products_and_roles_name_at_least_one(key: str) -> None:
    assert f"{key}: must name at least one" in refusal(InvalidPlan, {**FLAT, key: {}}).message
    assert f"{key}: there is one without a name" in refusal(InvalidPlan, {**FLAT, key: {" ": "5"}}).message


@pytest.mark.parametrize("cap", ["0", "-1", "1.001", "1e15"])
def test_a_cap_is_an_amount_of_more_than_nothing(cap: str) -> None:
    assert refusal(InvalidPlan, {**FLAT, "cap": cap}).details["field"] == "cap"


def test_a_draw_of_nothing_is_allowed_and_less_is_not() -> None:
    assert read_plan({**FLAT, "draw": {"amount": "0", "recoverable": True}}).draw
    less = {**FLAT, "draw": {"amount": "-0.01", "recoverable": True}}
    assert "draw.amount: -0.01 is less than 0" in refusal(InvalidPlan, less).message


def test_a_cap_below_the_draw_is_refused() -> None:
    draw = {"amount": "100.01", "recoverable": True}
    refused = refusal(InvalidPlan, {**FLAT, "cap": "100", "draw": draw})
    assert "cap: 100 is below the draw, 100.01" in refused.message
    assert read_plan({**FLAT, "cap": "100.01", "draw": draw})


@pytest.mark.parametrize("days", [-1, 36_501])
def test_a_clawback_window_out_of_range_is_refused(days: int) -> None:
    assert refusal(InvalidPlan, {**FLAT, "clawback_days": days}).details["field"] == "clawback_days"


@pytest.mark.parametrize("days", [0, 36_500])
def test_the_ends_are_clawback_windows(days: int) -> None:
    assert read_plan({**FLAT, "clawback_days": days}).clawback_days == days


@pytest.mark.parametrize("name", ["", "  ", "x" * 201])
def test_a_plan_has_a_name(name: str) -> None:
    assert "name: must have 1 to 200 characters" in refusal(InvalidPlan, {**FLAT, "name": name}).message


@pytest.mark.parametrize("currency", ["usd", "XXZ", "XAU", ""])
def test_a_currency_is_one_of_iso_4217(currency: str) -> None:
    refused = refusal(InvalidPlan, {**FLAT, "currency": currency})
    assert "is not a currency of ISO 4217" in refused.message


def test_an_amount_finer_than_the_currency_is_refused() -> None:
    assert "finer than 0 decimals" in refusal(InvalidPlan, {**FLAT, "currency": "JPY", "cap": "1.5"}).message


# Whatever is read is kept exactly.

percents = st.decimals(0, 100, places=6).map(str) | st.integers(0, 100)
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20).filter(
    str.strip
)
by_name = st.dictionaries(names, percents, min_size=1, max_size=4)
positive = st.integers(1, 10**9).map(lambda units: f"{units // 100}.{units % 100:02}") | st.integers(1, 10**9)
ascending = st.lists(st.integers(1, 10**9), unique=True, max_size=5).map(lambda some: [0, *sorted(some)])


@st.composite
def ways(draw: st.DrawFn) -> dict[str, Any]:
    """What says the percent, with what that needs."""
    way = draw(st.sampled_from(["rate", "amount", "attainment", "products", "roles", "override"]))
    if way in ("products", "roles"):
        return {way: draw(by_name), "rate": draw(st.none() | percents)}
    if way in ("rate", "override"):
        return {way: draw(percents)}
    highest = 1 if way == "amount" else 1000
    steps = [{"above": str(above // highest), "percent": draw(percents)} for above in draw(ascending)]
    distinct = list({step["above"]: step for step in steps}.values())
    written = {
        "method": draw(st.sampled_from(["marginal", "retroactive"])),
        "measure": way,
        "window": draw(st.sampled_from(["month", "quarter", "year"])),
        "steps": distinct,
    }
    return {"tiers": written, "quota": {"default": draw(positive)}}


documents = st.builds(
    lambda way, more: {**more, **way},
    ways(),
    st.fixed_dictionaries(
        {
            "name": names,
            "currency": st.sampled_from(["USD", "EUR"]),
            "basis": st.sampled_from(["won", "paid"]),
        },
        optional={
            "quota": st.fixed_dictionaries(
                {"default": positive}, optional={"reps": st.dictionaries(names, positive, max_size=3)}
            ),
            "cap": st.none() | st.integers(10**9, 10**10),
            "draw": st.fixed_dictionaries({"amount": positive, "recoverable": st.booleans()}),
            "clawback_days": st.none() | st.integers(0, 36_500),
        },
    ),
)


@given(documents)
def test_a_plan_survives_the_way_through_the_log_to_the_letter(document: dict[str, Any]) -> None:
    plan = read_plan(document)
    stored = PlanPublished(number=1, plan=plan).model_dump_json()
    kept = PlanPublished.model_validate_json(stored).plan
    assert kept == plan
    assert kept.model_dump_json() == plan.model_dump_json()
    assert read_plan(json.loads(plan.model_dump_json())) == plan
    assert type(plan) is Plan
    assert "E+" not in stored
