"""Prometheus metrics: what this process did, and how far the read tables are behind. Slow to import."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
    start_http_server,
)

from adapters.observing.positions import Positions
from adapters.observing.work import Work, unwatch, watch
from adapters.postgres.database import Database
from adapters.settings import BadSetting
from services.answers import Answer

_OUTCOMES = ("accepted", "duplicate", "refused", "skipped")
_SIZES = tuple(2**power for power in range(12))
_COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Watches the process, and asks the database for positions when it is asked itself."""

    def __init__(self, database: Database) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # A line for each on when it began.
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(Positions(database))
        self._actions = self._counter("actions", "Actions answered, by outcome", "outcome")
        for outcome in _OUTCOMES:
            self._actions.labels(outcome)  # From 0: the first of its kind is a change, too.
        self._rejections = self._counter("rejections", "Actions refused, by code", "code")
        self._denied = self._counter(
            "access_denied", "Requests refused because of who asked", "role", "operation"
        )
        self._appended = self._counter("appended_events", "Events appended to the log")
        self._group = self._histogram("commit_actions", "Actions committed together", _SIZES)
        self._commit = self._histogram("commit_seconds", "Time of a commit to the log", _COMMIT_SECONDS)
        self._folded = self._counter("folded_events", "Positions counted in, by projection", "projection")
        self._fold = self._histogram("fold_seconds", "Time of a batch of projections", _SECONDS)
        self._lag = Gauge(
            "dealtrail_ingest_lag_actions",
            "Records that are there and not taken in, of partitions that this process has",
            ["topic", "partition"],
            registry=self.registry,
        )
        self._lagging: set[tuple[str, str]] = set()
        self._requests = self._histogram(
            "http_request_seconds", "Time of a request", _SECONDS, "method", "route", "status"
        )

    def text(self) -> bytes:
        """All of them now, in Prometheus' text format."""
        return generate_latest(self.registry)

    def begun(self, work: Work) -> None:
        """Nothing to note yet."""

    def ended(self, work: Work) -> None:
        """Count it. What failed counts as a request only."""
        facts = work.facts
        if work.name == "request":
            labels = [str(facts.get(name, "")) for name in ("method", "route", "status")]
            self._requests.labels(*labels).observe(work.seconds)
        elif work.error is not None:
            return
        elif work.name == "commit":
            self._group.observe(facts["actions"])
            self._commit.observe(work.seconds)
            self._appended.inc(facts["events"])
        elif work.name == "decide":
            self._count(facts["answers"])
        elif work.name == "deny":
            self._denied.labels(facts["role"], facts["operation"]).inc()
        elif work.name == "ingest_lag":
            self._note_lag(facts["topic"], facts["lags"])
        elif work.name == "fold":
            self._fold.observe(work.seconds)
            for name in facts["projections"]:
                self._folded.labels(name).inc(facts["positions"])

    def _count(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            self._actions.labels(_outcome(answer)).inc()
            if answer.error is not None:
                self._rejections.labels(answer.error["code"]).inc()

    def _note_lag(self, topic: str, lags: Mapping[int, int]) -> None:
        """By partition; what is not told is not known any more."""
        told = {(topic, str(partition)): lag for partition, lag in lags.items()}
        for labels in self._lagging - told.keys():
            self._lag.remove(*labels)
        for labels, lag in told.items():
            self._lag.labels(*labels).set(lag)
        self._lagging = set(told)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"dealtrail_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, bounds: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"dealtrail_{name}", meaning, labels, registry=self.registry, buckets=bounds)


def _outcome(answer: Answer) -> str:
    if answer.skipped:
        return "skipped"
    if answer.error is not None:
        return "refused"
    return "duplicate" if answer.duplicate else "accepted"


@contextmanager
def measuring(database: Database) -> Iterator[Metrics]:
    """Metrics of this process, from now to the end."""
    metrics = Metrics(database)
    watch(metrics)
    try:
        yield metrics
    finally:
        unwatch(metrics)


@contextmanager
def serving(database: Database, port: int) -> Iterator[Metrics]:
    """The same, for whoever asks at http://…:port/metrics. Raises BadSetting for a port that isn't free."""
    with measuring(database) as metrics:
        try:
            server, thread = start_http_server(port, registry=metrics.registry)
        except OSError as error:
            raise BadSetting(
                "DEALTRAIL_METRICS_PORT", str(port), f"a port that can be listened at ({error.strerror})"
            ) from None
        try:
            yield metrics
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
