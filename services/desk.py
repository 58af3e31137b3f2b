"""The desk at which one action is decided: what is known, and what follows, until all of it is appended."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar, cast

from domain.activities.model import ACTIVITIES, Activities
from domain.deals.decisions import known as known_deal
from domain.deals.model import DEAL, Deal
from domain.kernel import Decider, Event, Recorded
from domain.leads.decisions import known as known_lead
from domain.leads.decisions import lapse
from domain.leads.model import LEAD, Key, Lead
from domain.pipelines.model import PIPELINE, Pipeline
from domain.shared.actors import Actor
from domain.shared.keys import IdentityKey
from domain.team.decisions import employed
from domain.team.model import REP, Rep
from services.actions import Action
from services.ports import Unit
from services.recall import Known, Recall, decider_of

State = TypeVar("State")
NOT_YET = 2**62
"""Where positions of events that are decided but not appended start, as long as the log's end isn't known."""

KeyStream = Callable[[IdentityKey], str]


class Desk:
    """States of streams, as of the log and of what was decided here and not appended yet.

    `position` is the last one given to an event, foreseeing that nobody else appends in between.
    """

    def __init__(self, recall: Recall, key_stream: KeyStream, currency: str) -> None:
        self._recall = recall
        self._drafts: dict[str, Known] = {}
        self.position = NOT_YET
        self.key_stream = key_stream
        self.currency = currency

    def sit(self, action: Action, now: datetime) -> None:
        """Begin to decide an action, at the moment `now`."""
        self.action, self.now = action, now
        self._reads: dict[str, int] = {}
        self._writes: dict[str, Known] = {}
        self._events: list[tuple[str, Event]] = []
        self._kept: list[tuple[str, Event]] = []
        self._erased: set[str] = set()

    @property
    def actor(self) -> Actor:
        return self.action.actor

    @property
    def subject(self) -> str:
        """The sender's id of what the action is about; parsing made sure that there is one."""
        return cast(str, self.action.subject)

    def state(self, decider: Decider[State], entity: str) -> State:
        """The state of a stream. The decision rests on it: it is appended only if the stream is still so."""
        return cast(State, self._look(decider.stream(entity))[0])

    def peek(self, decider: Decider[State], entity: str) -> State:
        """The state of a stream, for a decision that need not be taken anew if somebody writes to it."""
        stream = decider.stream(entity)
        known = self._writes.get(stream) or self._drafts.get(stream) or self._recall.look(stream)
        return cast(State, known[0])

    def foresee(self, streams: Iterable[str]) -> None:
        """These streams will be looked at one by one: have them read together."""
        self._recall.fetch(streams)

    def record(self, stream: str, events: Sequence[Event]) -> None:
        """These events follow from the action."""
        for event in events:
            state, version = self._look(stream)
            fact = Recorded(
                event=event,
                stream=stream,
                version=version + 1,
                position=self.position + len(self._events) + 1,
                occurred_at=self.action.occurred_at,
                recorded_at=self.now,
                actor=self.actor.name,
                source=self.action.source,
                action=self.action.id,
            )
            self._writes[stream] = (decider_of(stream).evolve(state, fact), version + 1)
            self._events.append((stream, event))

    def keep(self, stream: str, event: Event) -> None:
        """This is recorded if the action is refused, instead of what would have followed from it."""
        self._look(stream)
        self._kept.append((stream, event))

    def erase(self, subject: str) -> None:
        """With the action nobody can read any more what was sealed for the person of this stream."""
        self._erased.add(subject)

    def accepted(self) -> Unit:
        """What is to be appended; later decisions at this desk rest on it."""
        self._drafts |= self._writes
        self.position += len(self._events)
        return replace(self._unit(self._events), erases=frozenset(self._erased))

    def refused(self) -> Unit:
        """What is to be appended although the action is refused; mostly only that the reasons still hold."""
        for stream, _ in self._kept:
            state, version = self._drafts.get(stream) or self._recall.look(stream)
            self._drafts[stream] = (state, version + 1)
        self.position += len(self._kept)
        return self._unit(self._kept)

    def clear(self, *, as_decided: bool = False) -> None:
        """Forget what was decided: it has to be decided again, or it is in the log.

        `as_decided` says that all of it is, with the very positions and times that it was decided with.
        """
        if as_decided:
            self._recall.adopt(self._drafts)
        self._drafts = {}

    @property
    def decided_nothing(self) -> bool:
        return not self._events

    def actor_must_be_employed(self) -> None:
        """Raises UnknownRep or RepHasLeft for an actor who is a rep and isn't on the team."""
        if self.actor.rep is not None:
            employed(self.state(REP, self.actor.rep))

    def resolve(self, lead: str) -> Lead:
        """The lead that stands for this one, through aliases and merges. UnknownLead if there is none.

        A claim found past its term is written down as lapsed, on the way.
        """
        found = self.state(LEAD, lead)
        while found.points_to is not None:
            found = self.state(LEAD, found.points_to)
        if known_lead(found).claim is not None and not found.ended:
            self.record(LEAD.stream(found.id), lapse(found, now=self.now))
            found = self.state(LEAD, found.id)
        return found

    def deal(self, deal: str) -> Deal:
        """The deal; UnknownDeal if it was never opened."""
        return known_deal(self.state(DEAL, deal))

    def rep(self, rep: str) -> Rep:
        """An employed rep; UnknownRep, RepHasLeft."""
        return employed(self.state(REP, rep))

    def known_rep(self, rep: str) -> Rep:
        """A rep who is or was on the team; UnknownRep."""
        found = self.state(REP, rep)
        return employed(found) if found.status == "unknown" else found

    def pipeline(self, pipeline: str) -> Pipeline:
        return self.state(PIPELINE, pipeline)

    def activities(self, lead: str) -> Activities:
        return self.state(ACTIVITIES, lead)

    def key(self, key: IdentityKey) -> tuple[str, Key]:
        """A key's stream and what it points to."""
        stream = self.key_stream(key)
        return stream, cast(Key, self._look(stream)[0])

    def heads(self, rep: str | None) -> frozenset[str]:
        """Everyone above the rep."""
        above: dict[str, None] = {}
        while rep is not None:
            rep = self.state(REP, rep).manager
            if rep in above:
                break
            if rep is not None:
                above[rep] = None
        return frozenset(above)

    def owner_of(self, lead: Lead) -> str | None:
        return lead.owner_at(self.now)

    def _look(self, stream: str) -> Known:
        known = self._writes.get(stream)
        if known is not None:
            return known
        known = self._drafts.get(stream) or self._recall.look(stream)
        self._reads[stream] = known[1]
        return known

    def _unit(self, events: Sequence[tuple[str, Event]]) -> Unit:
        action = self.action
        return Unit(
            events=tuple(events),
            expected=self._reads,
            occurred_at=action.occurred_at,
            decided_at=self.now,
            actor=action.actor.name,
            source=action.source,
            action=action.id,
            correlation_id=action.correlation_id,
            causation_id=action.causation_id,
            migrated=action.recorded_at is not None,
            about={stream: about for stream, _ in events if (about := self._about(stream)) is not None},
        )

    def _about(self, stream: str) -> str | None:
        """The stream of the person whom the events of this one tell of, where that is another."""
        category, _, entity = stream.partition("-")
        if category == ACTIVITIES.category:
            return LEAD.stream(entity)
        return LEAD.stream(self.state(DEAL, entity).lead) if category == DEAL.category else None
