"""The log's Merkle tree and its proofs, after RFC 9162 section 2.1. A hash is 32 bytes."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import NamedTuple

from domain.kernel import Rejected

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()
_NODE = hashlib.sha256(b"\x01")


class InvalidProof(Rejected):
    """The proof doesn't hold: {problem}."""

    code = "invalid_proof"


class Node(NamedTuple):
    """The complete subtree over the 2**level leaves from index number * 2**level on."""

    level: int
    number: int
    hash: bytes


ReadNode = Callable[[int, int], bytes]
"""The hash of the complete subtree with this level and number; level 0 are the leaf hashes."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 over a one byte and both hashes."""
    found = _NODE.copy()
    found.update(left + right)
    return found.digest()


class Frontier:
    """A tree that grows by a leaf at a time. It keeps only the complete subtrees that it consists of."""

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """`peaks` as an earlier one had them at this size. Raises ValueError if that can't be."""
        if size < 0 or len(peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves doesn't have {len(peaks)} peaks")
        self.size = size
        self._peaks = list(peaks)

    @classmethod
    def read(cls, size: int, node: ReadNode) -> "Frontier":
        """The tree over the first `size` leaves."""
        return cls(size, [node(level, number) for level, number in _cover(0, size)])

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """The hashes of the complete subtrees, the largest first: one for each bit of the size."""
        return tuple(self._peaks)

    def append(self, leaf_hash: bytes) -> list[Node]:
        """Add a leaf. Gives the subtrees above level 0 that it completed, the lowest first."""
        completed = []
        found, level, number = leaf_hash, 0, self.size
        while number & 1:
            found = node_hash(self._peaks.pop(), found)
            level, number = level + 1, number >> 1
            completed.append(Node(level, number, found))
        self._peaks.append(found)
        self.size += 1
        return completed

    def root(self) -> bytes:
        return _joined(self._peaks)


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    frontier = Frontier()
    for leaf_hash in leaf_hashes:
        frontier.append(leaf_hash)
    return frontier.root()


def inclusion_proof(index: int, size: int, node: ReadNode) -> list[bytes]:
    """That the leaf `index` (from 0) is in the tree over the first `size`. Raises ValueError if it isn't."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path, low, high = [], 0, size
    while high - low > 1:
        middle = low + _left(high - low)
        if index < middle:
            path.append(_range_hash(middle, high, node))
            high = middle
        else:
            path.append(_range_hash(low, middle, node))
            low = middle
    return path[::-1]


def consistency_proof(old: int, new: int, node: ReadNode) -> list[bytes]:
    """That the first `old` leaves are the beginning of the first `new`. Raises ValueError for old > new."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves didn't grow from one of {old}")
    if old == 0:
        return []
    path, low, high = [], 0, new
    while high != old:
        middle = low + _left(high - low)
        if old <= middle:
            path.append(_range_hash(middle, high, node))
            high = middle
        else:
            path.append(_range_hash(low, middle, node))
            low = middle
    if low > 0:
        path.append(_range_hash(low, high, node))
    return path[::-1]


def verify_inclusion(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """After RFC 9162, 2.1.3.2. Raises InvalidProof.

    `size` and `root` must come together, from a signed checkpoint: the root alone doesn't tell its size.
    """
    if not 0 <= index < size:
        raise InvalidProof(problem=f"the log of {size} events has none with index {index}")
    _must_be_hashes([leaf_hash, root, *proof])
    at, last, found = index, size - 1, leaf_hash
    for each in proof:
        if last == 0:
            raise InvalidProof(problem="it has more hashes than the tree has levels")
        if at & 1 or at == last:
            found = node_hash(each, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, each)
        at, last = at >> 1, last >> 1
    if last:
        raise InvalidProof(problem="it has fewer hashes than the tree has levels")
    if found != root:
        raise InvalidProof(problem="it doesn't lead from this event to the root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """After RFC 9162, 2.1.4.2, which begins at old = 1: an empty log is the beginning of any.

    Raises InvalidProof. Sizes and roots must come together, from signed checkpoints.
    """
    if not 0 <= old <= new:
        raise InvalidProof(problem=f"a log of {new} events didn't grow from one of {old}")
    _must_be_hashes([old_root, new_root, *proof])
    for size, root in ((old, old_root), (new, new_root)):
        if size == 0 and root != EMPTY_ROOT:
            raise InvalidProof(problem="an empty log has another root")
    if old in (0, new):
        if proof:
            raise InvalidProof(problem="nothing is to be proven, but it has hashes")
        if old == new and old_root != new_root:
            raise InvalidProof(problem="two logs of the same size have different roots")
        return
    _climb(old, new, old_root, new_root, proof)


def _climb(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Both roots from the proof, for 0 < old < new."""
    if not proof:
        raise InvalidProof(problem="it has no hashes")
    path = [old_root, *proof] if old.bit_count() == 1 else list(proof)
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = path[0]
    for each in path[1:]:
        if last == 0:
            raise InvalidProof(problem="it has more hashes than the tree has levels")
        if at & 1 or at == last:
            before, after = node_hash(each, before), node_hash(each, after)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, each)
        at, last = at >> 1, last >> 1
    if last:
        raise InvalidProof(problem="it has fewer hashes than the tree has levels")
    if before != old_root:
        raise InvalidProof(problem="it doesn't lead to the earlier root")
    if after != new_root:
        raise InvalidProof(problem="it doesn't lead to the later root")


def _must_be_hashes(hashes: Iterable[bytes]) -> None:
    """Of another length two could be taken for one, or one for two."""
    if any(len(each) != HASH_BYTES for each in hashes):
        raise InvalidProof(problem=f"a hash doesn't have {HASH_BYTES} bytes")


def _left(count: int) -> int:
    """How many leaves the left side of a tree over `count` > 1 has: the largest power of two below it."""
    return 1 << (count - 1).bit_length() - 1


def _cover(low: int, high: int) -> Iterable[tuple[int, int]]:
    """Level and number of the complete subtrees over the leaves from `low` to `high`, the largest first."""
    while low < high:
        level = (high - low).bit_length() - 1
        yield level, low >> level
        low += 1 << level


def _range_hash(low: int, high: int, node: ReadNode) -> bytes:
    return _joined([node(level, number) for level, number in _cover(low, high)])


def _joined(peaks: Sequence[bytes]) -> bytes:
    """The root above complete subtrees, the largest first."""
    return reduce(lambda right, left: node_hash(left, right), reversed(peaks)) if peaks else EMPTY_ROOT
