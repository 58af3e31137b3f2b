"""The file of the keys that sign checkpoints: one to a line, of retired ones only the public half."""

import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from domain.audit.note import KEY_BYTES, Signer, Verifier
from domain.kernel import Rejected

_PRIVATE = "PRIVATE+KEY+"


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

    def retire(self, name: str, file: Path) -> "Keys":
        """Without the key of that NAME+ID or ID. Raises UnknownAuditKey or LastAuditKey."""
        gone = [one for one in self.signers if name in (known_as(one.verifier), one.verifier.key_id.hex())]
        if not gone:
            known = [known_as(signer.verifier) for signer in self.signers]
            raise UnknownAuditKey(file=str(file), name=name, known=known)
        if len(self.signers) == 1:
            raise LastAuditKey(name=name)
        left = tuple(signer for signer in self.signers if signer not in gone)
        return Keys(left, (*self.retired, *(signer.verifier for signer in gone)))


def known_as(verifier: Verifier) -> str:
    """NAME+ID, which tells it from the log's other keys."""
    return f"{verifier.name}+{verifier.key_id.hex()}"


def new_signer(name: str | None = None) -> Signer:
    """A new key. Without a name the log gets one that no other log has. Raises MalformedKey."""
    return Signer(name or f"dealtrail/{secrets.token_hex(4)}", secrets.token_bytes(KEY_BYTES))


def read_keys(file: Path) -> Keys:
    """Raises NoAuditKey if there is none that signs, MalformedKey."""
    lines = file.read_text().split() if file.exists() else []
    signers = tuple(Signer.parse(line) for line in lines if line.startswith(_PRIVATE))
    if not signers:
        raise NoAuditKey(file=str(file))
    return Keys(signers, tuple(Verifier.parse(line) for line in lines if not line.startswith(_PRIVATE)))


def write_keys(file: Path, keys: Keys) -> None:
    """Whole or not at all, and readable by its owner alone."""
    lines = [one.vkey for one in keys.retired] + [one.skey for one in keys.signers]
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as writing:
        writing.write("".join(f"{line}\n" for line in lines))
        writing.flush()
        os.fsync(writing.fileno())
    fresh.replace(file)
