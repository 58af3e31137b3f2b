"""What a rep does with a lead of theirs: call, qualify, move the deal, win or lose it, or forget it."""

from adapters.demo.accounts import Accounts
from adapters.demo.catalogue import (
    DISQUALIFIED,
    EXISTING,
    NEW_BUSINESS,
    NEW_REASON,
    NOTES,
    PRODUCTS,
    RENEWALS,
    REOPENED,
    Pipeline,
)
from adapters.demo.chance import Wheel
from adapters.demo.journal import money
from adapters.demo.office import Office
from adapters.demo.people import Prospect, Rep
from adapters.demo.working_time import DAY, HOUR

_VISIT_DAYS_MAX = 44
_CLOSING_DAYS = 5
_KINDS = Wheel([("call", 55), ("email", 25), ("meeting", 14), ("message", 6)])
_TALKS = Wheel([("interested", 5), ("asked for an offer", 3), ("objection", 2), ("undecided", 3)])
_SILENCE = ("no answer", "voicemail", "busy")


class Selling:
    """The visits to a lead, each planned by the one before."""

    def __init__(self, office: Office, accounts: Accounts) -> None:
        self._office = office
        self._accounts = accounts
        self._chance = office.chance

    def begin(self, lead: Prospect) -> None:
        """The owner has just got the lead."""
        careful = _owner(lead).careful
        delay = self._chance.between(HOUR, 5 * HOUR) if careful else self._chance.skewed(6 * HOUR)
        self._plan(lead, delay, "call")

    def visit(self, lead: Prospect) -> None:
        """The owner turns to the lead again."""
        if not lead.holds(self._office.today):
            lead.end()
        elif lead.deal is not None and not lead.closed:
            self._work_deal(lead)
        else:
            lead.deal = None
            self._qualify(lead)

    def found_again(self, lead: Prospect) -> None:
        """The forgotten lead comes to another rep, when the claim has lapsed and is free for anyone."""
        office = self._office
        other = office.team.one_of(lead.customer.country.branch)
        if not lead.lapsed(office.today) or other is lead.owner:
            return lead.end()
        data = {"keys": {"phone": lead.customer.phone}, "name": lead.customer.name, "channel": "cold-call"}
        office.tell("lead.register", lead, other.id, data, subject=f"{lead.subject}-again")
        office.heir_of(lead, other)
        return self.begin(lead)

    def _plan(self, lead: Prospect, delay: int, kind: str) -> None:
        """Plan the next visit; how well it is written down and kept depends on the owner."""
        office, rep, chance = self._office, _owner(lead), self._chance
        delay = min(delay, _VISIT_DAYS_MAX * DAY)
        if rep.careful or chance.yes(rep.diligence):
            due = office.now + delay + (2 * HOUR if rep.careful else 0)
            data = {"task": lead.promise(rep, due), "due_at": office.clock.moment(due), "kind": kind}
            if lead.deal is not None and not lead.closed:
                data["deal"] = lead.deal
            office.tell("task.plan", lead, rep.id, data)
            lead.inherited = False
        if not rep.careful and chance.yes(0.3 * (1 - rep.diligence)):
            return self._forget(lead)
        if not chance.yes(rep.diligence):
            delay = min(delay + chance.skewed(2 * DAY), _VISIT_DAYS_MAX * DAY)
        return office.next_visit(lead, self.visit, delay)

    def _forget(self, lead: Prospect) -> None:
        if self._chance.yes(0.35):
            self._office.next_visit(lead, self.found_again, self._chance.between(95, 150) * DAY)

    def _talk(self, lead: Prospect, outcome: str) -> None:
        """A contact, written down soon after or, now and then, days later; it fulfils the planned step."""
        chance, rep = self._chance, _owner(lead)
        lag = chance.skewed(15 * 60) if chance.yes(0.95) else chance.between(DAY, 3 * DAY)
        incoming = chance.yes(0.2)
        data = {"kind": _KINDS.spin(chance), "direction": "in" if incoming else "out", "outcome": outcome}
        if lead.deal is not None:
            data["deal"] = lead.deal
        if chance.yes(0.08):
            data["note"] = chance.pick(NOTES)
        office = self._office
        office.tell("contact.record", lead, rep.id, data, lag=lag)
        lead.worked_on = office.today
        lead.inherited = False
        if lead.task is not None:
            office.tell("task.complete", lead, rep.id, {"task": lead.task, "result": outcome}, lag=lag)
            lead.fulfil()

    def _qualify(self, lead: Prospect) -> None:
        chance, rep = self._chance, _owner(lead)
        lead.tries += 1
        if lead.channel is EXISTING and not lead.deals:
            self._talk(lead, "reached")
            return self._open(lead, RENEWALS)
        if not chance.yes(0.62):
            self._talk(lead, chance.pick(_SILENCE))
            if lead.tries > 3:
                return self._disqualify(lead, "unreachable")
            return self._plan(lead, chance.skewed(2 * DAY), "call")
        self._talk(lead, "reached")
        if chance.yes(min(0.55 * lead.channel.quality * (0.6 + 0.4 * rep.skill), 0.92)):
            return self._open(lead, NEW_BUSINESS)
        if chance.yes(0.75):
            return self._disqualify(lead, DISQUALIFIED.spin(chance))
        return self._plan(lead, chance.between(20, 40) * DAY, "call")

    def _disqualify(self, lead: Prospect, reason: str) -> None:
        self._office.tell("lead.disqualify", lead, _owner(lead).id, {"reason": reason})
        lead.fulfil()
        lead.end()

    def _open(self, lead: Prospect, pipeline: Pipeline) -> None:
        chance = self._chance
        lead.deals += 1
        number = lead.subject.removeprefix("L-")
        lead.deal = f"D-{number}" if lead.deals == 1 else f"D-{number}-{lead.deals}"
        lead.closed, lead.bought, lead.partner = False, False, None
        _owner(lead).leads[lead.subject] = lead
        lead.pipeline = pipeline
        lead.stage = 1 if chance.yes(0.08) else 0
        product = lead.product or PRODUCTS.spin(chance)
        lead.product = product
        lead.amount = product.price * chance.between(1, product.units_max) * chance.between(80, 100) // 100
        abroad = lead.customer.country.currency
        lead.currency = abroad if chance.yes(0.5) else "USD"
        data = {
            "lead": lead.subject,
            "pipeline": pipeline.name,
            "title": f"{lead.customer.name}: {product.name}",
            "product": product.name,
            "amount": money(lead.amount),
            "currency": lead.currency,
        }
        if lead.stage:
            data["stage"] = pipeline.stages[lead.stage]
        self._office.tell("deal.open", lead, _owner(lead).id, data, subject=lead.deal)
        self._plan_in_stage(lead)

    def _plan_in_stage(self, lead: Prospect) -> None:
        """The next visit in the stage's usual time; the last stage is drawn to the quarter's end."""
        chance, now = self._chance, self._office.now
        delay = chance.skewed(lead.pipeline.days[lead.stage] * DAY)
        left = self._office.clock.quarter_end(now) - now
        last = lead.stage == len(lead.pipeline.stages) - 1
        if last and DAY < left < 32 * DAY and chance.yes(0.7):
            delay = left - chance.between(HOUR, min(_CLOSING_DAYS, left // DAY) * DAY)
        self._plan(lead, delay, "meeting" if last else "call")

    def _work_deal(self, lead: Prospect) -> None:
        chance = self._chance
        self._talk(lead, _TALKS.spin(chance))
        loses = min(lead.pipeline.loses / (_owner(lead).skill * lead.channel.quality), 0.45)
        draw = chance.draw()
        if draw < loses:
            return self._lose(lead)
        if draw < loses + (0.1 if self._quarter_closes() else 0.28):
            return self._linger(lead)
        return self._advance(lead)

    def _quarter_closes(self) -> bool:
        office = self._office
        return office.clock.quarter_end(office.now) - office.now <= _CLOSING_DAYS * DAY

    def _linger(self, lead: Prospect) -> None:
        """The deal stays where it is, or falls back; its amount or its team may change."""
        office, chance, rep = self._office, self._chance, _owner(lead)
        draw = chance.draw()
        if draw < 0.25:
            lead.amount = lead.amount * chance.between(70, 125) // 100
            data = {"amount": money(lead.amount), "currency": lead.currency}
            office.tell("deal.amend", lead, rep.id, data, subject=lead.deal)
        elif draw < 0.32:
            self._split(lead, rep)
        elif draw < 0.42 and lead.stage:
            lead.stage -= 1
            self._move(lead)
        self._plan_in_stage(lead)

    def _split(self, lead: Prospect, rep: Rep) -> None:
        other = self._office.team.other_than(rep)
        if other is None or lead.partner is not None:
            return
        lead.partner = other
        percent = self._chance.pick((20, 30, 40, 50))
        shares = [
            {"rep": rep.id, "role": "closer", "percent": str(100 - percent)},
            {"rep": other.id, "role": "opener", "percent": str(percent)},
        ]
        self._office.tell("deal.split", lead, rep.id, {"shares": shares}, subject=lead.deal)

    def _advance(self, lead: Prospect) -> None:
        stages = len(lead.pipeline.stages)
        lead.stage += 2 if lead.stage + 2 < stages and self._chance.yes(0.07) else 1
        if lead.stage >= stages:
            return self._win(lead)
        self._move(lead)
        return self._plan_in_stage(lead)

    def _move(self, lead: Prospect) -> None:
        actor, partner = _owner(lead), lead.partner
        if partner is not None and partner.active and self._chance.yes(0.3):
            actor = partner
        data = {"stage": lead.pipeline.stages[lead.stage]}
        self._office.tell("deal.move", lead, actor.id, data, subject=lead.deal)

    def _win(self, lead: Prospect) -> None:
        office, chance, rep = self._office, self._chance, _owner(lead)
        data = {}
        if chance.yes(0.2):
            lead.amount = lead.amount * chance.between(85, 105) // 100
            data = {"amount": money(lead.amount), "currency": lead.currency}
        lag = chance.between(DAY // 2, 3 * DAY) if chance.yes(0.06) else 0
        office.tell("deal.win", lead, rep.id, data, subject=lead.deal, lag=lag)
        self._accounts.invoice(lead, rep.branch)
        rep.leads.pop(lead.subject, None)
        lead.bought, lead.closed, lead.tries = True, True, 0
        draw = chance.draw()
        if draw < 0.015:
            office.next_visit(lead, self._reopen, chance.between(3, 25) * DAY)
        elif draw < 0.2 and lead.pipeline is NEW_BUSINESS:
            office.next_visit(lead, self._keep_in_touch, chance.between(30, 44) * DAY)
        else:
            lead.end()

    def _keep_in_touch(self, lead: Prospect) -> None:
        """Calls on a customer, till the renewal comes near."""
        office = self._office
        if not lead.holds(office.today) or not _owner(lead).active:
            return lead.end()
        self._talk(lead, "satisfied" if self._chance.yes(0.8) else "complaint")
        lead.tries += 1
        if lead.tries < 4:
            return office.next_visit(lead, self._keep_in_touch, self._chance.between(30, 44) * DAY)
        return self._open(lead, RENEWALS)

    def _lose(self, lead: Prospect) -> None:
        office, chance, rep = self._office, self._chance, _owner(lead)
        data = {"reason": lead.pipeline.reasons.spin(chance)}
        if lead.pipeline is NEW_BUSINESS and office.revised and chance.yes(0.07):
            data["reason"] = NEW_REASON
        if chance.yes(0.15):
            data["note"] = chance.pick(NOTES)
        office.tell("deal.lose", lead, rep.id, data, subject=lead.deal)
        lead.closed = True
        draw = chance.draw()
        if draw < 0.03:
            return office.next_visit(lead, self._reopen, chance.between(3, 20) * DAY)
        if draw < 0.2 and not rep.careful:
            return self._forget(lead)
        if draw < 0.75:
            return self._disqualify(lead, "lost")
        return self._plan(lead, chance.between(25, _VISIT_DAYS_MAX) * DAY, "call")

    def _reopen(self, lead: Prospect) -> None:
        """The close is undone, sometimes after an attempt to go on with the closed deal, which is refused."""
        office, chance = self._office, self._chance
        if not lead.holds(office.today) or not _owner(lead).active:
            return lead.end()
        rep = _owner(lead)
        if chance.yes(0.4):
            data = {"stage": lead.pipeline.stages[0]}
            office.tell("deal.move", lead, rep.id, data, subject=lead.deal)
        reason = "order withdrawn" if lead.bought else chance.pick(REOPENED)
        self._accounts.withdraw(lead)
        office.tell("deal.reopen", lead, rep.id, {"reason": reason}, subject=lead.deal)
        lead.stage = min(lead.stage, len(lead.pipeline.stages) - 1)
        lead.bought, lead.closed = False, False
        rep.leads[lead.subject] = lead
        return self._plan_in_stage(lead)


def _owner(lead: Prospect) -> Rep:
    if lead.owner is None:
        raise LookupError(f"{lead.subject} is in the pool")
    return lead.owner
