"""Signatures of the checkpoints that a log is verified against."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from adapters.audit.keys import NoAuditKey
from adapters.postgres.audit.findings import Finding, Problem
from adapters.postgres.database import Database
from domain.audit.checkpoint import open_checkpoint
from domain.audit.note import Verifier
from domain.kernel import Rejected

_STORED = """
SELECT coalesce(number, 0), coalesce(size, 0), coalesce(root, ''), coalesce(note, ''),
    coalesce(made_at >= '0001-01-01Z' AND made_at < '10000-01-01Z', false)
FROM audit.checkpoint ORDER BY number NULLS FIRST
"""

Source = Literal["stored", "given", "published"]
"""Whoever changes the log may have changed those that are stored too."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a trusted key has signed: so many events have that root. `name` is how people call it."""

    name: str
    size: int
    root: bytes
    source: Source


@dataclass(frozen=True, slots=True)
class _Stored:
    """A stored checkpoint, however it was tampered with. `timely`: it was made at a time that can be."""

    number: int
    size: int
    root: bytes
    note: str
    timely: bool


@dataclass(slots=True)
class SignedCheckpoints:
    """The checkpoints to hold the log against, out of so many; and what is wrong with others.

    `published` is how many were read back from where they are published.
    """

    count: int
    published: int
    good: list[Signed] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def signed_checkpoints(
    database: Database,
    trusted: Sequence[Verifier],
    given: bytes | None,
    published: Callable[[], Sequence[bytes]],
) -> SignedCheckpoints:
    """Those that are stored, that are published, and the one given.

    Raises NoAuditKey if there is any, but no key.
    """
    copies = (
        published()
    )  # First: what is published is stored before, so those of a moment later have them all.
    with database.connection() as connection:
        stored = [_Stored(*row) for row in connection.execute(_STORED, binary=True)]
    known = {sealed.note.encode() for sealed in stored}
    gone = [copy for copy in copies if copy not in known]
    found = SignedCheckpoints(len(stored) + len(gone) + (given is not None), len(copies))
    if found.count and not trusted:
        raise NoAuditKey(file="the file of DEALTRAIL_AUDIT_KEY")
    numbers: dict[str, int] = {}
    last = 0
    for sealed in stored:
        _take_stored(found, sealed, trusted, last, numbers.get(sealed.note))
        last = numbers[sealed.note] = sealed.number
    size = max((sealed.size for sealed in stored), default=0)
    if given is not None:
        _take(found, "The checkpoint given", given, trusted, size, "given")
    missing = [_take(found, "A published checkpoint", copy, trusted, size, "published") for copy in gone]
    _note_missing(found, [signed for signed in missing if signed is not None])
    return found


def _take_stored(
    found: SignedCheckpoints,
    sealed: _Stored,
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
    signed = _take(found, name, sealed.note.encode(), trusted, sealed.size, "stored")
    same_signed = signed is not None and (signed.size, signed.root) == (sealed.size, sealed.root)
    if signed is not None and not (same_signed and sealed.timely):
        _note(found, sealed.size, "checkpoint", f"{name} is not stored as it was signed.")


def _take(
    found: SignedCheckpoints,
    name: str,
    note: bytes,
    trusted: Sequence[Verifier],
    size: int,
    source: Source,
) -> Signed | None:
    try:
        checkpoint = open_checkpoint(note, trusted)
    except Rejected as refused:
        _note(found, size, "checkpoint", f"{name} can't be trusted. {refused.message}")
        return None
    signed = Signed(name, checkpoint.size, checkpoint.root, source)
    found.good.append(signed)
    return signed


def _note_missing(found: SignedCheckpoints, missing: Sequence[Signed]) -> None:
    for first in sorted(missing, key=lambda one: one.size)[:1]:
        count = f"{len(missing)} published checkpoint{'s are' if len(missing) > 1 else ' is'}"
        said = f"{count} not among those stored, the smallest of {first.size:,} events."
        _note(found, first.size, "checkpoint", said)


def _note(found: SignedCheckpoints, size: int, problem: Problem, message: str) -> None:
    found.findings.append(Finding(size, size, problem, message))
