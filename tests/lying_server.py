"""A log in memory with its whole tree, what it shows to an auditor, and the ways in which it may lie."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from domain.audit.checkpoint import Checkpoint, open_checkpoint
from domain.audit.encoding import to_base64
from domain.audit.leaf import Leaf, leaf_hash
from domain.audit.merkle import Frontier, consistency_proof, inclusion_proof
from domain.audit.note import Signer

NOON = datetime(2026, 10, 2, 12, tzinfo=UTC)
SIGNER = Signer("acme.example/log", b"\x01" * 32)
SAME_NAME = Signer(SIGNER.name, b"\x02" * 32)
STRANGER = Signer("evil.example/log", b"\x03" * 32)
TRUSTED = [SIGNER.verifier]
EVENTS_MAX = 70
INVALID = {"invalid_proof"}
CHANGED_NOTE = {"malformed_note", "bad_signature", "unknown_signer"}


def event(position: int, **changes: Any) -> Leaf:
    leaf = Leaf(
        position,
        NOON + timedelta(seconds=position),
        f"lead-{position % 7}",
        position // 7 + 1,
        "leads.LeadClaimed",
        1,
        0,
        NOON,
        "rep-7",
        "crm",
        f"a-{position}",
        None,
        None,
        False,
        b'{"rep":"rep-7"}',
    )
    return leaf._replace(**changes)


class Server:
    """Keeps lines as they were given, sound or not, and proves what it has."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self.lines = list(lines)
        self.nodes: dict[tuple[int, int], bytes] = {}
        frontier = Frontier()
        self.roots = [frontier.root()]
        for index, line in enumerate(lines):
            self.nodes[0, index] = leaf_hash(line)
            for level, number, found in frontier.append(self.nodes[0, index]):
                self.nodes[level, number] = found
            self.roots.append(frontier.root())

    @property
    def size(self) -> int:
        return len(self.lines)

    def node(self, level: int, number: int) -> bytes:
        return self.nodes[level, number]

    def checkpoint(self, size: int, signer: Signer = SIGNER, origin: str = SIGNER.name) -> bytes:
        return Checkpoint(origin, size, self.roots[size]).sign([signer])

    def shows(self, position: int, size: int) -> "Shown":
        proof = inclusion_proof(position - 1, size, self.node)
        return Shown(self.checkpoint(size), position, self.lines[position - 1], proof)

    def grew(self, kept: bytes, old: int, new: int) -> "Grown":
        return Grown(kept, self.checkpoint(new), consistency_proof(old, new, self.node))


@dataclass(frozen=True)
class Shown:
    """A server says: this line is in my log at this position."""

    note: bytes
    position: int
    line: bytes
    proof: list[bytes]

    def check(self) -> None:
        leaf = open_checkpoint(self.note, TRUSTED).must_hold(self.line, self.proof)
        assert leaf.position == self.position


@dataclass(frozen=True)
class Grown:
    """A server says to somebody who kept a checkpoint: since then I only added."""

    kept: bytes
    note: bytes
    proof: list[bytes]

    def check(self) -> None:
        kept = open_checkpoint(self.kept, TRUSTED)
        open_checkpoint(self.note, TRUSTED).must_extend(kept, self.proof)


@cache
def honest() -> Server:
    return Server([event(position).line() for position in range(1, EVENTS_MAX + 1)])


