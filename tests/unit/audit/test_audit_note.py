"""Keys, and notes that several sign: what is trusted, and what is refused."""

import pytest

from domain.audit.encoding import to_base64
from domain.audit.note import (
    BadSignature,
    MalformedKey,
    MalformedNote,
    Signer,
    UnknownSigner,
    Verifier,
    open_note,
    sign_note,
)

OLD, NEW, WITNESS = (Signer(name, bytes([at]) * 32) for at, name in enumerate(["log", "log", "witness"]))
TEXT = "a text\nof two lines\n"


def test_a_note_is_opened_by_any_of_the_keys_that_signed_it() -> None:
    note = sign_note(TEXT, [OLD, NEW])
    for signer in (OLD, NEW):
        opened = open_note(note, [signer.verifier])
        assert (opened.text, opened.signed_by) == (TEXT, (signer.verifier,))
    assert open_note(note, [NEW.verifier, OLD.verifier]).signed_by == (OLD.verifier, NEW.verifier)


def test_a_key_that_is_not_trusted_counts_for_nothing() -> None:
    note = sign_note(TEXT, [WITNESS, NEW])
    assert open_note(note, [NEW.verifier]).signed_by == (NEW.verifier,)
    with pytest.raises(UnknownSigner, match=f"log\\+{NEW.verifier.key_id.hex()}"):
        open_note(note, [OLD.verifier])
    with pytest.raises(UnknownSigner):
        open_note(note, [])


def test_one_bad_signature_by_a_trusted_key_spoils_the_note() -> None:
    good, other = sign_note(TEXT, [OLD, NEW]), sign_note("another\n", [OLD])
    lines = good.decode().split("\n")
    lines[3] = other.decode().split("\n")[2]
    with pytest.raises(BadSignature, match="log"):
        open_note("\n".join(lines).encode(), [OLD.verifier, NEW.verifier])
    assert open_note("\n".join(lines).encode(), [NEW.verifier]).signed_by == (NEW.verifier,)


def test_the_name_is_part_of_the_key() -> None:
    """The same key under another name is another: its id differs."""
    renamed = Signer("other", NEW.seed)
    note = sign_note(TEXT, [renamed]).replace(b" other ", b" log ")
    with pytest.raises(UnknownSigner):
        open_note(note, [NEW.verifier])


def test_a_signature_counts_once() -> None:
    note = sign_note(TEXT, [NEW, NEW])
    assert open_note(note, [NEW.verifier, NEW.verifier]).signed_by == (NEW.verifier,)


@pytest.mark.parametrize("text", ["", "no line end", "a\tb\n", "a\r\n", "a\0\n", "a\x1f\n", "\ud800\n"])
def test_not_every_text_can_be_signed(text: str) -> None:
    with pytest.raises(MalformedNote):
        sign_note(text, [NEW])


def test_nor_be_opened_though_it_was() -> None:
    signature = to_base64(NEW.verifier.key_id + NEW.sign(b"a\tb\n"))
    with pytest.raises(MalformedNote, match="control character"):
        open_note(f"a\tb\n\n— log {signature}\n".encode(), [NEW.verifier])


@pytest.mark.parametrize(
    "line",
    ["", "more", "— x", "— x ", "— x AAAA", "— x AAAAAA==", "x AAAAAAAA", "—x AAAAAAAA", "— x+ AAAAAAAA"],
)
def test_a_malformed_line_beside_a_good_signature_spoils_the_note(line: str) -> None:
    note = sign_note(TEXT, [NEW])
    with pytest.raises(MalformedNote):
        open_note(note + f"{line}\n".encode(), [NEW.verifier])


@pytest.mark.parametrize("count", [0, 101])
def test_a_note_has_a_signature_and_not_too_many(count: int) -> None:
    with pytest.raises(MalformedNote):
        sign_note(TEXT, [NEW] * count)
    with pytest.raises(MalformedNote):
        open_note((TEXT + "\n" + "— x AAAAAAAA\n" * count).encode(), [NEW.verifier])


def test_what_is_too_long_is_not_even_looked_at() -> None:
    with pytest.raises(MalformedNote, match="longer"):
        open_note(b"\xff" * 1_000_001, [NEW.verifier])


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2028b", "a\u00a0", "a\x1fb", "\ud800"])
def test_not_every_name_can_be_a_keys(name: str) -> None:
    with pytest.raises(MalformedKey):
        Signer(name, b"\x01" * 32)
    with pytest.raises(MalformedKey):
        Verifier(name, b"\x01" * 32)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_key_has_32_bytes(length: int) -> None:
    with pytest.raises(MalformedKey):
        Signer("log", b"\x01" * length)
    with pytest.raises(MalformedKey):
        Verifier("log", b"\x01" * length)


def test_no_changed_character_of_a_key_is_overlooked() -> None:
    vkey, skey = NEW.verifier.vkey, NEW.skey
    assert Verifier.parse(vkey) == NEW.verifier
    assert Signer.parse(skey) == NEW
    for parse, text in ((Verifier.parse, vkey), (Signer.parse, skey)):
        for at in range(len(text)):
            for other in "A+a1= \n":
                for changed in (text[:at] + other + text[at + 1 :], text[:at] + other + text[at:], text[:at]):
                    if changed != text:
                        with pytest.raises(MalformedKey):
                            parse(changed)


def test_a_verifier_is_no_signer_and_nothing_shows_the_seed() -> None:
    with pytest.raises(MalformedKey):
        Signer.parse(NEW.verifier.vkey)
    with pytest.raises(MalformedKey):
        Verifier.parse(NEW.skey)
    assert repr(NEW) == "Signer(name='log')"
    with pytest.raises(MalformedKey) as refused:
        Signer.parse(NEW.skey + "A")
    assert NEW.skey[-20:-4] not in str(refused.value)
