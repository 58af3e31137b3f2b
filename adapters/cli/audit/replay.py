"""The command `audit replay`: read tables, statements and any report, computed anew from the log."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

import click

from adapters.cli.asking import REFUSED, Request, Stopped, opened, progress, refusing
from adapters.cli.audit.asked import asked
from adapters.cli.audit.trusting import JSON
from adapters.cli.audit.unlike import unlike
from adapters.cli.wording import counted
from adapters.reading import moments
from adapters.reading.source import Source
from adapters.settings import Settings, read_settings
from projections.asking import View, answer
from projections.asking import as_json as plain

if TYPE_CHECKING:
    from adapters.postgres.audit.replaying import Replayed
    from adapters.wiring import Engine
    from projections.payroll.verifying import Verified

At = tuple[int | None, datetime | None]


@click.command("replay", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option(
    "--until", metavar="POSITION|WHEN", help="How much of the log. Default: all, or that of --shown."
)
@click.option(
    "--shown", type=click.File(encoding="utf-8"), metavar="FILE", help="What REPORT --json gave then."
)
@JSON
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[REPORT [OPTIONS]…]")
def replay(until: str | None, shown: TextIO | None, as_json: bool, words: Sequence[str]) -> None:
    """Compute anew from the log what was shown, and compare.

    Without REPORT: every read table, row by row with the live ones if these stand there, and every statement
    issued up to there. With REPORT, a report's command as it was typed: what it says as of then, from nothing
    but the log; with --shown, compared with the answer that was kept. Exit code 1 if anything differs.
    """
    if words:
        _replay_report([*words, "--json"] if as_json else words, until, shown)
    elif shown is not None:
        raise click.UsageError("Say of which report FILE is the answer.")
    else:
        _replay_tables(until, as_json=as_json)


def _replay_report(words: Sequence[str], until: str | None, shown: TextIO | None) -> None:
    kept = None if shown is None else _read(shown)

    def instead(function: Callable[..., None], request: Request, options: Mapping[str, Any]) -> None:
        if request.as_of is not None:
            raise click.UsageError("--until and --shown say as of when: leave out --as-of.")
        answers: list[dict[str, Any]] = []
        request = replace(request, at=_at(request, until, kept))
        if kept is None:
            function(request, **options)
            return

        def hear(source: Source, found: object) -> None:
            answers.append(answer(source.view, found))

        function(replace(request, hear=hear), **options)
        (now,) = json.loads(json.dumps(answers))
        _compare(report.name, kept, now, as_json=request.as_json)

    report = asked(words, instead)
    report.ask()


def _read(shown: TextIO) -> dict[str, Any]:
    try:
        kept = json.load(shown)
        datetime.fromisoformat(kept["as_of"]), int(kept["position"])
    except (ValueError, KeyError, TypeError):
        raise click.BadParameter("no answer that a report gave with --json", param_hint="--shown") from None
    return dict(kept)


def _at(request: Request, until: str | None, kept: Mapping[str, Any] | None) -> At:
    """The kept answer's own position and moment of asking, unless `until` names another position."""
    position, moment = _until(until, request.settings)
    if kept is not None:
        if moment is not None:
            raise click.BadParameter("with --shown give a position", param_hint="--until")
        return kept["position"] if position is None else position, datetime.fromisoformat(kept["as_of"])
    if request.axis == "occurred":
        if moment is None:
            raise click.BadParameter("with --axis occurred give a moment", param_hint="--until")
        return None, moment
    with opened(request.settings) as parts:
        return _position(parts, position, moment), None


def _until(until: str | None, settings: Settings) -> At:
    """The position or the moment; a bare number is a position."""
    if until is None:
        return None, None
    position = int(until) if until.isascii() and until.isdigit() else moments.position(until)
    return position, moments.last_instant(until, settings.timezone) if position is None else None


def _position(parts: "Engine", position: int | None, moment: datetime | None) -> int:
    """Raises Stopped for a position that the log has not reached."""
    head = parts.store.head()
    if moment is not None:
        return parts.store.position_at(moment)
    if position is not None and position > head:
        raise Stopped("unknown_position", f"The log ends at {head:,}.", position=position, head=head)
    return head if position is None else position


