"""The tree against its definition in RFC 9162, and what its parts are asked at the edges."""

import hashlib

import pytest

from domain.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    InvalidProof,
    consistency_proof,
    inclusion_proof,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [hashlib.sha256(b"%d" % index).digest() for index in range(40)]
NEVER = "must not be asked for a node"


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word, from leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = max(2**power for power in range(10) if 2**power < len(leaves))
    return hashlib.sha256(b"\x01" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


def node(level: int, number: int) -> bytes:
    return by_definition(LEAVES[number << level : number + 1 << level])


def no_node(level: int, number: int) -> bytes:
    raise AssertionError(NEVER)


def test_the_root_is_that_of_the_definition_at_every_size() -> None:
    frontier = Frontier()
    for size, leaf in enumerate(LEAVES):
        assert frontier.root() == root(LEAVES[:size]) == by_definition(LEAVES[:size])
        frontier.append(leaf)
        assert frontier.size == size + 1


def test_every_complete_subtree_is_told_once_when_its_last_leaf_comes() -> None:
    frontier = Frontier()
    told = [(size, found) for size, leaf in enumerate(LEAVES) for found in frontier.append(leaf)]
    assert all(found.hash == node(found.level, found.number) for _, found in told)
    assert all((found.number + 1 << found.level) == size + 1 for size, found in told)
    assert sorted((found.level, found.number) for _, found in told) == [
        (level, number) for level in range(1, 6) for number in range(len(LEAVES) >> level)
    ]


@pytest.mark.parametrize("size", range(len(LEAVES)))
def test_a_tree_goes_on_from_where_it_was(size: int) -> None:
    kept = Frontier(size) if size == 0 else Frontier(size, Frontier.read(size, node).peaks)
    assert kept.root() == by_definition(LEAVES[:size])
    for leaf in LEAVES[size:]:
        kept.append(leaf)
    assert kept.root() == by_definition(LEAVES)


@pytest.mark.parametrize(("size", "peaks"), [(0, 1), (1, 0), (3, 1), (4, 3), (-1, 1)])
def test_a_tree_with_other_peaks_than_its_size_has_is_refused(size: int, peaks: int) -> None:
    with pytest.raises(ValueError, match="peaks"):
        Frontier(size, LEAVES[:peaks])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (5, 5), (-1, 5), (0, -1)])
def test_there_is_no_proof_for_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(index, size, no_node)
    with pytest.raises(InvalidProof, match="none with index"):
        verify_inclusion(index, size, LEAVES[0], [], LEAVES[0])


@pytest.mark.parametrize(("old", "new"), [(1, 0), (5, 4), (-1, 5), (-2, -1)])
def test_there_is_no_proof_for_a_log_that_shrank(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="didn't grow"):
        consistency_proof(old, new, no_node)
    with pytest.raises(InvalidProof, match="didn't grow"):
        verify_consistency(old, new, LEAVES[0], LEAVES[0], [])


def test_one_event_is_its_own_root() -> None:
    assert inclusion_proof(0, 1, no_node) == []
    verify_inclusion(0, 1, LEAVES[0], [], LEAVES[0])
    for proof in ([LEAVES[0]], [EMPTY_ROOT], [b""]):
        with pytest.raises(InvalidProof):
            verify_inclusion(0, 1, LEAVES[0], proof, LEAVES[0])
    with pytest.raises(InvalidProof):
        verify_inclusion(0, 1, LEAVES[1], [], LEAVES[0])


@pytest.mark.parametrize("size", [0, 1, 7, 8])
def test_a_log_that_did_not_grow_needs_no_proof_and_takes_none(size: int) -> None:
    same = by_definition(LEAVES[:size])
    assert consistency_proof(size, size, no_node) == []
    verify_consistency(size, size, same, same, [])
    with pytest.raises(InvalidProof, match="it has hashes"):
        verify_consistency(size, size, same, same, [same])
    with pytest.raises(InvalidProof):
        verify_consistency(size, size, same, LEAVES[0] if size != 1 else LEAVES[1], [])


def test_every_log_grew_from_an_empty_one_but_the_empty_one_has_one_root() -> None:
    later = by_definition(LEAVES[:5])
    assert consistency_proof(0, 5, no_node) == []
    verify_consistency(0, 5, EMPTY_ROOT, later, [])
    with pytest.raises(InvalidProof, match="another root"):
        verify_consistency(0, 5, later, later, [])
    with pytest.raises(InvalidProof, match="another root"):
        verify_consistency(0, 0, LEAVES[0], LEAVES[0], [])
    with pytest.raises(InvalidProof, match="it has hashes"):
        verify_consistency(0, 5, EMPTY_ROOT, later, [later])


def test_growth_without_a_proof_is_refused() -> None:
    """Also where the same root is shown for both sizes."""
    for old in (1, 2, 3, 4):
        before, after = by_definition(LEAVES[:old]), by_definition(LEAVES[:5])
        for later in (after, before):
            with pytest.raises(InvalidProof, match="no hashes"):
                verify_consistency(old, 5, before, later, [])


def test_two_hashes_glued_together_are_not_one() -> None:
    """Else a node's children could be shown as its neighbour: SHA-256 doesn't see where one ends."""
    left, right = LEAVES[0], LEAVES[1]
    with pytest.raises(InvalidProof, match="32 bytes"):
        verify_inclusion(0, 2, b"", [left + right], node_hash(left, right))
    with pytest.raises(InvalidProof, match="32 bytes"):
        verify_consistency(1, 2, b"", node_hash(left, right), [left + right])
    with pytest.raises(InvalidProof, match="32 bytes"):
        verify_inclusion(0, 1, b"x", [], b"x")


def test_a_hash_cut_short_is_none() -> None:
    cut = LEAVES[0][:31]
    with pytest.raises(InvalidProof, match="32 bytes"):
        verify_consistency(1, 2, cut, node_hash(cut, LEAVES[1]), [LEAVES[1]])


def test_a_root_above_a_taller_tree_is_refused() -> None:
    """Any hash can be signed as the root of any size; the way to it must be as long as the size says."""
    first, second = LEAVES[:2]
    with pytest.raises(InvalidProof, match="more hashes"):
        verify_inclusion(0, 1, second, [first], node_hash(first, second))
    proof = consistency_proof(3, 4, node)
    before, after = (node_hash(LEAVES[9], by_definition(LEAVES[:size])) for size in (3, 4))
    with pytest.raises(InvalidProof, match="more hashes"):
        verify_consistency(3, 4, before, after, [*proof, LEAVES[9]])


def test_a_proof_for_a_huge_log_is_judged_at_once() -> None:
    with pytest.raises(InvalidProof, match="fewer hashes"):
        verify_inclusion(2**62, 2**63 - 1, LEAVES[0], LEAVES[:3], LEAVES[0])
    with pytest.raises(InvalidProof, match="fewer hashes"):
        verify_consistency(2**62 + 1, 2**63 - 1, LEAVES[0], LEAVES[0], LEAVES[:1])
