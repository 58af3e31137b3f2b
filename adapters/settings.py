"""Every setting, read from the environment once. The texts beside the fields are the documentation."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

DOCUMENTATION: Mapping[str, str] = {
    "DATABASE_URL": "PostgreSQL 15 or later, as postgresql://…; without it, the embedded server.",
    "DEALTRAIL_HOME": "Folder of the embedded server. Default: the user's data directory.",
    "DEALTRAIL_TIMEZONE": "The company's time zone, an IANA name such as Europe/Berlin. Default: UTC.",
    "DEALTRAIL_CURRENCY": "Currency of amounts that name none, three capitals of ISO 4217. Default: USD.",
    "DEALTRAIL_AUDIT_KEY": "File of the keys that sign checkpoints. Default: audit.key in DEALTRAIL_HOME.",
    "DEALTRAIL_SEAL_SECONDS": "How often project seals a log that grew; 0: only when a period was closed. "
    "Default: 3600.",
    "KAFKA_BOOTSTRAP_SERVERS": "Kafka, as host:port,host:port…; without it nothing is published.",
    "KAFKA_SECURITY_PROTOCOL": "How Kafka is talked to: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL. "
    "Default: PLAINTEXT.",
    "KAFKA_SASL_MECHANISM": "With SASL: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.",
    "KAFKA_SASL_USERNAME": "With SASL: the user.",
    "KAFKA_SASL_PASSWORD": "With SASL: the user's password.",
    "KAFKA_SSL_CA": "PEM file of the authorities that vouch for Kafka. Default: the system's.",
    "KAFKA_SSL_CERTIFICATE": "PEM file of our own certificate, where Kafka asks for one.",
    "KAFKA_SSL_KEY": "PEM file of its key, without a passphrase.",
    "DEALTRAIL_CHECKPOINTS_TOPIC": "Topic that checkpoints are published to. Default: dealtrail.checkpoints.",
    "DEALTRAIL_EVENTS_TOPIC": "Topic that publish puts the log's events on. Default: dealtrail.events.",
    "DEALTRAIL_EVENTS_SOURCE": "The log's name in CloudEvents (their source). Default: dealtrail.",
    "DEALTRAIL_ACTIONS_TOPIC": "Topic that ingest takes actions from. Default: dealtrail.actions.",
    "DEALTRAIL_DEAD_LETTERS_TOPIC": "Topic of what ingest had to refuse. Default: dealtrail.dead-letters.",
    "DEALTRAIL_INGEST_GROUP": "Consumer group of all that ingest. Default: dealtrail.ingest.",
    "DEALTRAIL_PARTITIONS": "Partitions of a topic of events or actions that is made. Default: 12.",
    "DEALTRAIL_DEAD_LETTERS_DAYS": "So long ingest redrive can send a dead letter again. Default: 30.",
    "DEALTRAIL_BODY_MAX": "Most bytes of a request's body over HTTP. Default: 8388608.",
    "DEALTRAIL_BATCH_MAX": "Most actions of a batch over HTTP. Default: 1000.",
    "DEALTRAIL_WAIT_SECONDS": "Seconds that a report over HTTP waits for a position. Default: 5.",
    "DEALTRAIL_OIDC_ISSUER": "OpenID Connect provider whose JWTs are taken over HTTP, as https://…; "
    "without it only API keys are.",
    "DEALTRAIL_OIDC_AUDIENCE": "The audience that its JWTs must name. Needed with DEALTRAIL_OIDC_ISSUER.",
    "DEALTRAIL_LOG": "How log lines look: json or console. Default: console.",
    "DEALTRAIL_LOG_LEVEL": f"The least severe log line shown: {', '.join(LOG_LEVELS)}. Default: WARNING.",
    "DEALTRAIL_METRICS_PORT": "Port at which a worker serves its metrics; without it, it serves none.",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "Where traces are sent, as http://host:4318; without it, nowhere.",
}
"""What each environment variable means, in the order of the fields of `Settings`."""


_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_SCHEMES = ("postgresql://", "postgres://")
_WANTED_URL = "a URL that begins with postgresql://, with special characters of a password as %40"


class BadSetting(Exception):  # noqa: N818 - named for what happened
    """A setting that cannot be used; the message names the variable and what would be right."""

    def __init__(self, variable: str, value: str, wanted: str) -> None:
        super().__init__(f"{variable} is {value!r}; it must be {wanted}")
        self.variable = variable


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force."""

    database_url: str | None = field(repr=False)
    home: Path
    timezone: ZoneInfo
    currency: str
    audit_key: Path
    seal_seconds: int
    kafka_bootstrap_servers: str | None
    kafka_security_protocol: str
    kafka_sasl_mechanism: str | None
    kafka_sasl_username: str | None
    kafka_sasl_password: str | None = field(repr=False)
    kafka_ssl_ca: Path | None
    kafka_ssl_certificate: Path | None
    kafka_ssl_key: Path | None
    checkpoints_topic: str
    events_topic: str
    events_source: str
    actions_topic: str
    dead_letters_topic: str
    ingest_group: str
    partitions: int
    dead_letters_days: int
    body_max: int
    batch_max: int
    wait_seconds: int
    oidc_issuer: str | None
    oidc_audience: str | None
    log: Literal["json", "console"]
    log_level: str
    metrics_port: int | None
    otel_exporter_otlp_endpoint: str | None


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `environment`; an empty value counts as none. Raises BadSetting.

    NAME_FILE names a file with the value of NAME: so no secret need be in the environment.
    """
    given = {name: _given(environment, name) for name in DOCUMENTATION}
    home = _path(given["DEALTRAIL_HOME"]) or _data_directory()
    return Settings(
        database_url=_database_url(given["DATABASE_URL"]),
        home=home,
        timezone=_timezone(given["DEALTRAIL_TIMEZONE"] or "UTC"),
        currency=_currency(given["DEALTRAIL_CURRENCY"] or "USD"),
        audit_key=_path(given["DEALTRAIL_AUDIT_KEY"]) or home / "audit.key",
        seal_seconds=_seconds("DEALTRAIL_SEAL_SECONDS", given["DEALTRAIL_SEAL_SECONDS"] or "3600"),
        kafka_bootstrap_servers=_kafka(given["KAFKA_BOOTSTRAP_SERVERS"]),
        **_kafka_access(given),
        checkpoints_topic=_topic(
            "DEALTRAIL_CHECKPOINTS_TOPIC", given["DEALTRAIL_CHECKPOINTS_TOPIC"] or "dealtrail.checkpoints"
        ),
        events_topic=_topic("DEALTRAIL_EVENTS_TOPIC", given["DEALTRAIL_EVENTS_TOPIC"] or "dealtrail.events"),
        events_source=given["DEALTRAIL_EVENTS_SOURCE"] or "dealtrail",
        actions_topic=_topic(
            "DEALTRAIL_ACTIONS_TOPIC", given["DEALTRAIL_ACTIONS_TOPIC"] or "dealtrail.actions"
        ),
        dead_letters_topic=_topic(
            "DEALTRAIL_DEAD_LETTERS_TOPIC", given["DEALTRAIL_DEAD_LETTERS_TOPIC"] or "dealtrail.dead-letters"
        ),
        ingest_group=_topic("DEALTRAIL_INGEST_GROUP", given["DEALTRAIL_INGEST_GROUP"] or "dealtrail.ingest"),
        partitions=_count("DEALTRAIL_PARTITIONS", given["DEALTRAIL_PARTITIONS"] or "12", 10_000),
        dead_letters_days=_count(
            "DEALTRAIL_DEAD_LETTERS_DAYS", given["DEALTRAIL_DEAD_LETTERS_DAYS"] or "30", 36_500
        ),
        body_max=_count("DEALTRAIL_BODY_MAX", given["DEALTRAIL_BODY_MAX"] or "8388608", 999_999_999),
        batch_max=_count("DEALTRAIL_BATCH_MAX", given["DEALTRAIL_BATCH_MAX"] or "1000", 100_000),
        wait_seconds=_seconds("DEALTRAIL_WAIT_SECONDS", given["DEALTRAIL_WAIT_SECONDS"] or "5"),
        oidc_issuer=_issuer(given["DEALTRAIL_OIDC_ISSUER"]),
        oidc_audience=_audience(given["DEALTRAIL_OIDC_AUDIENCE"], given["DEALTRAIL_OIDC_ISSUER"]),
        log=_log(given["DEALTRAIL_LOG"] or "console"),
        log_level=_log_level(given["DEALTRAIL_LOG_LEVEL"] or "WARNING"),
        metrics_port=_port("DEALTRAIL_METRICS_PORT", given["DEALTRAIL_METRICS_PORT"]),
        otel_exporter_otlp_endpoint=_otlp(given["OTEL_EXPORTER_OTLP_ENDPOINT"]),
    )


def _given(environment: Mapping[str, str], name: str) -> str:
    value, file = (environment.get(each, "").strip() for each in (name, f"{name}_FILE"))
    if not file:
        return value
    if value:
        raise BadSetting(f"{name}_FILE", file, f"left out where {name} is set")
    try:
        value = Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError):
        value = ""
    if not value:
        raise BadSetting(f"{name}_FILE", file, "a file that can be read and has the value in it")
    return value


def _database_url(value: str) -> str | None:
    if value and not _can_be_read(value):
        raise BadSetting("DATABASE_URL", "…", _WANTED_URL)  # What can't be read may have a password anywhere.
    return value or None


def _can_be_read(url: str) -> bool:
    """Whether libpq takes it, and takes no part of a password for the host or the port, which are told."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        told = conninfo_to_dict(url)
    except ProgrammingError:
        return False
    numbers = re.fullmatch("[0-9,]*", str(told.get("port") or ""))
    return url.startswith(_SCHEMES) and "@" not in str(told.get("host") or "") and numbers is not None


