"""The command that writes the whole log into files of other tools' formats."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import click

from adapters.cli.asking import Stopped, opened, progress, refusing
from adapters.cli.wording import counted
from adapters.settings import read_settings

FORMATS = ("ndjson", "parquet", "ocel-json", "ocel-sqlite", "xes")


@click.command("export")
@click.option("--out", required=True, metavar="DIR", help="The folder for the files, made if need be.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    help="May be given several times. Default: all of them.",
)
@click.option(
    "--until", type=click.IntRange(min=0), metavar="POSITION", help="The last event. Default: the log's end."
)
@click.option(
    "--vault",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the keys of personal texts there, too: keep them apart from the log.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def export(out: str, formats: Sequence[str], until: int | None, vault: Path | None, as_json: bool) -> None:
    """Write the whole log as files, for other tools and for keeping: the same bytes each time."""
    from adapters.export.files import export as write
    from adapters.export.vault_file import write_vault

    with refusing(as_json=as_json), opened(read_settings()) as parts:
        head = parts.store.head()
        if until is not None and until > head:
            raise click.BadParameter(f"the log ends at position {head}", param_hint="--until")
        position = head if until is None else until
        try:
            with progress("writing the log") as told:
                files = write(parts.database, Path(out), formats or FORMATS, position, told)
            if vault is not None:
                write_vault(parts.database, vault)
        except (OSError, sqlite3.Error) as error:
            raise Stopped("cannot_write", f"{error}.") from None
        if as_json:
            found = {"position": position, "folder": out, "files": [file.name for file in files]}
            click.echo(json.dumps(found, ensure_ascii=False))
        else:
            names = ", ".join(file.name for file in files)
            click.echo(f"{counted(position, 'event')} in {out}: {names}.")
