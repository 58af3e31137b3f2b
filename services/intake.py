"""Where actions come in: decided in order, appended together, each answered alone."""

import hmac
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from domain.kernel import Event, Recorded, Rejected
from domain.shared.keys import IdentityKey
from domain.shared.repeated import NothingChanged
from domain.team.model import REP
from services.actions import Action, parse
from services.answers import Answer, error_object, from_facts
from services.desk import Desk
from services.duties import Duties
from services.foresight import fetch_ahead
from services.handlers import Handler, handlers, subject_stream
from services.jobs import Decided, Job, Marking, Reading
from services.payloads import LeaveRep
from services.ports import (
    Appended,
    Claims,
    Conflict,
    Duplicate,
    Outcome,
    OutOfOrder,
    PayrollBooks,
    Store,
    Unit,
)
from services.recall import Recall
from services.upkeep import AT_ONCE, departures, lapses

PAUSE_MAX_SECONDS = 0.05
READ_THE_LOG = frozenset({"lead.erase", "period.close", "plan.publish"})
"""Decided by what is in the log, so all that comes before must be there."""
FOLLOWED_UP = frozenset({"period.close", "rep.leave"})
"""More is recorded than the action's own streams foresee, and the very next action may rest on it."""
NO_MIGRATION = "this is no migration. Import it with --migration, or leave recordedtime out"
LIVE = "the log has gone live, and records as of now. Import without --migration and without recordedtime"


class NotMigration(Rejected):
    """A recording time is not taken over: {reason}."""

    code = "not_migration"


class RecordedTimeOrder(Rejected):
    """recordedtime {recordedtime} is earlier than {reached}, where the log is: sort the actions by it."""

    code = "recordedtime_order"


class ActionIdTaken(Rejected):
    """{id} of {source} is another action, by another actor: send this one under an id of its own."""

    code = "action_id_taken"


@dataclass(frozen=True, slots=True)
class Submission:
    """An action as it came. Once an action of a group is refused, the group's later ones are skipped."""

    raw: bytes | Mapping[str, Any]
    group: int | None = None


