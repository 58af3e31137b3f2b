"""NDJSON: the leaf data of every event, a line each. The hash of a line is the hash in the Merkle tree."""

from collections.abc import Iterable
from pathlib import Path

from adapters.export.entries import Entry


def write_ndjson(pages: Iterable[list[Entry]], path: Path) -> None:
    """Raises OSError."""
    with path.open("wb") as file:
        for page in pages:
            file.write(b"".join(b"%b\n" % leaf.line() for leaf, _ in page))
