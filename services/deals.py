"""Opening deals, moving them and closing them."""

from collections.abc import Sequence

from domain.deals import decisions
from domain.deals.events import Share
from domain.deals.model import DEAL, Deal
from domain.kernel import Event
from domain.leads.decisions import alive, depart, end_if_forgotten, identified, work
from domain.leads.events import Work
from domain.leads.model import LEAD, Lead
from domain.pipelines.decisions import known, loss_reason_of, stage_of
from services.desk import Desk
from services.payloads import AmendDeal, Because, LoseDeal, MoveDeal, OpenDeal, SplitDeal, WinDeal


class Deals:
    """One method per intention. What is done to a deal is written to its lead too: that keeps the claim."""

    def open(self, desk: Desk, data: OpenDeal) -> None:
        """An attempt to sell begins."""
        lead = identified(alive(desk.resolve(data.lead)))
        deal = desk.state(DEAL, desk.subject)
        self._entitled(desk, lead, deal, "open a deal")
        events = decisions.open_deal(
            deal,
            lead=lead.id,
            pipeline=data.pipeline,
            stage=stage_of(desk.pipeline(data.pipeline), data.stage),
            title=data.title,
            product=data.product,
            amount=data.amount,
            currency=data.currency or (desk.currency if data.amount is not None else None),
        )
        self._record(desk, lead, data.pipeline, events, "deal_opened", extends=True)

    def move(self, desk: Desk, data: MoveDeal) -> None:
        """To another stage."""
        deal, lead = self._deal(desk, "move the deal", lead_must_live=True)
        stage = stage_of(desk.pipeline(deal.pipeline), data.stage)
        events = decisions.move(deal, stage=stage)
        self._record(desk, lead, deal.pipeline, events, "stage_entered", extends=True)

    def amend(self, desk: Desk, data: AmendDeal) -> None:
        """Correct the amount."""
        deal, _ = self._deal(desk, "amend the deal")
        currency = data.currency or deal.currency or desk.currency
        desk.record(DEAL.stream(deal.id), decisions.amend(deal, amount=data.amount, currency=currency))

    def split(self, desk: Desk, data: SplitDeal) -> None:
        """Share the credit. Of a won deal that is not for those who have a share of it."""
        deal, lead = self._deal(desk, "split the deal")
        if deal.status == "won":
            self._entitled(desk, lead, deal, "split the deal", sharers=False)
        shares = [Share(rep=share.rep, role=share.role, percent=share.percent) for share in data.shares]
        events = decisions.split(deal, shares=shares)
        for share in shares:
            desk.known_rep(share.rep)
        desk.record(DEAL.stream(deal.id), events)

    def win(self, desk: Desk, data: WinDeal) -> None:
        """The customer bought."""
        deal, lead = self._deal(desk, "win the deal", lead_must_live=True)
        events = decisions.win(
            deal,
            owner=desk.owner_of(lead),
            amount=data.amount,
            currency=data.currency or deal.currency or desk.currency,
        )
        self._record(desk, lead, deal.pipeline, events, "deal_won", extends=True)

    def lose(self, desk: Desk, data: LoseDeal) -> None:
        """The deal failed."""
        deal, lead = self._deal(desk, "lose the deal")
        reason = loss_reason_of(desk.pipeline(deal.pipeline), data.reason)
        events = decisions.lose(deal, owner=desk.owner_of(lead), reason=reason, note=data.note)
        self._record(desk, lead, deal.pipeline, events, "deal_lost")

    def reopen(self, desk: Desk, data: Because) -> None:
        """Undo the close."""
        deal, lead = self._deal(desk, "reopen the deal", lead_must_live=True)
        self._record(desk, lead, deal.pipeline, decisions.reopen(deal, reason=data.reason), "deal_reopened")

    def _deal(self, desk: Desk, action: str, *, lead_must_live: bool = False) -> tuple[Deal, Lead]:
        deal = desk.deal(desk.subject)
        lead = desk.resolve(deal.lead)
        if lead_must_live or desk.actor.rep not in (None, *deal.on_the_split):
            alive(lead)  # An ended lead has no owner; telling a rep to claim it would send them in a circle.
        self._entitled(desk, lead, deal, action)
        return deal, lead

    def _entitled(self, desk: Desk, lead: Lead, deal: Deal, action: str, *, sharers: bool = True) -> None:
        """A won deal stays theirs who won it, whoever has the lead since: their pay rests on it."""
        owner = deal.won_by or desk.owner_of(lead)
        beside = desk.heads(owner) | (deal.on_the_split if sharers else frozenset())
        desk.actor.must_work_for(owner, beside=beside, action=action)

    def _record(
        self,
        desk: Desk,
        lead: Lead,
        pipeline: str,
        events: Sequence[Event],
        done: Work,
        *,
        extends: bool = False,
    ) -> None:
        if not events:
            return
        desk.record(DEAL.stream(desk.subject), events)
        days = known(desk.pipeline(pipeline)).protection_days if extends else None
        worked = work(lead, done, deal=desk.subject, protection_days=days, now=desk.now)
        desk.record(LEAD.stream(lead.id), worked)
        if done in ("deal_opened", "deal_reopened"):
            self._let_go(desk, desk.resolve(lead.id))
        desk.record(LEAD.stream(lead.id), end_if_forgotten(desk.state(LEAD, lead.id)))

    def _let_go(self, desk: Desk, lead: Lead) -> None:
        """A won lead stays with a rep who leaves; open again, it goes to the pool as their others did."""
        owner = desk.owner_of(lead)
        if owner is not None and desk.known_rep(owner).status == "left":
            desk.record(LEAD.stream(lead.id), depart(lead, successor=None, now=desk.now))
