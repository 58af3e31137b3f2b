"""The file of the keys that sign checkpoints: one to a line, of retired ones `VKEY until SIZE`."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from domain.audit.note import KEY_BYTES, MalformedKey, Signer, Verifier
from domain.kernel import Rejected

_PRIVATE, _UNTIL = "PRIVATE+KEY+", " until "


class NoAuditKey(Rejected):
    """There is no key in {file}: dealtrail audit keygen makes one, and --key names another's."""

    code = "no_audit_key"


class AuditKeyExists(Rejected):
    """There is a key in {file} already: --rotate puts a new one beside it."""

    code = "audit_key_exists"


class UnknownAuditKey(Rejected):
    """No key in {file} that signs is named {name}; there are {known}."""

    code = "unknown_audit_key"


class LastAuditKey(Rejected):
    """{name} is the only key that signs: --rotate makes another one first."""

    code = "last_audit_key"


class AuditKeyUnusable(Rejected):
    """The file of keys {file} can't be read or written: {reason}."""

    code = "audit_key_unusable"


@dataclass(frozen=True, slots=True)
class Keys:
    """Who signs now, at least one, and who did before. All have the log's name, and differ by their ids."""

    signers: tuple[Signer, ...]
    retired: tuple[Verifier, ...] = ()

    @property
    def origin(self) -> str:
        return self.signers[0].name

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """What signatures of any time are checked with."""
        return (*self.retired, *(signer.verifier for signer in self.signers))

    def rotated(self) -> "Keys":
        """With a new key, which signs beside those that are there."""
        return replace(self, signers=(*self.signers, new_signer(self.origin)))

    def leaving(self, name: str, file: Path) -> Signer:
        """The key of that NAME+ID, ID or VKEY, to be retired. Raises UnknownAuditKey, LastAuditKey."""
        for signer in self.signers:
            if name in (signer.verifier.known_as, signer.verifier.key_id.hex(), signer.verifier.vkey):
                if len(self.signers) == 1:
                    raise LastAuditKey(name=name)
                return signer
        known = [signer.verifier.known_as for signer in self.signers]
        raise UnknownAuditKey(file=str(file), name=name, known=known)

    def without(self, gone: Signer, until: int) -> "Keys":
        """The key signs no more, and what it signed counts for logs of so many events and no larger."""
        left = tuple(signer for signer in self.signers if signer != gone)
        return Keys(left, (*self.retired, replace(gone.verifier, until=until)))


def told(verifier: Verifier) -> str:
    """`VKEY`, or of a retired key `VKEY until SIZE`."""
    return verifier.vkey if verifier.until is None else f"{verifier.vkey}{_UNTIL}{verifier.until}"


def parse_told(text: str) -> Verifier:
    """What `told` writes. Raises MalformedKey."""
    vkey, until, size = text.partition(_UNTIL)
    verifier = Verifier.parse(vkey)
    if not until:
        return verifier
    if not (size.isascii() and size.isdecimal()):
        raise MalformedKey(problem="what follows until is not a number of events")
    return replace(verifier, until=int(size))


def new_signer(name: str | None = None) -> Signer:
    """A new key. Without a name the log gets one that no other log has. Raises MalformedKey."""
    return Signer(name or f"dealtrail/{secrets.token_hex(4)}", secrets.token_bytes(KEY_BYTES))


def is_there(file: Path) -> bool:
    """Whether there is such a file. Raises AuditKeyUnusable if that can't be told."""
    with _using(file):
        return file.exists()


def read_keys(file: Path) -> Keys:
    """Raises NoAuditKey if there is none that signs, MalformedKey, AuditKeyUnusable."""
    with _using(file):
        lines = [line.strip() for line in file.read_text("utf-8").splitlines()] if file.exists() else []
    signers = tuple(Signer.parse(line) for line in lines if line.startswith(_PRIVATE))
    if not signers:
        raise NoAuditKey(file=str(file))
    return Keys(signers, tuple(_retired(line) for line in lines if line and not line.startswith(_PRIVATE)))


def make_keys(file: Path, name: str | None = None) -> Keys:
    """A first key. Raises AuditKeyExists, even if one was made just now; AuditKeyUnusable, MalformedKey."""
    keys = Keys((new_signer(name),))
    with _using(file):
        meant = _meant(file)
        fresh = _written(meant, keys)
        try:
            os.link(fresh, meant)
        except FileExistsError:
            raise AuditKeyExists(file=str(file)) from None
        finally:
            fresh.unlink()
    return keys


def write_keys(file: Path, keys: Keys) -> None:
    """Whole or not at all, and readable by its owner alone. Raises AuditKeyUnusable."""
    with _using(file):
        meant = _meant(file)
        _written(meant, keys).replace(meant)


@contextmanager
def changing(file: Path) -> Iterator[None]:
    """Whoever else changes the keys waits, else one of two changes would be lost. Raises AuditKeyUnusable."""
    with _using(file):
        folder = os.open(_meant(file).parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


@contextmanager
def _using(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AuditKeyUnusable(file=str(file), reason=error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise AuditKeyUnusable(file=str(file), reason="it is not text") from None


def _meant(file: Path) -> Path:
    """Where a link leads: it stays one, and who reads the file by its other name sees the same keys."""
    return Path(os.path.realpath(file))


def _written(file: Path, keys: Keys) -> Path:
    """A file beside it."""
    lines = [told(one) for one in keys.retired] + [one.skey for one in keys.signers]
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as writing:
        writing.write("".join(f"{line}\n" for line in lines))
        writing.flush()
        os.fsync(writing.fileno())
    return fresh


def _retired(line: str) -> Verifier:
    """Without a size whoever steals a retired key could sign with it for ever."""
    verifier = parse_told(line)
    if verifier.until is None:
        raise MalformedKey(problem=f"the line of {verifier.known_as} doesn't say until which size it signed")
    return verifier