def _compare(report: str, kept: dict[str, Any], now: dict[str, Any], *, as_json: bool) -> None:
    found = list(unlike(kept, now))
    if as_json:
        told = {name: now[name] for name in ("as_of", "axis", "position")}
        told |= {"report": report, "equal": not found, "count": len(found)}
        _tell({**told, "items": [asdict(one) for one in found]})
    elif not found:
        click.echo(f"{report}: what was kept is what the log gives at position {now['position']:,}.")
    else:
        from adapters.cli.render import Column, draw, say

        say(f"{report}: {counted(len(found), 'difference')} from what the log gives at {now['position']:,}.")
        shown = [("kept", lambda one: json.dumps(one.kept)), ("by the log", lambda one: json.dumps(one.now))]
        columns = [Column(head, show) for head, show in shown]
        draw([Column("where", lambda one: one.path), *columns], found)
    if found:
        raise click.exceptions.Exit(REFUSED)


def _tell(told: Mapping[str, Any]) -> None:
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))


def _replay_tables(until: str | None, *, as_json: bool) -> None:
    from adapters.postgres.audit.replaying import replay as ask
    from adapters.postgres.projecting.as_of import FoldStopped
    from adapters.wiring import PROJECTIONS

    settings = read_settings()
    with refusing(as_json=as_json), opened(settings) as parts:
        upto = None if until is None else _position(parts, *_until(until, settings))
        with progress("folding the log") as bar:
            if upto is None:
                parts.projector.catch_up(progress=bar)
            try:
                found = ask(parts.database, PROJECTIONS, upto, bar)
            except FoldStopped as error:
                raise Stopped("projection_stopped", f"{error}.") from None
        view, statements = _statements(settings, parts, found.position)
        count = found.count + statements.count
        if as_json:
            told = {"as_of": found.moment, "position": found.position, "opened": found.opened}
            told |= {"tables": found.tables}
            told |= {"statements": statements, "count": count, "items": found.items}
            _tell(plain(told, settings.timezone))
        else:
            _draw(found)
            _draw_statements(statements, view)
    if count:
        raise click.exceptions.Exit(REFUSED)


def _statements(settings: Settings, parts: "Engine", position: int) -> "tuple[View, Verified]":
    """Every statement issued up to there, computed anew from the log up to its own cutoff."""
    from adapters.cli.payroll.ledger import ledger_of
    from adapters.reading.verifying import verified
    from projections.payroll.verifying import Verified

    book = ledger_of(Request(settings, False, None, "recorded", (), at=(position, None)), parts)
    return book.view, Verified((), 0, 0, ()) if position == 0 else verified(book, None)


def _draw(found: "Replayed") -> None:
    from adapters.cli.render import Column, count, draw, say, text

    compared = [one for one in found.tables if one.differing is not None]
    say(f"The log up to position {found.position:,}, folded anew.")
    draw(
        [
            Column("table", lambda one: one.table),
            Column("rows", lambda one: count(one.rows), number=True),
            Column("wrong", lambda one: count(one.differing), number=True),
            Column("digest", lambda one: one.digest[:16], whole=True),
        ],
        found.tables,
    )
    if found.items:
        draw(
            [
                Column("table", lambda one: one.table),
                Column("row", lambda one: " ".join(one.key.values())),
                Column("", lambda one: one.problem, whole=True),
                Column("column", lambda one: text(one.column)),
                Column("is", lambda one: text(one.found)),
                Column("should be", lambda one: text(one.expected)),
            ],
            found.items,
        )
        say(f"{counted(found.count, 'row')} of the live tables differ.")
    elif compared:
        say(f"{counted(len(compared), 'live table')} compared: every row is what the log gives.")
    if not found.opened:
        say("Personal texts are sealed to this login: they were not compared, and are [sealed] in digests.")
    if len(compared) < len(found.tables):
        say("Live tables that stand elsewhere were not compared.")


def _draw_statements(statements: "Verified", view: View) -> None:
    from adapters.cli.payroll.verify import draw_verified
    from adapters.cli.render import say

    if statements.periods:
        draw_verified(statements, view)
    else:
        say("No period was closed by then.")
