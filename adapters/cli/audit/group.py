"""`dealtrail audit …`: its subcommands, each imported only when it is asked for."""

from types import MappingProxyType

import click

from adapters.cli.lazy import Lazy, Table

COMMANDS: Table = MappingProxyType(
    {
        "verify": ("adapters.cli.audit.verify:verify", "Hash the whole log anew, and find what was changed."),
        "seal": ("adapters.cli.audit.sealing:seal", "Sign a checkpoint of the log as it is now."),
        "prove": (
            "adapters.cli.audit.proving:prove",
            "Prove that an event is in the log, or that it only grew.",
        ),
        "bundle": ("adapters.cli.audit.bundling:bundle", "Bundle a statement with all that it rests on."),
        "check": ("adapters.cli.audit.proving:check", "Check a proof or a bundle without a database."),
        "trace": ("adapters.cli.audit.trace:trace", "From a figure of a report to the events behind it."),
        "replay": ("adapters.cli.audit.replay:replay", "Compute anew what was shown, and compare."),
        "export": ("adapters.cli.audit_export:export", "Write the whole log as files for other tools."),
        "keygen": ("adapters.cli.audit.sealing:keygen", "Make, rotate and retire the keys that sign."),
    }
)
"""Every subcommand, in the order of the help."""


@click.group("audit", cls=Lazy, table=COMMANDS)
def audit() -> None:
    """Audit: prove to somebody who doesn't trust us that the log was only ever appended to.

    Keep checkpoints where nobody who can write to the database can reach them.
    """
