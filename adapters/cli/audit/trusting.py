"""What the audit commands have in common: whose signatures are trusted, and checkpoints in files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adapters.settings import Settings

if TYPE_CHECKING:
    from domain.audit.note import Verifier

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
KEY = click.option(
    "--key",
    "vkeys",
    multiple=True,
    metavar="VKEY",
    help="A public key to trust, as keygen prints it. Default: those of DEALTRAIL_AUDIT_KEY.",
)
CHECKPOINT = click.option(
    "--checkpoint",
    "kept",
    type=click.File("rb"),
    metavar="FILE",
    help="A checkpoint that you kept.",
)


def trusted(settings: Settings, vkeys: Sequence[str]) -> "tuple[Verifier, ...]":
    """The keys given, else those of the key file; none if there is no such file.

    Raises MalformedKey, AuditKeyUnusable.
    """
    from adapters.audit.keys import is_there, parse_told, read_keys

    if vkeys:
        return tuple(parse_told(vkey) for vkey in vkeys)
    return read_keys(settings.audit_key).verifiers if is_there(settings.audit_key) else ()


def must_trust(settings: Settings, vkeys: Sequence[str]) -> "tuple[Verifier, ...]":
    """The same, at least one. Raises NoAuditKey too."""
    from adapters.audit.keys import NoAuditKey

    found = trusted(settings, vkeys)
    if not found:
        raise NoAuditKey(file=str(settings.audit_key))
    return found


def write_out(file: Path | None, text: str) -> None:
    """To the file, or to stdout, always as UTF-8. Raises click.BadParameter if it can't be written."""
    if file is None:
        click.echo(text.encode(), nl=False)
        return
    try:
        file.write_bytes(text.encode())
    except OSError as error:
        raise click.BadParameter(f"{file} can't be written: {error.strerror}") from None
