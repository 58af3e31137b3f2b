"""A real Kafka broker for the tests: Apache Kafka from its published jars, on the JDK that is there."""

import contextlib
import fcntl
import ipaddress
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

POM = Path(__file__).parent / "kafka" / "pom.xml"
VERSION = "4.1.1"
_START_SECONDS_MAX = _STOP_SECONDS_MAX = 60
_DOWNLOAD_SECONDS_MAX = 600
_CLUSTER_ID = "AAAAAAAAQACAAAAAAAAAAQ"
_JAVA = (
    "java",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # Starting costs less, and no test here is about the broker's speed.
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)
# The shell's last act, whatever ends this process: its standard input ends then. What it is told before is
# the signal that the broker gets instead.
_WATCH = '"$@" </dev/null >>broker.log 2>&1 & echo $!; read told; kill -s "${told:-KILL}" $!; wait $!'
# ApiVersions, version 0, without a client's name: answered once the broker takes requests.
_QUESTION = struct.pack(">ihhih", 10, 18, 0, 1, -1)
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=BROKER://127.0.0.1:{port},SAFE://127.0.0.1:{safe},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=BROKER:PLAINTEXT,SAFE:SASL_SSL,CONTROLLER:PLAINTEXT
listener.name.safe.ssl.keystore.type=PEM
listener.name.safe.ssl.keystore.location=broker.pem
listener.name.safe.ssl.truststore.type=PEM
listener.name.safe.ssl.truststore.location=ca.pem
listener.name.safe.ssl.client.auth=requested
listener.name.safe.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.safe.plain.sasl.jaas.config={jaas}.plain.PlainLoginModule required user_{user}="{password}";
listener.name.safe.scram-sha-512.sasl.jaas.config={jaas}.scram.ScramLoginModule required;
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs=data
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""


_JAAS = "org.apache.kafka.common.security"
USER, PASSWORD = "dealtrail", "of the tests"


class NoBroker(Exception):  # noqa: N818 - named for what happened
    """Kafka can't be run here; the message says why."""


class Broker:
    """One node on the loopback in `folder`, on the same ports whenever it is started.

    It ends with the process that started it, also when that is killed.
    """

    def __init__(self, folder: Path) -> None:
        """Raises NoBroker."""
        for program in ("java", "mvn"):
            if shutil.which(program) is None:
                raise NoBroker(f"there is no {program} to run Kafka with")
        self._folder = folder
        self._classpath = f"{_jars()}/*"
        self._port, self._safe, controller = _free_port(), _free_port(), _free_port()
        self._watch: subprocess.Popen[str] | None = None
        self._pid = 0
        properties = folder / "server.properties"
        properties.write_text(
            _PROPERTIES.format(
                port=self._port,
                safe=self._safe,
                controller=controller,
                jaas=_JAAS,
                user=USER,
                password=PASSWORD,
            )
        )
        certificate, self.key = self_signed("127.0.0.1")
        self.ca.write_bytes(certificate)
        (folder / "broker.pem").write_bytes(self.key + certificate)
        self._format()

    @property
    def bootstrap(self) -> str:
        """Where it is, as host:port."""
        return f"127.0.0.1:{self._port}"

    @property
    def safe(self) -> str:
        """Where it lets USER in with PASSWORD by PLAIN or SCRAM-SHA-512, over TLS alone."""
        return f"127.0.0.1:{self._safe}"

    @property
    def ca(self) -> Path:
        """Its own certificate there, of `key`; it takes no other from whoever shows one."""
        return self._folder / "ca.pem"

    def start(self) -> None:
        """Wait until it takes requests; nothing if it runs. Raises NoBroker with its log's end."""
        if self._watch is not None:
            return
        command = self.java("kafka.Kafka", "server.properties")
        pipe = subprocess.PIPE
        self._watch = subprocess.Popen(
            ["sh", "-c", _WATCH, "sh", *command],
            cwd=self._folder,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,  # Where the shell says whom it killed.
            text=True,
            start_new_session=True,  # Ctrl-C is for the tests.
        )
        assert self._watch.stdout is not None
        self._pid = int(self._watch.stdout.readline())
        give_up_at = time.monotonic() + _START_SECONDS_MAX
        while not self._answers():
            if time.monotonic() > give_up_at:
                self.kill()
                raise NoBroker(f"Kafka didn't start: {(self._folder / 'broker.log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in good order. What it was told is there when it is started again."""
        self._end("TERM")

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end("KILL")

    def freeze(self) -> None:
        """It takes connections, and never answers, until it is thawed or killed."""
        os.kill(self._pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        os.kill(self._pid, signal.SIGCONT)

    def _end(self, how: str) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.communicate(f"{how}\n", timeout=_STOP_SECONDS_MAX)

    def _format(self) -> None:
        user = ("--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]")
        where = ("-t", _CLUSTER_ID, "-c", "server.properties")
        command = self.java("kafka.tools.StorageTool", "format", *where, *user)
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NoBroker(f"Kafka's folder can't be made: {done.stdout}{done.stderr}")

    def java(self, program: str, *words: str) -> list[str]:
        """The command line of one of Kafka's own programs."""
        return [*_JAVA, "-cp", self._classpath, program, *words]

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1) as client:
            client.sendall(_QUESTION)
            return bool(client.recv(1))
        return False


def self_signed(address: str) -> tuple[bytes, bytes]:
    """A certificate of this IP address, which vouches for itself, and its key, both as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM), key.private_bytes(*plain)


def _jars() -> Path:
    """The folder of Kafka's jars, fetched once for this user. Raises NoBroker."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dealtrail-tests"
    cache.mkdir(parents=True, exist_ok=True)
    jars = cache / f"kafka-{VERSION}"
    with (cache / ".fetching").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if not jars.exists():
            _fetch(jars, cache)
    return jars


def _fetch(jars: Path, cache: Path) -> None:
    """Moved to its place at the end: a kill leaves nothing that looks whole."""
    with tempfile.TemporaryDirectory(prefix="kafka.fetching-", dir=cache) as folder:
        fetched = Path(folder) / "jars"
        command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
        done = subprocess.run(
            [*command, f"-DoutputDirectory={fetched}"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_SECONDS_MAX,
            check=False,
        )
        if done.returncode != 0:
            raise NoBroker(f"Kafka's jars can't be fetched: {done.stdout[-1000:]}")
        fetched.rename(jars)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
