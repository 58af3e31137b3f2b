"""The log exported into a folder: which files there are, and what each is made from."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from adapters.export.entries import entries
from adapters.export.whole import whole
from adapters.garbage import no_full_collections
from adapters.postgres.database import Database
from adapters.postgres.store import PostgresStore
from projections.kernel import Progress

FILES = {
    "ndjson": "log.ndjson",
    "parquet": "log.parquet",
    "ocel-json": "ocel.json",
    "ocel-sqlite": "ocel.sqlite",
    "xes": "deals.xes",
}
"""By format."""
CHECKPOINTS = "checkpoints.ndjson"
"""Goes with log.ndjson."""

_OF_OBJECTS = frozenset({"ocel-json", "ocel-sqlite", "xes"})

Item = TypeVar("Item")


def export(
    database: Database,
    folder: Path,
    formats: Collection[str],
    until: int,
    progress: Progress | None = None,
) -> list[Path]:
    """Write what the log says up to position `until`, and give the files: the same bytes each time.

    Raises OSError or sqlite3.Error if they can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    asked = {format_: folder / name for format_, name in FILES.items() if format_ in formats}
    readings = sum(format_ in asked for format_ in ("ndjson", "parquet")) + bool(_OF_OBJECTS & set(asked))
    counted = _Counted(until * readings, progress)
    if "ndjson" in asked:
        from adapters.export.checkpoint_file import write_checkpoints
        from adapters.export.ndjson import write_ndjson

        with whole(asked["ndjson"]) as path:
            write_ndjson(counted.through(entries(database, until)), path)
        with whole(folder / CHECKPOINTS) as path:
            write_checkpoints(database, until, path)
    if "parquet" in asked:
        from adapters.export.parquet import write_parquet

        with whole(asked["parquet"]) as path:
            write_parquet(counted.through(entries(database, until)), path)
    if _OF_OBJECTS & set(asked):
        _export_objects(database, folder, asked, until, counted)
    beside = [folder / CHECKPOINTS] if "ndjson" in asked else []
    return [*asked.values(), *beside]


def _export_objects(
    database: Database, folder: Path, asked: dict[str, Path], until: int, counted: "_Counted"
) -> None:
    """JSON and XES are written from the SQLite form, which is made for them alone if nobody wants it."""
    from adapters.export.ocel_reading import reading
    from adapters.export.ocel_sqlite import write_ocel_sqlite

    with ExitStack() as stack:
        if "ocel-sqlite" in asked:
            objects = stack.enter_context(whole(asked["ocel-sqlite"]))
        else:
            objects = Path(stack.enter_context(TemporaryDirectory(dir=folder))) / FILES["ocel-sqlite"]
        with no_full_collections():
            facts = PostgresStore(database).read(0, until)
            write_ocel_sqlite(counted.through(facts), objects)
        ocel = stack.enter_context(reading(objects))
        if "ocel-json" in asked:
            from adapters.export.ocel_json import write_ocel_json

            with whole(asked["ocel-json"]) as path:
                write_ocel_json(ocel, path)
        if "xes" in asked:
            from adapters.export.xes import write_xes

            with whole(asked["xes"]) as path:
                write_xes(ocel, path)


class _Counted:
    """How far all readings of the log are."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def through(self, pages: Iterable[list[Item]]) -> Iterator[list[Item]]:
        for page in pages:
            yield page
            self._done += len(page)
            if self._progress is not None:
                self._progress(self._done, self._total)
