"""The commands `audit prove` and `audit check`: proofs for those who don't have the database."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from adapters.cli.asking import opened, refusing
from adapters.cli.audit.trusting import CHECKPOINT, JSON, KEY, must_trust, write_out
from adapters.cli.wording import counted
from adapters.settings import read_settings

if TYPE_CHECKING:
    from adapters.audit.bundle.bundle import StatementBundle
    from adapters.audit.reading import Proof
    from adapters.wiring import Engine
    from domain.audit.checkpoint import Checkpoint
    from domain.audit.note import Verifier


@click.command("prove")
@click.argument("position", type=click.IntRange(1), required=False)
@click.option("--from", "old", type=click.IntRange(0), metavar="SIZE", help="The earlier checkpoint's size.")
@click.option("--to", "new", type=click.IntRange(0), metavar="SIZE", help="The later checkpoint's size.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the proof there.")
def prove(position: int | None, old: int | None, new: int | None, out: Path | None) -> None:
    """Prove that the event at POSITION is in the log; or, with --from and --to, that the log only grew.

    The proof is a JSON object with the checkpoint that it rests on, for audit check.
    """
    sizes = (old, new)
    if (position is None) == (sizes == (None, None)) or sizes.count(None) == 1:
        raise click.UsageError("Give a position, or --from and --to.")
    with refusing(as_json=True), opened(read_settings()) as parts:
        proof = _proof(parts, position, old or 0, new or 0)
        write_out(out, proof.model_dump_json() + "\n")


def _proof(parts: "Engine", position: int | None, old: int, new: int) -> "Proof":
    from adapters.postgres.audit.proofs import prove_consistency, prove_inclusion

    if position is None:
        return prove_consistency(parts.database, old, new)
    return prove_inclusion(parts.database, position)


@click.command("check")
@click.argument("proof", type=click.File("rb"), metavar="FILE")
@CHECKPOINT
@KEY
@JSON
def check(proof: BinaryIO, kept: BinaryIO | None, vkeys: Sequence[str], as_json: bool) -> None:
    """Check a proof that audit prove wrote, or a statement's bundle of audit bundle. Needs no database.

    With --checkpoint it must rest on that very checkpoint, or begin with it.
    """
    from adapters.audit.reading import read_proof
    from domain.audit.checkpoint import open_checkpoint

    with refusing(as_json=as_json):
        keys = must_trust(read_settings(), vkeys)
        known = None if kept is None else open_checkpoint(kept.read(), keys)
        told = _checked(read_proof(proof.read()), keys, known)
    click.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else _in_words(told))


def _checked(proof: "Proof", keys: "Sequence[Verifier]", kept: "Checkpoint | None") -> dict[str, Any]:
    from adapters.audit.proofs import ConsistencyProof, InclusionProof

    if isinstance(proof, InclusionProof):
        proof.check(keys, kept)
        return {"proof": proof.proof, "size": proof.size, "event": json.loads(proof.line)}
    if isinstance(proof, ConsistencyProof):
        old, new = proof.check(keys, kept)
        return {"proof": proof.proof, "origin": new.origin, "old": old.size, "new": new.size}
    return _checked_bundle(proof, keys, kept)


def _checked_bundle(
    bundle: "StatementBundle", keys: "Sequence[Verifier]", kept: "Checkpoint | None"
) -> dict[str, Any]:
    issued, later = bundle.check(keys, kept)
    return {
        "proof": bundle.proof,
        "origin": later.origin,
        "size": later.size,
        "cutoff_position": issued.event.cutoff_position,
        "position": issued.leaf.position,
        "events": len(bundle.events),
        "statement": bundle.statement,
    }


def _in_words(told: dict[str, Any]) -> str:
    if told["proof"] == "inclusion":
        event = json.dumps(told["event"], ensure_ascii=False, indent=2)
        return f"Event {told['event']['position']:,} is in the log of {told['size']:,} events:\n{event}"
    if told["proof"] == "consistency":
        return f"The log of {told['new']:,} events begins with that of {told['old']:,}."
    statement = told["statement"]
    rests = f"{counted(len(statement['lines']), 'line')}, {counted(told['events'], 'event')} behind"
    return (
        f"Statement {statement['statement']} is what was issued: {statement['total']} {statement['currency']}"
        f" ({rests}).\n"
        f"Event {told['position']:,} of the log of {told['size']:,} events of {told['origin']} says so.\n"
        f"Every event that it names was recorded before its cutoff at {told['cutoff_position']:,}.\n"
        "Whether it names all that it should, only the log can tell: payroll verify."
    )
