"""Signatures of the checkpoints that a log is verified against."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.audit_keys import NoAuditKey
from adapters.postgres.audit.checkpoints import Checkpoints, Sealed
from adapters.postgres.audit.findings import Finding, Problem
from adapters.postgres.database import Database
from domain.audit.checkpoint import open_checkpoint
from domain.audit.note import Verifier
from domain.kernel import Rejected


@dataclass(frozen=True, slots=True)
class Signed:
    """What a trusted key has signed: so many events have that root. `name` is how people call it.

    `number` is that of a stored one; whoever changes the log may have changed those too.
    """

    name: str
    size: int
    root: bytes
    number: int | None = None


@dataclass(slots=True)
class SignedCheckpoints:
    """The checkpoints to hold the log against, out of so many; and what is wrong with others."""

    count: int
    good: list[Signed] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def signed_checkpoints(
    database: Database, trusted: Sequence[Verifier], given: bytes | None
) -> SignedCheckpoints:
    """Those that are stored, and the one given. Raises NoAuditKey if there is any, but no key."""
    stored = Checkpoints(database).all()
    found = SignedCheckpoints(len(stored) + (given is not None))
    if found.count and not trusted:
        raise NoAuditKey(file="the file of DEALTRAIL_AUDIT_KEY")
    numbers: dict[str, int] = {}
    last = 0
    for sealed in stored:
        _take_stored(found, sealed, trusted, last, numbers.get(sealed.note))
        last = numbers[sealed.note] = sealed.number
    if given is not None:
        size = max((sealed.size for sealed in stored), default=0)
        _take(found, "The checkpoint given", given, trusted, size)
    return found


def _take_stored(
    found: SignedCheckpoints,
    sealed: Sealed,
    trusted: Sequence[Verifier],
    last: int,
    same: int | None,
) -> None:
    """`last` is the number before; `same` that of one before with this very note.

    Sizes may fall: a period's cutoff is sealed after its close, and maybe after more.
    """
    if sealed.number != last + 1:
        _note(found, sealed.size, "checkpoint", f"Checkpoint {last + 1} is gone from those stored.")
    if same is not None:
        said = f"Checkpoint {sealed.number} is checkpoint {same} again: nobody signs one twice."
        _note(found, sealed.size, "replayed", said)
    name = f"Checkpoint {sealed.number}"
    signed = _take(found, name, sealed.note.encode(), trusted, sealed.size, sealed.number)
    if signed is not None and (signed.size, signed.root) != (sealed.size, sealed.root):
        _note(found, sealed.size, "checkpoint", f"{name} is not stored as it was signed.")


def _take(
    found: SignedCheckpoints,
    name: str,
    note: bytes,
    trusted: Sequence[Verifier],
    size: int,
    number: int | None = None,
) -> Signed | None:
    try:
        checkpoint = open_checkpoint(note, trusted)
    except Rejected as refused:
        _note(found, size, "checkpoint", f"{name} can't be trusted. {refused.message}")
        return None
    signed = Signed(name, checkpoint.size, checkpoint.root, number)
    found.good.append(signed)
    return signed


def _note(found: SignedCheckpoints, size: int, problem: Problem, message: str) -> None:
    found.findings.append(Finding(size, size, problem, message))
