"""Whatever is made up in a statement's bundle, the check refuses it; and it believes an honest one."""

import random

import pytest
from bundled_company import Audited, audited, with_totals
from hypothesis import given, settings
from hypothesis import strategies as st
from lying_bundles import SIGNED, WITHOUT_A_KEY, Lie
from lying_server import TRUSTED
from payroll_company import InMemory
from payroll_histories import History, Player, histories

from adapters.audit.reading import read_proof
from domain.kernel import Rejected

TRIES = 200
FLIPS = 4_000


class Unchecked(InMemory):
    """What is paid is checked elsewhere."""

    checks = False


@given(histories(), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)), min_size=6, max_size=6))
@settings(max_examples=25, deadline=None)
def test_bundles_of_any_company_are_believed(history: History, closes: list[tuple[int, int]]) -> None:
    player = Player(history, Unchecked())
    for at, _ in enumerate(player.steps()):
        for step, lag in closes:
            if step == at:
                player.close(lag)
    company = Audited(with_totals(player.company.facts))
    for position, _ in company.statements():
        read_proof(company.bundle(position).canonical()).check(TRUSTED)


def test_a_bundle_is_believed_whatever_later_checkpoint_it_rests_on() -> None:
    for position, _ in audited().statements():
        for size in {position, position + 1, len(audited().facts)} - {len(audited().facts) + 1}:
            read_proof(audited().bundle(position, size).canonical()).check(TRUSTED)


@pytest.mark.parametrize("lie", WITHOUT_A_KEY)
def test_a_lie_of_whoever_has_no_key_is_refused(lie: str) -> None:
    _must_be_refused(lie, *WITHOUT_A_KEY[lie])


@pytest.mark.parametrize("lie", SIGNED)
def test_a_lie_that_the_company_signed_is_refused(lie: str) -> None:
    _must_be_refused(lie, *SIGNED[lie])


def _must_be_refused(lie: str, tell: Lie, codes: set[str] | None) -> None:
    """Each, and for all the reasons there are: a lie may not fail for being ill made."""
    chance = random.Random(lie)
    met = set()
    for _ in range(TRIES if codes else FLIPS):
        told = tell(chance)
        with pytest.raises(Rejected) as refused:
            read_proof(told).check(TRUSTED)
        met.add(refused.value.code)
    assert codes is None or met == codes
