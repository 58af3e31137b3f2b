"""Product rules 1 to 8 of ownership, asked from outside. Past terms come in as a migration."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from company import Action, Company, action, as_line, contact, founding, register

COMMAND = Path(sys.executable).parent / "dealtrail"
MIGRATION = ("--migration",)


@pytest.fixture
def company(database_url: str, tmp_path: Path) -> Company:
    company = Company(database_url, tmp_path)
    company.accept(*founding())
    return company


@pytest.fixture
def older(database_url: str, tmp_path: Path) -> Company:
    """A company whose history is still being migrated."""
    company = Company(database_url, tmp_path)
    company.accept(*founding(recordedtime="2026-01-01T00:00:00Z"), flags=MIGRATION)
    return company


def at(moment: str, line: Action) -> Action:
    return line | {"recordedtime": f"2026-{moment}Z"}


def step(lead: str, task: str = "T-1", due: str = "2999-01-01", actor: str = "ann") -> Action:
    return action("task.plan", lead, {"task": task, "due_at": f"{due}T00:00:00Z", "kind": "call"}, actor)


def test_the_first_to_register_a_key_has_it_and_the_attempt_is_kept(company: Company) -> None:
    mine, theirs = register("L-1", 1), register("L-2", 1, "bob")
    company.accept(mine)
    refused = company.refuse(theirs)
    owned = company.ask("owner", "L-1")
    assert refused["code"] == "lead_already_claimed"
    assert refused["details"] == {"lead": "L-1", "owner": "ann", "since": owned["since"]}
    assert company.refuse(theirs) == refused  # The second answer equals the first.
    (attempt,) = company.ask("refusals", "--lead", "L-1")["items"]
    assert (attempt["rep"], attempt["subject"], attempt["owner"]) == ("bob", "L-2", "ann")
    assert company.run("owner", "L-2").exit_code == 1


def test_processes_racing_for_the_same_keys_leave_one_owner_each(company: Company) -> None:
    numbers = range(200)
    racing = []
    for rep in ("ann", "bob", "cid"):
        file = company.folder / f"{rep}.ndjson"
        file.write_bytes(b"".join(as_line(register(f"{rep}-{number}", number, rep)) for number in numbers))
        command = [str(COMMAND), "import", str(file), "--json", "--rejects", f"{file}.rejects"]
        racing.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **company.environment})
        )
    summaries = [json.loads(process.communicate(timeout=120)[0]) for process in racing]
    assert sum(summary["accepted"] for summary in summaries) == len(numbers)
    assert sum(summary["rejected"] for summary in summaries) == 2 * len(numbers)
    assert company.ask("refusals")["count"] == 2 * len(numbers)


def test_registering_ones_own_lead_again_makes_an_alias_that_means_it(company: Company) -> None:
    company.accept(
        register("L-1", 1),
        register("L-1", 1),
        register("L-2", 1),  # An alias,
        register("L-2", 2),  # which brings another key,
        register("L-3", 2),  # of which there is an alias in turn.
        contact("L-3"),
    )
    assert {company.ask("owner", lead)["lead"] for lead in ("L-1", "L-2", "L-3")} == {"L-1"}
    assert company.codes(register("L-4", 2, "bob"), register("L-3", 7, "bob")) == ["lead_already_claimed"] * 2


def test_a_pool_lead_is_claimed_by_registering_it_or_by_asking(company: Company) -> None:
    company.accept(
        register("P-1", 1, data={"owner": None}),
        register("P-2", 2, "service:site"),
        register("L-1", 1, "bob"),
        action("lead.claim", "P-2", None, "cid"),
        action("lead.claim", "P-2", {}, "cid"),
    )
    assert company.hands("P-1") == [(None, "LeadRegistered"), ("bob", "LeadClaimed")]
    assert company.hands("P-2") == [(None, "LeadRegistered"), ("cid", "LeadClaimed")]
    refused = company.refuse(action("lead.claim", "P-2"))
    assert (refused["code"], refused["details"]["owner"]) == ("lead_already_claimed", "cid")
    assert company.ask("refusals", "--lead", "P-2")["count"] == 1


def test_a_claim_lapses_exactly_at_its_term_and_anybody_may_have_the_lead(older: Company) -> None:
    term, before = "04-02T00:00:00", "04-01T23:59:59.999999"
    early: list[Action] = [
        *(at("01-02T00:00:00", register(f"L-{number}", number)) for number in range(1, 5)),
        at("02-01T00:00:00", contact("L-3", "bob")),  # An outsider's, which holds nobody's claim.
        at("02-01T00:00:00", contact("L-4", "service:phone")),
    ]
    older.accept(*early, flags=MIGRATION)
    held = [at(before, action("lead.claim", "L-1", None, "bob")), at(before, register("L-9", 2, "bob"))]
    assert older.codes(*held, flags=MIGRATION) == ["lead_already_claimed"] * 2
    older.accept(
        at(term, action("lead.claim", "L-1", None, "bob")),
        at(term, register("L-9", 2, "bob")),
        at(term, action("lead.claim", "L-3", None, "cid")),
        flags=MIGRATION,
    )
    assert older.codes(at(term, action("lead.claim", "L-4", None, "cid")), flags=MIGRATION) == [
        "lead_already_claimed"
    ]
    for lead, owner in (("L-1", "bob"), ("L-9", "bob"), ("L-3", "cid")):
        first, lapsed, then, *_ = older.ask("owner", lead)["history"]
        assert (first["owner"], first["until"]) == ("ann", "2026-04-02T00:00:00+00:00")
        assert (lapsed["event"], lapsed["owner"]) == ("leads.ClaimLapsed", None)
        assert (then["owner"], then["since"]) == (owner, "2026-04-02T00:00:00+00:00")
    assert older.owner("L-1", "--as-of", f"2026-{before}Z") == "ann"
    assert older.owner("L-1", "--as-of", f"2026-{term}Z") == "bob"
    assert older.owner("L-4", "--as-of", "2026-05-01") == "ann"
    assert older.owner("L-4", "--as-of", "2026-05-02") is None  # Nothing was written: it is so all the same.


def test_the_term_is_the_pipelines_once_a_deal_is_open(older: Company) -> None:
    opened = {"lead": "L-1", "pipeline": "short"}
    moved = action("deal.move", "D-1", {"stage": "Offer"})
    older.accept(
        at("01-02T00:00:00", register("L-1", 1)),
        at("01-02T00:00:00", action("deal.open", "D-1", opened)),
        at("01-11T00:00:00", moved),
        flags=MIGRATION,
    )
    assert older.owner("L-1", "--as-of", "2026-01-20") == "ann"
    assert older.owner("L-1", "--as-of", "2026-01-21T00:00:00Z") is None
    late = at("02-01T00:00:00", moved | {"id": "late", "data": {"stage": "Call"}})
    (refused,) = older.send(late, flags=MIGRATION)
    assert refused is not None
    assert refused["code"] == "not_entitled"
    assert "lead.claim" in refused["message"]
    older.accept(late | {"actor": "service:crm"}, flags=MIGRATION)


def test_an_owned_lead_is_handed_over_by_those_entitled_only(company: Company) -> None:
    def handed(rep: str, actor: str, reason: str = "conflict") -> Action:
        return action("lead.assign", "L-1", {"rep": rep, "reason": reason}, actor)

    company.accept(
        register("L-1", 1),
        handed("bob", "boss"),  # Two levels above.
        handed("cid", "head", "distribution"),
        handed("ann", "admin:eve", "merge"),
    )
    assert [owner for owner, _ in company.hands("L-1")] == ["ann", "bob", "cid", "ann"]
    since = company.ask("owner", "L-1")["since"]
    company.accept(handed("ann", "admin:eve"))
    assert company.ask("owner", "L-1")["since"] == since  # Assigning to the owner resets nothing.


@pytest.mark.parametrize("successor", ["cid", None])
def test_who_leaves_leaves_their_open_leads(older: Company, successor: str | None) -> None:
    def left(rep: str) -> Action:
        return action("rep.leave", rep, {"successor": successor}, "admin:eve")

    older.accept(
        at("01-02T00:00:00", register("L-1", 1)),
        at("03-02T00:00:00", register("L-2", 2)),
        at("03-02T00:00:00", register("L-3", 3)),
        at("03-02T00:00:00", action("deal.open", "D-3", {"lead": "L-3", "pipeline": "sales"})),
        at("03-02T00:00:00", action("deal.win", "D-3", {"amount": "5"})),
        at("04-05T00:00:00", left("ann")),
        at("04-05T00:00:00", step("L-2", actor=successor or "bob")),
        flags=MIGRATION,
    )
    when = ("--as-of", "2026-04-10")
    owners = {lead: older.owner(lead, *when) for lead in ("L-1", "L-2", "L-3")}
    assert owners == {"L-1": None, "L-2": successor, "L-3": "ann"}  # L-1 had lapsed before, L-3 is won.
    assert older.hands("L-2")[1] == (successor, "LeadAssigned" if successor else "LeadReleased")
    older.accept(
        at("04-06T00:00:00", action("deal.reopen", "D-3", {"reason": "x"}, "admin:eve")), flags=MIGRATION
    )
    assert older.owner("L-3", *when) is None
    if successor:  # They may leave too.
        older.accept(at("04-07T00:00:00", left(successor) | {"data": None}), flags=MIGRATION)
        assert older.owner("L-2", *when) is None


def test_a_merge_keeps_the_right_of_the_first_and_can_be_undone(company: Company) -> None:
    moved = [action("deal.move", deal, {"stage": "Offer"}, "bob") for deal in ("D-1", "D-2")]
    company.accept(
        register("L-1", 1, "bob"),
        register("L-2", 2),
        action("deal.open", "D-2", {"lead": "L-2", "pipeline": "sales"}),
        action("lead.merge", "L-1", {"into": "L-2"}, "head"),
        contact("L-1", "bob"),
        action("deal.open", "D-1", {"lead": "L-1", "pipeline": "sales"}, "bob"),
        *moved,
        contact("L-2", "ann"),
        register("L-3", 1, "bob"),
        register("L-4", 2, "bob"),
    )
    assert {company.ask("owner", lead)["lead"] for lead in ("L-1", "L-2", "L-3", "L-4")} == {"L-2"}
    assert company.owner("L-2") == "bob"
    assert [(one["owner"], one["by"]) for one in company.ask("encroachments")["items"]] == [("bob", "ann")]
    assert company.ask("lead", "L-1")["deals"] == ["D-2", "D-1"]
    company.accept(action("lead.unmerge", "L-1", {"into": "L-2"}, "head"))
    assert (company.owner("L-1"), company.owner("L-2")) == ("bob", "ann")
    assert company.codes(action("deal.move", "D-2", {"stage": "Call"}, "bob")) == ["not_entitled"]


def test_the_pool_is_for_those_whose_next_steps_are_in_order(company: Company) -> None:
    pool = [register(f"P-{number}", number, "service:site") for number in range(5)]
    company.accept(*pool, action("lead.claim", "P-0"))

    def refused(line: Action) -> tuple[int, int]:
        error = company.refuse(line)
        assert error["code"] == "next_steps_neglected"
        return error["details"]["overdue"], error["details"]["missing"]

    given = {"rep": "ann", "reason": "distribution"}
    assert refused(action("lead.claim", "P-1")) == (0, 1)
    assert refused(action("lead.assign", "P-1", given, "head")) == (0, 1)
    assert refused(action("lead.assign", "P-1", given, "service:site")) == (0, 1)
    company.accept(step("P-0", due="2026-01-03"))
    assert refused(action("lead.claim", "P-1")) == (1, 0)
    company.accept(
        step("P-0"),
        action("lead.claim", "P-1"),
        step("P-1"),
        action("lead.assign", "P-2", given, "service:site"),
        step("P-2"),
        action("lead.assign", "P-3", given, "head"),
    )
    assert refused(action("lead.claim", "P-4")) == (0, 1)
    assert [one["lead"] for one in company.ask("pool")["items"]] == ["P-4"]
    assert [one["lead"] for one in company.ask("neglected", "--rep", "ann")["items"]] == ["P-3"]
    assert [one["lead"] for one in company.ask("queue", "--rep", "ann")["items"]][:2] == ["P-0", "P-1"]


def test_a_won_deal_stays_theirs_who_won_it_whoever_has_the_lead_since(company: Company) -> None:
    halves = [{"rep": rep, "percent": "50"} for rep in ("ann", "cid")]
    company.accept(
        register("L-1", 1),
        *(action("deal.open", deal, {"lead": "L-1", "pipeline": "sales"}) for deal in ("D-1", "D-2")),
        action("deal.win", "D-1", {"amount": "5"}),
        action("deal.lose", "D-2", {"reason": "price"}),
        action("lead.assign", "L-1", {"rep": "bob", "reason": "conflict"}, "head"),
    )

    def changes(actor: str) -> list[Action]:
        return [
            action("deal.amend", "D-1", {"amount": "7", "currency": "USD"}, actor),
            action("deal.split", "D-1", {"shares": [{"rep": actor, "percent": "100"}]}, actor),
            action("deal.reopen", "D-1", {"reason": "x"}, actor),
        ]

    assert company.codes(*changes("bob")) == ["not_entitled"] * 3
    company.accept(
        action("deal.amend", "D-1", {"amount": "6", "currency": "USD"}),
        action("deal.split", "D-1", {"shares": halves}, "head"),
        action("deal.amend", "D-1", {"amount": "6.50", "currency": "USD"}, "cid"),
        action("deal.reopen", "D-2", {"reason": "they called"}, "bob"),
    )
    assert company.codes(changes("cid")[1]) == ["not_entitled"]  # What others have of it is not a sharer's.
    company.accept(
        action("deal.reopen", "D-1", {"reason": "withdrawn"}),
        action("deal.amend", "D-1", {"amount": "8", "currency": "USD"}, "bob"),  # Open, it is theirs.
        action("deal.split", "D-1", {"shares": [{"rep": "bob", "percent": "100"}]}, "bob"),
        action("deal.win", "D-1", None, "bob"),
        action("deal.reopen", "D-1", {"reason": "again"}, "bob"),
    )


def test_contacts_past_the_owner_are_listed_and_deals_stay_the_owners(company: Company) -> None:
    shares = [{"rep": "ann", "percent": "50"}, {"rep": "cid", "percent": "50"}]
    company.accept(
        register("L-1", 1),
        register("P-1", 2, "service:site"),
        action("deal.open", "D-1", {"lead": "L-1", "pipeline": "sales"}),
        *(contact("L-1", actor) for actor in ("ann", "bob", "cid", "head", "boss", "service:phone")),
        contact("P-1", "bob"),
        action("deal.move", "D-1", {"stage": "Offer"}, "boss"),
    )

    def listed(*words: str) -> list[tuple[Any, ...]]:
        items = company.ask("encroachments", *words)["items"]
        return sorted((one["lead"], one["owner"], one["by"]) for one in items)

    assert listed() == [("L-1", "ann", "bob"), ("L-1", "ann", "cid")]
    assert (len(listed("--rep", "ann")), len(listed("--rep", "bob")), len(listed("--rep", "head"))) == (
        2,
        1,
        0,
    )
    theirs = action("deal.move", "D-1", {"stage": "Contract"}, "cid")
    assert company.codes(theirs) == ["not_entitled"]
    company.accept(action("deal.split", "D-1", {"shares": shares}), theirs, contact("L-1", "cid"))
    assert len(listed()) == 2  # Who is on the split is no outsider any more.
