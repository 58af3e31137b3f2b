"""Who is asking over HTTP, and what they may see. Routes take a `Caller` by `Depends(asking)`."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from adapters.access.denials import NobodyKnown, denied
from adapters.access.entitlements import OPERATIONS, Scope
from adapters.access.gate import Identity
from adapters.access.tokens import IssuerAway
from adapters.http.problems import Problem
from adapters.http.service import Served
from adapters.http.showing import shown
from domain.shared.actors import Actor
from domain.shared.rejections import NotEntitled
from projections.asking import View
from projections.mine import concerned_with_deal, concerned_with_lead

UNKNOWN = "Say who you are: Authorization: Bearer, with an API key or a token that is good here and now."
NOT_FOR_ROLE = "The role {role} may not do this."
NOT_YOURS = "This is not yours to see, or it isn't there."
_NAME_SHOWN = 200
"""Characters of a name in the log: it is whatever the caller wrote."""
_BEARER = HTTPBearer(auto_error=False, description="An API key (dtk_…), or a JWT of the OIDC issuer.")


@dataclass(frozen=True, slots=True)
class Caller(Identity):
    """Who asks, and what they may."""

    def may(self, operation: str, of: str | None = None) -> None:
        """`of` is the rep whom it is about, where it names one. Raises Problem (forbidden), which is logged.

        A list without `of` is allowed, if any: `scoped` and `shown` cut it down. Who may see only their own
        is told the same of what is not theirs and of what isn't there.
        """
        scope = self.scope(operation)
        if scope is Scope.NONE:
            raise self._denied(operation, NOT_FOR_ROLE, of=of)
        if scope is Scope.OWN and of is not None and of not in self.team:
            raise self._denied(operation, NOT_YOURS, of=of)

    def may_see_deal(self, operation: str, view: View, deal: str) -> None:
        """Raises Problem (forbidden) for a deal of nobody in the scope. The view must be of now."""
        self._must_concern(operation, deal, concerned_with_deal(view, deal))

    def may_see_lead(self, operation: str, view: View, lead: str) -> frozenset[str]:
        """Its deals that are somebody's in the scope. Raises Problem (forbidden) for a lead of nobody there.

        The view must be of now.
        """
        concerned = concerned_with_lead(view, lead)
        self._must_concern(operation, lead, frozenset().union(*concerned.values()))
        return frozenset(deal for deal, reps in concerned.items() if deal is not None and reps & self.team)

    def may_act_as(self, actor: object) -> None:
        """Raises NotEntitled for an actor that the caller may not name, which is logged.

        Whatever is no name at all is let by: the action is refused for that.
        """
        self.may("act")
        if not isinstance(actor, str) or not actor:
            return
        role = Actor.of(actor).role
        match self.role:
            case "admin":
                return
            case "service" if role in ("rep", "service"):
                return
            case "payroll" if role == "payroll":
                return
            case "rep" | "head" if role == "rep" and actor == self.rep:
                return
        reason = "the caller's key is not theirs"
        self._deny("act", "not_their_actor", of=actor)
        raise NotEntitled(actor=self.name, action=f"act as {actor}", reason=reason)

    def scope(self, operation: str) -> Scope:
        return OPERATIONS[operation].scopes[self.role]

    def scoped(self, view: View, operation: str) -> View:
        """The view for figures over many deals: in the scope OWN of the deals of those reps alone."""
        return replace(view, reps=tuple(sorted(self.team))) if self.scope(operation) is Scope.OWN else view

    def shown(self, operation: str, report: Any, deals: frozenset[str] = frozenset()) -> Any:
        """The report, without what is outside of the scope; `deals` are those that `may_see_lead` gave."""
        return shown(operation, report, scope=self.scope(operation), team=self.team, deals=deals)

    def _must_concern(self, operation: str, what: str, concerned: frozenset[str]) -> None:
        self.may(operation)
        if self.scope(operation) is Scope.OWN and not (concerned & self.team):
            raise self._denied(operation, NOT_YOURS, of=what)

    def _denied(self, operation: str, sentence: str, *, of: str | None) -> Problem:
        self._deny(operation, "not_theirs" if sentence is NOT_YOURS else "not_for_role", of=of)
        return Problem("forbidden", sentence.format(role=self.role), role=self.role)

    def _deny(self, operation: str, reason: str, *, of: str | None) -> None:
        asked = None if of is None else of[:_NAME_SHOWN]
        denied(key=self.key, role=self.role, operation=operation, reason=reason, of=asked)


async def asking(
    request: Request,
    served: Served,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Caller:
    """Who sent the request. Raises Problem (unauthenticated); the log has the reason, the sender hasn't."""
    try:
        if credentials is None or not credentials.credentials:
            raise NobodyKnown("no_credentials" if "authorization" not in request.headers else "no_bearer")
        text = credentials.credentials
        found = served.gate.remembered(text)
        if found is None:
            found = await served.read(lambda: served.gate.identify(text))
    except NobodyKnown as nobody:
        denied(key=nobody.key, role="unknown", operation="authenticate", reason=nobody.reason)
        raise Problem("unauthenticated", UNKNOWN) from None
    except IssuerAway:
        raise Problem("issuer_unavailable") from None
    return Caller(found.role, found.name, found.rep, found.key, found.team)


Asking = Annotated[Caller, Depends(asking)]
"""The type of a route's parameter that is who asks: `caller: Asking`."""
