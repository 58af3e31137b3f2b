"""The command `migrate`: for servers whose services have a login that may not."""

import json

import click

from adapters.cli.asking import opened, refusing
from adapters.settings import read_settings


@click.command("migrate")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def migrate(as_json: bool) -> None:
    """Apply the database's missing migrations and give the roles their rights, with the owner's login.

    Every other command does so too if its login may. Harmless to repeat.
    """
    from adapters.postgres.migrate import set_up_roles

    with refusing(as_json=as_json), opened(read_settings()) as parts:
        role = set_up_roles(parts.database)
        with parts.database.connection() as connection:
            found = connection.execute("SELECT name FROM log.migration ORDER BY number").fetchall()
    names = [name for (name,) in found]
    if as_json:
        click.echo(json.dumps({"migrations": names, "role": role}))
    else:
        click.echo(f"The database is at migration {names[-1]}. Commands act as {role}.")
