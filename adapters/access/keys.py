"""API keys: made, listed, revoked and recognised. Only a hash of what opens is stored."""

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from adapters.access.denials import NobodyKnown
from adapters.access.entitlements import Role
from adapters.postgres.database import Database
from domain.kernel import Rejected
from domain.shared.actors import Actor

_FORM = re.compile(r"dtk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_USED_EVERY = timedelta(minutes=1)
_COLUMNS = "id, name, role, rep, created_at, expires_at, revoked_at, last_used_at"


class KeyNeedsRep(Rejected):
    """A key of the role {role} must say whose it is: name the rep."""

    code = "key_needs_rep"


class KeyOfNoRep(Rejected):
    """A key of the role {role} is nobody's: leave the rep {rep} out."""

    code = "key_of_no_rep"


class KeyOfAnotherActor(Rejected):
    """{rep} can't be a rep's id: it names another actor, whom the key would let act."""

    code = "key_of_another_actor"


class UnknownKey(Rejected):
    """There is no key {key}."""

    code = "unknown_key"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key, but not what opens. `last_used_at` is right to the minute."""

    id: str
    name: str
    role: Role
    rep: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class ApiKeys:
    """The keys in the schema `access`."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def make(
        self, role: Role, *, rep: str | None = None, name: str = "", expires_at: datetime | None = None
    ) -> tuple[ApiKey, str]:
        """A new key, and the text that opens: it can't be had again.

        Raises KeyNeedsRep, KeyOfNoRep, KeyOfAnotherActor.
        """
        theirs = role in ("rep", "head")
        if theirs and rep is None:
            raise KeyNeedsRep(role=role)
        if not theirs and rep is not None:
            raise KeyOfNoRep(role=role, rep=rep)
        if rep is not None and Actor.of(rep).rep is None:
            raise KeyOfAnotherActor(rep=rep)
        key, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        with self._database.connection() as connection:
            connection.execute(
                "INSERT INTO access.api_key (id, secret_hash, name, role, rep, created_at, expires_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (key, _hash(secret), name or rep or role, role, rep, self._clock(), expires_at),
            )
        return self._known(key), f"dtk_{key}_{secret}"

    def every(self) -> list[ApiKey]:
        """All keys that were ever made, the first one first."""
        with self._database.connection() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM access.api_key ORDER BY created_at, id")
            return [_api_key(row) for row in rows]

    def revoke(self, key: str) -> ApiKey:
        """The key opens nothing any more, for good; harmless to repeat. Raises UnknownKey."""
        with self._database.connection() as connection:
            connection.execute(
                "UPDATE access.api_key SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL",
                (self._clock(), key),
            )
        return self._known(key)

    def recognise(self, text: str) -> ApiKey:
        """Whose key this is. Raises NobodyKnown for what is none, is revoked or has expired."""
        form = _FORM.fullmatch(text)
        if form is None:
            raise NobodyKnown("malformed_key")
        key, secret = form.groups()
        with self._database.connection() as connection:
            row = connection.execute(
                f"SELECT secret_hash, {_COLUMNS} FROM access.api_key WHERE id = %s",
                (key,),
            ).fetchone()
        # Compared also where there is no such key: how long it takes tells nothing.
        if not hmac.compare_digest(_hash(secret), b"" if row is None else row[0]) or row is None:
            raise NobodyKnown("unknown_key", key)
        found, now = _api_key(row[1:]), self._clock()
        if found.revoked_at is not None:
            raise NobodyKnown("revoked_key", key)
        if found.expires_at is not None and found.expires_at <= now:
            raise NobodyKnown("expired_key", key)
        if found.last_used_at is None or found.last_used_at <= now - _USED_EVERY:
            self._note_use(key, now)
        return found

    def _note_use(self, key: str, now: datetime) -> None:
        with self._database.connection() as connection:
            connection.execute(
                "UPDATE access.api_key SET last_used_at = %s"
                " WHERE id = %s AND (last_used_at IS NULL OR last_used_at <= %s)",
                (now, key, now - _USED_EVERY),
            )

    def _known(self, key: str) -> ApiKey:
        with self._database.connection() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM access.api_key WHERE id = %s",
                (key,),
            ).fetchone()
        if row is None:
            raise UnknownKey(key=key)
        return _api_key(row)


def _api_key(row: tuple[Any, ...]) -> ApiKey:
    return ApiKey(*row)


def _hash(secret: str) -> bytes:
    """Of 32 random bytes: nobody guesses these, so no slow hash is needed."""
    return sha256(secret.encode()).digest()
