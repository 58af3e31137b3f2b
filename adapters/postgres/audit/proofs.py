"""Proofs from the kept tree, each checked before it is handed out."""

from adapters.audit.proofs import ConsistencyProof, InclusionProof
from adapters.postgres.audit.checkpoints import Checkpoints
from adapters.postgres.audit.leaves import stored
from adapters.postgres.audit.tree import LogIncomplete, Nodes
from adapters.postgres.database import Database
from domain.audit.leaf import Leaf, leaf_hash
from domain.audit.merkle import (
    InvalidProof,
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)


def prove_inclusion(database: Database, position: int) -> InclusionProof:
    """That the event at this position is in the log of the latest checkpoint.

    Raises NotSealed if no checkpoint covers it, LogIncomplete if it is gone, InvalidProof if it was changed.
    """
    sealed = Checkpoints(database).covering(position)
    with database.connection() as connection:
        rows = stored(connection, position, position)
        if not rows:
            raise LogIncomplete(position=position, size=sealed.size)
        line = Leaf._make(rows[0][:-1]).line()
        hashes = inclusion_proof(position - 1, sealed.size, Nodes(connection))
    verify_inclusion(position - 1, sealed.size, leaf_hash(line), hashes, sealed.root)
    return InclusionProof(
        index=position - 1,
        size=sealed.size,
        line=line.decode(),
        hashes=tuple(hashes),
        checkpoint=sealed.note,
    )


def prove_consistency(database: Database, old: int, new: int) -> ConsistencyProof:
    """That the log of `new` events, as sealed, begins with that of `old` events, as sealed.

    Raises NotSealed for a size without a checkpoint, InvalidProof if the log was changed or old > new.
    """
    if old > new:
        raise InvalidProof(problem=f"a log of {new} events didn't grow from one of {old}")
    checkpoints = Checkpoints(database)
    before, after = checkpoints.of(old), checkpoints.of(new)
    with database.connection() as connection:
        hashes = consistency_proof(old, new, Nodes(connection))
    verify_consistency(old, new, before.root, after.root, hashes)
    return ConsistencyProof(old=old, new=new, hashes=tuple(hashes), checkpoints=(before.note, after.note))
