"""Personal texts sealed and opened (AES-256-GCM), with keys that the vault keeps for as long as it may."""

import base64
import re
import secrets
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg.sql import SQL, Composed, Literal

from adapters.postgres.wire import array_literal
from domain.shared.personal import ERASED, Turn

ID_BYTES = 15
"""Twenty characters of base64, so that a sealed text begins with its key's id whatever follows."""
SECRET_BYTES = 32
_INSERT = SQL(
    "INSERT INTO vault.key (id, subject, secret) SELECT * FROM unnest({}::bytea[], {}::text[], {}::bytea[])"
)
_NUMBER_BYTES = 2
_NONCE_BYTES = 12
SECRETS = "SELECT id, secret FROM vault.key WHERE id = ANY(%s)"
"""What a TextOpener is made of, by `key_ids`; those destroyed are missing."""
MAY_OPEN = "SELECT has_schema_privilege('vault', 'USAGE')"
"""Whether SECRETS may be asked for. To an auditor's role texts stay sealed."""
_MARK = b'{"sealed":"'
_KEY_IDS = re.compile(_MARK + rb"([A-Za-z0-9_-]{20})")


class Key(NamedTuple):
    """Made for the personal texts of one action about one person: `subject` is that person's stream."""

    id: bytes
    subject: str
    secret: bytes


class TextSealer:
    """Seals the texts of one action, with a fresh key for each person whom they are about.

    A key is never asked for again, so nobody has to look whether it is still there, and erasing can't race.
    """

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self._sealing: dict[str, _Sealing] = {}

    def about(self, subject: str) -> Turn:
        """What seals texts about the person."""

        def seal(text: str) -> str:
            sealing = self._sealing.get(subject)
            if sealing is None:
                key = Key(_fresh_id(), subject, secrets.token_bytes(SECRET_BYTES))
                self.keys.append(key)
                sealing = self._sealing[subject] = _Sealing(key)
            return sealing.seal(text)

        return seal


class _Sealing:
    """One key at work. Its texts are counted, and the count is the nonce: no two have the same."""

    __slots__ = ("_cipher", "_id", "_sealed")

    def __init__(self, key: Key) -> None:
        self._id, self._cipher, self._sealed = key.id, AESGCM(key.secret), 0

    def seal(self, text: str) -> str:
        number = self._sealed.to_bytes(_NUMBER_BYTES, "big")
        self._sealed += 1
        sealed = self._cipher.encrypt(number.rjust(_NONCE_BYTES, b"\0"), text.encode(), None)
        return base64.urlsafe_b64encode(self._id + number + sealed).decode()


class TextOpener:
    """Opens what was sealed with these secrets, by their ids. Not to be kept: keys may be destroyed."""

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Mapping[bytes, bytes]) -> None:
        self._secrets = secrets

    def __call__(self, sealed: str) -> str:
        """ERASED if the key is gone. Raises ValueError if the text was changed."""
        whole = base64.urlsafe_b64decode(sealed)
        secret = self._secrets.get(whole[:ID_BYTES])
        if secret is None:
            return ERASED
        number, text = whole[ID_BYTES : ID_BYTES + _NUMBER_BYTES], whole[ID_BYTES + _NUMBER_BYTES :]
        try:
            return AESGCM(secret).decrypt(number.rjust(_NONCE_BYTES, b"\0"), text, None).decode()
        except InvalidTag:
            raise ValueError("a sealed text is not what was sealed") from None


def key_ids(states: Iterable[bytes]) -> list[bytes]:
    """Of the keys that open the stored events; none if nothing in them is sealed."""
    found = {found for state in states if _MARK in state for found in _KEY_IDS.findall(state)}
    return [base64.urlsafe_b64decode(each) for each in found]


def changes(erased: Collection[str], keys: Sequence[Key]) -> list[Composed]:
    """Statements that destroy every key made for the `erased` until now, then put `keys` into the vault."""
    found = []
    if erased:
        people = Literal(array_literal(list(erased), None))
        found.append(SQL("DELETE FROM vault.key WHERE subject = ANY({}::text[])").format(people))
    if keys:
        ids, subjects, secrets = zip(*keys, strict=True)
        columns = array_literal(ids, _hex), array_literal(subjects, None), array_literal(secrets, _hex)
        found.append(_INSERT.format(*map(Literal, columns)))
    return found


def _hex(data: bytes) -> str:
    return rf"\x{data.hex()}"


def _fresh_id() -> bytes:
    """It begins with the time, so that ids come in the order of the index that they are kept in."""
    return (time.time_ns() >> 20).to_bytes(6, "big") + secrets.token_bytes(ID_BYTES - 6)
