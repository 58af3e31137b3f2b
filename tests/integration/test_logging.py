"""Log lines: on stderr, in the look and from the level that the settings name."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from reporting import Story

from adapters.logging import Logger, configure
from adapters.settings import read_settings
from adapters.wiring import engine
from domain.deals.events import StageEntered
from projections.deals import Deals

SAY = Logger("here")


@pytest.fixture(autouse=True)
def afterwards_as_before() -> Iterator[None]:
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    yield
    configure("console", "WARNING")
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


def test_json_lines_say_all_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "INFO")
    SAY.info("swap_waits", projections=["deals"])
    out, err = capsys.readouterr()
    line = json.loads(err)
    assert (out, line.pop("timestamp")[-1]) == ("", "Z")
    assert line == {"event": "swap_waits", "level": "info", "logger": "here", "projections": ["deals"]}


def test_a_console_gets_words(capsys: pytest.CaptureFixture[str]) -> None:
    configure("console", "WARNING")
    SAY.warning("database_away", error="gone")
    SAY.info("not_worth_saying")
    out, err = capsys.readouterr()
    assert out == ""
    assert "database_away" in err
    assert "error=gone" in err
    assert "not_worth_saying" not in err


def test_libraries_take_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "WARNING")
    configure("json", "WARNING")
    logging.getLogger("some.library").warning("no connection to %s", "here")
    logging.getLogger("some.library").info("silent")
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("some.library").exception("it failed")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["event"], first["logger"], first["level"]) == (
        "no connection to here",
        "some.library",
        "warning",
    )
    assert "ValueError: broken" in second["exception"]


def test_a_failing_projection_tells_its_place(
    database_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(database_url)
    story.pipeline().rep("ann").lead("L-1", "ann").deal("D-1", "L-1", "Call")
    story.projector.catch_up()
    fold = Deals.apply

    def breaking(self: Deals, fact: object, rows: object) -> None:
        if getattr(fact, "event", None) == StageEntered(stage="Offer"):
            raise ArithmeticError("no such stage on my list")
        fold(self, fact, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(Deals, "apply", breaking)
    story.move("D-1", "Offer")
    settings = replace(read_settings({}), database_url=database_url, log="json")
    with engine(settings) as parts:
        (failure,) = parts.projector.catch_up()
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "projection_stopped"
    assert (line["projection"], line["position"]) == ("deals", story.position) == ("deals", failure.position)
    assert line["event_name"] == "deals.StageEntered"
    assert line["error"] == "ArithmeticError: no such stage on my list"
    story.close()


def test_what_says_nothing_does_not_import_structlog(database_url: str) -> None:
    code = (
        "import sys; from adapters.settings import read_settings; from adapters.wiring import engine\n"
        "with engine(read_settings()) as parts: parts.projector.catch_up()\n"
        "assert 'structlog' not in sys.modules"
    )
    environment = {**os.environ, "DATABASE_URL": database_url}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
