"""A real server process, to be stopped and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any

COMMAND = [sys.executable, "-m", "loyalty.cli", "serve"]
START_S = 30
STOP_S = 20


class ServerProcess:
    """``loyalty serve`` with these settings and no others.

    Args:
        settings: by the names of the environment, without ``LOYALTY_``, in lower case.
        log: file that its standard error is added to.
    """

    def __init__(self, settings: Mapping[str, object], log: Path) -> None:
        # Bytecode that is never written makes every start seconds slower.
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("LOYALTY_") and key != "PYTHONDONTWRITEBYTECODE"
        }
        given = {f"LOYALTY_{name.upper()}": str(value) for name, value in settings.items()}
        self._environment = {**kept, "LOYALTY_PORT": "0", **given}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def run(self) -> tuple[int, str]:
        """Start a server that is expected to refuse; its exit code and what it said."""
        done = subprocess.run(
            COMMAND,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
        return done.returncode, done.stderr

    def start(self) -> ServerProcess:
        """Start and wait until it listens."""
        seen = len(self.lines("listening"))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                COMMAND, env=self._environment, stdout=subprocess.DEVNULL, stderr=log
            )
        until = monotonic() + START_S
        while len(self.lines("listening")) == seen:
            code = self._process.poll()
            assert code is None, f"ended with {code}: {self._log.read_text()}"
            assert monotonic() < until, f"not listening: {self._log.read_text()}"
            sleep(0.02)
        self.url = self.lines("listening")[-1]["url"]
        return self

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        """Its log so far, or the lines of one event."""
        if not self._log.exists():
            return []
        text = self._log.read_text(encoding="utf-8")
        found = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [line for line in found if event in (None, line["event"])]

    @property
    def text(self) -> str:
        """All it said."""
        return self._log.read_text(encoding="utf-8")

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        assert self._process is not None
        return self._process.wait(STOP_S)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """kill -9, and gone."""
        self.signal(signal.SIGKILL)
        self.wait()

    def __enter__(self) -> ServerProcess:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
