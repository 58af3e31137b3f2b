"""The command `audit bundle`: a statement with all that proves it, for those who don't have the database."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from adapters.cli.asking import opened, refusing
from adapters.cli.audit.trusting import KEY, must_trust, write_out
from adapters.settings import Settings, read_settings

if TYPE_CHECKING:
    from adapters.audit.bundle.making import Noted


@click.command("bundle")
@click.argument("statement")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the bundle there.")
@click.option(
    "--for-checkpoint",
    "kept",
    type=click.File("rb"),
    metavar="FILE",
    help="Let it rest on this checkpoint of later events, such as one that an auditor kept.",
)
@KEY
def bundle(statement: str, out: Path | None, kept: BinaryIO | None, vkeys: Sequence[str]) -> None:
    """Bundle a closed STATEMENT, such as 2026-10/rep-7, with every event that it rests on, and the proofs.

    It is one JSON object (RFC 8785), the same bytes each time, for audit check. Nothing is signed for it: the
    cutoff's checkpoint and a later one must be there. See audit seal.
    """
    from adapters.postgres.audit.bundling import bundle_statement
    from domain.payroll.closing import read_statement_id

    with refusing(as_json=True):
        settings = read_settings()
        period, rep = read_statement_id(statement)
        later = None if kept is None else _later(settings, kept.read(), vkeys)
        with opened(settings) as parts:
            made = bundle_statement(parts.database, period, rep, later)
        text = made.canonical().decode()
        write_out(out, f"{text}\n" if out is None else text)


def _later(settings: Settings, note: bytes, vkeys: Sequence[str]) -> "Noted":
    from adapters.audit.bundle.making import Noted
    from domain.audit.checkpoint import open_checkpoint

    return Noted(open_checkpoint(note, must_trust(settings, vkeys)), note.decode())
