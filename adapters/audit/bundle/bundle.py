"""The bundle of a statement, and what is checked of it."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Literal

from adapters.audit.bundle.identity import IssuedStatement, must_be_closed_with, must_be_said, read_issued
from adapters.audit.bundle.reckoning import must_add_up
from adapters.audit.bundle.refusals import (
    EventMissing,
    EventSuperfluous,
    RecordedAfterCutoff,
    UnreadableEvent,
    WrongCutoff,
)
from adapters.audit.proofs import Hash, MalformedProof, OtherCheckpoint, ProofObject, same
from domain.audit.checkpoint import Checkpoint, open_checkpoint
from domain.audit.leaf import Leaf, MalformedLine, parse
from domain.audit.merkle import InvalidProof
from domain.audit.note import Verifier
from domain.payroll.events import Line
from projections.payroll.documents import canonical


class ProvenEvent(ProofObject):
    """An event's leaf data, and the hashes that lead from it to a root."""

    line: str
    hashes: tuple[Hash, ...]

    def leaf(self, place: str) -> Leaf:
        """The event as it is told. Raises MalformedLine, with its place in the bundle."""
        try:
            return parse(self.line.encode())
        except MalformedLine as bad:
            raise MalformedLine(problem=f"{place}: {bad.details['problem']}") from bad

    def must_be_in(self, checkpoint: Checkpoint, leaf: Leaf) -> None:
        """That its log holds the event, which is `leaf`. Raises InvalidProof."""
        try:
            checkpoint.must_hold(self.line.encode(), self.hashes)
        except InvalidProof as bad:
            problem = f"for event {leaf.position}, {bad.details['problem']}"
            raise InvalidProof(problem=problem) from bad


class StatementBundle(ProofObject):
    """A closed statement, and every event that it rests on, proven to be recorded before its cutoff.

    `statement` is the canonical object. Its `checkpoint` is of just the events up to the cutoff, and holds
    `events`: all that the lines name, each once, in the order of the log. `later` is a checkpoint of a log
    that begins with those (`consistency`), and holds the statement's own event and its period's close.
    """

    proof: Literal["statement"] = "statement"
    statement: dict[str, Any]
    later: str
    consistency: tuple[Hash, ...]
    issued: ProvenEvent
    closed: ProvenEvent
    events: tuple[ProvenEvent, ...]

    def canonical(self) -> bytes:
        """The bytes that stand for it, by RFC 8785."""
        return canonical(self.model_dump(mode="json"))

    @property
    def cutoff_note(self) -> str:
        """The signed checkpoint of the cutoff. Raises MalformedProof."""
        note = self.statement.get("checkpoint")
        if not isinstance(note, str):
            raise MalformedProof(problem="its statement names no checkpoint")
        return note

    def check(
        self, trusted: Sequence[Verifier], kept: Checkpoint | None = None
    ) -> tuple[IssuedStatement, Checkpoint]:
        """The statement, and the later checkpoint. With `kept`, one of both must be that. Raises Rejected."""
        cutoff = open_checkpoint(self.cutoff_note.encode(), trusted)
        later = open_checkpoint(self.later.encode(), trusted)
        if kept is not None and not (same(cutoff, kept) or same(later, kept)):
            raise OtherCheckpoint(size=later.size, kept=kept.size)
        return self.must_hold(cutoff, later), later

    def must_hold(self, cutoff: Checkpoint, later: Checkpoint) -> IssuedStatement:
        """Everything but the signatures on these checkpoints, which are the bundle's. Raises Rejected."""
        later.must_extend(cutoff, self.consistency)
        leaf = self.issued.leaf("issued")
        self.issued.must_be_in(later, leaf)
        issued = read_issued(leaf)
        if issued.event.cutoff_position != cutoff.size:
            raise WrongCutoff(statement=issued.id, cutoff=issued.event.cutoff_position, size=cutoff.size)
        closed = self.closed.leaf("closed")
        self.closed.must_be_in(later, closed)
        events = {leaf.position: leaf for leaf in self._before(cutoff)}
        try:
            must_be_said(self.statement, issued, self.cutoff_note)
            must_be_closed_with(issued, closed)
            _must_be_what_lines_name(issued.event.lines, events.keys())
            must_add_up(issued.event, events)
        except ArithmeticError as bad:  # Whoever signs may write what no money can be.
            raise UnreadableEvent(position=leaf.position, name=leaf.name, problem=repr(bad)) from bad
        return issued

    def _before(self, cutoff: Checkpoint) -> Iterator[Leaf]:
        """What the lines rest on, in order, each in the log of the cutoff."""
        last = 0
        for at, event in enumerate(self.events):
            leaf = event.leaf(f"events.{at}")
            if leaf.position <= last:
                raise MalformedProof(problem="its events are not in the order of the log, each once")
            if leaf.position > cutoff.size:
                raise RecordedAfterCutoff(position=leaf.position, cutoff=cutoff.size)
            event.must_be_in(cutoff, leaf)
            last = leaf.position
            yield leaf


def _must_be_what_lines_name(lines: Sequence[Line], shown: AbstractSet[int]) -> None:
    named = set[int]()
    for line in lines:
        missing = sorted(set(line.events) - shown)
        if missing:
            raise EventMissing(line=line.line, position=missing[0])
        named.update(line.events)
    for position in sorted(shown - named):
        raise EventSuperfluous(position=position)