class Intake:
    """Decides batches of actions and appends what follows. Not for several threads at once: one each.

    `secret` keys the HMAC that names an identity key's stream; `currency` is meant where none is given.
    """

    def __init__(
        self,
        store: Store,
        *,
        secret: bytes,
        claims: Claims,
        books: PayrollBooks,
        clock: Callable[[], datetime],
        currency: str,
    ) -> None:
        self._store = store
        self._claims = claims
        self._clock = clock
        self._recall = Recall(store)
        self._duties = Duties(store, self._recall, claims)
        self._key_stream = _key_stream(secret)
        self._desk = Desk(self._recall, self._key_stream, currency)
        self._handlers: Mapping[str, Handler] = handlers(self._duties, claims, books)
        self._migrated_at: datetime | None = None

    def submit(
        self, submissions: Sequence[Submission], *, migration: bool = False, mark: Marking | None = None
    ) -> list[Answer]:
        """Handle the actions in order; one answer each. With `migration` recording times are taken over.

        In a migration an action without a recording time takes that of the one recorded before it. With a
        bookmark to `mark` no action overtakes another, and nothing is recorded once it is somebody else's:
        raises Superseded.
        """
        now = self._clock()
        jobs = [self._job(submission, now, migration) for submission in submissions]
        refused: set[int] = set()
        reading = None if mark is None else Reading(mark, jobs)
        for together in _segments(jobs):
            self._settle(together, refused, reading)
            last = together[-1].action
            if last is not None and isinstance(last.data, LeaveRep):
                self._hand_over_leads_of(last, last.data.successor)
        if reading is not None and not reading.moved:
            self._store.append((), reading.bookmark(()))
        self._recall.trim()
        return [job.answer for job in jobs if job.answer is not None]

    def execute(self, actions: Sequence[Action]) -> list[Answer]:
        """Handle the engine's own actions, such as writing down a lapse."""
        jobs = [Job(action, None) for action in actions]
        self._settle(jobs, set())
        return [job.answer for job in jobs if job.answer is not None]

    def hand_over(self) -> int:
        """Hand over open leads of reps who left that were not reached when they did. Gives how many."""
        return self._keep_up(lambda now: departures(self._claims.of_departed(AT_ONCE), now=now))

    def lapse(self) -> int:
        """Write down the claims that are past their term. Gives how many."""
        return self._keep_up(lambda now: lapses(self._claims.past_their_term(now, AT_ONCE), now=now))

    def keep_up(self) -> int:
        """What the worker sees to now and then: departures cut short, and lapses. Gives how many.

        Nothing before the log has gone live: the engine's own events would end a migration.
        """
        return self.hand_over() + self.lapse() if self._store.live() else 0

    def _hand_over_leads_of(self, leaving: Action, successor: str | None) -> None:
        """Right after a departure. The departed rep's later claims are refused, so none is missed."""
        rep, now = str(leaving.subject), leaving.recorded_at or self._clock()
        if self._recall.look(REP.stream(rep))[0].status != "left":
            return
        leads = self._duties.open_leads(rep)
        for first in range(0, len(leads), AT_ONCE):
            departed = [(lead, successor) for lead in leads[first : first + AT_ONCE]]
            self.execute(departures(departed, now=now, recorded_at=leaving.recorded_at))

    def _keep_up(self, due: Callable[[datetime], Sequence[Action]]) -> int:
        done = 0
        while actions := due(self._clock()):
            written = sum(answer.events > 0 for answer in self.execute(actions))
            done += written
            if not written:
                break
        return done

    def _job(self, submission: Submission, now: datetime, migration: bool) -> Job:
        try:
            action = parse(submission.raw, now=now)
            if action.recorded_at is not None and not migration:
                raise NotMigration(reason=NO_MIGRATION)
        except Rejected as rejected:
            return Job(None, submission.group, Answer(error=error_object(rejected)))
        if migration:
            recorded_at = action.recorded_at or self._migrated_at or action.occurred_at
            self._migrated_at = max(recorded_at, self._migrated_at or recorded_at)
            action = replace(action, recorded_at=recorded_at)
        return Job(action, submission.group)

    def _settle(self, jobs: Sequence[Job], refused: set[int], reading: Reading | None = None) -> None:
        rounds = 0
        while jobs:
            jobs = self._round(jobs, refused, reading)
            rounds += 1
            if jobs and rounds > 1:
                # Others keep writing to the same streams: step out of their way for a moment.
                time.sleep(random.uniform(0, PAUSE_MAX_SECONDS))

    def _round(self, jobs: Sequence[Job], refused: set[int], reading: Reading | None) -> list[Job]:
        """Decide each, append all; gives those to be decided anew, in order."""
        actions = [job.action for job in jobs if job.action is not None]
        recorded = self._recorded(actions)
        fetch_ahead(
            self._recall,
            (action for action in actions if (action.source, action.id) not in recorded),
            self._key_stream,
        )
        again: list[Job] = []
        decided: list[Decided] = []
        began = self._desk.position
        taken: set[tuple[str, str]] = set()
        refused_now: set[int] = set()
        for job in jobs:
            if job.group is not None and job.group in refused:
                job.answer = Answer(skipped=True)
            elif (
                (reading is not None and again)
                or (job.group is not None and job.group in refused_now)
                or (job.action and job.key in taken)
            ):
                again.append(job)
            elif job.action is None:
                _note_refusal(job, refused)
            elif job.key in recorded:
                job.answer = _recalled(job.action, recorded[job.key])
                _note_refusal(job, refused)
            else:
                taken.add(job.key)
                unit, rejected = self._decide(job.action)
                if unit is None:
                    job.answer = Answer()
                    continue
                self._duties.consider(unit.events)
                decided.append((job, unit, rejected))
                if rejected is not None and job.group is not None:
                    refused_now.add(job.group)
        conflicts = self._append(began, decided, refused, reading)
        order = {id(job): place for place, job in enumerate(jobs)}
        return sorted(again + conflicts, key=lambda job: order[id(job)])

    def _recorded(self, actions: Sequence[Action]) -> Mapping[tuple[str, str], Sequence[Recorded[Event]]]:
        """What is in the log of these already.

        Not asked for one alone that is cheap to decide: the append finds out anyway, a round trip sooner.
        """
        if len(actions) == 1 and actions[0].type not in READ_THE_LOG:
            return {}
        return self._store.recorded([(action.source, action.id) for action in actions])

    def _append(
        self, began: int, decided: Sequence[Decided], refused: set[int], reading: Reading | None
    ) -> list[Job]:
        """Append all at once and answer; gives the jobs to be decided anew."""
        as_decided = False
        try:
            bookmark = None if reading is None or not decided else reading.bookmark(decided)
            outcomes = self._store.append([unit for _, unit, _ in decided], bookmark) if decided else []
            if reading is not None and bookmark is not None and bookmark.to != bookmark.at:
                reading.moved = all(isinstance(outcome, Appended) for outcome in outcomes)
            as_decided = _as_decided(began, decided, outcomes)
        finally:
            self._desk.clear(as_decided=as_decided)
        conflicts = []
        for (job, _, rejected), outcome in zip(decided, outcomes, strict=True):
            if isinstance(outcome, Appended):
                if outcome.facts:
                    self._desk.position = outcome.facts[-1].position
                if not as_decided:
                    self._recall.learn(outcome.facts)
                self._duties.learn(outcome.facts)
            if not self._answer(job, rejected, outcome, refused):
                conflicts.append(job)
        return conflicts

    def _decide(self, action: Action) -> tuple[Unit | None, Rejected | None]:
        desk = self._desk
        desk.sit(action, action.recorded_at or self._clock())
        handler = self._handlers[action.type]
        try:
            desk.actor_must_be_employed()
            handler.decide(desk, action.data)
            if desk.decided_nothing:
                if handler.internal:
                    return None, None
                desk.record(subject_stream(desk), [NothingChanged(action=action.type)])
            return desk.accepted(), None
        except Rejected as rejected:
            return desk.refused(), rejected

    def _answer(self, job: Job, rejected: Rejected | None, outcome: Outcome, refused: set[int]) -> bool:
        """Whether the job is answered; False if it has to be decided anew."""
        match outcome:
            case Conflict(streams=streams):
                self._recall.forget(streams)
                return False
            case OutOfOrder(live=live, recorded_at=reached):
                assert job.action is not None
                late = (
                    NotMigration(reason=LIVE)
                    if live
                    else RecordedTimeOrder(recordedtime=job.action.recorded_at, reached=reached)
                )
                job.answer = Answer(error=error_object(late))
            case Duplicate(facts=facts):
                assert job.action is not None
                self._recall.forget({fact.stream for fact in facts})
                job.answer = _recalled(job.action, facts)
            case Appended(facts=facts):
                job.answer = from_facts(facts) if facts else Answer()
                if rejected is not None:
                    job.answer = replace(job.answer, error=error_object(rejected))
        _note_refusal(job, refused)
        return True