def flipped(data: bytes, chance: random.Random) -> bytes:
    """With one bit changed."""
    at = chance.randrange(len(data) * 8)
    changed = bytearray(data)
    changed[at // 8] ^= 1 << at % 8
    return bytes(changed)


def spoiled(proof: Sequence[bytes], chance: random.Random) -> list[bytes]:
    """Another list of hashes."""
    path = list(proof)
    at = chance.randrange(len(path))
    match chance.randrange(8):
        case 0:
            path[at] = flipped(path[at], chance)
        case 1:
            del path[at]
        case 2:
            path.insert(chance.randrange(len(path) + 1), chance.randbytes(32))
        case 3:
            path.append(path[at])
        case 4:
            path[at] = path[at][: chance.randrange(32)]
        case 5:
            path[at] += chance.randbytes(chance.choice([1, 32]))
        case 6:
            path = [b"".join(path) + b"\0" * (len(path) == 1)]
        case _:
            path = [] if len(path) < 2 else [*path[1:], path[0]]
    return path


def _place(chance: random.Random) -> tuple[int, int]:
    """A position and a size that holds it; more than one event."""
    size = chance.randint(2, EVENTS_MAX)
    return chance.randint(1, size), size


def _shown(chance: random.Random) -> Shown:
    return honest().shows(*_place(chance))


def _line_changed(chance: random.Random) -> Shown:
    shown = _shown(chance)
    return replace(shown, line=flipped(shown.line, chance))


def _note_changed(chance: random.Random) -> Shown:
    shown = _shown(chance)
    return replace(shown, note=flipped(shown.note, chance))


def _proof_changed(chance: random.Random) -> Shown:
    shown = _shown(chance)
    return replace(shown, proof=spoiled(shown.proof, chance))


def _other_leafs_proof(chance: random.Random) -> Shown:
    position, size = _place(chance)
    other = chance.choice([at for at in range(1, size + 1) if at != position])
    return replace(honest().shows(position, size), proof=honest().shows(other, size).proof)


def _elsewhere(chance: random.Random) -> Shown:
    """The event is said to have another position, with the proof of either."""
    position, size = _place(chance)
    other = chance.choice([at for at in range(1, size + 3) if at != position])
    line = event(position)._replace(position=other).line()
    proved = other if other <= size and chance.random() < 0.5 else position
    return replace(honest().shows(proved, size), line=line, position=other)


def _beyond_the_end(chance: random.Random) -> Shown:
    position, size = _place(chance)
    late = event(size + chance.randint(1, 5))
    return replace(honest().shows(position, size), line=late.line(), position=late.position)


def _wrong_size(chance: random.Random) -> Shown:
    """The checkpoint's size, or the root beside it, is not what was signed."""
    position, size = _place(chance)
    shown = honest().shows(position, size)
    other = chance.choice([at for at in range(position, EVENTS_MAX + 1) if at != size] or [size - 1])
    _, signature = shown.note.decode().split("\n\n")
    lies = Checkpoint(SIGNER.name, other, honest().roots[chance.choice([size, other])])
    return replace(shown, note=f"{lies.text}\n{signature}".encode())


def _proof_of_other_size(chance: random.Random) -> Shown:
    position, size = _place(chance)
    shown = honest().shows(position, size)
    others = [honest().shows(position, other).proof for other in range(position, EVENTS_MAX + 1)]
    return replace(shown, proof=chance.choice([proof for proof in others if proof != shown.proof]))


def _other_key(chance: random.Random) -> Shown:
    position, size = _place(chance)
    note = honest().checkpoint(size, chance.choice([SAME_NAME, STRANGER]))
    if chance.random() < 0.5:  # Under the name and id of the trusted key.
        body, _ = honest().checkpoint(size).decode().split("\n\n")
        forged = SIGNER.verifier.key_id + SAME_NAME.sign(f"{body}\n".encode())
        note = _with_signature(f"{body}\n", forged)
    return replace(honest().shows(position, size), note=note)


def _other_logs_checkpoint(chance: random.Random) -> Shown:
    """Rightly signed, but of another log."""
    position, size = _place(chance)
    note = honest().checkpoint(size, SIGNER, STRANGER.name)
    return replace(honest().shows(position, size), note=note)


def _invented(chance: random.Random) -> Shown:
    """An event that was never recorded, with the proof of the one in its place."""
    position, size = _place(chance)
    line = event(position, actor="rep-8").line()
    return replace(honest().shows(position, size), line=line)


def _with_signature(text: str, signature: bytes) -> bytes:
    return f"{text}\n— {SIGNER.name} {to_base64(signature)}\n".encode()


# Each kind of lie with the codes of the refusals that may meet it, and each of which does.
ABOUT_EVENTS: Mapping[str, tuple[Callable[[random.Random], Shown], set[str]]] = {
    "a changed bit of the line": (_line_changed, {"malformed_line", "invalid_proof"}),
    "a changed bit of the checkpoint": (_note_changed, CHANGED_NOTE),
    "changed, extra, missing or moved hashes": (_proof_changed, INVALID),
    "the proof of another leaf": (_other_leafs_proof, INVALID),
    "the event at another position": (_elsewhere, INVALID),
    "a position beyond the end": (_beyond_the_end, INVALID),
    "a wrong tree size": (_wrong_size, {"bad_signature"}),
    "the proof for another tree size": (_proof_of_other_size, INVALID),
    "another key": (_other_key, {"bad_signature", "unknown_signer"}),
    "the checkpoint of another log": (_other_logs_checkpoint, {"wrong_origin"}),
    "an invented event": (_invented, INVALID),
}


def _sizes(chance: random.Random) -> tuple[int, int]:
    """What was kept, and a later size."""
    old = chance.randint(1, EVENTS_MAX - 1)
    return old, chance.randint(old + 1, EVENTS_MAX)


def _fork(chance: random.Random, kept: int) -> Server:
    """A history that differs before what was kept, signed with the right key."""
    lines = list(honest().lines)
    at = chance.randrange(kept)
    match chance.randrange(5):
        case 0:
            lines[at] = flipped(lines[at], chance)
        case 1:
            other = chance.choice([one for one in range(len(lines)) if one != at])
            lines[at], lines[other] = lines[other], lines[at]
        case 2:
            lines = [*lines[:at], *lines[at + 1 :], event(EVENTS_MAX + 1).line()]
        case 3:
            lines.insert(at, event(at + 1, actor="rep-8").line())
        case _:
            lines[at:] = [event(one + 1, action=f"b-{one}").line() for one in range(at, EVENTS_MAX)]
    return Server(lines)


def _forked(chance: random.Random) -> Grown:
    """With the fork's own proof, the honest one, or some of each."""
    old, new = _sizes(chance)
    kept, fork = honest().checkpoint(old), _fork(chance, old)
    own, true = fork.grew(kept, old, new), honest().grew(kept, old, new)
    mixed = [chance.choice(pair) for pair in zip(own.proof, true.proof, strict=True)]
    return replace(own, proof=chance.choice([own.proof, true.proof, mixed]))


def _forked_at_once(chance: random.Random) -> Grown:
    """Another history of the size that was kept."""
    old = chance.randint(1, EVENTS_MAX)
    kept = honest().checkpoint(old)
    return Grown(kept, _fork(chance, old).checkpoint(old), chance.choice([[], [kept[:32]]]))


def _forked_from_a_signed_tree(chance: random.Random) -> Grown:
    """The kept root stands as a leaf or a node in the forged tree."""
    old, new = _sizes(chance)
    root = honest().roots[old]
    forged = Frontier()
    for _ in range(new):
        forged.append(root)
    note = Checkpoint(SIGNER.name, new, forged.root()).sign([SIGNER])
    length = len(consistency_proof(old, new, honest().node))
    return Grown(honest().checkpoint(old), note, [root] * length)


def _tail_dropped(chance: random.Random) -> Grown:
    """Or an old checkpoint replayed: an honest one, with whatever proof."""
    old, new = _sizes(chance)
    proof = consistency_proof(old, new, honest().node)
    return Grown(honest().checkpoint(new), honest().checkpoint(old), chance.choice([[], proof]))


def _all_dropped(chance: random.Random) -> Grown:
    old, _ = _sizes(chance)
    return Grown(honest().checkpoint(old), honest().checkpoint(0), [])


def _growth_spoiled(chance: random.Random) -> Grown:
    old, new = _sizes(chance)
    grown = honest().grew(honest().checkpoint(old), old, new)
    return replace(grown, proof=spoiled(grown.proof, chance))


def _growth_of_other_sizes(chance: random.Random) -> Grown:
    old, new = _sizes(chance)
    grown = honest().grew(honest().checkpoint(old), old, new)
    proof = grown.proof
    while proof == grown.proof:
        proof = consistency_proof(*_sizes(chance), honest().node)
    return replace(grown, proof=proof)


def _growth_by_other_key(chance: random.Random) -> Grown:
    old, new = _sizes(chance)
    grown = honest().grew(honest().checkpoint(old), old, new)
    return replace(grown, note=honest().checkpoint(new, chance.choice([SAME_NAME, STRANGER])))


def _growth_of_other_log(chance: random.Random) -> Grown:
    old, new = _sizes(chance)
    grown = honest().grew(honest().checkpoint(old), old, new)
    return replace(grown, note=honest().checkpoint(new, SIGNER, STRANGER.name))


def _growth_note_changed(chance: random.Random) -> Grown:
    old, new = _sizes(chance)
    grown = honest().grew(honest().checkpoint(old), old, new)
    return replace(grown, note=flipped(grown.note, chance))


ABOUT_GROWTH: Mapping[str, tuple[Callable[[random.Random], Grown], set[str]]] = {
    "a changed, swapped, removed, inserted or rewritten past": (_forked, INVALID),
    "another past of the same size": (_forked_at_once, INVALID),
    "a forged tree around the kept root": (_forked_from_a_signed_tree, INVALID),
    "a dropped tail, or an old checkpoint again": (_tail_dropped, {"older_checkpoint"}),
    "an empty log where there was one": (_all_dropped, {"older_checkpoint"}),
    "changed, extra, missing or moved hashes": (_growth_spoiled, INVALID),
    "the proof for other sizes": (_growth_of_other_sizes, INVALID),
    "another key": (_growth_by_other_key, {"unknown_signer"}),
    "the checkpoint of another log": (_growth_of_other_log, {"wrong_origin"}),
    "a changed bit of the checkpoint": (_growth_note_changed, CHANGED_NOTE),
}
