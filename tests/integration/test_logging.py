"""Log lines: on stderr, in the look and from the level that the settings name."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from http_serving import hire, serving
from reporting import Story

from adapters.logging import Logger, bound, configure
from adapters.observing.lines import RequestLines
from adapters.observing.work import unwatch, watch
from adapters.settings import read_settings
from adapters.wiring import engine
from domain.deals.events import StageEntered
from projections.deals import Deals
from services.intake import Submission

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


def test_what_python_itself_says_is_json_too() -> None:
    code = (
        "import warnings; from adapters.logging import configure; configure('json', 'WARNING')\n"
        "warnings.warn('old', UserWarning)\n"
        "raise ValueError('broken')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    warned, failed = map(json.loads, done.stderr.splitlines())
    assert (done.returncode, warned["logger"], warned["level"]) == (1, "py.warnings", "warning")
    assert "UserWarning: old" in warned["event"]
    assert (failed["event"], failed["level"]) == ("command_failed", "error")
    assert failed["exception"].endswith("ValueError: broken\n")


def test_what_is_bound_is_in_every_line_of_the_thread_and_no_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("json", "INFO")
    with bound(request="r-1"):
        with bound(correlation="c-1"):
            SAY.info("within", position=7)
            other = threading.Thread(target=SAY.info, args=("beside",))
            other.start()
            other.join()
        SAY.info("around", request="r-2")
    SAY.info("after")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [
        (line["event"], line.get("request"), line.get("correlation"), line.get("position")) for line in lines
    ] == [
        ("within", "r-1", "c-1", 7),
        ("beside", None, None, None),
        ("around", "r-2", None, None),
        ("after", None, None, None),
    ]


def test_each_recorded_action_tells_its_place_to_who_wants_it_all(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = (
        b'{"specversion": "1.0", "id": "a-1", "source": "crm", "type": "rep.hire", "subject": "ann",'
        b' "data": {"name": "Ann"}, "time": "2026-01-02T03:04:05Z", "actor": "admin:office",'
        b' "correlationid": "c-1"}'
    )
    settings = replace(read_settings({}), database_url=database_url, log="json")
    for level in ("INFO", "DEBUG"):
        with engine(replace(settings, log_level=level)) as parts:
            (answer,) = parts.intake().submit([Submission(told.replace(b"a-1", level.encode()))])
            assert answer.error is None
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines() if "recorded" in line]
    assert [line[key] for key in ("source", "action", "correlation", "position", "events")] == [
        "crm", "DEBUG", "c-1", answer.positions[0], 1
    ]  # fmt: skip


def test_a_request_with_an_action_tells_the_request_the_correlation_and_the_position(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = RequestLines()
    with serving(database_url) as api:
        configure("json", "INFO")
        watch(lines)
        try:
            said = hire("ann") | {"correlationid": "c-1"}
            position = api.act(said, headers={"X-Request-ID": "r-1"}).json()["position"]
            api.act(hire("bob"))
        finally:
            unwatch(lines)
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    first, second = [line for line in told if line["event"] == "answered"]
    assert (first["request"], first["correlation"], first["position"]) == ("r-1", "c-1", position)
    assert "correlation" not in second


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
