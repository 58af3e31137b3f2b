"""What the audit costs: an append with its hashes, sealing, verifying and proving a large log."""

import os
import random
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from subprocess import DEVNULL, Popen
from time import perf_counter
from types import SimpleNamespace
from unittest.mock import patch

from adapters.audit.keys import Keys, new_signer, write_keys
from adapters.postgres import codec
from adapters.postgres.audit.checkpoints import Checkpoints
from adapters.postgres.audit.proofs import prove_inclusion
from adapters.wiring import Engine, now
from benchmarks.figures import Figure, quantile
from benchmarks.ground import Ground
from benchmarks.leads import lead, leads_per_second, middle
from benchmarks.sealing import sealing

ALONE, AT_ONCE, TOGETHER, PROOFS, ROUNDS = 2_000, 1_000, 40, 1_000, 3
EVENTS_PER_LEAD = 3
COMMAND = Path(sys.executable).parent / "dealtrail"
UNHASHED = SimpleNamespace(
    about_action=lambda *_: "",
    tail=lambda *_: b"",
    line=lambda *_: b"",
    stamp=datetime.isoformat,
    leaf_hash=lambda _: bytes(32),
)
"""What the log's writer does without hashing: the column is filled with zeros."""


def auditing(ground: Ground, events: int) -> list[Figure]:
    """Appending beside the same without hashes; then a log of so many events, and one of a tenth."""
    figures = [*_appending(ground), *sealing(ground)]
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "audit.key"
        keys = Keys((new_signer(),))
        write_keys(key, keys)
        with ground.new_engine() as engine:
            _fill(engine, events // 10)
            _, tenth = _verified(engine, key)
        with ground.new_engine() as engine:
            _fill(engine, events)
            began = perf_counter()
            Checkpoints(engine.database).seal(keys, now())
            took = perf_counter() - began
            seconds, megabytes = _verified(engine, key)
            return [
                *figures,
                Figure(f"seal {engine.store.head():,} events at once", took, "s"),
                Figure(f"verify {engine.store.head():,} events", seconds, "s"),
                Figure("  its largest process, beside a tenth of them", megabytes, "MB", tenth, 1.2, True),
                *_proving(engine),
            ]


def _appending(ground: Ground) -> list[Figure]:
    """Leads of three events a second, with hashes and without."""
    alone, together = [], []
    with ground.new_engine() as engine:
        for _ in range(ROUNDS):
            with patch.object(codec, "leaf", UNHASHED):
                without = leads_per_second(engine, ALONE, 1), leads_per_second(engine, TOGETHER, AT_ONCE)
            alone.append((leads_per_second(engine, ALONE, 1), without[0]))
            together.append((leads_per_second(engine, TOGETHER, AT_ONCE), without[1]))
    return [
        Figure(name, *middle(rounds), 0.8)
        for name, rounds in (
            ("append a lead, beside the same without hashes", alone),
            (f"append {AT_ONCE:,} leads at once, likewise", together),
        )
    ]


def _fill(engine: Engine, events: int) -> None:
    for _ in range(events // EVENTS_PER_LEAD // AT_ONCE):
        engine.store.append([lead() for _ in range(AT_ONCE)])


def _verified(engine: Engine, key: Path) -> tuple[float, float]:
    """The command's seconds, and the megabytes of the largest of its processes."""
    environment = {**os.environ, "DATABASE_URL": engine.database.url, "DEALTRAIL_AUDIT_KEY": str(key)}
    began = perf_counter()
    process = Popen([COMMAND, "audit", "verify"], env=environment, stdout=DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"audit verify ended with {process.returncode}")
    return perf_counter() - began, used.ru_maxrss / (1 if sys.platform == "linux" else 1024) / 1024


def _proving(engine: Engine) -> list[Figure]:
    """Milliseconds from a position to a proof."""
    chance, took = random.Random(1), []
    head = engine.store.head()
    for _ in range(PROOFS):
        began = perf_counter()
        prove_inclusion(engine.database, chance.randint(1, head))
        took.append((perf_counter() - began) * 1_000)
    return [
        Figure("prove that an event is in it, p50", quantile(took, 0.5), "ms"),
        Figure("  the same, p99", quantile(took, 0.99), "ms"),
    ]
