"""The kept tree is that of the definition, however it grew; what is proved from it holds."""

import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from audited_log import NOON, AuditedLog

from adapters.audit.keys import Keys, new_signer
from adapters.audit.proofs import (
    ConsistencyProof,
    InclusionProof,
    MalformedProof,
    OtherCheckpoint,
)
from adapters.audit.reading import read_proof
from adapters.postgres.audit.checkpoints import Checkpoints, NotSealed
from adapters.postgres.audit.proofs import prove_consistency, prove_inclusion
from adapters.postgres.audit.tree import EventChanged, LogIncomplete, Nodes, Tree, TreeChanged
from domain.audit.merkle import Frontier, InvalidProof, consistency_proof, inclusion_proof, root
from domain.audit.note import UnknownSigner
from domain.kernel import Rejected

MANY = 70_000


@pytest.fixture
def log(database_url: str) -> Iterator[AuditedLog]:
    opened = AuditedLog(database_url)
    yield opened
    opened.close()


def test_a_tree_grown_by_chance_is_that_of_the_definition(log: AuditedLog) -> None:
    chance, tree = random.Random(1), Tree(log.database)
    for _ in range(40):
        log.append(chance.randrange(60))
        if chance.random() < 0.7:
            assert tree.catch_up() == log.store.head()
    size = tree.catch_up()
    hashes = [row[0] for row in log.ask("SELECT leaf_hash FROM log.event ORDER BY notification_id")]
    kept = log.ask("SELECT level, number, hash FROM audit.node ORDER BY number")
    assert kept == [(8, n, root(hashes[n * 256 : n * 256 + 256])) for n in range(size // 256)]
    with log.database.connection() as connection:
        for part in range(size + 1):
            assert Frontier.read(part, Nodes(connection)).root() == root(hashes[:part])


def test_two_that_keep_it_at_once_do_no_harm(log: AuditedLog) -> None:
    log.append(2_000)
    with ThreadPoolExecutor(4) as pool:
        sizes = list(pool.map(lambda _: Tree(log.database).catch_up(), range(8)))
        notes = list(pool.map(lambda _: log.seal().note, range(8)))
    assert (sizes, len(set(notes))) == ([2_000] * 8, 1)
    assert log.found() == []
    assert len(Checkpoints(log.database).all()) == 1


def test_a_large_tree_proves_what_it_should(log: AuditedLog) -> None:
    log.append(3)
    log.forge(
        "INSERT INTO log.event SELECT 'lead-x', n, topic, state, n, event_version, occurred_at, recorded_at,"
        " actor, 'x', n::text, 0, NULL, NULL, false, sha256(n::text::bytea)"
        f" FROM log.event, generate_series(4, {MANY}) AS n"
        " WHERE notification_id = 1"
    )
    assert Tree(log.database).catch_up() == MANY
    hashes = [row[0] for row in log.ask("SELECT leaf_hash FROM log.event ORDER BY notification_id")]
    levels = [hashes]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([root(below[at : at + 2]) for at in range(0, len(below) - 1, 2)])

    def node(level: int, number: int) -> bytes:
        return levels[level][number]

    chance = random.Random(2)
    with log.database.connection() as connection:
        for _ in range(100):
            old, new = sorted(chance.sample(range(1, MANY + 1), 2))
            assert inclusion_proof(old, new, Nodes(connection)) == inclusion_proof(old, new, node)
            assert consistency_proof(old, new, Nodes(connection)) == consistency_proof(old, new, node)
        with pytest.raises(LogIncomplete):
            Nodes(connection)(8, MANY >> 8)


def test_events_and_growth_are_proved_to_whoever_has_the_key(log: AuditedLog) -> None:
    kept = [log.append(events).seal() for events in (1, 299, 1, 400)]
    for position in (1, 2, 255, 256, 257, 300, 701):
        proof = read_proof(prove_inclusion(log.database, position).model_dump_json().encode())
        assert isinstance(proof, InclusionProof)
        assert proof.check(log.keys.verifiers, kept[-1].opened(log.keys.verifiers)).position == position
    for old in kept:
        for new in kept:
            if old.size <= new.size:
                growth = read_proof(
                    prove_consistency(log.database, old.size, new.size).model_dump_json().encode()
                )
                assert isinstance(growth, ConsistencyProof)
                growth.check(log.keys.verifiers, old.opened(log.keys.verifiers))
    assert prove_inclusion(log.database, 1).checkpoint == kept[-1].note


@pytest.mark.parametrize(
    "forgery",
    ["actor = 'rep-2'", "leaf_hash = sha256('another event')", "occurred_at = 'infinity'", "state = '{}'"],
)
def test_no_event_is_signed_for_that_is_not_what_its_hash_says(log: AuditedLog, forgery: str) -> None:
    """The application's role may add an event with the hash of one that never was."""
    log.append(300).seal()
    log.append(10).forge(f"UPDATE log.event SET {forgery} WHERE notification_id = 305")
    with pytest.raises(EventChanged) as refused:
        log.seal()
    assert refused.value.details == {"position": 305}
    assert [one.size for one in Checkpoints(log.database).all()] == [300]


def test_no_hash_that_was_put_into_the_tree_beforehand_is_signed(log: AuditedLog) -> None:
    """The application's role may add nodes, and does; nobody's key shall sign for events that never were."""
    log.append(300).seal()
    log.forge("INSERT INTO audit.node VALUES (8, 1, sha256('another past'))")
    with pytest.raises(TreeChanged) as refused:
        log.append(300).seal()
    assert refused.value.details == {"first": 257, "last": 512}
    assert log.found() == [("forked", 257, 512)]
    log.forge("UPDATE audit.tree SET size = 512")  # Which that role may, too: the tree is its to keep.
    with pytest.raises(TreeChanged):
        log.seal()
    log.forge("DELETE FROM audit.node WHERE number = 1", "UPDATE audit.tree SET size = 300")
    assert log.seal().size == 600
    assert log.found() == []


def test_what_cannot_be_proved_is_said(log: AuditedLog) -> None:
    log.append(300).seal()
    log.append(10)
    with pytest.raises(NotSealed, match="300"):
        prove_inclusion(log.database, 301)
    with pytest.raises(NotSealed):
        prove_consistency(log.database, 299, 300)
    log.seal()
    with pytest.raises(InvalidProof):
        prove_consistency(log.database, 310, 300)
    log.forge("UPDATE log.event SET actor = 'x' WHERE notification_id = 5")
    with pytest.raises(InvalidProof):
        prove_inclusion(log.database, 5)
    log.forge("DELETE FROM log.event WHERE notification_id = 5")
    with pytest.raises(LogIncomplete):
        prove_inclusion(log.database, 5)
    log.forge("UPDATE log.event SET leaf_hash = sha256(leaf_hash) WHERE notification_id > 300")
    with pytest.raises(InvalidProof):
        prove_consistency(log.database, 300, 310)


def test_changed_proofs_are_refused(log: AuditedLog) -> None:
    first = log.append(300).seal()
    last = log.append(10).seal()
    other = Keys((new_signer("example.com/deals"),))
    trusted = log.keys.verifiers
    inclusion, growth = prove_inclusion(log.database, 7), prove_consistency(log.database, 300, 310)
    with pytest.raises(UnknownSigner):
        inclusion.check(other.verifiers)
    with pytest.raises(OtherCheckpoint):
        inclusion.check(trusted, first.opened(trusted))
    with pytest.raises(OtherCheckpoint):
        growth.check(trusted, last.opened(trusted))
    for wrong in (
        {"index": 7},
        {"size": 309},
        {"line": inclusion.line.replace("rep-7", "rep-8")},
        {"hashes": ()},
    ):
        with pytest.raises(Rejected):
            inclusion.model_copy(update=wrong).check(trusted)
    for wrong in ({"old": 299}, {"new": 309}, {"checkpoints": growth.checkpoints[::-1]}, {"hashes": ()}):
        with pytest.raises(Rejected):
            growth.model_copy(update=wrong).check(trusted)


@pytest.mark.parametrize(
    "told",
    [b"", b"[]", b"{}", b'{"proof": "inclusion"}', b"\xff", b'{"proof": "consistency", "old": "1"}'],
)
def test_what_is_no_proof_is_refused(told: bytes) -> None:
    with pytest.raises(MalformedProof):
        read_proof(told)


def test_hashes_are_base64_and_nothing_else_is_said(log: AuditedLog) -> None:
    log.append(5).seal()
    told = json.loads(prove_inclusion(log.database, 1).model_dump_json())
    for changed in ({"hashes": [1]}, {"hashes": ["!"]}, {"more": 1}, {"index": "0"}, {"size": 5.0}):
        with pytest.raises(MalformedProof):
            read_proof(json.dumps({**told, **changed}).encode())


def test_rotated_keys_sign_together_and_retired_ones_stay_good(log: AuditedLog) -> None:
    before = log.append(5).seal()
    first, log.keys = log.keys, log.keys.rotated()
    both = Checkpoints(log.database).seal(log.keys, NOON)
    assert (both.size, both.number, both.note != before.note) == (5, 2, True)
    for keys in (first, Keys(log.keys.signers[1:])):
        assert both.opened(keys.verifiers).size == 5
    log.append(1).seal()
    assert log.found() == []
