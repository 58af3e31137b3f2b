"""From what a caller shows, a key or a token, to who they are; remembered for a moment."""

import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from psycopg.errors import UndefinedTable

from adapters.access.denials import NobodyKnown
from adapters.access.entitlements import Role
from adapters.access.keys import ApiKeys
from adapters.postgres.database import Database

if TYPE_CHECKING:
    from adapters.access.tokens import Tokens

REMEMBERED_SECONDS = 2.0
"""A key that was revoked, or somebody who changed teams, is known as before for so long at most."""
_REMEMBERED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is. `key` is the id of their key, or the issuer's name for them, for the log.

    `team` are the reps whose data are theirs to see: of a rep the rep, of a head also everyone below them as
    the team is now, as long as they haven't left.
    """

    role: Role
    name: str
    rep: str | None
    key: str
    team: frozenset[str] = frozenset()


class Gate:
    """Knows keys, and tokens where an issuer is set. For any number of threads."""

    def __init__(self, database: Database, keys: ApiKeys, tokens: "Tokens | None") -> None:
        self._database, self._keys, self._tokens = database, keys, tokens
        self._known: dict[bytes, tuple[float, Identity]] = {}

    def remembered(self, text: str) -> Identity | None:
        """Who showed the same a moment ago; asks nobody."""
        found = self._known.get(_digest(text))
        return found[1] if found is not None and time.monotonic() < found[0] else None

    def identify(self, text: str) -> Identity:
        """Who shows this key or token; may ask the issuer. Raises NobodyKnown, IssuerAway."""
        found, left_seconds = self._key(text) if text.startswith("dtk_") else self._token(text)
        if len(self._known) >= _REMEMBERED_MAX:
            self._known = {}
        self._known[_digest(text)] = (time.monotonic() + min(REMEMBERED_SECONDS, left_seconds), found)
        return found

    def _key(self, text: str) -> tuple[Identity, float]:
        key = self._keys.recognise(text)
        return Identity(key.role, key.name, key.rep, key.id, self._team(key.role, key.rep)), float("inf")

    def _token(self, text: str) -> tuple[Identity, float]:
        if self._tokens is None:
            raise NobodyKnown("no_issuer_set")
        bearer = self._tokens.read(text)
        team = self._team(bearer.role, bearer.rep)
        return Identity(bearer.role, bearer.subject, bearer.rep, bearer.subject, team), bearer.left_seconds

    def _team(self, role: Role, rep: str | None) -> frozenset[str]:
        if rep is None:
            return frozenset()
        if role != "head":
            return frozenset({rep})
        try:
            with self._database.connection() as connection:
                rows = connection.execute(
                    "WITH RECURSIVE team(rep) AS (SELECT %(rep)s UNION"
                    " SELECT r.rep FROM read.rep r JOIN team ON r.manager = team.rep"
                    " WHERE NOT EXISTS (SELECT FROM read.rep WHERE rep = %(rep)s AND status = 'left'))"
                    " SELECT rep FROM team",
                    {"rep": rep},
                )
                return frozenset(one for (one,) in rows)
        except UndefinedTable:  # Nothing was ever projected.
            return frozenset({rep})


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
