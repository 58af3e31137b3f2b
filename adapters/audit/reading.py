"""Whatever `audit check` checks, read from JSON."""

from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from adapters.audit.bundle.bundle import StatementBundle
from adapters.audit.proofs import ConsistencyProof, InclusionProof, MalformedProof

Proof = InclusionProof | ConsistencyProof | StatementBundle
_READER: TypeAdapter[Proof] = TypeAdapter(Annotated[Proof, Field(discriminator="proof")])


def read_proof(told: bytes) -> Proof:
    """Raises MalformedProof; also for a bundle in which not every byte is as it is written here."""
    try:
        proof = _READER.validate_json(told)
    except ValidationError as bad:
        first = bad.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MalformedProof(problem=f"{place}: {first['msg']}" if place else first["msg"]) from bad
    if isinstance(proof, StatementBundle) and proof.canonical() != told.removesuffix(b"\n"):
        raise MalformedProof(problem="it is a bundle, but not written as RFC 8785 has it")
    return proof
