"""The commands `audit seal` and `audit keygen`: checkpoints, and the keys that sign them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adapters.cli.asking import opened, progress, refusing
from adapters.cli.audit.trusting import JSON, write_out
from adapters.settings import read_settings

if TYPE_CHECKING:
    from adapters.audit_keys import Keys


@click.command("seal")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the checkpoint there.")
@JSON
def seal(out: Path | None, as_json: bool) -> None:
    """Sign a checkpoint of the log as it is now, store it and print it.

    A copy that is kept elsewhere shows later whether anything before it was changed.
    """
    from adapters.audit_keys import read_keys
    from adapters.postgres.audit.checkpoints import Checkpoints
    from adapters.wiring import now
    from domain.audit.encoding import to_base64

    settings = read_settings()
    with refusing(as_json=as_json):
        keys = read_keys(settings.audit_key)
        with opened(settings) as parts, progress("hashing") as counted:
            sealed = Checkpoints(parts.database).seal(keys, now(), counted)
        if out is not None or not as_json:
            write_out(out, sealed.note)
        if as_json:
            told = {
                "number": sealed.number,
                "size": sealed.size,
                "root": to_base64(sealed.root),
                "made_at": sealed.made_at.isoformat(),
                "checkpoint": sealed.note,
            }
            click.echo(json.dumps(told, ensure_ascii=False))


@click.command("keygen")
@click.option(
    "--name", metavar="NAME", help="What the log is called in checkpoints, such as example.com/deals."
)
@click.option("--rotate", is_flag=True, help="Make a new key beside those that are there: all of them sign.")
@click.option("--retire", metavar="NAME+ID", help="Let a key sign no more. Its checkpoints stay good.")
@JSON
def keygen(name: str | None, rotate: bool, retire: str | None, as_json: bool) -> None:
    """Make the key that signs checkpoints, in the file of DEALTRAIL_AUDIT_KEY, and print its public half.

    Give the public half to whoever shall check. Whoever has the file can sign: keep it from others.
    """
    if sum((name is not None, rotate, retire is not None)) > 1:
        raise click.UsageError("Give one of --name, --rotate and --retire.")
    with refusing(as_json=as_json):
        file = read_settings().audit_key
        keys = _changed(file, name, rotate=rotate, retire=retire)
        _say(file, keys, as_json=as_json)


def _changed(file: Path, name: str | None, *, rotate: bool, retire: str | None) -> "Keys":
    from adapters.audit_keys import AuditKeyExists, Keys, new_signer, read_keys, write_keys

    if rotate:
        keys = read_keys(file).rotated()
    elif retire is not None:
        keys = read_keys(file).retire(retire, file)
    elif file.exists():
        raise AuditKeyExists(file=str(file))
    else:
        keys = Keys((new_signer(name),))
    write_keys(file, keys)
    return keys


def _say(file: Path, keys: "Keys", *, as_json: bool) -> None:
    signing = [signer.verifier.vkey for signer in keys.signers]
    retired = [verifier.vkey for verifier in keys.retired]
    if as_json:
        told = {"name": keys.origin, "file": str(file), "signing": signing, "retired": retired}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for vkey in signing:
        click.echo(vkey)
    for vkey in retired:
        click.echo(f"{vkey} (retired)")
