"""Checkpoints (C2SP tlog-checkpoint): how many events the log had, and the root of its tree, signed."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.audit.encoding import from_base64, to_base64
from domain.audit.leaf import Leaf, leaf_hash, parse
from domain.audit.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency, verify_inclusion
from domain.audit.note import Signer, Verifier, open_note, sign_note
from domain.kernel import Rejected

SIZE_MAX = 2**63 - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class MalformedCheckpoint(Rejected):
    """This is not a checkpoint: {problem}."""

    code = "malformed_checkpoint"


class WrongOrigin(Rejected):
    """The checkpoint is of the log {origin}, not of {expected}."""

    code = "wrong_origin"


class OlderCheckpoint(Rejected):
    """The checkpoint is of {size} events, but the log had {kept} before: it is old, or the log was cut."""

    code = "older_checkpoint"


class RetiredKey(Rejected):
    """The checkpoint of {size} events is signed only by {name}, which was retired at {until}."""

    code = "retired_key"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log `origin` had `size` events, and `root` is the hash of their tree. Raises MalformedCheckpoint.

    `extensions` are lines that the format leaves to whoever signs.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(not line or "\n" in line for line in (self.origin, *self.extensions)):
            raise MalformedCheckpoint(problem="its origin or another line is empty, or is several")
        if not 0 <= self.size <= SIZE_MAX:
            raise MalformedCheckpoint(problem=f"its size is not from 0 to {SIZE_MAX}")
        if len(self.root) != HASH_BYTES:
            raise MalformedCheckpoint(problem=f"its root doesn't have {HASH_BYTES} bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise MalformedCheckpoint(problem="an empty log has another root")

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """From a note's text. Raises MalformedCheckpoint for anything but what `text` writes."""
        *lines, rest = text.split("\n")
        if len(lines) < 3 or rest:
            raise MalformedCheckpoint(problem="it has fewer than three lines, or no end of the last")
        origin, size, root, *extensions = lines
        if not _SIZE.fullmatch(size):
            raise MalformedCheckpoint(problem="its size is not a number as it is written")
        try:
            return cls(origin, int(size), from_base64(root), tuple(extensions))
        except ValueError as bad:
            raise MalformedCheckpoint(problem=f"its root is not base64: {bad}") from bad

    @property
    def text(self) -> str:
        """What is signed."""
        return "".join(
            f"{line}\n" for line in (self.origin, self.size, to_base64(self.root), *self.extensions)
        )

    def sign(self, signers: Iterable[Signer]) -> bytes:
        """The note to store and to hand out."""
        return sign_note(self.text, signers)

    def must_hold(self, line: bytes, proof: Sequence[bytes]) -> Leaf:
        """The event of this line, which is in the log at its position. Raises MalformedLine, InvalidProof."""
        leaf = parse(line)
        verify_inclusion(leaf.position - 1, self.size, leaf_hash(line), proof, self.root)
        return leaf

    def must_extend(self, kept: "Checkpoint", proof: Sequence[bytes]) -> None:
        """That nothing was changed since `kept`. Raises WrongOrigin, OlderCheckpoint or InvalidProof."""
        if self.origin != kept.origin:
            raise WrongOrigin(origin=self.origin, expected=kept.origin)
        if self.size < kept.size:
            raise OlderCheckpoint(size=self.size, kept=kept.size)
        verify_consistency(kept.size, self.size, kept.root, self.root, proof)


def open_checkpoint(note: bytes, trusted: Sequence[Verifier], origin: str | None = None) -> Checkpoint:
    """A checkpoint that a trusted key signed, of the log `origin`; by default the signer's name is its.

    Raises MalformedNote, UnknownSigner, BadSignature, MalformedCheckpoint, RetiredKey or WrongOrigin.
    """
    opened = open_note(note, trusted)
    checkpoint = Checkpoint.parse(opened.text)
    good = [one for one in opened.signed_by if one.until is None or checkpoint.size <= one.until]
    if not good:
        retired = opened.signed_by[0]
        raise RetiredKey(size=checkpoint.size, name=retired.known_as, until=retired.until)
    expected = [one.name for one in good] if origin is None else [origin]
    if checkpoint.origin not in expected:
        raise WrongOrigin(origin=checkpoint.origin, expected=expected)
    return checkpoint
