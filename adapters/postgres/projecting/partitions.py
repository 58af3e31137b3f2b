"""Partitions of the log folded into bare tables of a schema, one after the other or by several processes."""

import ctypes
import multiprocessing
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.projecting.failures import is_folds_fault
from adapters.postgres.projecting.log import Scope
from adapters.postgres.projecting.memory_fold import MemoryFold, copy_rows, without_collecting
from adapters.processes import end_with_parent
from projections.kernel import Failure, Progress, Projection

PARTITION_EVENTS_MAX = 500_000
"""Events whose rows one process holds in memory at a time, about 1 kB each."""
IN_PROCESS_EVENTS_MAX = 50_000
"""A log this short is folded sooner than other processes are started."""


@dataclass(frozen=True, slots=True)
class Work:
    """Fold the log up to a position into the bare tables that wait in `schema`."""

    url: str
    projections: tuple[Projection, ...]
    schema: str
    upto: int
    partitions: int


@dataclass(frozen=True, slots=True)
class Folded:
    """What went wrong: folds that failed, and projections with rows that the database refused to keep."""

    failures: tuple[Failure, ...] = ()
    unkept: frozenset[str] = frozenset()


def fold_partitions(work: Work, workers: int, progress: Progress) -> Folded:
    """Each projection's failure is the first in the log. The tables of what went wrong are void."""
    if work.upto <= IN_PROCESS_EVENTS_MAX or workers == 1:
        folded = _in_process(work, progress)
    else:
        folded = _by_processes(work, min(workers, work.partitions), progress)
    first: dict[str, Failure] = {}
    failures = [failure for part in folded for failure in part.failures]
    for failure in sorted(failures, key=lambda failure: -failure.position):
        first[failure.projection] = failure
    unkept = frozenset[str]().union(*[part.unkept for part in folded])
    return Folded(tuple(first.values()), unkept.difference(first))


def partitions(events: int, workers: int) -> int:
    if events <= IN_PROCESS_EVENTS_MAX:
        return 1
    return max(workers, -(-events // PARTITION_EVENTS_MAX))


def _in_process(work: Work, progress: Progress) -> list[Folded]:
    total = work.upto * work.partitions
    folded = []
    for partition in range(work.partitions):

        def at(position: int, before: int = partition * work.upto) -> None:
            progress((before + position) * work.upto // total, work.upto)

        folded.append(_fold(work, partition, at))
    return folded


def _by_processes(work: Work, workers: int, progress: Progress) -> list[Folded]:
    """Raises BrokenProcessPool if one of them dies."""
    context = multiprocessing.get_context("spawn")
    reached = context.Array(ctypes.c_int64, work.partitions, lock=False)
    folded = []
    with ProcessPoolExecutor(workers, context, _begin_process, (work, reached)) as pool:
        running: set[Future[Folded]] = {
            pool.submit(_fold_in_process, partition) for partition in range(work.partitions)
        }
        try:
            while running:
                done, running = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in done:
                    folded.append(future.result())
                progress(sum(reached[:]) // work.partitions, work.upto)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return folded


_process: tuple[Work, Any]


def _begin_process(work: Work, reached: Any) -> None:
    global _process
    _process = (work, reached)
    end_with_parent()


def _fold_in_process(partition: int) -> Folded:
    work, reached = _process

    def at(position: int) -> None:
        reached[partition] = position

    return _fold(work, partition, at)


def _fold(work: Work, partition: int, at: Callable[[int], None]) -> Folded:
    fold = MemoryFold(work.projections, Scope(work.partitions, partition))
    unkept = set()
    database = Database(work.url, pool_max=1)
    with without_collecting(), database, database.connection() as connection:
        fold.run(connection, work.upto, at)
        for projection, rows in fold.folded.items():
            try:
                copy_rows(connection, rows, work.schema)
            except Exception as error:
                if not is_folds_fault(error):
                    raise
                unkept.add(projection.name)
    return Folded(tuple(fold.failures), frozenset(unkept))
