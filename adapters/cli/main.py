"""The `dealtrail` command. Each subcommand is imported only when it is asked for."""

import sys
from io import TextIOWrapper
from types import MappingProxyType

import click

from adapters.cli.lazy import Lazy, Table

COMMANDS: Table = MappingProxyType(
    {
        "demo": ("adapters.cli.intake:demo", "Build a small company and print its reports."),
        "import": ("adapters.cli.intake:import_", "Take in actions (NDJSON) or a CSV export with a mapping."),
        "record": ("adapters.cli.record:record", "Record one action by hand, whatever its type."),
        "funnel": ("adapters.cli.reports:funnel", "How far deals get, and where they stop."),
        "cycle-time": ("adapters.cli.reports:cycle_time", "How long deals take, open ones counted in."),
        "owner": ("adapters.cli.reports:owner", "Who owned a lead when, and by which event."),
        "neglected": ("adapters.cli.lists:neglected", "Open leads and deals with no next step planned."),
        "overdue": ("adapters.cli.lists:overdue", "Planned steps whose due time has passed."),
        "queue": ("adapters.cli.lists:queue", "What a rep should do next."),
        "encroachments": ("adapters.cli.lists:encroachments", "Contacts with other reps' leads."),
        "refusals": ("adapters.cli.lists:refusals", "Attempts on owned leads: disputes over ownership."),
        "pool": ("adapters.cli.lists:pool", "Open leads that nobody owns."),
        "scorecard": ("adapters.cli.reports:scorecard", "A rep's figures beside the team's."),
        "deal": ("adapters.cli.stories:deal", "A deal as it stands, and the events behind it."),
        "lead": ("adapters.cli.stories:lead", "A lead as it stands, and the events behind it."),
        "payroll": (
            "adapters.cli.payroll.group:payroll",
            "Plans, periods, statements and what they rest on.",
        ),
        "subject": (
            "adapters.cli.subjects:subject",
            "What is held on a person, and forgetting who they are.",
        ),
        "audit": ("adapters.cli.audit.group:audit", "Prove that the log was only ever appended to."),
        "key": ("adapters.cli.access.group:key", "Keys of those who ask over HTTP, and what they may."),
        "migrate": ("adapters.cli.migrate:migrate", "Bring the database up to this version, as its owner."),
        "serve": ("adapters.cli.serve:serve", "Serve the HTTP API: actions in, events and reports out."),
        "project": ("adapters.cli.workers:project", "Keep the read tables up with the log."),
        "ingest": ("adapters.cli.ingest:ingest", "Take actions in from Kafka."),
        "publish": ("adapters.cli.publish:publish", "Publish the log to Kafka."),
        "rebuild": ("adapters.cli.workers:rebuild", "Build read tables anew from the log, and swap them in."),
    }
)
"""Every subcommand, in the order of the help."""


@click.group(cls=Lazy, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dealtrail", prog_name="dealtrail")
def cli() -> None:
    """An event-sourced sales pipeline: every action kept, every figure traceable to the events behind it.

    The database is DATABASE_URL; without it, an embedded PostgreSQL in DEALTRAIL_HOME.
    """


def main() -> None:
    """Run the command line. Exit code 0 done, 1 refused or found something wrong, 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # As files are: a name, or a note's dash, is in no other charset.
            stream.reconfigure(encoding="utf-8", errors=stream.errors)
    cli.main()


if __name__ == "__main__":
    main()
