"""Golang's own code verifies our checkpoints and proofs, and judges what is wrong with them as we do."""

import base64
import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from audited_log import AuditedLog
from lying_server import (
    ABOUT_EVENTS,
    ABOUT_GROWTH,
    EVENTS_MAX,
    SAME_NAME,
    SIGNER,
    STRANGER,
    TRUSTED,
    Grown,
    Shown,
    flipped,
    honest,
    spoiled,
)

from adapters.postgres.audit.checkpoints import Checkpoints
from adapters.postgres.audit.proofs import prove_consistency, prove_inclusion
from domain.audit.merkle import consistency_proof, inclusion_proof, verify_consistency, verify_inclusion
from domain.audit.note import open_note, sign_note
from domain.kernel import Rejected

TESTS = Path(__file__).parents[1]
Case = dict[str, Any]
Ask = Callable[[Sequence[Case]], list[str]]
TRIES = 2_000


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in tests/go, built. Skipped where there is no Go or its one module can't be had."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("no Go toolchain: the vectors that it made stand in for it")
    loaded = _run([go, "mod", "download"])
    if loaded.returncode:
        pytest.skip(f"golang.org/x/mod can't be had here: {loaded.stderr.strip()[:200]}")
    built = tmp_path_factory.mktemp("go") / "audit-check"
    made = _run([go, "build", "-buildvcs=false", "-o", str(built), "."])
    assert made.returncode == 0, made.stderr
    return built


def _run(command: list[str], given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=TESTS / "go",
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"},
    )


@pytest.fixture
def ask(program: Path) -> Ask:
    """Go's verdict on each case: `ok`, or what is wrong."""

    def ask(cases: Sequence[Case]) -> list[str]:
        done = _run([str(program), "verify"], "".join(f"{json.dumps(case)}\n" for case in cases))
        assert done.returncode == 0, done.stderr
        answers = done.stdout.splitlines()
        assert len(answers) == len(cases)
        return answers

    return ask


def test_the_vectors_are_what_the_program_makes(program: Path) -> None:
    made = _run([str(program), "vectors"])
    assert made.returncode == 0, made.stderr
    assert made.stdout == (TESTS / "vectors" / "audit.json").read_text()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _texts(hashes: Sequence[bytes]) -> list[str]:
    return [_text(each) for each in hashes]


def _keys() -> list[str]:
    return [verifier.vkey for verifier in TRUSTED]


def _event(shown: Shown) -> Case:
    return {
        "Kind": "event",
        "Note": _text(shown.note),
        "Keys": _keys(),
        "Data": _text(shown.line),
        "Index": shown.position - 1,
        "Proof": _texts(shown.proof),
    }


def _growth(grown: Grown) -> Case:
    return {
        "Kind": "growth",
        "Note": _text(grown.note),
        "Kept": _text(grown.kept),
        "Keys": _keys(),
        "Proof": _texts(grown.proof),
    }


def test_go_believes_what_we_show(ask: Ask) -> None:
    """Every event of some sizes, and the growth between any two."""
    shown = [
        honest().shows(position, size)
        for size in (1, 2, 3, 31, 32, 33, EVENTS_MAX)
        for position in range(1, size + 1)
    ]
    notes = [honest().checkpoint(size) for size in range(EVENTS_MAX + 1)]
    grown = [
        honest().grew(notes[old], old, new) for new in range(1, EVENTS_MAX + 1) for old in range(1, new + 1)
    ]
    cases = [_event(each) for each in shown] + [_growth(each) for each in grown]
    assert set(ask(cases)) == {"ok"}


def test_go_believes_what_the_engine_seals_and_proves(database_url: str, ask: Ask) -> None:
    """Cutoffs sealed after closes, and keys rotated meanwhile."""
    log = AuditedLog(database_url)
    log.append(257).closed("2026-08", 255).seal()
    first, log.keys = log.keys, log.keys.rotated()
    log.append(300).closed("2026-09", 256).closed("2026-10", 511).append(7).seal()
    stored = Checkpoints(log.database).all()
    assert [sealed.size for sealed in stored] == [255, 258, 256, 511, 567]
    keys = [verifier.vkey for verifier in log.keys.verifiers]
    cases = []
    for old, new in product(stored, stored):
        if old.size <= new.size:
            grown = prove_consistency(log.database, old.size, new.size)
            cases.append(_growth(Grown(old.note.encode(), new.note.encode(), [*grown.hashes])))
    for position in (1, 255, 256, 257, 258, 259, 512, 567):
        proof = prove_inclusion(log.database, position)
        shown = Shown(proof.checkpoint.encode(), position, proof.line.encode(), [*proof.hashes])
        cases.append(_event(shown))
    known = [{**case, "Keys": keys} for case in cases]
    assert ask(known) == ["ok"] * len(known)
    before = {verifier.vkey for verifier in first.verifiers}
    assert ask([{**case, "Keys": [*before]} for case in known]) == ["ok"] * len(known)
    log.close()


