"""A statement's bundle: what it holds, what it may rest on, and the words in which a check refuses it."""

import json
from decimal import Decimal
from typing import Any, get_args

import pytest
from bundled_company import Audited, audited, moved
from lying_bundles import signed, told
from lying_server import SAME_NAME, TRUSTED

from adapters.audit.bundle.bundle import StatementBundle
from adapters.audit.bundle.identity import decoded
from adapters.audit.bundle.refusals import CloseDiffers, LineUnfounded, StatementDiffers, UnreadableEvent
from adapters.audit.proofs import OtherCheckpoint
from adapters.audit.reading import read_proof
from domain.audit.checkpoint import Checkpoint
from domain.audit.leaf import parse
from domain.audit.merkle import consistency_proof
from domain.kernel import Rejected
from domain.payroll.events import EntryKind, Line, LineKind, StatementIssued
from projections.payroll.documents import canonical, statement_object


def position_of(statement: str) -> int:
    return next(at for at, one in audited().statements() if f"{one.period}/{one.rep}" == statement)


def issued_at(position: int) -> StatementIssued:
    event = audited().facts[position - 1].event
    assert isinstance(event, StatementIssued)
    return event


def refused(told: bytes) -> Rejected:
    with pytest.raises(Rejected) as caught:
        read_proof(told).check(TRUSTED)
    return caught.value


def checkpoint(size: int) -> Checkpoint:
    return audited().noted(size).checkpoint


def test_lines_of_every_kind_are_proven() -> None:
    kinds: set[str] = set()
    for position, issued in audited().statements():
        bundle = read_proof(audited().bundle(position).canonical())
        assert isinstance(bundle, StatementBundle)
        found, later = bundle.check(TRUSTED)
        assert (found.event, found.leaf.position, later.size) == (issued, position, len(audited().facts))
        kinds |= {line.kind for line in issued.lines} | {f"adjusted {line.of}" for line in issued.lines}
    assert kinds >= set(get_args(LineKind)) - {"dispute"}
    assert kinds >= {f"adjusted {kind}" for kind in get_args(EntryKind)}


def test_a_bundle_holds_each_event_once_and_nothing_else() -> None:
    position = position_of("2026-01/head")
    bundle = json.loads(audited().bundle(position).canonical())
    assert sorted(bundle) == ["closed", "consistency", "events", "issued", "later", "proof", "statement"]
    named = [at for line in issued_at(position).lines for at in line.events]
    held = [json.loads(event["line"])["position"] for event in bundle["events"]]
    assert held == sorted(set(named))
    assert len(named) > len(held)
    note = bundle["statement"]["checkpoint"]
    assert bundle["statement"] == statement_object(issued_at(position), note)
    assert note.split("\n")[1] == str(issued_at(position).cutoff_position)
    assert bundle["events"][0]["line"].encode() == audited().server.lines[held[0] - 1]


def test_the_checkpoint_that_an_auditor_kept_must_be_one_of_its_two() -> None:
    position = position_of("2026-02/ann")
    bundle, cutoff = audited().bundle(position, position + 3), issued_at(position).cutoff_position
    for size in (cutoff, position + 3):
        bundle.check(TRUSTED, checkpoint(size))
    for size in (cutoff - 1, position, position + 4):
        with pytest.raises(OtherCheckpoint):
            bundle.check(TRUSTED, checkpoint(size))
    other = Checkpoint(SAME_NAME.name, cutoff, checkpoint(cutoff - 1).root)
    with pytest.raises(OtherCheckpoint):
        bundle.check(TRUSTED, other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"total": "1.00"}, 'The statement says "1.00" for total, but as issued at 37 it says "113.33".'),
        ({"lines": []}, "The statement says 0 items for lines, but as issued at 37 it says 2 items."),
        ({"more": 1}, "The statement says 1 for more, but as issued at 37 it says nothing."),
        ({"rep": None}, 'The statement says null for rep, but as issued at 37 it says "ann".'),
    ],
)
def test_what_differs_is_named(changes: dict[str, Any], message: str) -> None:
    bundle = audited().bundle(position_of("2026-01/ann"))
    found = refused(told(bundle, statement={**bundle.statement, **changes}))
    assert isinstance(found, StatementDiffers)
    assert found.message.startswith(message)


