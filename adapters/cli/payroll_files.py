"""The command that writes a closed period's statements as files."""

import json
from pathlib import Path

import click

from adapters.cli.asking import Stopped, opened, progress, refusing
from adapters.cli.wording import counted
from adapters.settings import read_settings
from domain.kernel import Rejected
from domain.shared.periods import Period

FORMATS = ("json", "csv", "html", "pdf")


def _period(_context: click.Context, _option: click.Parameter, text: str) -> Period:
    try:
        return Period.parse(text)
    except Rejected as rejected:
        raise click.BadParameter(rejected.details["problem"]) from None


def _formats(_context: click.Context, _option: click.Parameter, text: str) -> tuple[str, ...]:
    asked = [one.strip().lower() for one in text.split(",")]
    for one in asked:
        if one not in FORMATS:
            raise click.BadParameter(f"{one!r} is none of {', '.join(FORMATS)}")
    return tuple(one for one in FORMATS if one in asked)


@click.command("export")
@click.option("--period", required=True, metavar="P", callback=_period, help="A closed period: 2026-10.")
@click.option("--out", required=True, metavar="DIR", help="The files go into DIR/P, made if need be.")
@click.option(
    "--format",
    "formats",
    metavar="F,F",
    default=",".join(FORMATS),
    show_default=True,
    callback=_formats,
    help="Which files.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def export(period: Period, out: str, formats: tuple[str, ...], as_json: bool) -> None:
    """Write the statements of a closed period as files: the same bytes whenever they are written."""
    from adapters.statements.files import export as write
    from adapters.statements.frozen import frozen

    with refusing(as_json=as_json), opened(read_settings()) as parts:
        titled = bool({"html", "pdf"} & set(formats))
        found = frozen(parts.store, parts.checkpoints, period, titled=titled)
        try:
            with progress("writing statements") as written:
                files = write(found, Path(out), formats, written)
        except OSError as error:
            raise Stopped("cannot_write", f"{error.filename}: {error.strerror}.") from None
        told = {
            "period": str(period),
            "folder": str(Path(out) / str(period)),
            "statements": len(found.statements),
            "files": len(files),
        }
        if as_json:
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            files_told, of = counted(len(files), "file"), counted(len(found.statements), "statement")
            verb = "is" if len(files) == 1 else "are"
            click.echo(f"{files_told} of {of} {verb} in {told['folder']}.")
