"""A request for a report: what all of them may say, and how they are answered."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Header, Query, Response
from pydantic import BeforeValidator

from adapters.access.entitlements import Scope
from adapters.http.access import Asking, Caller
from adapters.http.service import Served, Service
from adapters.postgres.lookups import view_of
from adapters.postgres.projecting.as_of import AsOf
from adapters.reading.ledger import Ledger, ledger_at
from adapters.reading.moments import past
from adapters.reading.source import Source
from projections.asking import Axis, View, answer

POSITION = "Dealtrail-Position"
AT_LEAST = "Dealtrail-At-Least"
POSITION_MAX = 2**63 - 1


def _digits(given: object) -> object:
    if isinstance(given, str) and not (given.isascii() and given.isdigit()):
        raise ValueError("must be a whole number, in digits alone")
    return given


Whole = Annotated[int, BeforeValidator(_digits)]
"""A number as it is written: pydantic would take +0.0, too."""

AtLeast = Annotated[
    Whole | None,
    Header(
        alias=AT_LEAST,
        ge=0,
        le=POSITION_MAX,
        description="Answer by what was recorded up to this position at least, such as what you wrote: "
        "wait a while for it, else not_yet.",
    ),
]
AsOfWhen = Annotated[
    str | None,
    Query(
        description="As it was then: a date (its end), a moment with offset, or a position.",
        examples=["2026-10-02", "2026-10-02T09:15:00+03:00", "#4711"],
    ),
]
Rep = Annotated[str | None, Query(description="Only this rep's.")]
OnAxis = Annotated[
    Axis, Query(description="What the system knew by then, or what had happened by then as known now.")
]


class Asked:
    """What any report may be asked with: as of when, on which axis of time, by which position at least.

    `operation` is what the table of entitlements calls the report. To answer raises Problem (forbidden).
    """

    def __init__(
        self, service: Service, caller: Caller, as_of: str | None, axis: Axis, at_least: int | None
    ) -> None:
        self.parts, self.caller = service.parts, caller
        self._service = service
        self._as_of, self._axis, self._at_least = as_of, axis, at_least

    @property
    def zone(self) -> ZoneInfo:
        """The company's."""
        return self.parts.settings.timezone

    async def tables(
        self,
        operation: str,
        reads: tuple[str, ...],
        ask: Callable[[Source], object],
        *,
        rep: str | None = None,
        lead: str | None = None,
        deal: str | None = None,
    ) -> Response:
        """The report that `ask` gives by the tables of these projections; it may name one of the others."""
        self.caller.may(operation, rep)
        position, moment = past(self._as_of, self._axis, self.zone)
        at = None if position is None and moment is None else AsOf(moment, position, self._axis)
        if self._at_least is not None:
            await self._service.reach(self._at_least, reads if at is None else ())

        def read() -> Response:
            deals = self._must_concern(operation, lead, deal)
            with self.parts.projector.snapshot(reads, at) as snapshot:
                view = replace(view_of(snapshot, self.zone.key), axis=self._axis)
                source = Source(
                    self.caller.scoped(view, operation), self.parts.store.load, self.parts.store.at
                )
                return told(view, self.caller.shown(operation, ask(source), deals))

        return await self._service.read(read, past=at is not None)

    async def ledger(
        self, operation: str, ask: Callable[[Ledger], object], *, rep: str | None = None
    ) -> Response:
        """The report that `ask` gives by the log itself."""

        def read(book: Ledger) -> Response:
            found = self.caller.shown(operation, ask(book))
            return told(book.view, found)

        return await self.by_ledger(operation, read, rep=rep)

    async def by_ledger(
        self, operation: str, read: Callable[[Ledger], Response], *, rep: str | None = None
    ) -> Response:
        """What `read` makes of the log."""
        self.caller.may(operation, rep)
        position, moment = past(self._as_of, self._axis, self.zone)
        if self._at_least is not None:
            await self._service.reach(self._at_least, ())
        past_one = position is not None or moment is not None
        return await self._service.read(
            lambda: read(ledger_at(self.parts, position, moment, self._axis)), past=past_one
        )

    def _must_concern(self, operation: str, lead: str | None, deal: str | None) -> frozenset[str]:
        """The lead's deals that are theirs. Who sees their own only sees what it is now, also of its past."""
        deals = frozenset[str]()
        if (lead is None and deal is None) or self.caller.scope(operation) is not Scope.OWN:
            return deals
        with self.parts.projector.snapshot(("leads", "deals")) as snapshot:
            view = view_of(snapshot)
            if lead is not None:
                deals = self.caller.may_see_lead(operation, view, lead)
            if deal is not None:
                self.caller.may_see_deal(operation, view, deal)
        return deals


async def asked(
    service: Served,
    caller: Asking,
    as_of: AsOfWhen = None,
    axis: OnAxis = "recorded",
    at_least: AtLeast = None,
) -> Asked:
    """What the request says. Not the class itself as the dependency: it would be called in a thread."""
    return Asked(service, caller, as_of, axis, at_least)


AskedFor = Annotated[Asked, Depends(asked)]
"""The type of a report's parameter that is how it was asked for: `asked: AskedFor`."""


def told(view: View, found: object) -> Response:
    """The report as JSON, with the position that it is true of."""
    return as_json(answer(view, found), position=view.position)


def as_json(value: Any, *, position: int | None = None) -> Response:
    """A JSON object or list."""
    return sent(json.dumps(value, ensure_ascii=False), "application/json", position=position)


def sent(content: bytes | str, media_type: str, *, position: int | None = None) -> Response:
    """An answer that nobody on the way may keep."""
    headers = {"Cache-Control": "no-store"}
    if position is not None:
        headers[POSITION] = str(position)
    return Response(content, headers=headers, media_type=media_type)
