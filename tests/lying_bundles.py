"""How a bundle may lie: by whoever has no key, and by a company that signs a log with wrong statements."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

from bundled_company import Audited, audited, moved, with_totals
from lying_server import SAME_NAME, SIGNER, STRANGER, Server, flipped, spoiled

from adapters.audit.bundle.bundle import ProvenEvent, StatementBundle
from adapters.audit.bundle.making import Log, Noted
from domain.audit.checkpoint import Checkpoint
from domain.audit.leaf import Leaf, parse
from domain.audit.merkle import consistency_proof
from domain.payroll.events import Line, StatementIssued
from projections.payroll.documents import canonical, full

Told = Mapping[str, Any]
Lie = Callable[[random.Random], bytes]


@cache
def positions() -> Sequence[int]:
    """Of statements with lines that rest on several events."""
    return [position for position, issued in audited().statements() if issued.lines]


@cache
def honest(position: int, later: int | None = None) -> StatementBundle:
    return audited().bundle(position, later)


def some(chance: random.Random, *having: str) -> StatementBundle:
    """An honest one, which has a line of one of these kinds."""
    return honest(chance.choice([at for at in positions() if _has(at, having)]))


def _has(position: int, kinds: Sequence[str]) -> bool:
    issued = audited().facts[position - 1].event
    assert isinstance(issued, StatementIssued)
    return not kinds or any(line.kind in kinds for line in issued.lines)


def told(bundle: StatementBundle, **changes: Any) -> bytes:
    """As it is written, with some of its parts changed."""
    held = {part: tuple(new) if isinstance(new, list) else new for part, new in changes.items()}
    return canonical(bundle.model_copy(update=held).model_dump(mode="json"))


# By whoever has no key


def _flipped(chance: random.Random) -> bytes:
    return flipped(some(chance).canonical(), chance)


def _written_otherwise(chance: random.Random) -> bytes:
    bundle = some(chance)
    whole = bundle.model_dump(mode="json")
    return chance.choice(
        [
            json.dumps(whole).encode(),
            b" " + bundle.canonical(),
            bundle.canonical() + b"\n\n",
            bundle.canonical()[:-1] + b',"proof":"statement"}',
            canonical({**whole, "more": 1}),
            canonical({**whole, "events": {}}),
        ]
    )


def _swapped(chance: random.Random) -> bytes:
    """Two events change places, with their hashes, or leave them."""
    bundle = some(chance)
    events = list(bundle.events)
    one, other = chance.sample(range(len(events)), 2)
    events[one], events[other] = events[other], events[one]
    if chance.random() < 0.5:
        for at, left in ((one, events[other]), (other, events[one])):
            events[at] = events[at].model_copy(update={"hashes": left.hashes})
    return told(bundle, events=events)


def _hashes_mixed(chance: random.Random) -> bytes:
    bundle = some(chance)
    events = list(bundle.events)
    at = chance.randrange(len(events))
    events[at] = events[at].model_copy(update={"hashes": tuple(spoiled(events[at].hashes, chance))})
    return told(bundle, events=events)


def _growth_spoiled(chance: random.Random) -> bytes:
    bundle = some(chance)
    return told(bundle, consistency=spoiled(bundle.consistency, chance))


def _event_dropped(chance: random.Random) -> bytes:
    bundle = some(chance)
    events = list(bundle.events)
    del events[chance.randrange(len(events))]
    return told(bundle, events=events)


def _event_added(chance: random.Random) -> bytes:
    """One that was recorded before the cutoff, but that no line names."""
    bundle = some(chance)
    cutoff = _cutoff(bundle).checkpoint
    named = _named(bundle)
    extra = chance.choice([at for at in range(1, cutoff.size + 1) if at not in named])
    shown = [*bundle.events, audited().log.shown(extra, cutoff)]
    return told(bundle, events=sorted(shown, key=_position))


def _event_twice(chance: random.Random) -> bytes:
    bundle = some(chance)
    again = chance.choice(bundle.events)
    return told(bundle, events=sorted([*bundle.events, again], key=_position))


def _slipped_in(chance: random.Random) -> bytes:
    """One from after the cutoff, proven in the later checkpoint, more or instead."""
    bundle = some(chance)
    cutoff, later = _cutoff(bundle).checkpoint, Noted.of(bundle.later).checkpoint
    after = chance.randint(cutoff.size + 1, later.size)
    events = list(bundle.events)
    if chance.random() < 0.5:
        del events[chance.randrange(len(events))]
    return told(bundle, events=[*events, audited().log.shown(after, later)])


def _statement_of_another(chance: random.Random) -> bytes:
    """Another rep's or period's object, or its event, or the close of another period."""
    bundle, other = some(chance), some(chance)
    while other == bundle:
        other = some(chance)
    return told(bundle, statement={**other.statement, "checkpoint": bundle.statement["checkpoint"]})


def _issued_of_another(chance: random.Random) -> bytes:
    bundle, other = some(chance), some(chance)
    while other.issued == bundle.issued:
        other = some(chance)
    return told(bundle, issued=other.issued)


def _closed_by_another(chance: random.Random) -> bytes:
    """Any other event of the log, rightly proven, stands for the close, or for the statement."""
    bundle = some(chance)
    later = Noted.of(bundle.later).checkpoint
    part = chance.choice(["closed", "issued"])
    own = _position(getattr(bundle, part))
    other = chance.choice([at for at in range(1, later.size + 1) if at != own])
    return told(bundle, **{part: audited().log.shown(other, later)})


def _line_dropped(chance: random.Random) -> bytes:
    bundle = some(chance)
    lines = list(bundle.statement["lines"])
    del lines[chance.randrange(len(lines))]
    return told(bundle, statement=_summed(bundle, lines))


def _lines_swapped(chance: random.Random) -> bytes:
    bundle = some(chance)
    lines = list(bundle.statement["lines"])
    lines = [*lines[1:], lines[0]] if len(lines) > 1 else lines * 2
    return told(bundle, statement=_summed(bundle, lines))


def _amount_changed(chance: random.Random) -> bytes:
    """With the sum put right, or only the sum."""
    bundle = some(chance)
    lines = [dict(line) for line in bundle.statement["lines"]]
    line = chance.choice(lines)
    by = Decimal(chance.randint(1, 10**6)).scaleb(-2) * chance.choice([1, -1])
    statement = dict(bundle.statement)
    if chance.random() < 0.8:
        line["amount"] = str(Decimal(line["amount"]) + by)
        statement = _summed(bundle, lines)
    else:
        statement["total"] = str(Decimal(statement["total"]) + by)
    return told(bundle, statement=statement)


def _key_changed(chance: random.Random) -> bytes:
    """Any key of the statement, or of a line, says something else, or is not there."""
    bundle = some(chance)
    statement = json.loads(canonical(bundle.statement))
    part = chance.choice([statement, *statement["lines"]])
    key = chance.choice([key for key in part if key != "checkpoint"])
    if chance.random() < 0.3:
        del part[key]
    else:
        part[key] = chance.choice([one for one in (None, 0, "x", [], {}, "1.00", True) if one != part[key]])
    return told(bundle, statement=statement)


def _version_swapped(chance: random.Random) -> bytes:
    """A plan's other version, in the statement or among the events."""
    bundle = some(chance, "win", "override")
    lines = [dict(line) for line in bundle.statement["lines"]]
    line = chance.choice([line for line in lines if line["plan"]])
    line["plan_version"] += 1
    if chance.random() < 0.5:
        return told(bundle, statement=_summed(bundle, lines))
    named = [leaf for leaf in _leaves(bundle) if leaf.name == "payroll.PlanPublished"]
    leaf = chance.choice(named)
    data = json.loads(leaf.state)
    changed = leaf._replace(state=json.dumps({**data, "number": data["number"] + 1}).encode())
    events = [
        event.model_copy(update={"line": changed.line().decode()})
        if _position(event) == leaf.position
        else event
        for event in bundle.events
    ]
    return told(bundle, events=events)


