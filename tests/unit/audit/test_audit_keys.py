"""The key file, and up to which size a retired key counts."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.audit.keys import (
    AuditKeyUnusable,
    Keys,
    NoAuditKey,
    changing,
    is_there,
    make_keys,
    new_signer,
    parse_told,
    read_keys,
    told,
    write_keys,
)
from domain.audit.checkpoint import Checkpoint, RetiredKey, open_checkpoint
from domain.audit.note import MalformedKey, UnknownSigner, Verifier

OLD, NEW = new_signer("example.com/deals"), new_signer("example.com/deals")
RETIRED = replace(OLD.verifier, until=300)


def note(size: int, *signers: object) -> bytes:
    chosen = [one for one in (OLD, NEW) if one in signers]
    return Checkpoint("example.com/deals", size, b"r" * 32).sign(chosen)


@pytest.mark.parametrize("size", [1, 299, 300])
def test_a_retired_key_counts_up_to_its_size(size: int) -> None:
    assert open_checkpoint(note(size, OLD), [RETIRED]).size == size


@pytest.mark.parametrize("size", [301, 2**62])
def test_and_for_no_larger_log(size: int) -> None:
    for trusted in ([RETIRED], [RETIRED, NEW.verifier], [NEW.verifier, RETIRED]):
        with pytest.raises(RetiredKey) as refused:
            open_checkpoint(note(size, OLD), trusted)
        assert refused.value.details == {"size": size, "name": OLD.verifier.known_as, "until": 300}


def test_beside_a_key_that_counts_it_does_no_harm() -> None:
    assert open_checkpoint(note(301, OLD, NEW), [RETIRED, NEW.verifier]).size == 301
    with pytest.raises(RetiredKey):
        open_checkpoint(note(301, OLD, NEW), [RETIRED])
    with pytest.raises(UnknownSigner):
        open_checkpoint(note(301, NEW), [RETIRED])


def test_the_file_keeps_what_was_written(tmp_path: Path) -> None:
    keys = Keys((OLD,)).rotated()
    kept = keys.without(keys.leaving(OLD.verifier.known_as, tmp_path), 300)
    write_keys(tmp_path / "audit.key", kept)
    assert read_keys(tmp_path / "audit.key") == kept
    assert kept.retired == (RETIRED,)
    assert kept.verifiers == (RETIRED, kept.signers[0].verifier)


@pytest.mark.parametrize("verifier", [RETIRED, OLD.verifier, replace(OLD.verifier, until=0)])
def test_a_key_is_read_as_it_is_told(verifier: Verifier) -> None:
    assert parse_told(told(verifier)) == verifier


@pytest.mark.parametrize("after", [" until", " until ", " until -1", " until ٣", " until 3 ", " till 3", " "])
def test_nothing_else_is_taken_for_a_size(after: str) -> None:
    with pytest.raises(MalformedKey):
        parse_told(OLD.verifier.vkey + after)


def test_a_retired_key_without_a_size_is_refused(tmp_path: Path) -> None:
    (tmp_path / "audit.key").write_text(f"{OLD.verifier.vkey}\n{NEW.skey}\n")
    with pytest.raises(MalformedKey, match="until which size"):
        read_keys(tmp_path / "audit.key")


def test_a_file_without_a_key_or_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(NoAuditKey):
        read_keys(tmp_path / "empty")
    for wrong in (tmp_path, tmp_path / "binary"):
        with pytest.raises(AuditKeyUnusable):
            read_keys(wrong)


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    file, link = tmp_path / "safe" / "audit.key", tmp_path / "audit.key"
    link.symlink_to(file)
    made = make_keys(link, "größe.example/x")
    assert (link.is_symlink(), read_keys(file), file.stat().st_mode & 0o777) == (True, made, 0o600)
    write_keys(link, made.rotated())
    assert (link.is_symlink(), len(read_keys(file).signers)) == (True, 2)
    assert [*file.parent.iterdir()] == [file]


def test_of_changes_at_once_none_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "audit.key"
    make_keys(file)

    def rotate(_: int) -> None:
        with changing(file):
            write_keys(file, read_keys(file).rotated())

    with ThreadPoolExecutor(8) as threads:
        assert len([*threads.map(rotate, range(24))]) == 24
    assert len({signer.verifier.key_id for signer in read_keys(file).signers}) == 25


def test_a_place_that_cannot_be_looked_at_is_said(tmp_path: Path) -> None:
    for ask in (is_there, read_keys, make_keys):
        with pytest.raises(AuditKeyUnusable):
            ask(tmp_path / ("x" * 300))
