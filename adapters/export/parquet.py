"""Parquet: the log's columns, typed, for data frames and query engines."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from adapters.export.entries import Entry

ROW_GROUP = 50_000
"""Events in a row group: what is held in memory at once, and what a reader can skip."""

_MOMENT = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("position", pa.int64(), nullable=False),
        pa.field("recorded_at", _MOMENT, nullable=False),
        pa.field("stream", pa.string(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("event_version", pa.int16(), nullable=False),
        pa.field("action_seq", pa.int32(), nullable=False),
        pa.field("occurred_at", _MOMENT, nullable=False),
        pa.field("actor", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("action", pa.string(), nullable=False),
        pa.field("correlation_id", pa.string()),
        pa.field("causation_id", pa.string()),
        pa.field("migrated", pa.bool_(), nullable=False),
        pa.field("data", pa.string(), nullable=False),
        pa.field("leaf_hash", pa.binary(), nullable=False),
    ]
)


def write_parquet(pages: Iterable[list[Entry]], path: Path) -> None:
    """Raises OSError."""
    with pq.ParquetWriter(
        path, SCHEMA, compression="zstd", use_dictionary=["name", "actor", "source"]
    ) as file:
        for group in _groups(pages):
            file.write_table(pa.table(_columns(group), schema=SCHEMA), row_group_size=ROW_GROUP)


def _groups(pages: Iterable[list[Entry]]) -> Iterator[list[Entry]]:
    group: list[Entry] = []
    for page in pages:
        group += page
        if len(group) >= ROW_GROUP:
            yield group[:ROW_GROUP]
            group = group[ROW_GROUP:]
    if group:
        yield group


def _columns(group: list[Entry]) -> list[object]:
    *columns, states = zip(*(leaf for leaf, _ in group), strict=True)
    return [*columns, [state.decode() for state in states], [leaf_hash for _, leaf_hash in group]]
