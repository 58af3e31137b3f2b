"""`dealtrail key …`: its subcommands, each imported only when it is asked for."""

from types import MappingProxyType

import click

from adapters.cli.lazy import Lazy, Table

COMMANDS: Table = MappingProxyType(
    {
        "make": ("adapters.cli.access.keys:make", "Make a key; what opens is shown once."),
        "list": ("adapters.cli.access.keys:list_", "Every key, whose it is, and whether it still opens."),
        "revoke": ("adapters.cli.access.keys:revoke", "Let a key open nothing any more."),
    }
)
"""Every subcommand, in the order of the help."""


@click.group("key", cls=Lazy, table=COMMANDS)
def key() -> None:
    """Keys of those who ask over HTTP: who they are, and what they may."""
