"""Checkpoints: how they are written, what may stand in one, and what follows from two of them."""

import pytest

from domain.audit.checkpoint import (
    Checkpoint,
    MalformedCheckpoint,
    OlderCheckpoint,
    WrongOrigin,
    open_checkpoint,
)
from domain.audit.merkle import EMPTY_ROOT, InvalidProof
from domain.audit.note import Signer

SIGNER, WITNESS = Signer("acme.example/log", b"\x01" * 32), Signer("witness", b"\x02" * 32)
ROOT = "nND/nri/U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI="
ANY = b"r" * 32
TEXT = f"acme.example/log\n15368405\n{ROOT}\n"


def test_it_is_read_as_it_is_written() -> None:
    checkpoint = Checkpoint.parse(TEXT)
    assert (checkpoint.origin, checkpoint.size, len(checkpoint.root)) == ("acme.example/log", 15368405, 32)
    assert checkpoint.text == TEXT
    assert open_checkpoint(checkpoint.sign([SIGNER]), [SIGNER.verifier]) == checkpoint


def test_further_lines_are_kept() -> None:
    checkpoint = Checkpoint.parse(TEXT + "time 5\nété\n")
    assert checkpoint.extensions == ("time 5", "été")
    assert checkpoint.text == TEXT + "time 5\nété\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "log\n1\n",
        f"log\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"log\n\n{ROOT}\n",
        *(f"log\n{size}\n{ROOT}\n" for size in ("01", "-1", "+1", "1 ", "1.0", "1e3", "0x1", "٣", "1_0")),
        f"log\n{2**63}\n{ROOT}\n",
        f"log\n{'9' * 5000}\n{ROOT}\n",
        f"log\n0\n{ROOT}\n",
        f"log\n1\n{ROOT[:-1]}\n",
        f"log\n1\n{ROOT} \n",
        "log\n1\nAAAA\n",
        f"log\n1\n{ROOT[:-2]}J=\n",
        f"log\n1\n{ROOT[:-2]}é=\n",
        f"log\n1\n{ROOT}\n\n",
        f"log\n1\n{ROOT}\nmore\n\nand more\n",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(MalformedCheckpoint):
        Checkpoint.parse(text)


def test_the_largest_and_the_smallest() -> None:
    assert Checkpoint.parse(f"log\n{2**63 - 1}\n{ROOT}\n").size == 2**63 - 1
    assert Checkpoint("log", 0, EMPTY_ROOT).text == "log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


@pytest.mark.parametrize(
    "wrong",
    [
        ("", 1, ANY),
        ("a\nb", 1, ANY),
        ("a", -1, ANY),
        ("a", 1, ANY[:31]),
        ("a", 0, ANY),
    ],
)
def test_none_is_made_that_could_not_be_read(wrong: tuple[str, int, bytes]) -> None:
    with pytest.raises(MalformedCheckpoint):
        Checkpoint(*wrong)


def test_the_signers_name_says_which_log_it_is_of() -> None:
    own, foreign = (Checkpoint(origin, 1, ANY) for origin in (SIGNER.name, "other"))
    assert open_checkpoint(own.sign([WITNESS, SIGNER]), [SIGNER.verifier, WITNESS.verifier]) == own
    with pytest.raises(WrongOrigin):
        open_checkpoint(foreign.sign([SIGNER]), [SIGNER.verifier])
    with pytest.raises(WrongOrigin):
        open_checkpoint(own.sign([WITNESS]), [WITNESS.verifier])


def test_or_the_caller_says_it() -> None:
    foreign = Checkpoint("other", 1, ANY)
    assert open_checkpoint(foreign.sign([SIGNER]), [SIGNER.verifier], "other") == foreign
    with pytest.raises(WrongOrigin, match=r"of the log other, not of acme\.example/log"):
        open_checkpoint(foreign.sign([SIGNER]), [SIGNER.verifier], SIGNER.name)


def test_what_was_kept_is_not_followed_by_less_nor_by_another_log() -> None:
    kept = Checkpoint("log", 5, ANY)
    kept.must_extend(kept, [])
    with pytest.raises(OlderCheckpoint, match="of 4 events, but the log had 5"):
        Checkpoint("log", 4, ANY).must_extend(kept, [])
    with pytest.raises(WrongOrigin):
        Checkpoint("other", 5, ANY).must_extend(kept, [])
    with pytest.raises(InvalidProof):
        Checkpoint("log", 5, b"s" * 32).must_extend(kept, [])
