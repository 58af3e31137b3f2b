"""Settings: defaults, what is taken, and errors that name the variable."""

from dataclasses import fields
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from kafka_broker import self_signed

from adapters.settings import DOCUMENTATION, BadSetting, Settings, read_settings


def test_nothing_set_gives_the_defaults() -> None:
    settings = read_settings({"DEALTRAIL_TIMEZONE": ""})
    assert settings.database_url is None
    assert settings.home.name == "dealtrail"
    assert settings.audit_key == settings.home / "audit.key"
    assert settings.timezone == ZoneInfo("UTC")
    assert settings.seal_seconds == 3600
    assert (settings.kafka_bootstrap_servers, settings.checkpoints_topic) == (None, "dealtrail.checkpoints")
    assert (settings.currency, settings.log, settings.log_level) == ("USD", "console", "WARNING")


def test_what_is_set_is_taken() -> None:
    settings = read_settings(
        {
            "DATABASE_URL": "postgresql:///deals?host=/tmp",
            "DEALTRAIL_HOME": "/srv/deals",
            "DEALTRAIL_TIMEZONE": "Europe/Moscow",
            "DEALTRAIL_CURRENCY": "EUR",
            "DEALTRAIL_AUDIT_KEY": "/etc/audit.key",
            "DEALTRAIL_SEAL_SECONDS": "0",
            "KAFKA_BOOTSTRAP_SERVERS": "one:9092,[::1]:9093",
            "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-256",
            "KAFKA_SASL_USERNAME": "deals",
            "KAFKA_SASL_PASSWORD": "secret",
            "DEALTRAIL_CHECKPOINTS_TOPIC": "deals.checkpoints",
            "DEALTRAIL_EVENTS_TOPIC": "deals.events",
            "DEALTRAIL_EVENTS_SOURCE": "https://deals.example.com/log",
            "DEALTRAIL_ACTIONS_TOPIC": "deals.actions",
            "DEALTRAIL_DEAD_LETTERS_TOPIC": "deals.refused",
            "DEALTRAIL_INGEST_GROUP": "deals.intake",
            "DEALTRAIL_PARTITIONS": "3",
            "DEALTRAIL_DEAD_LETTERS_DAYS": "7",
            "DEALTRAIL_BODY_MAX": "1024",
            "DEALTRAIL_BATCH_MAX": "10",
            "DEALTRAIL_WAIT_SECONDS": "1",
            "DEALTRAIL_OIDC_ISSUER": "https://id.example.com",
            "DEALTRAIL_OIDC_AUDIENCE": "deals",
            "DEALTRAIL_LOG": "json",
            "DEALTRAIL_LOG_LEVEL": "info",
            "DEALTRAIL_METRICS_PORT": "9464",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        }
    )
    assert settings == Settings(
        "postgresql:///deals?host=/tmp",
        Path("/srv/deals"),
        ZoneInfo("Europe/Moscow"),
        "EUR",
        Path("/etc/audit.key"),
        0,
        "one:9092,[::1]:9093",
        "SASL_PLAINTEXT",
        "SCRAM-SHA-256",
        "deals",
        "secret",
        None,
        None,
        None,
        "deals.checkpoints",
        "deals.events",
        "https://deals.example.com/log",
        "deals.actions",
        "deals.refused",
        "deals.intake",
        3,
        7,
        1024,
        10,
        1,
        "https://id.example.com",
        "deals",
        "json",
        "INFO",
        9464,
        "http://collector:4318",
    )


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "database_url"
    file.write_text("postgresql://dealtrail:secret@postgres/dealtrail\n")
    settings = read_settings({"DATABASE_URL_FILE": str(file), "DATABASE_URL": ""})
    assert settings.database_url == "postgresql://dealtrail:secret@postgres/dealtrail"


def test_a_file_that_is_missing_empty_or_beside_a_value_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name in ("missing", "empty"):
        with pytest.raises(BadSetting, match=r"DATABASE_URL_FILE is .*a file that can be read"):
            read_settings({"DATABASE_URL_FILE": str(tmp_path / name)})
    with pytest.raises(BadSetting, match="left out where DATABASE_URL is set"):
        read_settings({"DATABASE_URL_FILE": str(tmp_path), "DATABASE_URL": "postgresql:///deals"})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "mysql://here"),
        ("DEALTRAIL_TIMEZONE", "Mars/Olympus"),
        ("DEALTRAIL_TIMEZONE", "Europe"),
        ("DEALTRAIL_TIMEZONE", "../etc/passwd"),
        ("DEALTRAIL_CURRENCY", "usd"),
        ("DEALTRAIL_SEAL_SECONDS", "-1"),
        ("DEALTRAIL_SEAL_SECONDS", "1h"),
        ("KAFKA_BOOTSTRAP_SERVERS", "one"),
        ("KAFKA_BOOTSTRAP_SERVERS", "one:9092, two:9092"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS"),
        ("KAFKA_SASL_MECHANISM", "PLAIN"),
        ("KAFKA_SASL_USERNAME", "deals"),
        ("KAFKA_SASL_PASSWORD", "SECRET"),
        ("KAFKA_SSL_CA", "/etc/ssl/ca.pem"),
        ("DEALTRAIL_CHECKPOINTS_TOPIC", "deals/checkpoints"),
        ("DEALTRAIL_CHECKPOINTS_TOPIC", ".."),
        ("DEALTRAIL_EVENTS_TOPIC", "deals events"),
        ("DEALTRAIL_PARTITIONS", "0"),
        ("DEALTRAIL_DEAD_LETTERS_DAYS", "1.5"),
        ("DEALTRAIL_OIDC_ISSUER", "http://id.example.com"),
        ("DEALTRAIL_LOG", "xml"),
        ("DEALTRAIL_LOG_LEVEL", "LOUD"),
        ("DEALTRAIL_METRICS_PORT", "65536"),
        ("DEALTRAIL_METRICS_PORT", "-1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
    ],
)
def test_a_bad_value_is_refused_by_name(variable: str, value: str) -> None:
    with pytest.raises(BadSetting, match=variable) as refused:
        read_settings({variable: value})
    assert refused.value.variable == variable
    assert "SECRET" not in str(refused.value)


