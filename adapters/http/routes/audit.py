"""What auditors take away: checkpoints, proofs, and statements with all that proves them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel

from adapters.audit.proofs import ConsistencyProof, InclusionProof
from adapters.http.access import Asking
from adapters.http.asked import POSITION_MAX, Whole, as_json, sent
from adapters.http.openapi import content, found, problems
from adapters.http.problems import Problem
from adapters.http.service import Served
from adapters.postgres.audit.bundling import bundle_statement
from adapters.postgres.audit.checkpoints import Sealed
from adapters.postgres.audit.proofs import prove_consistency, prove_inclusion
from domain.audit.encoding import to_base64
from domain.shared.periods import Period

router = APIRouter(prefix="/audit", tags=["audit"])
Place = Annotated[Whole, Path(ge=1, le=POSITION_MAX, description="An event's position.")]
Size = Annotated[Whole, Query(ge=0, le=POSITION_MAX)]
NOTE = "text/plain; charset=utf-8"
_PROVING = ("not_sealed", "invalid_proof", "log_incomplete")


class CheckpointItem(BaseModel):
    """A signed checkpoint: the log's first `size` events have this root."""

    number: int
    size: int
    root: str
    made_at: AwareDatetime
    checkpoint: str


class CheckpointList(BaseModel):
    """All checkpoints, in the order in which they were made."""

    count: int
    items: list[CheckpointItem]


@router.get(
    "/checkpoints",
    operation_id="checkpoints",
    responses=found(CheckpointList, "All of them.") | problems(),
)
async def get_checkpoints(served: Served, caller: Asking) -> Response:
    """The signed checkpoints of the log, in the order in which they were made."""
    caller.may("checkpoints")
    sealed = await served.read(served.parts.checkpoints.all)
    return as_json({"count": len(sealed), "items": [_told(one) for one in sealed]})


@router.get(
    "/checkpoints/latest",
    operation_id="latest_checkpoint",
    responses=content({NOTE: {"type": "string"}}, "The signed note.") | problems("not_sealed"),
)
async def get_latest(served: Served, caller: Asking) -> Response:
    """The checkpoint of the most events, as the signed note that it is (C2SP tlog-checkpoint)."""
    caller.may("checkpoints")
    latest = await served.read(served.parts.checkpoints.longest)
    if latest is None:
        raise Problem("not_sealed", "Nothing was sealed yet.")
    return sent(latest.note, NOTE, position=latest.size)


@router.get(
    "/proofs/{position}",
    operation_id="proof",
    responses=found(InclusionProof, "The proof.") | problems(*_PROVING),
)
async def get_proof(served: Served, caller: Asking, position: Place) -> Response:
    """That the event at this position, as it is stored, is in the log of the latest checkpoint."""
    caller.may("proof")
    proof = await served.read(lambda: prove_inclusion(served.parts.database, position))
    return sent(proof.model_dump_json(), "application/json")


@router.get(
    "/proofs",
    operation_id="consistency",
    responses=found(ConsistencyProof, "The proof.") | problems(*_PROVING),
)
async def get_consistency(
    served: Served,
    caller: Asking,
    old: Annotated[Size, Query(alias="from", description="The earlier checkpoint's size.")],
    new: Annotated[Size, Query(alias="to", description="The later checkpoint's size.")],
) -> Response:
    """That the log of the later checkpoint begins with that of the earlier one."""
    caller.may("consistency")
    if old > new:
        raise Problem("invalid_data", f"from: {old} is more than {new}.", field="from")
    proof = await served.read(lambda: prove_consistency(served.parts.database, old, new))
    return sent(proof.model_dump_json(), "application/json")


@router.get(
    "/bundles/{period}/{rep:whole}",
    operation_id="bundle",
    responses=content({"application/json": {"type": "object"}}, "The bundle (RFC 8785), for audit check.")
    | problems("unknown_statement", "statement_later", *_PROVING),
)
async def get_bundle(served: Served, caller: Asking, period: str, rep: str) -> Response:
    """A closed statement with every event that it rests on, and the proofs: to be checked without us."""
    caller.may("bundle", rep)
    month = Period.parse(period)
    bundle = await served.read(lambda: bundle_statement(served.parts.database, month, rep))
    return sent(bundle.canonical(), "application/json")


def _told(sealed: Sealed) -> dict[str, object]:
    return {
        "number": sealed.number,
        "size": sealed.size,
        "root": to_base64(sealed.root),
        "made_at": sealed.made_at.isoformat(),
        "checkpoint": sealed.note,
    }
