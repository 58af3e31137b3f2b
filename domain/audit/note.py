"""Signed notes (C2SP signed-note, as golang.org/x/mod/sumdb/note has them) and their Ed25519 keys."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.audit.encoding import from_base64, to_base64
from domain.kernel import Rejected

NOTE_BYTES_MAX, SIGNATURES_MAX = 1_000_000, 100
KEY_BYTES = 32
_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_DASH = "\N{EM DASH} "
_NEVER = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")


class MalformedKey(Rejected):
    """This is not a key: {problem}."""

    code = "malformed_key"


class MalformedNote(Rejected):
    """This is not a signed note: {problem}."""

    code = "malformed_note"


class UnknownSigner(Rejected):
    """It is signed by {signers}, and by none of the keys that are trusted here."""

    code = "unknown_signer"


class BadSignature(Rejected):
    """The signature that names the key {name} was not made with it over this text."""

    code = "bad_signature"


@dataclass(frozen=True)
class Verifier:
    """A public key with the name of who signs with it. Raises MalformedKey.

    `until` is for a key that was retired: it counts for logs of so many events, and for none larger.
    """

    name: str
    public_key: bytes
    until: int | None = None

    def __post_init__(self) -> None:
        _must_be_name(self.name)
        _must_be_key(self.public_key)

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        """From NAME+ID+KEY. Raises MalformedKey for anything but what `vkey` writes."""
        verifier = cls(*_name_and_key(vkey))
        if verifier.vkey != vkey:
            raise MalformedKey(problem="its id belongs to another name or key")
        return verifier

    @cached_property
    def key_id(self) -> bytes:
        """Four bytes that tell the keys of one name apart."""
        named = self.name.encode() + b"\n" + _ED25519 + self.public_key
        return hashlib.sha256(named).digest()[:_KEY_ID_BYTES]

    @property
    def known_as(self) -> str:
        """NAME+ID, which tells it from other keys."""
        return f"{self.name}+{self.key_id.hex()}"

    @property
    def vkey(self) -> str:
        """What to publish: NAME+ID+KEY."""
        return f"{self.known_as}+{to_base64(_ED25519 + self.public_key)}"

    def accepts(self, text: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Signer:
    """A private key with its name. `seed` is 32 random bytes, to be kept secret. Raises MalformedKey."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _must_be_name(self.name)
        _must_be_key(self.seed)

    @classmethod
    def parse(cls, skey: str) -> "Signer":
        """From PRIVATE+KEY+NAME+ID+SEED. Raises MalformedKey for anything but what `skey` writes."""
        signer = cls(*_name_and_key(skey.removeprefix("PRIVATE+KEY+")))
        if signer.skey != skey:
            raise MalformedKey(problem="its id belongs to another name or key")
        return signer

    @cached_property
    def verifier(self) -> Verifier:
        """What others check its signatures with."""
        return Verifier(self.name, self._key.public_key().public_bytes_raw())

    @property
    def skey(self) -> str:
        """What to keep secret: PRIVATE+KEY+NAME+ID+SEED."""
        key_id = self.verifier.key_id.hex()
        return f"PRIVATE+KEY+{self.name}+{key_id}+{to_base64(_ED25519 + self.seed)}"

    def sign(self, text: bytes) -> bytes:
        return self._key.sign(text)

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True, slots=True)
class Opened:
    """A note's text, and the trusted keys that signed it: at least one."""

    text: str
    signed_by: tuple[Verifier, ...]


def sign_note(text: str, signers: Iterable[Signer]) -> bytes:
    """The text signed by each. Raises MalformedNote for a text that no note can have."""
    _must_be_text(text)
    lines = []
    for signer in signers:
        signature = signer.verifier.key_id + signer.sign(text.encode())
        lines.append(f"{_DASH}{signer.name} {to_base64(signature)}\n")
    if not 0 < len(lines) <= SIGNATURES_MAX:
        raise MalformedNote(problem=f"it has no signature, or more than {SIGNATURES_MAX}")
    return f"{text}\n{''.join(lines)}".encode()


def open_note(note: bytes, trusted: Sequence[Verifier]) -> Opened:
    """Raises MalformedNote, UnknownSigner if no trusted key signed it, BadSignature if one did wrongly.

    Signatures by keys that aren't trusted here (of witnesses, say) are let through and count for nothing.
    """
    text, signatures = _split(note)
    signed_by = []
    for name, key_id, signature in signatures:
        known = [one for one in trusted if (one.name, one.key_id) == (name, key_id)]
        found = next((one for one in known if one.accepts(text.encode(), signature)), None)
        if known and found is None:
            raise BadSignature(name=name)
        if found is not None and found not in signed_by:
            signed_by.append(found)
    if not signed_by:
        raise UnknownSigner(signers=[f"{name}+{key_id.hex()}" for name, key_id, _ in signatures])
    return Opened(text, tuple(signed_by))


def _split(note: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The text, and of each signature line: name, key id, signature."""
    if len(note) > NOTE_BYTES_MAX:
        raise MalformedNote(problem=f"it is longer than {NOTE_BYTES_MAX} bytes")
    try:
        whole = note.decode()
    except UnicodeDecodeError as bad:
        raise MalformedNote(problem="it is not UTF-8") from bad
    text, blank, block = whole.rpartition("\n\n")
    if not blank or not block.endswith("\n"):
        raise MalformedNote(problem="it doesn't end with a blank line and lines of signatures")
    _must_be_text(text + "\n")
    lines = block[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise MalformedNote(problem=f"it has more than {SIGNATURES_MAX} signatures")
    return text + "\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not _is_name(name):
        raise MalformedNote(problem="a line of a signature doesn't begin with a dash and a name")
    try:
        signature = from_base64(encoded)
    except ValueError as bad:
        raise MalformedNote(problem=f"a signature is not base64: {bad}") from bad
    if len(signature) <= _KEY_ID_BYTES:
        raise MalformedNote(problem="a signature is too short")
    return name, signature[:_KEY_ID_BYTES], signature[_KEY_ID_BYTES:]


def _must_be_text(text: str) -> None:
    if not text.endswith("\n"):
        raise MalformedNote(problem="its text doesn't end with a line end")
    if _NEVER.search(text):
        raise MalformedNote(problem="it has a control character, other than a line end, or half of a pair")


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not _NEVER.search(name) and name.split() == [name]


def _must_be_name(name: str) -> None:
    if not _is_name(name):
        raise MalformedKey(problem="a name has no spaces, control characters or plus signs, and isn't empty")


def _must_be_key(key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise MalformedKey(problem=f"an Ed25519 key has {KEY_BYTES} bytes")


def _name_and_key(text: str) -> tuple[str, bytes]:
    """Of NAME+ID+KEY; the id is the caller's to compare."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise MalformedKey(problem="it isn't a name, an id and a key with plus signs between")
    try:
        key = from_base64(parts[2])
    except ValueError as bad:
        raise MalformedKey(problem="its last part isn't base64") from bad
    if key[:1] != _ED25519:
        raise MalformedKey(problem="it is not for Ed25519")
    return parts[0], key[1:]
