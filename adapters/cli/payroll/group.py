"""`dealtrail payroll …`: its subcommands, each imported only when it is asked for."""

from types import MappingProxyType

import click

from adapters.cli.lazy import Lazy, Table

COMMANDS: Table = MappingProxyType(
    {
        "close": ("adapters.cli.payroll.acting:close", "Freeze what everybody is paid for a period."),
        "statement": ("adapters.cli.payroll.statements:statement", "What one rep is paid, line by line."),
        "statements": ("adapters.cli.payroll.statements:statements", "What everybody is paid for a period."),
        "explain": ("adapters.cli.payroll.explain:explain", "From a line back to the events behind it."),
        "verify": ("adapters.cli.payroll.verify:verify", "Recompute closed statements from the log."),
        "export": ("adapters.cli.payroll_files:export", "Write statements as JSON, CSV, HTML and PDF files."),
        "simulate": ("adapters.cli.payroll.simulate:simulate", "What a draft plan would have paid."),
        "ghosts": ("adapters.cli.payroll.lists:ghosts", "Payments that belong to no recorded deal."),
        "exceptions": ("adapters.cli.payroll.lists:exceptions", "Earnings that wait for something."),
        "disputes": ("adapters.cli.payroll.lists:disputes", "Disputed lines and their answers."),
        "plans": ("adapters.cli.payroll.lists:plans", "Commission plans, version by version."),
        "assignments": ("adapters.cli.payroll.lists:assignments", "Who earns by which plan, and when."),
        "periods": ("adapters.cli.payroll.lists:periods", "Periods that are closed."),
        "publish": ("adapters.cli.payroll.acting:publish", "Publish a plan, or a new version of it."),
        "assign": ("adapters.cli.payroll.acting:assign", "Let a rep earn by a plan from a day on."),
        "dispute": ("adapters.cli.payroll.acting:dispute", "Say that a line is wrong."),
        "resolve": ("adapters.cli.payroll.acting:resolve", "Answer a dispute."),
    }
)
"""Every subcommand, in the order of the help."""


@click.group("payroll", cls=Lazy, table=COMMANDS)
def payroll() -> None:
    """Payroll: plans, periods, statements and what they rest on.

    A deal that is not recorded in the system does not exist for payroll.
    """
