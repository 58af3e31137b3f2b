"""Which concrete parts make up Dealtrail: the only file that names them all."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from adapters.access.gate import Gate
from adapters.access.keys import ApiKeys
from adapters.audit.keys import Keys
from adapters.kafka.checkpoints import CheckpointTopic
from adapters.kafka.connecting import Cluster, KafkaAway
from adapters.kafka.dead_letters import DeadLetters
from adapters.kafka.ingest import ActionsTopic
from adapters.kafka.projecting import EventsReader
from adapters.kafka.publishing import EventsTopic
from adapters.logging import Logger, configure
from adapters.observing.intake import WatchedIntake
from adapters.observing.tracing import tracing
from adapters.postgres.audit.checkpoints import Checkpoints, Sealed
from adapters.postgres.books import Books
from adapters.postgres.database import Database
from adapters.postgres.embedded import Embedded
from adapters.postgres.lookups import Lookups, view_of
from adapters.postgres.migrate import migrate
from adapters.postgres.projecting.as_of import AsOf
from adapters.postgres.projecting.projector import Projector
from adapters.postgres.projecting.spread_fold import SpreadFold
from adapters.postgres.store import PostgresStore
from adapters.settings import Settings
from projections.asking import View
from projections.contacts import Contacts
from projections.deals import Deals
from projections.kernel import Progress, Projection
from projections.leads import Leads
from projections.mine import MyViews
from projections.next_steps import NextSteps
from projections.payroll.finance import Costs, Rates
from projections.payroll.payments import Payments
from projections.payroll.plans import Assignments, Plans
from projections.payroll.statements import Periods, Statements
from projections.payroll.views import PayrollViews
from projections.pipelines import Pipelines
from projections.team import Team
from services.intake import Intake

PROJECTIONS: tuple[Projection, ...] = (
    Pipelines(),
    Team(),
    Leads(),
    Deals(),
    NextSteps(),
    Contacts(),
    Payments(),
    Rates(),
    Costs(),
    Plans(),
    Assignments(),
    Statements(),
    Periods(),
    PayrollViews(),
    MyViews(),
)
"""Every question that has tables of its own. A new one is a line here."""

_logger = Logger(__name__)


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Engine:
    """The parts over one migrated database. Make it anew after a fork."""

    settings: Settings
    database: Database

    @cached_property
    def store(self) -> PostgresStore:
        return PostgresStore(self.database)

    @cached_property
    def projector(self) -> Projector:
        return Projector(self.database, PROJECTIONS)

    @cached_property
    def books(self) -> Books:
        """What payroll rests on."""
        needed = [projection for projection in PROJECTIONS if projection.name in Books.READS]
        settings = self.settings
        projector = Projector(self.database, needed)
        return Books(self.store, projector, zone=settings.timezone, currency=settings.currency)

    @cached_property
    def checkpoints(self) -> Checkpoints:
        """What was signed of the log, and may be."""
        return Checkpoints(self.database)

    def seal(self, keys: Keys, progress: Progress | None = None) -> Sealed:
        """Sign what the log is now, and was at each close, and publish. Raises as `Checkpoints.seal` does."""
        sealed = self.checkpoints.seal(keys, now(), progress)
        try:
            self.publish()
        except KafkaAway as away:
            _logger.warning("not_published", error=str(away))
        return sealed

    @cached_property
    def checkpoint_topic(self) -> CheckpointTopic | None:
        """Where checkpoints are published; none without Kafka."""
        if self.settings.kafka_bootstrap_servers is None:
            return None
        return CheckpointTopic(self.kafka, self.settings.checkpoints_topic)

    @property
    def kafka(self) -> Cluster:
        """Where Kafka is, for parts that are nothing without it."""
        settings = self.settings
        assert settings.kafka_bootstrap_servers is not None
        return Cluster(
            settings.kafka_bootstrap_servers,
            settings.kafka_security_protocol,
            settings.kafka_sasl_mechanism,
            settings.kafka_sasl_username,
            settings.kafka_sasl_password,
            settings.kafka_ssl_ca,
            settings.kafka_ssl_certificate,
            settings.kafka_ssl_key,
        )

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """What was refused of Kafka's actions; Kafka must be set."""
        settings = self.settings
        return DeadLetters(
            self.database,
            cluster=self.kafka,
            name=settings.dead_letters_topic,
            days=settings.dead_letters_days,
        )

    @cached_property
    def actions_topic(self) -> ActionsTopic:
        """Where actions are taken in from; Kafka must be set."""
        settings = self.settings
        return ActionsTopic(
            self.database,
            self.intake,
            self.dead_letters,
            cluster=self.kafka,
            name=settings.actions_topic,
            group=settings.ingest_group,
            partitions=settings.partitions,
        )

    @cached_property
    def events_topic(self) -> EventsTopic:
        """Where the log is published; Kafka must be set."""
        settings = self.settings
        return EventsTopic(
            self.database,
            self.store,
            cluster=self.kafka,
            name=settings.events_topic,
            partitions=settings.partitions,
            source=settings.events_source,
        )

    @cached_property
    def events_reader(self) -> EventsReader:
        """What keeps the read tables up from the events topic, with others; Kafka must be set."""
        return EventsReader(
            self.database,
            self.projector,
            SpreadFold(self.database, PROJECTIONS),
            cluster=self.kafka,
            name=self.settings.events_topic,
            partitions=self.settings.partitions,
        )

    def publish(self) -> int:
        """Publish the checkpoints that are due, as many as some seconds allow; how many. Raises KafkaAway."""
        return 0 if self.checkpoint_topic is None else self.checkpoint_topic.publish(self.database)

    @cached_property
    def api_keys(self) -> ApiKeys:
        """Who may ask over HTTP."""
        return ApiKeys(self.database, now)

    @cached_property
    def gate(self) -> Gate:
        """Who somebody is, by what they show."""
        from adapters.access.tokens import Tokens  # Slow to import, and only serving needs it.

        issuer, audience = self.settings.oidc_issuer, self.settings.oidc_audience
        tokens = Tokens(issuer, audience) if issuer is not None and audience is not None else None
        return Gate(self.database, self.api_keys, tokens)

    def intake(self) -> Intake:
        """A way in for actions: one for each thread."""
        needed = [projection for projection in PROJECTIONS if projection.name in Lookups.READS]
        return WatchedIntake(
            self.store,
            secret=self.store.secret(),
            claims=Lookups(Projector(self.database, needed)),
            books=self.books,
            clock=now,
            currency=self.settings.currency,
        )

    @contextmanager
    def view(self, at: AsOf | None = None, progress: Progress | None = None) -> Iterator[View]:
        """The read tables for reports, standing still: caught up to the log's end, or as of a past moment."""
        if at is None:
            self.projector.catch_up(progress=progress)
        with self.projector.snapshot(at=at, progress=progress) as snapshot:
            yield view_of(snapshot, self.settings.timezone.key)


@contextmanager
def engine(settings: Settings) -> Iterator[Engine]:
    """Everything over the database that the settings name, started if it is the embedded one, migrated."""
    configure(settings.log, settings.log_level)
    with ExitStack() as stack:
        if settings.otel_exporter_otlp_endpoint is not None:
            stack.enter_context(tracing(settings.otel_exporter_otlp_endpoint))
        url = settings.database_url
        if url is None:
            server = Embedded(settings.home).start()
            stack.callback(server.stop)
            url = server.url()
        database = stack.enter_context(Database(url))
        if applied := migrate(database):
            _logger.info("database_migrated", migrations=applied)
        yield Engine(settings, database)