SASL = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_MECHANISM": "PLAIN",
    "KAFKA_SASL_USERNAME": "deals",
    "KAFKA_SASL_PASSWORD": "SECRET",
}


@pytest.fixture
def pem(tmp_path: Path) -> dict[str, str]:
    """A certificate and its key, the key of another, and what is neither."""
    (certificate, key), (_, other) = self_signed("127.0.0.1"), self_signed("127.0.0.1")
    locked = load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    )
    found = {"certificate": certificate, "key": key, "other": other, "locked": locked, "rubbish": b"SECRET"}
    for name, content in found.items():
        (tmp_path / name).write_bytes(content)
    return {name: str(tmp_path / name) for name in (*found, "missing")}


@pytest.mark.parametrize(
    ("variable", "wrong", "wanted"),
    [
        ("KAFKA_SASL_MECHANISM", {"KAFKA_SASL_MECHANISM": "GSSAPI"}, "one of PLAIN"),
        ("KAFKA_SASL_USERNAME", {"KAFKA_SASL_USERNAME": ""}, "set where KAFKA_SECURITY_PROTOCOL is SASL_SSL"),
        ("KAFKA_SASL_PASSWORD", {"KAFKA_SASL_PASSWORD": ""}, "set where"),
        (
            "KAFKA_SASL_PASSWORD",
            {"KAFKA_SECURITY_PROTOCOL": "SSL", **dict.fromkeys([*SASL][1:3], "")},
            "left",
        ),
        ("KAFKA_SSL_CA", {"KAFKA_SSL_CA": "missing"}, "a file that can be read"),
        ("KAFKA_SSL_CA", {"KAFKA_SSL_CA": "rubbish"}, "a PEM file of certificates"),
        ("KAFKA_SSL_KEY", {"KAFKA_SSL_CERTIFICATE": "certificate"}, "set where KAFKA_SSL_CERTIFICATE is"),
        ("KAFKA_SSL_CERTIFICATE", {"KAFKA_SSL_KEY": "key"}, "set where KAFKA_SSL_KEY is"),
        *[
            ("KAFKA_SSL_KEY", {"KAFKA_SSL_CERTIFICATE": "certificate", "KAFKA_SSL_KEY": name}, "a PEM file")
            for name in ("other", "locked", "rubbish")
        ],
    ],
)
def test_what_lets_us_into_kafka_must_fit_together(
    pem: dict[str, str], variable: str, wrong: dict[str, str], wanted: str
) -> None:
    given = SASL | {name: pem.get(value, value) for name, value in wrong.items()}
    with pytest.raises(BadSetting, match=wanted) as refused:
        read_settings(given)
    assert refused.value.variable == variable
    assert "SECRET" not in str(refused.value)


def test_what_lets_us_into_kafka_is_taken_and_no_secret_told(pem: dict[str, str]) -> None:
    files = {
        "KAFKA_SSL_CA": pem["certificate"],
        "KAFKA_SSL_CERTIFICATE": pem["certificate"],
        "KAFKA_SSL_KEY": pem["key"],
    }
    settings = read_settings(SASL | files)
    assert (settings.kafka_sasl_password, settings.kafka_ssl_key) == ("SECRET", Path(pem["key"]))
    assert "SECRET" not in repr(settings)
    with pytest.raises(BadSetting, match="KAFKA_SSL_KEY is '…'"):  # NAME_FILE has the value, not the key.
        read_settings({**SASL, **files, "KAFKA_SSL_KEY": "", "KAFKA_SSL_KEY_FILE": pem["key"]})


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:SECRET@here/x",
        "host=here password=SECRET",
        "postgresql://u:SECRET%zz@here/x",
        "postgresql://u:SECRET one@here/x",
        "postgresql://u:pass@SECRET@here/x",
        "postgresql://u:SECRET/pass@here/x",
        "postgresql://u:SECRET@here/x?pasword=SECRET",
    ],
)
def test_a_database_url_that_cannot_be_used_is_not_told(url: str, tmp_path: Path) -> None:
    file = tmp_path / "database_url"
    file.write_text(url)
    for environment in ({"DATABASE_URL": url}, {"DATABASE_URL_FILE": str(file)}):
        with pytest.raises(BadSetting, match=r"DATABASE_URL is .* special characters") as refused:
            read_settings(environment)
        assert "SECRET" not in str(refused.value)
        assert refused.value.__cause__ is None


def test_tokens_need_an_audience() -> None:
    with pytest.raises(BadSetting, match="DEALTRAIL_OIDC_AUDIENCE"):
        read_settings({"DEALTRAIL_OIDC_ISSUER": "https://id.example.com"})


def test_each_setting_is_documented() -> None:
    documented = [name.removeprefix("DEALTRAIL_").lower() for name in DOCUMENTATION]
    assert documented == [field.name for field in fields(Settings)]


def test_the_settings_as_text_tell_no_password() -> None:
    assert "SECRET" not in repr(read_settings({"DATABASE_URL": "postgresql://me:SECRET@host/company"}))