def _path(value: str) -> Path | None:
    return Path(value).expanduser() if value else None


def _data_directory() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "dealtrail"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "dealtrail"


def _timezone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # A folder of the database, such as "Europe", is an OSError.
        raise BadSetting("DEALTRAIL_TIMEZONE", value, "an IANA time zone such as Europe/Berlin") from None


def _currency(value: str) -> str:
    if not re.fullmatch("[A-Z]{3}", value):
        raise BadSetting("DEALTRAIL_CURRENCY", value, "three capital letters of ISO 4217, such as USD")
    return value


def _seconds(variable: str, value: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", value):
        raise BadSetting(variable, value, "a number of seconds, 0 or more")
    return int(value)


def _port(variable: str, value: str) -> int | None:
    if value and not (re.fullmatch("[0-9]{1,5}", value) and int(value) < 65536):
        raise BadSetting(variable, value, "a port, 0 to 65535")
    return int(value) if value else None


def _otlp(value: str) -> str | None:
    if value and not value.startswith(("http://", "https://")):
        raise BadSetting("OTEL_EXPORTER_OTLP_ENDPOINT", value, "a URL that begins with http:// or https://")
    return value or None


def _kafka(value: str) -> str | None:
    if value and not all(re.fullmatch(r"[^\s,]+:[0-9]{1,5}", server) for server in value.split(",")):
        raise BadSetting("KAFKA_BOOTSTRAP_SERVERS", value, "host:port, several with commas between")
    return value or None


def _kafka_access(given: Mapping[str, str]) -> dict[str, Any]:
    """The fields that say how Kafka lets us in, once they fit together."""
    protocol = given["KAFKA_SECURITY_PROTOCOL"] or "PLAINTEXT"
    if protocol not in _PROTOCOLS:
        raise BadSetting("KAFKA_SECURITY_PROTOCOL", protocol, f"one of {', '.join(_PROTOCOLS)}")
    sasl = [f"KAFKA_SASL_{name}" for name in ("MECHANISM", "USERNAME", "PASSWORD")]
    files = [f"KAFKA_SSL_{name}" for name in ("CA", "CERTIFICATE", "KEY")]
    for name in sasl:
        if bool(given[name]) != protocol.startswith("SASL_"):
            wanted = "left out" if given[name] else "set"
            raise BadSetting(
                name, _told(given, name), f"{wanted} where KAFKA_SECURITY_PROTOCOL is {protocol}"
            )
    if given[sasl[0]] not in ("", *_MECHANISMS):
        raise BadSetting(sasl[0], given[sasl[0]], f"one of {', '.join(_MECHANISMS)}")
    for name in files:
        if given[name] and not protocol.endswith("SSL"):
            wanted = f"left out where KAFKA_SECURITY_PROTOCOL is {protocol}"
            raise BadSetting(name, _told(given, name), wanted)
    _must_be_pem(given, *files)
    fields: dict[str, Any] = {name.lower(): given[name] or None for name in sasl}
    fields |= {name.lower(): _path(given[name]) for name in files}
    return fields | {"kafka_security_protocol": protocol}


def _must_be_pem(given: Mapping[str, str], ca: str, certificate: str, key: str) -> None:
    """Read as Kafka's client will, which says little of what it can't read, and asks for a passphrase."""
    for one, other in ((certificate, key), (key, certificate)):
        if given[one] and not given[other]:
            raise BadSetting(other, "", f"set where {one} is")
    if not given[ca] and not given[certificate]:
        return
    import ssl  # Slow to import.

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in (ca, certificate, key):
        try:
            if given[name]:
                Path(given[name]).expanduser().read_bytes()
        except (OSError, ValueError):
            raise BadSetting(name, _told(given, name), "a file that can be read") from None
    if given[ca]:
        try:
            context.load_verify_locations(Path(given[ca]).expanduser())
        except OSError:
            raise BadSetting(ca, given[ca], "a PEM file of certificates") from None
    if given[certificate]:
        file, key_file = (Path(given[name]).expanduser() for name in (certificate, key))
        try:
            context.load_cert_chain(file, key_file, password=lambda: "")
        except OSError:
            wanted = f"a PEM file with the key, without a passphrase, of what is in {given[certificate]}"
            raise BadSetting(key, given[key], wanted) from None


def _told(given: Mapping[str, str], name: str) -> str:
    """What may be said of a setting: not a password, nor what may be a key where its file was expected."""
    value = given[name]
    return "…" if value and (name == "KAFKA_SASL_PASSWORD" or "\n" in value) else value


def _topic(variable: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", value) or value in (".", ".."):
        raise BadSetting(variable, value, "a topic's name: letters, digits, dots, dashes, 249 at most")
    return value


def _count(variable: str, value: str, most: int) -> int:
    if not re.fullmatch("[0-9]{1,9}", value) or not 1 <= int(value) <= most:
        raise BadSetting(variable, value, f"a whole number from 1 to {most}")
    return int(value)


def _issuer(value: str) -> str | None:
    if value and not value.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise BadSetting("DEALTRAIL_OIDC_ISSUER", value, "a URL that begins with https://")
    return value or None


def _audience(value: str, issuer: str) -> str | None:
    if issuer and not value:
        raise BadSetting("DEALTRAIL_OIDC_AUDIENCE", value, "set: the audience that tokens are made for")
    return value or None


def _log(value: str) -> Literal["json", "console"]:
    if value not in ("json", "console"):
        raise BadSetting("DEALTRAIL_LOG", value, "json or console")
    return cast(Literal["json", "console"], value)


def _log_level(value: str) -> str:
    if value.upper() not in LOG_LEVELS:
        raise BadSetting("DEALTRAIL_LOG_LEVEL", value, f"one of {', '.join(LOG_LEVELS)}")
    return value.upper()
