"""Who may do what: a table of role and operation, data only. docs/access.md shows it."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

Role = Literal["service", "rep", "head", "payroll", "auditor", "admin"]
ROLES: tuple[Role, ...] = ("service", "rep", "head", "payroll", "auditor", "admin")


class Scope(Enum):
    """Whose data a role gets from an operation.

    OWN is the rep's own, and a head's also that of everyone below them as the team is now. SEALED is
    everybody's without the texts that say who somebody is.
    """

    NONE = "no"
    OWN = "own"
    SEALED = "all, sealed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Operation:
    """What may be asked for, and by whom.

    A list, or a figure over many deals, is cut down to the scope. What names a rep, a lead or a deal outside
    of it is refused, whether there is such a one or not.
    """

    about: str
    scopes: dict[Role, Scope]


def _row(about: str, scopes: str) -> Operation:
    """`scopes` has a letter for each role: `-` none, `o` own, `s` sealed, `a` all."""
    meant = {"-": Scope.NONE, "o": Scope.OWN, "s": Scope.SEALED, "a": Scope.ALL}
    letters = scopes.split()
    return Operation(about, {role: meant[one] for role, one in zip(ROLES, letters, strict=True)})


# fmt: off
OPERATIONS: dict[str, Operation] = {
    # Letters for:                                                                  ser rep hea pay aud adm
    "act":              _row("record an action, as an actor of the table below",   "a a a a - a"),
    "funnel":           _row("the funnel of the deals in the scope",               "a o o - a a"),
    "cycle_time":       _row("how long the deals in the scope take",               "a o o - a a"),
    "neglected":        _row("what has no next step",                              "a o o - s a"),
    "overdue":          _row("steps past their due time",                          "a o o - s a"),
    "encroachments":    _row("contacts with others' leads, on either side",        "a o o - a a"),
    "refusals":         _row("refused attempts on leads, on either side",          "a o o - a a"),
    "pool":             _row("open leads that nobody owns",                        "a a a - s a"),
    "queue":            _row("what the rep should do next",                        "a o o - s a"),
    "scorecard":        _row("the rep's figures beside the team's",                "a o o - s a"),
    "owner":            _row("who owned the lead when",                            "a o o a a a"),
    "lead":             _row("the lead, and the events behind it",                 "a o o - s a"),
    "deal":             _row("the deal, and the events behind it",                 "a o o s s a"),
    "statements":       _row("what everybody is paid for a period",                "- o o a a a"),
    "statement":        _row("what the rep is paid for a period, in any format",   "- o o a a a"),
    "explain":          _row("from a line of a statement to the events behind it", "- o o s s a"),
    "exceptions":       _row("earnings that wait for something",                   "- o o a a a"),
    "disputes":         _row("disputed lines and their answers",                   "- o o a a a"),
    "assignments":      _row("who earns by which plan",                            "- o o a a a"),
    "periods":          _row("which periods are closed",                           "a a a a a a"),
    "plans":            _row("commission plans, with everybody's quotas",          "- - - a a a"),
    "ghosts":           _row("payments without a deal",                            "- - - a a a"),
    "simulate":         _row("what a draft plan would have paid",                  "- - - a a a"),
    "events":           _row("the log, as pages or as a stream",                   "a - - s s a"),
    "checkpoints":      _row("signed checkpoints of the log",                      "a a a a a a"),
    "consistency":      _row("proofs that the log only grew: hashes alone",        "a a a a a a"),
    "proof":            _row("an event as stored, proven to be in the log",        "a - - s s a"),
    "bundle":           _row("a statement with every event that it rests on",      "- - - s s a"),
}
# fmt: on

ACTORS: dict[Role, str] = {
    "service": "any rep, or service:NAME",
    "rep": "only the key's rep",
    "head": "only the key's rep",
    "payroll": "payroll:NAME",
    "auditor": "nobody",
    "admin": "anybody",
}
"""Whom a caller may name as the actor of an action; what that actor may do is decided by the domain."""