def test_go_refuses_the_lies_that_we_refuse(ask: Ask) -> None:
    chance = random.Random(5)
    cases = [_event(tell(chance)) for tell, _ in ABOUT_EVENTS.values() for _ in range(TRIES // 20)]
    cases += [_growth(tell(chance)) for tell, _ in ABOUT_GROWTH.values() for _ in range(TRIES // 20)]
    believed = [case for case, answer in zip(cases, ask(cases), strict=True) if answer == "ok"]
    assert believed == []


def test_go_judges_proofs_of_any_kind_as_we_do(ask: Ask) -> None:
    """Right ones, changed ones, and ones with another index, size or root than they are for."""
    chance = random.Random(6)
    cases, ours = list[Case](), list[bool]()
    for _ in range(TRIES):
        old, new, size, other = (chance.randint(1, EVENTS_MAX) for _ in range(4))
        index = chance.randrange(size)
        proof = _maybe(inclusion_proof(index, size, honest().node), chance)
        claim = chance.choice(
            [(index, size), (index, other), (other, size), (chance.randrange(other), other)]
        )
        leaf, root = honest().nodes[0, index], honest().roots[chance.choice([size, claim[1]])]
        cases.append(_inclusion(*claim, leaf, proof, root))
        ours.append(_passes(verify_inclusion, *claim, leaf, proof, root))
        old, new = min(old, new), max(old, new)
        proof = _maybe(consistency_proof(old, new, honest().node), chance)
        sizes = chance.choice([(old, new), (old, new), (old, other), (other, new), (new, old)])
        roots = honest().roots[chance.choice([old, sizes[0]])], honest().roots[chance.choice([new, sizes[1]])]
        cases.append(_consistency(*sizes, *roots, proof))
        ours.append(_passes(verify_consistency, *sizes, *roots, proof))
    assert [answer == "ok" for answer in ask(cases)] == ours
    assert min(ours.count(True), ours.count(False)) > TRIES // 4


def _maybe(proof: list[bytes], chance: random.Random) -> list[bytes]:
    return spoiled(proof, chance) if proof and chance.random() < 0.4 else proof


def _inclusion(index: int, size: int, leaf: bytes, proof: list[bytes], root: bytes) -> Case:
    return {
        "Kind": "inclusion",
        "Index": index,
        "New": size,
        "Leaf": _text(leaf),
        "NewRoot": _text(root),
        "Proof": _texts(proof),
    }


def _consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: list[bytes]) -> Case:
    return {
        "Kind": "consistency",
        "Old": old,
        "New": new,
        "OldRoot": _text(old_root),
        "NewRoot": _text(new_root),
        "Proof": _texts(proof),
    }


PIECES = [text.encode() for text in ("\n\n", "— ", *"\n \r\t\0\x7f=+A—\u2028\x85\xa0")]
PIECES += [b"\xff", b"\xed\xa0\x80"]


def _mangled(note: bytes, chance: random.Random) -> bytes:
    at, more = chance.randrange(len(note)), chance.randrange(len(note))
    match chance.randrange(6):
        case 0:
            return flipped(note, chance)
        case 1:
            return note[:at] + chance.choice(PIECES) + note[at:]
        case 2:
            return note[:at] + note[at + chance.randint(1, 3) :]
        case 3:
            lines = note.split(b"\n")
            chance.shuffle(lines)
            return b"\n".join(lines)
        case 4:
            last = note.rstrip(b"\n").rsplit(b"\n", 1)[1] + b"\n"
            return note + chance.choice(
                [last, flipped(last, chance), "— x AAAAAAAA\n".encode(), b"\n", last * 99]
            )
        case _:
            return note[: min(at, more)] + note[max(at, more) :]


def test_go_opens_every_note_that_we_open(ask: Ask) -> None:
    """Signed by one, two or none of the trusted keys; whole, or mangled anywhere."""
    chance = random.Random(7)
    texts = [f"{SIGNER.name}\n{size}\nx\n" for size in range(9)] + [
        "\n",
        "a\n\n",
        "\n\n— b\n",
        "é\u2028\x7f\n",
    ]
    notes = list[bytes]()
    for _ in range(TRIES):
        signers = chance.choice([[SIGNER], [SIGNER, SAME_NAME], [STRANGER, SIGNER], [STRANGER], [SAME_NAME]])
        note = sign_note(chance.choice(texts), signers)
        notes.append(_mangled(note, chance) if chance.random() < 0.8 else note)
    theirs = [
        answer == "ok"
        for answer in ask([{"Kind": "note", "Note": _text(note), "Keys": _keys()} for note in notes])
    ]
    ours = [_passes(open_note, note, TRUSTED) for note in notes]
    assert [note for note, go, we in zip(notes, theirs, ours, strict=True) if we and not go] == []
    only_go = [note for note, go, we in zip(notes, theirs, ours, strict=True) if go and not we]
    assert [note for note in only_go if not _stricter(note)] == []
    assert min(ours.count(True), ours.count(False)) > TRIES // 10


def _stricter(note: bytes) -> bool:
    """Of these only Go takes the first: base64 with stray bits at its end, and a key's second signature."""
    lines = note.decode().rpartition("\n\n")[2].splitlines()
    signatures = [base64.b64decode(line.split(" ", 2)[2]) for line in lines]
    canonical = all(line.endswith(_text(each)) for line, each in zip(lines, signatures, strict=True))
    return not canonical or [each[:4] for each in signatures].count(SIGNER.verifier.key_id) > 1


def _passes(verify: Callable[..., object], *claim: object) -> bool:
    try:
        verify(*claim)
    except Rejected:
        return False
    return True
