"""The commands `audit seal` and `audit keygen`: checkpoints, and the keys that sign them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adapters.cli.asking import opened, progress, refusing
from adapters.cli.audit.trusting import JSON, write_out
from adapters.settings import Settings, read_settings
from domain.kernel import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.audit.keys import Keys
    from adapters.wiring import Engine


@click.command("seal")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the checkpoint there.")
@JSON
def seal(out: Path | None, as_json: bool) -> None:
    """Sign a checkpoint of the log as it is now, store it and print it.

    A copy that is kept elsewhere shows later whether anything before it was changed.
    """
    from domain.audit.encoding import to_base64

    with refusing(as_json=as_json), opened(read_settings()) as parts:
        keys = signing_keys(parts)
        with progress("hashing") as counted:
            sealed = parts.seal(keys, counted)
        if out is not None or not as_json:
            write_out(out, sealed.note)
        if as_json:
            told = {
                "number": sealed.number,
                "size": sealed.size,
                "root": to_base64(sealed.root),
                "made_at": sealed.made_at.isoformat(),
                "key": [signer.verifier.vkey for signer in keys.signers],
                "checkpoint": sealed.note,
            }
            click.echo(json.dumps(told, ensure_ascii=False))


def signing_keys(parts: "Engine") -> "Keys":
    """Those of the key file. If there is none and nothing was ever sealed, one is made, and stderr says so.

    Raises NoAuditKey, AuditKeyUnusable, MalformedKey.
    """
    from adapters.audit.keys import AuditKeyExists, is_there, make_keys, read_keys

    file = parts.settings.audit_key
    if not is_there(file) and parts.checkpoints.longest() is None:
        try:
            (signer,) = make_keys(file).signers
        except AuditKeyExists:
            pass  # Somebody else was sooner.
        else:
            click.echo(f"A key that signs checkpoints was made in {file}: keep a copy of it.", err=True)
            click.echo(f"Its public half, for whoever shall check: {signer.verifier.vkey}", err=True)
    return read_keys(file)


def seal_closes(parts: "Engine", before: "Sequence[int]") -> None:
    """Seal, if periods were closed since the closed ones' cutoffs were `before`.

    A close holds whether it can be sealed or not, so what goes wrong is only said, on stderr.
    """
    from psycopg import Error

    try:
        if parts.checkpoints.cutoffs() != before:
            with progress("hashing") as counted:
                parts.seal(signing_keys(parts), counted)
    except (Rejected, Error) as error:
        said = error.message if isinstance(error, Rejected) else f"{str(error).strip()}."
        click.echo(f"The close holds, but it is not sealed: {said}", err=True)


@click.command("keygen")
@click.option(
    "--name", metavar="NAME", help="What the log is called in checkpoints, such as example.com/deals."
)
@click.option("--rotate", is_flag=True, help="Make a new key beside those that are there: all of them sign.")
@click.option("--retire", metavar="NAME+ID", help="Let a key sign no more, after one last checkpoint.")
@JSON
def keygen(name: str | None, rotate: bool, retire: str | None, as_json: bool) -> None:
    """Make the key that signs checkpoints, in the file of DEALTRAIL_AUDIT_KEY, and print its public half.

    Give the public half to whoever shall check. Whoever has the file can sign: keep it from others.
    What a retired key signed stays good up to the size of the log when it was retired, and no further.
    """
    if sum((name is not None, rotate, retire is not None)) > 1:
        raise click.UsageError("Give one of --name, --rotate and --retire.")
    with refusing(as_json=as_json):
        settings = read_settings()
        _say(settings.audit_key, _changed(settings, name, rotate=rotate, retire=retire), as_json=as_json)


def _changed(settings: Settings, name: str | None, *, rotate: bool, retire: str | None) -> "Keys":
    from adapters.audit.keys import changing, make_keys, read_keys, write_keys

    file = settings.audit_key
    if not rotate and retire is None:
        return make_keys(file, name)
    read_keys(file)
    with changing(file):
        keys = read_keys(file)
        changed = keys.rotated() if retire is None else _without(settings, keys, retire)
        write_keys(file, changed)
    return changed


def _without(settings: Settings, keys: "Keys", name: str) -> "Keys":
    """The last checkpoint that the key signs, the others sign too: who trusts it learns to trust them."""
    gone = keys.leaving(name, settings.audit_key)
    with opened(settings) as parts, progress("hashing") as counted:
        sealed = parts.seal(keys, counted)
    return keys.without(gone, sealed.size)


def _say(file: Path, keys: "Keys", *, as_json: bool) -> None:
    from adapters.audit.keys import told

    signing = [signer.verifier.vkey for signer in keys.signers]
    retired = [told(verifier) for verifier in keys.retired]
    if as_json:
        found = {"name": keys.origin, "file": str(file), "signing": signing, "retired": retired}
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for each in (*signing, *retired):
        click.echo(each)
