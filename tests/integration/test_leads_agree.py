"""What reports say of a lead is what decisions know of it, for every lead of a whole company."""

from datetime import UTC, datetime

from adapters.demo.generator import generate
from adapters.demo.recording import record
from adapters.postgres.database import Database
from adapters.settings import read_settings
from adapters.wiring import Engine
from domain.leads.model import LEAD

END = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_read_tables_agree_with_the_domain(database_url: str) -> None:
    with Database(database_url) as database:
        parts = Engine(read_settings({}), database)
        record(generate(11, 400, END), parts.intake())
        with parts.view() as view:
            rows = view.ask("SELECT lead, status, owner, expires_at, since, open_deals, won_deals FROM lead")
            pointers = dict(view.ask("SELECT lead, points_to FROM lead_pointer"))
        known = parts.store.load(LEAD.stream(lead) for lead, *_ in rows)
    statuses = set()
    assert len(rows) > 300
    for lead, status, owner, expires_at, since, open_deals, won_deals in rows:
        state = LEAD.fold(lead, known[LEAD.stream(lead)])
        statuses.add(status)
        assert (lead, status) == (lead, state.status)
        assert pointers.get(lead) == state.points_to
        assert set(open_deals) == state.open_deals
        assert set(won_deals) == state.won_deals
        if status != "merged":
            assert (lead, owner) == (lead, state.claim.rep if state.claim else None)
        if state.claim is not None and status != "merged":
            assert (lead, expires_at) == (lead, state.claim.expires_at)
            assert (lead, since) == (lead, state.claim.since)
    assert statuses == {"open", "won", "disqualified", "merged"}