def _cutoff_replayed(chance: random.Random) -> bytes:
    """An older checkpoint, rightly signed and consistent, stands for the cutoff's."""
    bundle = some(chance)
    later = Noted.of(bundle.later).checkpoint
    older = audited().noted(chance.randint(1, _cutoff(bundle).checkpoint.size - 1))
    events = [
        audited().log.shown(_position(event), older.checkpoint)
        for event in bundle.events
        if _position(event) <= older.checkpoint.size
    ]
    grew = consistency_proof(older.checkpoint.size, later.size, audited().log.node)
    statement = {**bundle.statement, "checkpoint": older.note}
    return told(bundle, statement=statement, events=events, consistency=grew)


def _later_replayed(chance: random.Random) -> bytes:
    """An older one stands for the later one, with its own proof if there is any."""
    bundle = some(chance)
    cutoff = _cutoff(bundle).checkpoint
    size = chance.randint(1, _position(bundle.issued) - 1)
    grew = (
        consistency_proof(cutoff.size, size, audited().log.node)
        if cutoff.size <= size
        else bundle.consistency
    )
    return told(bundle, later=audited().noted(size).note, consistency=grew)


def _other_key(chance: random.Random) -> bytes:
    bundle = some(chance)
    return _signed_anew(bundle, chance, lambda of: of.sign([chance.choice([SAME_NAME, STRANGER])]))


