"""The reports' JSON to the letter of the contract: every key, every type, null where nothing is known."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner
from histories import REPS, History

from adapters.cli.main import cli

NUMBER, WHOLE, TEXT, SHARE = (int, float), int, str, (int, float, type(None))
STAGE = {
    "stage": TEXT,
    "reached": WHOLE,
    "current": WHOLE,
    "lost": WHOLE,
    "conversion": SHARE,
    "median_days": SHARE,
    "p90_days": SHARE,
}
FIGURES = {
    "leads": WHOLE,
    "deals": WHOLE,
    "open": WHOLE,
    "won": WHOLE,
    "lost": WHOLE,
    "won_amount": dict,
    "win_rate_closed": SHARE,
    "win_rate_all": SHARE,
    "stages": list,
    "loss_reasons": dict,
}
CYCLE = {
    "key": (str, type(None)),
    "n": WHOLE,
    "mean_days": SHARE,
    "median_days": SHARE,
    "p90_days": SHARE,
    "min_days": SHARE,
    "max_days": SHARE,
    "censored_median_days": SHARE,
    "at_risk": WHOLE,
    "negative": WHOLE,
}


@pytest.fixture
def history(database_url: str) -> Iterator[History]:
    told = History(database_url, seed=5)
    told.live(150)
    yield told
    told.close()


def ask(history: History, line: str, zone: str = "Europe/Berlin") -> dict[str, Any]:
    environment = {"DATABASE_URL": history.database.url, "DEALTRAIL_TIMEZONE": zone}
    done = CliRunner().invoke(cli, [*line.split(), "--json"], env=environment)
    assert (done.exit_code, done.stderr) == (0, ""), line
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def holds(found: dict[str, Any], shape: dict[str, Any], *, exactly: bool = False) -> None:
    assert not exactly or found.keys() == shape.keys()
    for key, kind in shape.items():
        assert isinstance(found[key], kind), (key, found[key])
        assert not isinstance(found[key], bool), key


def is_funnel(found: dict[str, Any]) -> None:
    holds(found, FIGURES)
    for stage in found["stages"]:
        holds(stage, STAGE, exactly=True)
    for currency, amount in found["won_amount"].items():
        assert len(currency) == 3
        assert isinstance(amount, str)
        assert Decimal(amount).as_tuple().exponent == (0 if currency == "JPY" else -2)
    assert all(isinstance(deals, int) and deals > 0 for deals in found["loss_reasons"].values())
    assert (found["win_rate_closed"] is None) == (found["won"] + found["lost"] == 0)
    assert (found["win_rate_all"] is None) == (found["deals"] == 0)


@pytest.mark.parametrize("view", ["cohort", "flow"])
def test_funnel(history: History, view: str) -> None:
    until = f"--as-of {history.now.isoformat()}"
    found = ask(history, f"funnel --pipeline sales --view {view} {until}")
    is_funnel(found)
    holds(found, {"pipeline": TEXT, "as_of": TEXT, "axis": TEXT, "position": WHOLE})
    assert "groups" not in found
    for by in ("rep", "channel", "product", "branch", "month"):
        grouped = ask(history, f"funnel --pipeline sales --view {view} --by {by} {until}")
        keys = [group["key"] for group in grouped["groups"]]
        assert len(set(keys)) == len(keys) > 1
        assert by == "month" or None in keys
        for group in grouped["groups"]:
            assert group.keys() == FIGURES.keys() | {"key"}
            is_funnel(group)
        for name in ("deals", "open", "won", "lost"):
            assert sum(group[name] for group in grouped["groups"]) == grouped[name]
        assert {**grouped, "groups": None} == {**found, "groups": None}


def test_a_range_without_deals_is_zeros_and_nulls(history: History) -> None:
    for view in ("cohort", "flow"):
        found = ask(
            history, f"funnel --pipeline sales --view {view} --from 2020-01-01 --to 2020-01-31 --by rep"
        )
        is_funnel(found)
        assert (found["deals"], found["leads"], found["won_amount"], found["groups"]) == (0, 0, {}, [])
        assert {stage["conversion"] for stage in found["stages"]} == {None}


def test_cycle_time(history: History) -> None:
    for options in (
        "",
        "--by rep",
        "--by month --outcome closed",
        "--by product --outcome lost --since lead",
    ):
        groups = ask(history, f"cycle-time --pipeline sales {options}")["groups"]
        assert groups
        for group in groups:
            holds(group, CYCLE, exactly=True)
            assert (group["median_days"] is None) == (group["n"] == 0)
    (whole,) = ask(history, "cycle-time --pipeline rental --as-of 2026-01-20T12:00:00Z")["groups"]
    assert (whole["key"], whole["n"], whole["mean_days"], whole["at_risk"]) == (None, 0, None, 0)


def test_owner_and_lists(history: History) -> None:
    for lead in history.leads[:5]:
        found = ask(history, f"owner {lead}")
        holds(found, {"lead": TEXT, "owner": (str, type(None)), "since": TEXT, "by_position": WHOLE})
        assert isinstance(found["history"], list)
    for line in ("neglected", "neglected --rep ann", "queue --rep ann", "encroachments", "overdue"):
        found = ask(history, line)
        assert found["count"] == len(found["items"]), line


def test_dates_are_iso_with_the_companys_offset(history: History) -> None:
    found = ask(history, "deal D-early --as-of 2026-07-01")
    assert found["as_of"] == "2026-07-01T23:59:59.999999+02:00"
    assert datetime.fromisoformat(found["opened_at"]).utcoffset() in (timedelta(hours=1), timedelta(hours=2))
    assert ask(history, "deal D-early --as-of 2026-02-20", zone="UTC")["as_of"].endswith("+00:00")


def test_now_says_the_same_as_that_moment_asked_for_later(history: History) -> None:
    lines = ["funnel --pipeline sales --by rep", "cycle-time --pipeline sales", "neglected", "owner L-1"]
    for line in [*lines, *(f"queue --rep {rep}" for rep in REPS[:2]), "scorecard --rep ann", "lead L-1"]:
        now = ask(history, line)
        assert ask(history, f"{line} --as-of {now['as_of']}") == now


def test_tables_say_nothing_twice_and_explain_nothing_that_is_not_there(history: History) -> None:
    def shown(line: str) -> str:
        environment = {"DATABASE_URL": history.database.url, "COLUMNS": "80"}
        return CliRunner().invoke(cli, line.split(), env=environment).stdout

    assert history.act("rep.hire", "Gus", name="Gus")
    assert shown("scorecard --rep Gus").splitlines()[0] == "Scorecard of Gus"
    assert shown("scorecard --rep ann").splitlines()[0] == "Scorecard of Ann (ann)"
    assert "Kaplan-Meier" in shown("cycle-time --pipeline sales")
    empty = shown("cycle-time --pipeline sales --by rep --as-of 2026-01-20T12:00:00Z")
    assert "No deals closed so far." in empty
    assert "Kaplan-Meier" not in empty
