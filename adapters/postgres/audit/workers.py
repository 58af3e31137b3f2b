"""Ranges of the log scanned in their order, by several processes where that is sooner."""

import multiprocessing
import os
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor

from adapters.postgres.audit.scanning import Range, Scanned, scan
from adapters.postgres.database import Database
from adapters.processes import end_with_parent

IN_PROCESS_RANGES_MAX = 2
"""So few are scanned sooner than other processes are started."""


def scans(
    database: Database, ranges: Sequence[Range], kept: int, workers: int | None
) -> Generator[Scanned, None, None]:
    """Each range as it was found. Whoever stops asking stops the work. `workers`: default one per core."""
    workers = workers or os.cpu_count() or 1
    if len(ranges) <= IN_PROCESS_RANGES_MAX or workers == 1:
        with database.connection() as connection:
            for each in ranges:
                yield scan(connection, each, kept)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(ranges)), context, _begin, (database.url, kept))
    try:
        yield from pool.map(_scan, ranges)
    finally:
        pool.shutdown(cancel_futures=True)


_process: tuple[Database, int]


def _begin(url: str, kept: int) -> None:
    global _process
    _process = (Database(url, pool_max=1), kept)
    end_with_parent()


def _scan(wanted: Range) -> Scanned:
    database, kept = _process
    with database.connection() as connection:
        return scan(connection, wanted, kept)