def _recalled(action: Action, facts: Sequence[Recorded[Event]]) -> Answer:
    """What was said when the action was recorded, for nobody but its actor."""
    if facts[0].actor != action.actor.name:
        return Answer(error=error_object(ActionIdTaken(source=action.source, id=action.id)))
    return from_facts(facts, duplicate=True)


def _as_decided(began: int, decided: Sequence[Decided], outcomes: Sequence[Outcome]) -> bool:
    """Whether all is in the log with the positions and times that were foreseen."""
    position = began
    for (_, unit, _), outcome in zip(decided, outcomes, strict=True):
        if not isinstance(outcome, Appended):
            return False
        if outcome.facts:
            first = outcome.facts[0]
            if (first.position, first.recorded_at) != (position + 1, unit.decided_at):
                return False
            position += len(outcome.facts)
    return True


def _note_refusal(job: Job, refused: set[int]) -> None:
    if job.group is not None and job.answer is not None and job.answer.error is not None:
        refused.add(job.group)


def _segments(jobs: Sequence[Job]) -> Iterator[list[Job]]:
    together: list[Job] = []
    for job in jobs:
        kind = None if job.action is None else job.action.type
        if kind in READ_THE_LOG and together:
            yield together
            together = []
        together.append(job)
        if kind in FOLLOWED_UP:
            yield together
            together = []
    if together:
        yield together


def _key_stream(secret: bytes) -> Callable[[IdentityKey], str]:
    def stream(key: IdentityKey) -> str:
        return "key-" + hmac.digest(secret, f"{key.kind}\0{key.value}".encode(), "sha256").hex()[:32]

    return stream