def test_a_line_that_differs_is_named_by_its_number() -> None:
    bundle = audited().bundle(position_of("2026-01/ann"))
    statement = json.loads(canonical(bundle.statement))
    statement["lines"][1]["events"][0] = 1
    found = refused(told(bundle, statement=statement))
    assert (found.details["place"], found.details["said"]) == ("lines.2.events.1", "1")


def first_line(position: int, of: str) -> Line:
    return next(line for line in issued_at(position).lines if line.of == of)


def forged_line(position: int, at: Line, **changes: Any) -> bytes:
    lines = tuple(one.model_copy(update=changes) if one == at else one for one in issued_at(position).lines)
    return signed(position, issued_at(position).model_copy(update={"lines": lines}))


def test_a_payment_is_paid_for_a_deal_that_was_won() -> None:
    position = position_of("2026-01/cid")
    line = first_line(position, "payment")
    left = [at for at in line.events if audited().facts[at - 1].event.stored_name != "deals.DealWon"]
    found = refused(forged_line(position, line, events=tuple(left)))
    assert found.message == "Line 1 is not founded on its events: none of its events is a win of C1."


def test_a_flat_line_rests_on_no_other_deal() -> None:
    position = position_of("2026-01/bob")
    line = first_line(position, "win")
    other = next(fact.position for fact in audited().facts if fact.stream == "deal-A1")
    found = refused(forged_line(position, line, events=tuple(sorted((*line.events, other)))))
    assert isinstance(found, LineUnfounded)
    assert found.message.endswith(f"event {other} is of deal-A1.")


def test_a_dispute_of_somebody_else_pays_nothing() -> None:
    position = position_of("2026-02/bob")
    line = first_line(position, "dispute")
    found = refused(forged_line(position, line, earning="2026-01/ann/1"))
    assert found.message.endswith("2026-01/ann/1 is no line of bob.")


def test_a_statement_is_issued_by_the_action_that_closed() -> None:
    position = position_of("2026-01/ann")
    facts = list(audited().facts)
    facts[position - 1] = moved(facts[position - 1], action="another")
    found = refused(Audited(facts).bundle(position).canonical())
    assert isinstance(found, CloseDiffers)
    assert found.details["place"] == "action"


@pytest.mark.parametrize("number", ["1E+999999", "-1E+999999", "1E+40"])
@pytest.mark.parametrize(("key", "code"), [("amount", "unreadable_event"), ("rate", "statement_differs")])
def test_numbers_that_no_money_can_be_are_refused(key: str, code: str, number: str) -> None:
    position = position_of("2026-01/bob")
    sound, issued = audited().bundle(position), issued_at(position)
    line = issued.lines[0].model_copy(update={key: Decimal(number)})
    facts = list(audited().facts)
    event = issued.model_copy(update={"lines": (line, *issued.lines[1:])})
    facts[position - 1] = moved(facts[position - 1], event=event)
    forged = Audited(facts)
    later = forged.noted(len(facts))
    grew = consistency_proof(issued.cutoff_position, len(facts), forged.log.node)
    shown = forged.log.shown(position, later.checkpoint)
    closed = forged.log.shown(forged.close_of(issued.period), later.checkpoint)
    found = refused(told(sound, issued=shown, closed=closed, later=later.note, consistency=grew))
    assert found.code == code


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"event_version": 9}, "version 9 is newer"),
        ({"state": b"{}"}, "Field required"),
        ({"state": b'{"period":' + b"[" * 100_000 + b"]" * 100_000 + b"}"}, "recursion"),
    ],
)
def test_an_event_that_cannot_be_read_is_named(changes: dict[str, Any], problem: str) -> None:
    leaf = parse(audited().server.lines[position_of("2026-01/ann") - 1])._replace(**changes)
    with pytest.raises(UnreadableEvent, match=problem) as caught:
        decoded(leaf, StatementIssued)
    assert caught.value.details["position"] == leaf.position
