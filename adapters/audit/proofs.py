"""Proofs as JSON objects, checked without a database."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator

from domain.audit.checkpoint import Checkpoint, open_checkpoint
from domain.audit.encoding import from_base64, to_base64
from domain.audit.leaf import Leaf
from domain.audit.merkle import InvalidProof
from domain.audit.note import Verifier
from domain.kernel import Rejected


def _hash(told: object) -> bytes:
    """Base64 in JSON, bytes in Python."""
    if isinstance(told, str):
        return from_base64(told)
    if isinstance(told, bytes):
        return told
    raise ValueError("a hash is a text in base64")


Hash = Annotated[bytes, PlainValidator(_hash), PlainSerializer(to_base64, when_used="json")]


class MalformedProof(Rejected):
    """This is not a proof: {problem}."""

    code = "malformed_proof"


class OtherCheckpoint(Rejected):
    """The proof rests on another checkpoint of {size} events than the one that was kept, of {kept}."""

    code = "other_checkpoint"


class ProofObject(BaseModel):
    """What all have in common: nothing is let through that isn't theirs."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class InclusionProof(ProofObject):
    """The event with this line is in the log of the checkpoint: leaf `index` (from 0) of `size`."""

    proof: Literal["inclusion"] = "inclusion"
    index: int
    size: int
    line: str
    hashes: tuple[Hash, ...]
    checkpoint: str

    def check(self, trusted: Sequence[Verifier], kept: Checkpoint | None = None) -> Leaf:
        """The event. With `kept`, the log must be of that very checkpoint. Raises Rejected."""
        checkpoint = open_checkpoint(self.checkpoint.encode(), trusted)
        _must_be(checkpoint, kept)
        leaf = checkpoint.must_hold(self.line.encode(), self.hashes)
        if (self.index, self.size) != (leaf.position - 1, checkpoint.size):
            raise InvalidProof(problem="its index or size is not that of its event and its checkpoint")
        return leaf


class ConsistencyProof(ProofObject):
    """The log of the second checkpoint begins with that of the first; they are of `old` and `new` events."""

    proof: Literal["consistency"] = "consistency"
    old: int
    new: int
    hashes: tuple[Hash, ...]
    checkpoints: tuple[str, str]

    def check(
        self, trusted: Sequence[Verifier], kept: Checkpoint | None = None
    ) -> tuple[Checkpoint, Checkpoint]:
        """Both checkpoints. With `kept`, the first must be that one. Raises Rejected."""
        old, new = (open_checkpoint(note.encode(), trusted) for note in self.checkpoints)
        _must_be(old, kept)
        new.must_extend(old, self.hashes)
        if (self.old, self.new) != (old.size, new.size):
            raise InvalidProof(problem="its sizes are not those of its checkpoints")
        return old, new


def same(checkpoint: Checkpoint, kept: Checkpoint) -> bool:
    """Whether both say the same of the same log, whoever signed them."""
    return (checkpoint.origin, checkpoint.size, checkpoint.root) == (kept.origin, kept.size, kept.root)


def _must_be(checkpoint: Checkpoint, kept: Checkpoint | None) -> None:
    if kept is not None and not same(checkpoint, kept):
        raise OtherCheckpoint(size=checkpoint.size, kept=kept.size)
