"""A bundle made from a log: its lines, and the hashes of its tree."""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.audit.bundle.bundle import ProvenEvent, StatementBundle
from adapters.audit.bundle.identity import decoded
from domain.audit.checkpoint import Checkpoint
from domain.audit.leaf import parse
from domain.audit.merkle import ReadNode, consistency_proof, inclusion_proof
from domain.payroll.events import StatementIssued
from projections.payroll.documents import statement_object


@dataclass(frozen=True, slots=True)
class Noted:
    """A checkpoint with the note that says so."""

    checkpoint: Checkpoint
    note: str

    @classmethod
    def of(cls, note: str) -> "Noted":
        """Of a note of our own, whose signature is not looked at. Raises MalformedCheckpoint."""
        return cls(Checkpoint.parse(note.rpartition("\n\n")[0] + "\n"), note)


@dataclass(frozen=True, slots=True)
class Log:
    """What is read of a log: an event's leaf data by its position, and the tree's nodes."""

    line: Callable[[int], bytes]
    node: ReadNode

    def shown(self, position: int, checkpoint: Checkpoint) -> ProvenEvent:
        hashes = inclusion_proof(position - 1, checkpoint.size, self.node)
        return ProvenEvent(line=self.line(position).decode(), hashes=tuple(hashes))


def make_bundle(log: Log, issued: int, closed: int, cutoff: Noted, later: Noted) -> StatementBundle:
    """As `assembled`. It holds, or Rejected is raised."""
    bundle = assembled(log, issued, closed, cutoff, later)
    bundle.must_hold(cutoff.checkpoint, later.checkpoint)
    return bundle


def assembled(log: Log, issued: int, closed: int, cutoff: Noted, later: Noted) -> StatementBundle:
    """The bundle of the statement issued at that position with the close at the other, sound or not.

    Raises UnreadableEvent if there is no statement, ValueError if a checkpoint doesn't cover what it is to
    prove.
    """
    statement = decoded(parse(log.line(issued)), StatementIssued)
    named = sorted({position for line in statement.lines for position in line.events})
    return StatementBundle(
        statement=statement_object(statement, cutoff.note),
        later=later.note,
        consistency=tuple(consistency_proof(cutoff.checkpoint.size, later.checkpoint.size, log.node)),
        closed=log.shown(closed, later.checkpoint),
        issued=log.shown(issued, later.checkpoint),
        events=tuple(log.shown(position, cutoff.checkpoint) for position in named),
    )
