"""Whatever a server makes up, the verifier refuses; and it believes an honest one."""

import random
from collections.abc import Callable
from itertools import product

import pytest
from lying_server import ABOUT_EVENTS, ABOUT_GROWTH, EVENTS_MAX, Grown, Shown, honest

from domain.audit.merkle import (
    InvalidProof,
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from domain.kernel import Rejected

TRIES = 500


def test_an_honest_server_is_believed_about_every_event_of_every_size() -> None:
    for size in range(1, EVENTS_MAX + 1):
        for position in {1, 2, size // 2 + 1, size - 1, size} & set(range(1, size + 1)):
            honest().shows(position, size).check()


def test_an_honest_server_is_believed_about_its_growth_between_any_sizes() -> None:
    notes = [honest().checkpoint(size) for size in range(EVENTS_MAX + 1)]
    for old, new in [(0, 0), (0, 1), (1, 1), (0, EVENTS_MAX), (EVENTS_MAX, EVENTS_MAX)]:
        honest().grew(notes[old], old, new).check()
    for new in range(1, EVENTS_MAX + 1):
        for old in range(1, new + 1):
            proof = consistency_proof(old, new, honest().node)
            verify_consistency(old, new, honest().roots[old], honest().roots[new], proof)


@pytest.mark.parametrize("lie", ABOUT_EVENTS)
def test_a_lie_about_an_event_is_refused(lie: str) -> None:
    assert _refusals(lie, *ABOUT_EVENTS[lie])


@pytest.mark.parametrize("lie", ABOUT_GROWTH)
def test_a_lie_about_the_past_is_refused(lie: str) -> None:
    assert _refusals(lie, *ABOUT_GROWTH[lie])


def _refusals(lie: str, tell: Callable[[random.Random], Shown | Grown], codes: set[str]) -> bool:
    """Whether each was refused, and for all the reasons there are: a lie may not fail for being ill made."""
    chance = random.Random(lie)
    met = set()
    for _ in range(TRIES):
        told = tell(chance)
        with pytest.raises(Rejected) as refused:
            told.check()
        met.add(refused.value.code)
    return met == codes


SMALL = 9


def test_of_all_proofs_for_small_trees_only_the_right_one_passes() -> None:
    """Also the right one's beginnings and what goes on behind it; a size below, and an index beyond."""
    server = honest()
    places = [(index, size) for size in range(SMALL) for index in range(size)]
    proofs = [inclusion_proof(index, size, server.node) for index, size in places]
    proofs += [[*proof, server.roots[1]] for proof in proofs] + [proof[:-1] for proof in proofs if proof]
    for (index, size), proof in product([*places, (0, 0), (-1, 3), (3, 3), (1, 0), (2, -1)], proofs):
        right = (index, size) in places and proof == inclusion_proof(index, size, server.node)
        leaf = server.nodes[0, max(index, 0)]
        assert right == _passes(verify_inclusion, index, size, leaf, proof, server.roots[max(size, 0)])


def test_of_all_consistency_proofs_for_small_trees_only_the_right_one_passes() -> None:
    server = honest()
    sizes = [(old, new) for new in range(SMALL) for old in range(new + 1)]
    proofs = [consistency_proof(old, new, server.node) for old, new in sizes]
    proofs += [[*proof, server.roots[1]] for proof in proofs] + [proof[:-1] for proof in proofs if proof]
    for (old, new), proof in product([*sizes, (3, 2), (1, 0), (-1, 2), (-1, -1)], proofs):
        right = (old, new) in sizes and proof == consistency_proof(old, new, server.node)
        roots = server.roots[max(old, 0)], server.roots[max(new, 0)]
        assert right == _passes(verify_consistency, old, new, *roots, proof)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 1), (1, 1), (2, 2), (0, 8), (8, 8), (1, 2), (3, 8)])
def test_no_proof_saves_a_wrong_root(old: int, new: int) -> None:
    """Neither the earlier nor the later one; from an empty log only the earlier one is bound."""
    server, forged = honest(), b"\x07" * 32
    proof = consistency_proof(old, new, server.node)
    before, after = server.roots[old], server.roots[new]
    for path in ([], proof, [forged], [before], [after], [before, after], [forged, *proof]):
        assert not _passes(verify_consistency, old, new, forged, after, path)
        if old > 0 or new == 0:
            assert not _passes(verify_consistency, old, new, before, forged, path)


def _passes(verify: object, *claim: object) -> bool:
    assert callable(verify)
    try:
        verify(*claim)
    except InvalidProof:
        return False
    return True
