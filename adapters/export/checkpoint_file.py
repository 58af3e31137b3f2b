"""The log's checkpoints as a file beside its events, and back: a log that comes back is sealed as it was."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

from psycopg import Cursor
from psycopg.rows import TupleRow
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError

from adapters.postgres.database import Database
from domain.audit.encoding import to_base64
from domain.audit.leaf import stamp
from domain.kernel import Rejected


class BrokenCheckpoints(Rejected):
    """Line {line} of the checkpoints' file can't be read, so nothing was: {problem}."""

    code = "broken_checkpoints"


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    size: int
    root: Annotated[Base64Bytes, Field(min_length=32, max_length=32)]
    made_at: datetime
    checkpoint: str


def write_checkpoints(database: Database, until: int, path: Path) -> None:
    """Those of at most `until` events, in their order, a line each. Raises OSError."""
    with database.connection() as connection, path.open("w", encoding="utf-8") as file:
        for number, size, root, made_at, note in connection.execute(
            "SELECT number, size, root, made_at, note FROM audit.checkpoint WHERE size <= %s ORDER BY number",
            (until,),
        ):
            line = {
                "number": number,
                "size": size,
                "root": to_base64(root),
                "made_at": stamp(made_at),
                "checkpoint": note,
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def restore_checkpoints(cursor: Cursor[TupleRow], lines: Iterable[bytes], events: int) -> None:
    """Put them back over a log of so many events, in the cursor's transaction. Raises BrokenCheckpoints.

    Whether they are what that log was is for `audit verify` to say.
    """
    with cursor.copy("COPY audit.checkpoint (number, size, root, made_at, note) FROM STDIN") as copy:
        for row in _rows(lines, events):
            copy.write_row(row)


def _rows(lines: Iterable[bytes], events: int) -> Iterator[tuple[object, ...]]:
    for number, line in enumerate(lines, 1):
        try:
            one = _Line.model_validate_json(line)
        except ValidationError as bad:
            first = bad.errors(include_input=False, include_url=False)[0]
            raise BrokenCheckpoints(line=number, problem=first["msg"]) from None
        if one.size > events:
            raise BrokenCheckpoints(line=number, problem=f"it is of {one.size} events, the log has {events}")
        yield (one.number, one.size, one.root, one.made_at, one.checkpoint)
