"""The vault as a file, to be kept apart from the log's: who has both can read everything."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, TextIO, TypeVar

from psycopg import Cursor
from psycopg.rows import TupleRow
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError

from adapters.export.whole import whole
from adapters.postgres.database import Database
from adapters.postgres.vault import ID_BYTES, SECRET_BYTES, Key
from domain.audit.encoding import to_base64
from domain.kernel import Rejected

_KEYS = "SELECT id, subject, secret FROM vault.key ORDER BY id"


class BrokenVault(Rejected):
    """Line {line} of the vault's file can't be read, so nothing was: {problem}."""

    code = "broken_vault"


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


LineT = TypeVar("LineT", bound=_Line)


class _First(_Line):
    """The key of the HMACs that name identity-key streams."""

    identity_keys: Annotated[Base64Bytes, Field(min_length=SECRET_BYTES, max_length=SECRET_BYTES)]


class _Key(_Line):
    id: Annotated[Base64Bytes, Field(min_length=ID_BYTES, max_length=ID_BYTES)]
    subject: str
    secret: Annotated[Base64Bytes, Field(min_length=SECRET_BYTES, max_length=SECRET_BYTES)]


def write_vault(database: Database, path: Path) -> None:
    """Every secret that there is, a line each, for its owner's eyes alone. Raises OSError."""
    with whole(path) as beside, _private(beside) as file, database.connection() as connection:
        for (secret,) in connection.execute("SELECT value FROM vault.secret WHERE name = 'identity_keys'"):
            file.write(json.dumps({"identity_keys": to_base64(secret)}) + "\n")
        with connection.transaction(), connection.cursor("vault") as cursor:
            for key in map(Key._make, cursor.execute(_KEYS)):
                line = {"id": to_base64(key.id), "subject": key.subject, "secret": to_base64(key.secret)}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _private(path: Path) -> TextIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")


def restore_vault(cursor: Cursor[TupleRow], lines: Iterable[bytes]) -> None:
    """Put back what `write_vault` wrote, in the cursor's transaction; it needs the owner's rights.

    Raises BrokenVault, psycopg.errors.InsufficientPrivilege.
    """
    numbered = enumerate(lines, 1)
    first = next(numbered, (1, b""))
    cursor.execute("SET LOCAL role = DEFAULT")
    cursor.execute(
        "UPDATE vault.secret SET value = %s WHERE name = 'identity_keys'",
        (_read(_First, *first).identity_keys,),
    )
    with cursor.copy("COPY vault.key (id, subject, secret) FROM STDIN") as copy:
        for key in _keys(numbered):
            copy.write_row(key)


def _keys(lines: Iterable[tuple[int, bytes]]) -> Iterator[Key]:
    for number, line in lines:
        key = _read(_Key, number, line)
        yield Key(key.id, key.subject, key.secret)


def _read(kind: type[LineT], number: int, line: bytes) -> LineT:
    try:
        return kind.model_validate_json(line)
    except ValidationError as bad:
        first = bad.errors(include_input=False, include_url=False)[0]
        raise BrokenVault(line=number, problem=first["msg"]) from None
