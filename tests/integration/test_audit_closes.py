"""Every closed period's cutoff gets a checkpoint of its own, whatever was sealed before or after."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from audited_log import NOON, REHASH, AuditedLog

from adapters.audit.keys import AuditKeyExists, Keys, NoAuditKey, make_keys, read_keys, write_keys
from adapters.audit.schedule import SealSchedule
from adapters.cli import workers
from adapters.postgres.audit import checkpoints
from adapters.postgres.audit.checkpoints import Checkpoints, LogForked
from adapters.postgres.audit.proofs import prove_consistency, prove_inclusion
from adapters.postgres.audit.tree import LogIncomplete, Tree
from adapters.postgres.database import Database
from adapters.wiring import now
from domain.audit.merkle import root

HOUR = timedelta(hours=1)


@pytest.fixture
def log(database_url: str) -> Iterator[AuditedLog]:
    opened = AuditedLog(database_url)
    yield opened
    opened.close()


@pytest.fixture
def late(log: AuditedLog) -> AuditedLog:
    """October was closed as of 150 events when 300 were sealed already; now there are 320 events."""
    log.append(300).seal()
    log.closed("2026-10", 150).append(19).seal()
    return log


def sizes(log: AuditedLog) -> list[int]:
    """Of the stored checkpoints by number; the numbers have no gap."""
    found = Checkpoints(log.database).all()
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    return [one.size for one in found]


def test_a_cutoff_below_what_was_sealed_is_sealed_and_all_hold(late: AuditedLog) -> None:
    assert sizes(late) == [300, 150, 320]
    sealed = Checkpoints(late.database).first_of(150)
    assert sealed is not None
    leaves = late.ask("SELECT leaf_hash FROM log.event ORDER BY notification_id LIMIT 150")
    assert sealed.opened(late.keys.verifiers).root == root(row[0] for row in leaves)
    found = late.verify(sealed)
    assert (found.items, found.sealed, found.checkpoints) == ((), 320, 4)
    for new in (300, 320):
        old, _ = prove_consistency(late.database, 150, new).check(late.keys.verifiers)
        assert old.root == sealed.root
    assert prove_inclusion(late.database, 7).size == 320


def test_a_cutoff_is_sealed_once_and_keeps_its_first_checkpoint(late: AuditedLog) -> None:
    kept = Checkpoints(late.database)
    first = kept.first_of(150)
    assert kept.owed() == []
    late.seal()
    assert sizes(late) == [300, 150, 320]
    late.keys = late.keys.rotated()
    late.closed("2026-11", 320).append(4).seal()
    assert sizes(late) == [300, 150, 320, 325]
    assert first is not None
    assert kept.note_of(150) == first.note
    assert (kept.note_of(151), kept.first_of(320)) == (None, kept.of(320))


def test_keys_change_between_closes_and_each_stays_good(late: AuditedLog, tmp_path: Path) -> None:
    first = late.keys
    late.keys = first.rotated()
    late.closed("2026-11", 310).seal()
    gone = late.keys.leaving(first.signers[0].verifier.vkey, tmp_path)
    late.keys = late.keys.without(gone, 321)
    late.closed("2026-12", 200).append(10).seal()
    assert sizes(late) == [300, 150, 320, 310, 321, 200, 332]
    assert late.found() == []
    kept = Checkpoints(late.database)
    both = kept.of(321)
    for trusted in (first.verifiers, late.keys.verifiers[1:]):
        assert both.opened(trusted).size == 321
    assert kept.of(150).note.count("\n— ") == kept.of(200).note.count("\n— ") == 1
    assert kept.of(310).note.count("\n— ") == 2


def test_a_fork_behind_a_cutoff_is_found_and_not_signed_over(late: AuditedLog) -> None:
    """The checkpoint made last would hold: it is that of the cutoff again."""
    late.forge(
        "INSERT INTO audit.checkpoint SELECT 4, size, root, note, made_at FROM audit.checkpoint"
        " WHERE number = 2",
        "UPDATE log.event SET actor = 'rep-9' WHERE notification_id = 200",
        f"{REHASH} WHERE notification_id = 200",
        "UPDATE audit.tree SET size = 0",
        "DELETE FROM audit.node",
    )
    with pytest.raises(LogForked):
        late.append(1).seal()
    assert late.found()[:2] == [("replayed", 150, 150), ("forked", 151, 300)]


def test_a_log_cut_behind_a_cutoff_is_found_and_not_signed_over(late: AuditedLog) -> None:
    late.forge(
        "DELETE FROM log.event WHERE notification_id > 160",
        "UPDATE audit.tree SET size = 0",
        "DELETE FROM audit.node",
    )
    with pytest.raises(LogIncomplete):
        late.seal()
    assert late.found() == [("truncated", 161, 320)]


@pytest.mark.parametrize(
    "lie",
    ["UPDATE audit.checkpoint SET size = 999 WHERE number = 2", "UPDATE audit.checkpoint SET root = ''"],
)
def test_nothing_is_signed_over_a_checkpoint_that_is_stored_otherwise(late: AuditedLog, lie: str) -> None:
    late.forge(lie)
    with pytest.raises(LogForked):
        late.append(1).seal()
    assert {one[0] for one in late.found()} == {"checkpoint"}


def test_a_close_that_lies_about_its_cutoff_stops_no_sealing(late: AuditedLog) -> None:
    late.closed("2026-11", 5000).closed("2026-12", 0).seal()
    assert sizes(late) == [300, 150, 320, 322]


def test_many_sealers_at_once_seal_each_close_once(log: AuditedLog, database_url: str) -> None:
    log.append(30).closed("2026-10", 20).closed("2026-11", 25).closed("2026-12", 28)
    databases = [Database(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        notes = list(pool.map(lambda one: Checkpoints(one).seal(log.keys, NOON).note, databases * 3))
    for database in databases:
        database.close()
    assert (len(set(notes)), sizes(log)) == (1, [20, 25, 28, 33])


def test_a_sealer_that_is_killed_leaves_all_or_nothing(
    log: AuditedLog, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append(30).closed("2026-10", 20).closed("2026-11", 25)
    whole = checkpoints._seal

    def dying(*given: Any) -> Any:
        if given[2] == 25:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(*given)

    monkeypatch.setattr(checkpoints, "_seal", dying)
    child = os.fork()
    if child == 0:
        try:
            Checkpoints(Database(database_url)).seal(log.keys, NOON)
        finally:
            os._exit(0)  # Never back into the tests of the parent.
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    monkeypatch.undo()
    assert sizes(log) == []
    log.seal()
    assert sizes(log) == [20, 25, 32]


@pytest.fixture
def key_file(log: AuditedLog, tmp_path: Path) -> Path:
    write_keys(tmp_path / "audit.key", log.keys)
    return tmp_path / "audit.key"


def schedule(log: AuditedLog, key_file: Path, every: timedelta = HOUR) -> SealSchedule:
    return SealSchedule(Tree(log.database), Checkpoints(log.database), key_file, every)


def test_the_worker_seals_what_grew_in_its_time_and_closes_at_once(log: AuditedLog, key_file: Path) -> None:
    at_work = schedule(log, key_file)
    assert at_work.look() is None, "there is nothing to seal"
    log.append(10)
    assert at_work.look() is not None
    log.append(10)
    assert at_work.look() is None, "it isn't time"
    log.closed("2026-10", 15)
    assert at_work.look() is not None
    assert at_work.look() is None
    assert sizes(log) == [10, 15, 21]
    log.append(1)
    assert at_work.look(early=True) is not None
    assert at_work.look(early=True) is None, "it hasn't grown"


def test_the_worker_goes_on_where_another_left_off(log: AuditedLog, key_file: Path) -> None:
    log.append(10)
    Checkpoints(log.database).seal(log.keys, now() - HOUR)
    assert schedule(log, key_file).look() is None, "it hasn't grown"
    log.append(1)
    assert schedule(log, key_file, 2 * HOUR).look() is None
    assert schedule(log, key_file).look() is not None
    assert sizes(log) == [10, 11]


def test_without_a_schedule_only_closes_are_sealed(log: AuditedLog, key_file: Path) -> None:
    never = schedule(log, key_file, timedelta(0))
    log.append(10)
    assert never.look(early=True) is None
    log.closed("2026-10", 4)
    assert never.look() is not None
    assert sizes(log) == [4, 11]


def test_the_worker_keeps_the_tree_up_without_a_key(log: AuditedLog, tmp_path: Path) -> None:
    log.append(300)
    with pytest.raises(NoAuditKey):
        schedule(log, tmp_path / "none").look()
    assert log.ask("SELECT size FROM audit.tree") == [(300,)]
    assert not (tmp_path / "none").exists()


class Said:
    """What the worker's logger was told."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def info(self, event: str, **facts: Any) -> None:
        pass

    def warning(self, event: str, **facts: Any) -> None:
        self.warnings.append(facts["error"])


