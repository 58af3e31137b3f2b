"""Lines of statements, and the events behind them, in a rep's words."""

from datetime import date
from decimal import Decimal

from domain.deals.events import DealAmended, DealOpened, DealReopened, DealSplit, DealWon
from domain.finance.events import RateRecorded
from domain.kernel import Event, Recorded
from domain.leads.events import LeadAbsorbed, LeadAssigned, LeadClaimed, LeadUnmerged
from domain.payments.events import PaymentMatched, PaymentRecorded, RefundRecorded
from domain.payroll.events import DisputeResolved, Line, LineDisputed, PlanAssigned, PlanPublished
from domain.payroll.rating import plain
from domain.payroll.standing import WHOLE


def what(line: Line) -> str:
    """What a line is about, in few words."""
    part = "" if line.share is None or line.share == WHOLE else f", {plain(line.share)} % of it"
    role = f" as {line.role}" if line.role else ""
    return f"{'change of: ' if line.kind == 'adjustment' else ''}{about(line)}{part}{role}"


def about(line: Line) -> str:
    """Which deal, payment or period the line, or what it adjusts, is about."""
    match line.of:
        case "win":
            return f"deal {line.deal} won"
        case "payment":
            return f"payment {line.earning} on deal {line.deal}"
        case "override":
            return f"{line.credited}'s deal {line.deal}"
        case "cap":
            return f"over the cap of {line.for_period}"
        case "draw":
            return f"up to the draw of {line.for_period}"
        case "recovery":
            return f"draw taken back in {line.for_period}"
        case "dispute":
            return f"dispute of line {line.earning} accepted"


def whose(line: Line) -> str:
    """Whose part of the deal it is paid on, said to the rep."""
    return f"{line.credited}'s part" if line.of == "override" else "Your part"


def told(fact: Recorded[Event]) -> str:
    """What an event says."""
    match fact.event:
        case DealOpened() as opened:
            product = f", product {opened.product}" if opened.product else ""
            return f"deal {fact.entity} was opened for lead {opened.lead}{product}"
        case DealWon() as won:
            whose = f"the lead was {won.owner}'s" if won.owner else "nobody owned the lead"
            return f"deal {fact.entity} was won for {money(won.amount, won.currency)}; {whose}"
        case DealAmended(amount=amount, currency=currency):
            return f"the amount of deal {fact.entity} was corrected to {money(amount, currency)}"
        case DealSplit(shares=shares):
            parts = (
                f"{one.rep} {plain(one.percent)} %{f' as {one.role}' if one.role else ''}" for one in shares
            )
            return f"the credit of deal {fact.entity} was split: {', '.join(parts)}"
        case DealReopened(reason=reason):
            return f"deal {fact.entity} was reopened: {reason}"
        case LeadClaimed(rep=rep) | LeadAssigned(rep=rep):
            return f"lead {fact.entity} became {rep}'s"
        case LeadAbsorbed(lead=lead, owner=rep):
            return f"lead {lead} was merged into {fact.entity}, which is {rep}'s"
        case LeadUnmerged(parted_from=lead, owner=rep):
            return f"lead {fact.entity} was parted from {lead} again, and is {rep}'s"
        case _:
            return _told_of_money(fact) or fact.event.stored_name


def bearing(fact: Recorded[Event], line: Line) -> str | None:
    """What an event that is about another earning than the line's has to do with the line."""
    match fact.event:
        case DealWon():
            crossed = line.of in ("win", "payment") and fact.entity != line.deal
        case PaymentRecorded() | PaymentMatched() if line.of == "payment":
            crossed = fact.entity != line.earning
        case PaymentRecorded(deal=deal) | PaymentMatched(deal=deal):
            crossed = line.of == "win" and deal not in (None, line.deal)
        case _:
            crossed = False
    return "by it the tier was reached" if crossed else None


def _told_of_money(fact: Recorded[Event]) -> str | None:
    match fact.event:
        case PaymentRecorded() as paid:
            of = f" for deal {paid.deal}" if paid.deal else ""
            return f"payment {fact.entity}: {money(paid.amount, paid.currency)} came in{of}"
        case RefundRecorded() as back:
            return f"refund {fact.entity}: {money(back.amount, back.currency)} went back"
        case PaymentMatched(deal=deal):
            return f"payment {fact.entity} was found to be for deal {deal}"
        case RateRecorded(quote=quote, rate=rate, day=day):
            return f"one {fact.entity} was {plain(rate)} {quote} on {day}"
        case PlanPublished(number=number, plan=plan):
            return f"the plan {fact.entity} v{number} was published: {plan.name}"
        case PlanAssigned(plan=named, number=number) as to:
            return f"{fact.entity} earns by {named} v{number} {_days(to.first_day, to.last_day)}"
        case LineDisputed(line=line, reason=reason):
            return f"line {fact.entity}/{line} was disputed: {reason}"
        case DisputeResolved(line=line, accepted=accepted, note=note):
            word = "accepted" if accepted else "declined"
            return f"the dispute of line {fact.entity}/{line} was {word}: {note}"
        case _:
            return None


def _days(first: date, last: date | None) -> str:
    return f"from {first}" if last is None else f"from {first} to {last}"


def money(amount: Decimal | None, currency: str | None) -> str:
    """`1,234.50 USD`."""
    return "an amount not named" if amount is None else f"{amount:,} {currency}"
