"""Every figure of the sample data's EXPECTED.md, from the import by way of the command line."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.postgres.embedded import Embedded

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "maven_crm"
COMMAND = Path(sys.executable).parent / "dealtrail"
Ask = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the sample data is not here")


def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": url, "DEALTRAIL_TIMEZONE": "UTC"}
    return subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, env=environment, timeout=300, check=False
    )


def shuffled(folder: Path) -> Path:
    """The same rows in another order."""
    for file in DATA.glob("sales_*.csv"):
        header, *rows = file.read_text("utf-8").splitlines(keepends=True)
        random.Random(5).shuffle(rows)
        (folder / file.name).write_text("".join([header, *rows]), "utf-8")
    return folder


@pytest.fixture(scope="module", params=["once", "shuffled, again and rebuilt", "as a migration"])
def ask(
    server: Embedded, template: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Ask]:
    """Asks a report of the imported data; gives its JSON. The figures are the same however it came in."""
    name, folder = f"maven_{os.getpid()}", tmp_path_factory.mktemp("maven")
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    url = server.url(name)
    mapping = str(ROOT / "docs" / "examples" / "maven_crm.toml")
    options = ("--mapping", mapping, "--rejects", str(folder / "rejects"), "--json")
    if request.param == "as a migration":
        options += ("--migration",)

    def told(*arguments: str) -> dict[str, Any]:
        answered = run(url, *arguments)
        assert answered.returncode == 0, answered.stderr
        found: dict[str, Any] = json.loads(answered.stdout)
        return found

    first = shuffled(folder) if request.param.startswith("shuffled") else DATA
    done = told("import", str(first), *options)
    assert (done["accepted"], done["rejected"]) == (25_942, 0)
    if first != DATA:
        again = told("import", str(DATA), *options)
        assert (again["accepted"], again["events"], again["rejected"]) == (0, 0, 0)
        assert run(url, "rebuild").returncode == 0

    yield lambda *arguments: told(*arguments, "--json")
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def of(report: dict[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(group for group in report["groups"] if group["key"] == key)
    return found


def cycles(group: dict[str, Any], *digits: tuple[str, int]) -> list[float]:
    return [round(group[f"{name}_days"], places) for name, places in digits]


def test_the_funnel(ask: Ask) -> None:
    found = ask("funnel", "--pipeline", "sales", "--by", "rep")
    assert (found["won"], found["lost"], found["deals"], found["leads"]) == (4238, 2473, 8800, 8800)
    current = {stage["stage"]: stage["current"] for stage in found["stages"]}
    assert current == {"Prospecting": 500, "Engaging": 1589}
    assert (round(found["win_rate_closed"], 6), round(found["win_rate_all"], 6)) == (0.631501, 0.481591)
    assert Decimal(found["won_amount"]["USD"]) == 10_005_534
    darcel, hayden = of(found, "Darcel Schlecht"), of(found, "Hayden Neloms")
    assert (darcel["deals"], darcel["won"], darcel["lost"]) == (747, 349, 204)
    assert (round(darcel["win_rate_closed"], 6), Decimal(darcel["won_amount"]["USD"])) == (
        0.631103,
        1_153_214,
    )
    assert (hayden["deals"], hayden["won"], hayden["lost"]) == (202, 107, 45)
    assert (round(hayden["win_rate_closed"], 6), Decimal(hayden["won_amount"]["USD"])) == (0.703947, 272_111)
    assert sum(group["deals"] for group in found["groups"]) == 8800


def test_the_cycles(ask: Ask) -> None:
    (won,) = ask("cycle-time", "--pipeline", "sales")["groups"]
    (lost,) = ask("cycle-time", "--pipeline", "sales", "--outcome", "lost")["groups"]
    digits = (("mean", 3), ("median", 6), ("p90", 6), ("min", 6), ("max", 6))
    assert cycles(won, *digits) == [51.782, 57, 106, 1, 138]
    assert cycles(lost, ("mean", 4), ("median", 6), ("p90", 6)) == [41.4792, 14, 100]
    assert (won["n"], lost["n"], won["negative"]) == (4238, 2473, 0)
    by_rep = ask("cycle-time", "--pipeline", "sales", "--by", "rep")
    digits = (("mean", 4), ("median", 6), ("p90", 6))
    assert cycles(of(by_rep, "Darcel Schlecht"), *digits) == [49.4269, 48, 104]
    assert cycles(of(by_rep, "Hayden Neloms"), *digits) == [51.0374, 54, 104.8]


def test_as_of_the_past_by_what_had_happened(ask: Ask) -> None:
    found = ask("funnel", "--pipeline", "sales", "--as-of", "2017-06-30", "--axis", "occurred")
    engaging = next(stage for stage in found["stages"] if stage["stage"] == "Engaging")
    assert (engaging["reached"], engaging["current"]) == (4365, 1686)
    assert (found["won"], found["lost"]) == (1785, 894)
    assert Decimal(found["won_amount"]["USD"]) == 4_220_783
    assert (found["as_of"], found["axis"]) == ("2017-06-30T23:59:59.999999+00:00", "occurred")


def test_as_of_the_past_by_what_was_known(ask: Ask, request: pytest.FixtureRequest) -> None:
    """A migration takes the recording times along: only then was anything known in 2017."""
    if "as a migration" in request.node.name:
        found = ask("funnel", "--pipeline", "sales", "--as-of", "2017-06-30")
        assert (found["won"], found["lost"]) == (1785, 894)
        return
    with pytest.raises(AssertionError, match="There is no pipeline sales"):
        ask("funnel", "--pipeline", "sales", "--as-of", "2017-06-30")