def _other_origin(chance: random.Random) -> bytes:
    """Both are of another log, or one."""
    bundle = some(chance)
    return _signed_anew(bundle, chance, lambda of: replace(of, origin=STRANGER.name).sign([SIGNER]))


def _size_changed(chance: random.Random) -> bytes:
    def lie(of: Checkpoint) -> bytes:
        signature = of.sign([SIGNER]).decode().rpartition("\n\n")[2]
        size = chance.choice([of.size + 1, of.size - 1, 1, 10 * of.size])
        return f"{replace(of, size=size).text}\n{signature}".encode()

    return _signed_anew(some(chance), chance, lie)


def _forked(chance: random.Random) -> bytes:
    """The later checkpoint, and what it holds, are of a log in which an earlier event was changed."""
    bundle = some(chance)
    lines = list(audited().server.lines)
    at = chance.randrange(_cutoff(bundle).checkpoint.size)
    lines[at] = flipped(lines[at], chance)
    fork = Server(lines)
    later = Noted.of(fork.checkpoint(len(lines)).decode())
    log = replace(audited().log, node=fork.node)
    grew = consistency_proof(_cutoff(bundle).checkpoint.size, len(lines), fork.node)
    shown = {
        part: log.shown(_position(getattr(bundle, part)), later.checkpoint) for part in ("issued", "closed")
    }
    return told(bundle, later=later.note, consistency=chance.choice([grew, bundle.consistency]), **shown)


CHANGED_NOTE = {"malformed_note", "bad_signature", "unknown_signer"}
PROOF = {"invalid_proof"}
DIFFERS = {"statement_differs"}

# Each kind of lie with the codes of the refusals that meet it; none where any may.
WITHOUT_A_KEY: Mapping[str, tuple[Lie, set[str] | None]] = {
    "a changed bit anywhere": (_flipped, None),
    "the same written otherwise": (_written_otherwise, {"malformed_proof"}),
    "two events swapped": (_swapped, {"malformed_proof", "invalid_proof"}),
    "changed, extra, missing or moved hashes": (_hashes_mixed, PROOF),
    "a spoiled proof of consistency": (_growth_spoiled, PROOF),
    "an event dropped": (_event_dropped, {"event_missing"}),
    "an event that no line names": (_event_added, {"event_superfluous"}),
    "an event twice": (_event_twice, {"malformed_proof"}),
    "an event from after the cutoff": (_slipped_in, {"recorded_after_cutoff"}),
    "another's statement": (_statement_of_another, DIFFERS),
    "another's event of a statement": (_issued_of_another, DIFFERS | {"wrong_cutoff"}),
    "another event for the close or the statement": (
        _closed_by_another,
        DIFFERS | {"wrong_event", "wrong_cutoff"},
    ),
    "a line dropped": (_line_dropped, DIFFERS),
    "lines in another order": (_lines_swapped, DIFFERS),
    "an amount changed, the sum put right": (_amount_changed, DIFFERS),
    "any key changed or gone": (_key_changed, DIFFERS),
    "another version of the plan": (_version_swapped, DIFFERS | PROOF),
    "an older checkpoint for the cutoff": (_cutoff_replayed, {"wrong_cutoff"}),
    "an older checkpoint for the later one": (_later_replayed, {"older_checkpoint", "invalid_proof"}),
    "another key": (_other_key, {"unknown_signer"}),
    "the checkpoint of another log": (_other_origin, {"wrong_origin"}),
    "another size": (_size_changed, {"bad_signature"}),
    "a forked log": (_forked, PROOF),
}


# By a company that signs what it likes


class Sly(Log):
    """Proves what was recorded after a checkpoint by that of the whole log."""

    def shown(self, position: int, checkpoint: Checkpoint) -> ProvenEvent:
        held = checkpoint if position <= checkpoint.size else audited().noted(len(audited().facts)).checkpoint
        return Log.shown(self, position, held)


