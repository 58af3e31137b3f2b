"""A report's command as one would type it, to be asked by another command."""

from collections.abc import Sequence
from dataclasses import dataclass

import click

from adapters.cli.asking import Instead, Report


@dataclass(frozen=True, slots=True)
class Asked:
    """A report's command with its options; `name` as it is typed, `rest` the words that it has no use for."""

    name: str
    rest: tuple[str, ...]
    context: click.Context

    def ask(self) -> None:
        """Run the command; what it would do is done by the `Instead` that it was parsed with."""
        with self.context:
            self.context.command.invoke(self.context)


def asked(words: Sequence[str], instead: Instead, *, rest: bool = False) -> Asked:
    """The report that these words ask for; `rest`: words may be left over. Raises click.UsageError."""
    from adapters.cli.main import cli

    command: click.Command = cli
    path: list[str] = []
    parent = click.get_current_context()
    while isinstance(command, click.Group):
        name, *words = words or ("",)
        found = command.get_command(parent, name)
        if found is None:
            raise click.UsageError(
                f"There is no report named {' '.join([*path, name]).strip() or '(nothing)'}."
            )
        command, path = found, [*path, name]
    if not isinstance(command, Report):
        raise click.UsageError(f"{' '.join(path)} is no report: it does more than to ask.")
    context = command.make_context(" ".join(path), list(words), obj=instead, allow_extra_args=rest)
    return Asked(" ".join(path), tuple(context.args), context)