def test_the_worker_outlives_what_stands_in_its_way_and_says_it_once(
    log: AuditedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, stop, file = Said(), threading.Event(), tmp_path / "audit.key"
    monkeypatch.setattr(workers, "_logger", said)
    log.append(10)
    looks: list[int] = []

    def look(self: SealSchedule, **given: Any) -> Any:
        looks.append(1)
        return whole(self, **given)

    whole = SealSchedule.look
    monkeypatch.setattr(SealSchedule, "look", look)
    work = (partial(workers._seal, schedule(log, file)), workers._not_sealed, stop, 0.01)
    thread = threading.Thread(target=workers._keep_at, args=work)
    thread.start()
    try:
        _wait(lambda: len(looks) > 3)
        assert len(said.warnings) == 1
        assert str(file) in said.warnings[0]
        _end_connections(log)
        write_keys(file, log.keys)
        _wait(lambda: sizes(log) == [10])
        log.closed("2026-10", 7)
        _wait(lambda: sizes(log) == [10, 7, 11])
    finally:
        stop.set()
        thread.join()


def _end_connections(log: AuditedLog) -> None:
    log.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def _wait(done: Any) -> None:
    waited = threading.Event()
    for _ in range(1000):
        try:
            if done():
                return
        except (OSError, psycopg.OperationalError):
            pass
        waited.wait(0.01)
    raise AssertionError("it took more than ten seconds")


def test_of_many_that_make_the_first_key_one_does(tmp_path: Path) -> None:
    file = tmp_path / "new" / "audit.key"

    def make(_: int) -> Sequence[Any]:
        try:
            return make_keys(file).signers
        except AuditKeyExists:
            return ()

    with ThreadPoolExecutor(8) as pool:
        made = [one for signers in pool.map(make, range(8)) for one in signers]
    assert len(made) == 1
    assert read_keys(file) == Keys(tuple(made))
    assert [one.name for one in file.parent.iterdir()] == ["audit.key"]