def signed(position: int, changed: StatementIssued, **closed: Any) -> bytes:
    """The bundle as if this statement had been issued, with totals that fit; unless the close is told."""
    facts = list(audited().facts)
    facts[position - 1] = moved(facts[position - 1], event=changed)
    facts = with_totals(facts)
    if closed:
        at = audited().close_of(changed.period) - 1
        facts[at] = moved(facts[at], event=facts[at].event.model_copy(update=closed))
    forged = Audited(facts)
    return forged.bundle(position, log=Sly(forged.log.line, forged.log.node)).canonical()


def _line_of(
    chance: random.Random, wanted: Callable[[Line], bool] = bool
) -> tuple[int, StatementIssued, Line]:
    """A statement and one of its lines."""
    found = [
        (position, issued, line)
        for position, issued in audited().statements()
        for line in issued.lines
        if wanted(line)
    ]
    return chance.choice(found)


def _with_line(issued: StatementIssued, at: Line, **changes: Any) -> StatementIssued:
    """With the line changed and the total put right."""
    lines = [one.model_copy(update=changes) if one == at else one for one in issued.lines]
    return issued.model_copy(update={"lines": tuple(lines), "total": sum(one.amount for one in lines)})


def _overpaid(chance: random.Random) -> bytes:
    """By a cent or more; an adjustment, which rounding may move by one, by more."""
    kinds = ("win", "payment", "override", "cap", "draw", "dispute")
    earned = kinds[:3]
    position, issued, line = _line_of(
        chance, lambda line: line.of in (kinds if line.kind != "adjustment" else (*earned, "dispute"))
    )
    by = Decimal(chance.randint(3, 10**5)).scaleb(-2) * chance.choice([1, -1])
    if line.kind != "adjustment" and chance.random() < 0.5:
        by = Decimal("0.01")
    return signed(position, _with_line(issued, line, amount=line.amount + by))


def _rate_raised(chance: random.Random) -> bytes:
    """With an amount that follows from it."""
    position, issued, line = _line_of(chance, lambda line: line.rate is not None)
    rate = Decimal(chance.choice(["1", "4.5", "20", "7.36"]))
    amount = (line.basis * rate / 100).quantize(Decimal("0.01"))
    return signed(position, _with_line(issued, line, rate=rate, amount=amount))


def _total_alone(chance: random.Random) -> bytes:
    position, issued, _ = _line_of(chance)
    by = Decimal(chance.choice(["0.01", "-0.01", "100.00"]))
    return signed(position, issued.model_copy(update={"total": issued.total + by}))


def _line_gone(chance: random.Random) -> bytes:
    """The total stays."""
    position, issued, line = _line_of(chance, lambda line: bool(line.amount))
    left = tuple(one for one in issued.lines if one != line)
    return signed(position, issued.model_copy(update={"lines": left}))


def _other_plan(chance: random.Random) -> bytes:
    position, issued, line = _line_of(chance, lambda line: line.plan is not None)
    other = chance.choice(["head", "roles", "nothing"])
    changes = chance.choice([{"plan": other if line.plan != other else "tiers"}, {"plan_version": 3}])
    return signed(position, _with_line(issued, line, **changes))


def _other_kind(chance: random.Random) -> bytes:
    """A win is paid as a payment, or the other way round."""
    position, issued, line = _line_of(chance, lambda line: line.kind in ("win", "payment"))
    kind = "payment" if line.kind == "win" else "win"
    return signed(position, _with_line(issued, line, kind=kind, of=kind))


def _twisted(chance: random.Random) -> bytes:
    """A line that can't be, or that isn't about what its events are about."""
    position, issued, line = _line_of(chance, lambda line: line.kind in ("win", "payment", "override"))
    head = line.of == "override"
    changes = [
        {"line": line.line + 1},
        {"for_period": "2025-12"},
        {"for_period": "2027-01", "kind": "adjustment"},
        {"kind": "adjustment"},
        {"credited": "eve"} if not head else {"deal": "Z9"},
        {"deal": "Z9"},
        {"earning": "4711"},
        {"events": line.events[::-1]},
        {"events": (*line.events, line.events[-1])},
        {"events": ()},
    ]
    return signed(position, _with_line(issued, line, **chance.choice(changes)))


