"""An import that is killed, again and again, and run again each time ends as if nothing had happened."""

import json
import os
import random
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from adapters.demo.generator import generate
from adapters.importers.plan import ndjson_sources
from adapters.importers.rejects import RejectsFile
from adapters.importers.run import ImportRun, Summary
from adapters.postgres.database import Database
from adapters.postgres.store import PostgresStore
from adapters.settings import read_settings
from adapters.wiring import Engine
from domain.kernel import Event, Recorded

END = datetime(2026, 1, 1, tzinfo=UTC)
LEADS, KILLS = 1_000, 60


def _import(url: str, file: Path, batch: int) -> Summary:
    with Database(url) as database:
        intake = Engine(read_settings({}), database).intake()
        sources = ndjson_sources([str(file)], BytesIO())
        rejects = RejectsFile(file.with_suffix(f".{os.getpid()}.rejects"), name_files=False)
        return ImportRun(sources, intake, rejects, migration=True, batch=batch).run()


def _die(url: str, file: Path, store: PostgresStore, after: float) -> bool:
    """Killed so many seconds after it began to record; whether it was before it was through."""
    head, child = store.head(), os.fork()
    if child == 0:
        try:
            _import(url, file, batch=25)
        finally:
            os._exit(0)  # Never back into the tests of the parent.
    patience = time.monotonic() + 20
    while store.head() == head and time.monotonic() < patience:
        time.sleep(0.002)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _log(url: str) -> list[Recorded[Event]]:
    with Database(url) as database:
        store = Engine(read_settings({}), database).store
        return [fact for page in store.read(0) for fact in page]


def test_an_import_killed_sixty_times_gives_the_log_of_one_that_was_not(
    database_url: str, other_database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "actions.ndjson"
    file.write_text("".join(json.dumps(action) + "\n" for action in generate(3, LEADS, END)))
    chance = random.Random(1)
    with Database(database_url) as database:
        store = PostgresStore(database)
        killed = sum(_die(database_url, file, store, chance.random() * 0.06) for _ in range(KILLS))
    assert killed >= KILLS * 0.8
    _import(database_url, file, batch=25)

    once = _import(other_database_url, file, batch=1_000)
    # What was refused and is sent again is decided anew, and may be accepted then. All else is the same to
    # the last detail, because the recording times are the file's.
    rejects = [json.loads(line) for line in Path(str(once.rejects)).read_text().splitlines()]
    refused = {json.loads(reject["input"])["id"] for reject in rejects}
    assert len(refused) < 150
    assert _told(_log(database_url), refused) == _told(_log(other_database_url), refused)


def _told(facts: list[Recorded[Event]], refused: set[str]) -> list[Recorded[Event]]:
    """The facts with key streams, which each database names by a secret of its own, numbered."""
    names: dict[str, str] = {}
    return [
        replace(
            fact,
            position=0,
            version=0,
            stream=names.setdefault(fact.stream, f"key-{len(names)}")
            if fact.stream.startswith("key-")
            else fact.stream,
        )
        for fact in facts
        if fact.action not in refused
    ]
