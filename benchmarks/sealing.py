"""What personal texts cost: sealing them, opening them, and an append with its keys."""

from collections.abc import Callable
from time import perf_counter
from unittest.mock import patch

from adapters.postgres import codec
from benchmarks.figures import Figure
from benchmarks.ground import Ground
from benchmarks.leads import lead, leads_per_second, middle
from domain.leads.events import LeadRegistered

LEADS, ROUNDS = 2_000, 3


class Plain:
    """Seals nothing, so events are stored as they are."""

    keys = ()

    def about(self, subject: str) -> None:
        """No seal."""


def sealing(ground: Ground) -> list[Figure]:
    """Leads with a phone, an e-mail address and a name, beside the same stored plain."""
    with ground.new_engine() as engine:
        rounds = []
        for _ in range(ROUNDS):
            with patch.object(codec, "TextSealer", Plain):
                without = leads_per_second(engine, LEADS, 1)
            rounds.append((leads_per_second(engine, LEADS, 1), without))
        units = [lead() for _ in range(LEADS)]
        sealed = _seconds(lambda: [codec.Prepared(unit) for unit in units])
        with patch.object(codec, "TextSealer", Plain):
            plain = _seconds(lambda: [codec.Prepared(unit) for unit in units])
        pages = engine.store.read_raw(0, names=[LeadRegistered.stored_name])
        rows = [row for _, page in pages for row in page][-LEADS:]
        opened = _seconds(lambda: engine.store.decoded(rows))
        closed = _seconds(lambda: [engine.store.decode(row) for row in rows])
    return [
        Figure("append a lead, beside the same without sealing", *middle(rounds), 0.8),
        Figure("  seal its three texts", (sealed - plain) / LEADS * 1e6, "us"),
        Figure("  open them, their key looked up", (opened - closed) / LEADS * 1e6, "us"),
    ]


def _seconds(work: Callable[[], object]) -> float:
    """The least of some tries."""
    took = []
    for _ in range(ROUNDS):
        began = perf_counter()
        work()
        took.append(perf_counter() - began)
    return min(took)