def _event_forgotten(chance: random.Random) -> bytes:
    """The line doesn't name its plan, its assignment, or the win that it is paid for."""
    position, issued, line = _line_of(chance, lambda line: line.of == "win")
    kind = chance.choice(["payroll.PlanPublished", "payroll.PlanAssigned", "deals.DealWon"])
    left = [at for at in line.events if audited().facts[at - 1].event.stored_name != kind]
    return signed(position, _with_line(issued, line, events=tuple(left)))


def _late_event(chance: random.Random) -> bytes:
    """A line rests on what was recorded after the cutoff."""
    position, issued, line = _line_of(chance)
    late = chance.randint(issued.cutoff_position + 1, len(audited().facts))
    return signed(position, _with_line(issued, line, events=(*line.events, late)))


def _late_cutoff(chance: random.Random) -> bytes:
    """The statement has another cutoff than its close, with a checkpoint of just that."""
    position, issued, _ = _line_of(chance)
    last = max((at for line in issued.lines for at in line.events), default=1)
    sizes = [size for size in range(last, position) if size != issued.cutoff_position]
    return signed(position, issued.model_copy(update={"cutoff_position": chance.choice(sizes)}))


def _other_close(chance: random.Random) -> bytes:
    position, issued, _ = _line_of(chance)
    closed = [{"cutoff_position": issued.cutoff_position - 1}, {"statements": 0}, {"totals": {}}]
    return signed(position, issued, **chance.choice(closed))


def _issued_again(chance: random.Random) -> bytes:
    """A second statement of the same rep for the same period, all else as it should be."""
    position, issued, _ = _line_of(chance)
    close = audited().facts[audited().close_of(issued.period) - 1]
    last = moved(audited().facts[position - 1], position=len(audited().facts) + 1, action=close.action)
    return Audited([*audited().facts, last]).bundle(last.position).canonical()


def _other_currency(chance: random.Random) -> bytes:
    position, issued, _ = _line_of(chance, lambda line: line.plan is not None)
    return signed(position, issued.model_copy(update={"currency": "EUR"}))


SIGNED: Mapping[str, tuple[Lie, set[str] | None]] = {
    "too much or too little paid": (_overpaid, {"wrong_amount"}),
    "a percent that the plan doesn't have": (_rate_raised, {"wrong_plan"}),
    "another total": (_total_alone, {"wrong_total"}),
    "a line gone": (_line_gone, {"wrong_total"}),
    "another plan, or version of it": (_other_plan, {"line_unfounded"}),
    "a win paid as a payment": (_other_kind, {"wrong_plan"}),
    "a line that can't be": (_twisted, {"line_unfounded"}),
    "a line without what it rests on": (_event_forgotten, {"line_unfounded"}),
    "a line that rests on what came later": (_late_event, {"recorded_after_cutoff"}),
    "another cutoff than the close's": (_late_cutoff, {"close_differs"}),
    "a close that doesn't count the statement": (_other_close, {"close_differs"}),
    "a second statement": (_issued_again, {"wrong_event"}),
    "another currency": (_other_currency, {"wrong_plan"}),
}


def _summed(bundle: StatementBundle, lines: Sequence[Told]) -> dict[str, Any]:
    """The statement with these lines and their sum."""
    total = sum((Decimal(line["amount"]) for line in lines), Decimal(0))
    return {**bundle.statement, "lines": list(lines), "total": full(total, bundle.statement["currency"])}


def _cutoff(bundle: StatementBundle) -> Noted:
    return Noted.of(bundle.cutoff_note)


def _position(event: ProvenEvent) -> int:
    return parse(event.line.encode()).position


def _leaves(bundle: StatementBundle) -> list[Leaf]:
    return [parse(event.line.encode()) for event in bundle.events]


def _named(bundle: StatementBundle) -> set[int]:
    return {leaf.position for leaf in _leaves(bundle)}


def _signed_anew(
    bundle: StatementBundle, chance: random.Random, sign: Callable[[Checkpoint], bytes]
) -> bytes:
    """One checkpoint of both, or both."""
    which = chance.choice([{"later"}, {"cutoff"}, {"later", "cutoff"}])
    changes: dict[str, Any] = {}
    if "later" in which:
        changes["later"] = sign(Noted.of(bundle.later).checkpoint).decode()
    if "cutoff" in which:
        note = sign(_cutoff(bundle).checkpoint).decode()
        changes["statement"] = {**bundle.statement, "checkpoint": note}
    return told(bundle, **changes)
