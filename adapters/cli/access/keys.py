"""The commands `key make`, `key list` and `key revoke`."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import click

from adapters.access.entitlements import ROLES, Role
from adapters.cli.asking import opened, refusing
from adapters.settings import read_settings

if TYPE_CHECKING:
    from adapters.access.keys import ApiKey

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
DAYS_MAX = 36_500


@click.command("make")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What it may do.")
@click.option("--rep", metavar="R", help="Whose it is; for the roles rep and head only.")
@click.option("--name", metavar="NAME", help="What to call it, such as the program that has it.")
@click.option("--expires", "days", type=click.IntRange(1, DAYS_MAX), metavar="DAYS", help="For how long.")
@JSON
def make(role: str, rep: str | None, name: str | None, days: int | None, as_json: bool) -> None:
    """Make a key, and print what opens: it is shown this once, and stored nowhere.

    Without --expires it opens until it is revoked.
    """
    from adapters.wiring import now

    with refusing(as_json=as_json), opened(read_settings()) as parts:
        until = None if days is None else now() + timedelta(days=days)
        made, text = parts.api_keys.make(cast(Role, role), rep=rep, name=name or "", expires_at=until)
        if as_json:
            click.echo(json.dumps(_plain(made) | {"key": text}, ensure_ascii=False))
            return
        click.echo(text)
        whose = f" of {made.rep}" if made.rep else ""
        click.echo(f"This is key {made.id}, role {made.role}{whose}. It is not shown again.", err=True)


@click.command("list")
@JSON
def list_(as_json: bool) -> None:
    """Every key, whose it is, and whether it still opens."""
    from adapters.wiring import now

    with refusing(as_json=as_json), opened(read_settings()) as parts:
        found, at = parts.api_keys.every(), now()
    if as_json:
        items = [_plain(one) | {"status": _status(one, at)} for one in found]
        click.echo(json.dumps({"count": len(items), "items": items}, ensure_ascii=False))
        return
    _draw(found, at)


def _draw(keys: "list[ApiKey]", at: datetime) -> None:
    from adapters.cli.render import Column, draw, text

    def day(moment: datetime | None) -> str | None:
        return None if moment is None else moment.date().isoformat()

    draw(
        [
            Column("key", lambda one: one.id, whole=True),
            Column("name", lambda one: one.name),
            Column("role", lambda one: one.role, whole=True),
            Column("rep", lambda one: text(one.rep)),
            Column("made", lambda one: text(day(one.created_at)), whole=True),
            Column("used", lambda one: text(day(one.last_used_at)), whole=True),
            Column("until", lambda one: text(day(one.expires_at)), whole=True),
            Column("", lambda one: _status(one, at), whole=True),
        ],
        keys,
        "There is no key.",
    )


@click.command("revoke")
@click.argument("key_id", metavar="KEY")
@JSON
def revoke(key_id: str, as_json: bool) -> None:
    """Let a key open nothing any more, for good. KEY is its id, as `key list` shows it."""
    with refusing(as_json=as_json), opened(read_settings()) as parts:
        revoked = parts.api_keys.revoke(key_id)
        if as_json:
            click.echo(json.dumps(_plain(revoked), ensure_ascii=False))
        else:
            click.echo(f"Key {revoked.id} ({revoked.name}) opens nothing any more.")


def _status(key: "ApiKey", at: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= at else "opens"


def _plain(key: "ApiKey") -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(key).items()
    }
