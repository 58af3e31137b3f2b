"""Checkpoints and proofs that Golang's own code made (tests/go): ours are the same, to the byte."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.audit.checkpoint import Checkpoint, open_checkpoint
from domain.audit.encoding import from_base64, to_base64
from domain.audit.leaf import leaf_hash
from domain.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    root,
    verify_consistency,
    verify_inclusion,
)
from domain.audit.note import Signer, Verifier, open_note, sign_note
from domain.kernel import Rejected

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "audit.json").read_text())
SIGNERS = [Signer.parse(key["Skey"]) for key in VECTORS["Keys"]]
LEAVES = [leaf_hash(f"event {index}".encode()) for index in range(600)]


def node(level: int, number: int) -> bytes:
    """By the definition: the root over its leaves."""
    return root(LEAVES[number << level : number + 1 << level])


def roots(*sizes: int) -> list[bytes]:
    return [root(LEAVES[:size]) for size in sizes]


def test_the_vectors_are_there() -> None:
    counts = {name: len(value) for name, value in VECTORS.items()}
    assert counts == {
        "Keys": 3,
        "Signed": 12,
        "Refused": 18,
        "Trees": 39,
        "Inclusion": 177,
        "Consistency": 177,
    }


@pytest.mark.parametrize("key", VECTORS["Keys"], ids=lambda key: key["Name"])
def test_keys_are_written_the_same(key: dict[str, str]) -> None:
    signer = Signer(key["Name"], from_base64(key["Seed"]))
    assert signer == Signer.parse(key["Skey"])
    assert signer.verifier == Verifier.parse(key["Vkey"])
    assert (signer.skey, signer.verifier.vkey) == (key["Skey"], key["Vkey"])


@pytest.mark.parametrize("signed", VECTORS["Signed"], ids=lambda signed: signed["Text"])
def test_notes_are_signed_the_same(signed: dict[str, Any]) -> None:
    signers = [SIGNERS[at] for at in signed["Keys"]]
    note = sign_note(signed["Text"], signers)
    assert note.decode() == signed["Note"]
    opened = open_note(note, [signer.verifier for signer in SIGNERS])
    assert opened.text == signed["Text"]
    assert opened.signed_by == tuple(signer.verifier for signer in signers)


@pytest.mark.parametrize("signed", VECTORS["Signed"][:-1], ids=lambda signed: signed["Text"])
def test_checkpoints_are_read_as_they_are_written(signed: dict[str, Any]) -> None:
    signer = SIGNERS[signed["Keys"][0]]
    origin = signed["Text"].split("\n")[0]
    checkpoint = open_checkpoint(signed["Note"].encode(), [signer.verifier], origin)
    assert checkpoint.text == signed["Text"]
    assert Checkpoint(origin, checkpoint.size, roots(checkpoint.size)[0], checkpoint.extensions) == checkpoint


@pytest.mark.parametrize("refused", VECTORS["Refused"], ids=lambda refused: refused["Why"])
def test_notes_that_go_refuses_are_refused(refused: dict[str, str]) -> None:
    with pytest.raises(Rejected):
        open_note(from_base64(refused["Note"]), [SIGNERS[0].verifier])


def test_roots_are_the_same() -> None:
    frontier, found = Frontier(), [EMPTY_ROOT]
    for leaf in LEAVES:
        frontier.append(leaf)
        found.append(frontier.root())
    assert {tree["Size"]: tree["Root"] for tree in VECTORS["Trees"]} == {
        tree["Size"]: to_base64(found[tree["Size"]]) for tree in VECTORS["Trees"]
    }


def test_inclusion_proofs_are_the_same_and_hold() -> None:
    for told in VECTORS["Inclusion"]:
        proof = inclusion_proof(told["Index"], told["Size"], node)
        assert [to_base64(each) for each in proof] == told["Proof"]
        verify_inclusion(told["Index"], told["Size"], LEAVES[told["Index"]], proof, *roots(told["Size"]))


def test_consistency_proofs_are_the_same_and_hold() -> None:
    for told in VECTORS["Consistency"]:
        proof = consistency_proof(told["Old"], told["New"], node)
        assert [to_base64(each) for each in proof] == told["Proof"]
        verify_consistency(told["Old"], told["New"], *roots(told["Old"], told["New"]), proof)
