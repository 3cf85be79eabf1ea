"""The demo as a newcomer starts it, and whether anything of it is left."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any, Self

from command_line import clean_environment

START_S = 180
STOP_S = 30
MARK = "LOYALTY_DEMO_OF_TEST"


class DemoProcess:
    """``loyalty demo`` on a free port with few households.

    Args:
        folder: its state.
        port: 0 takes a free one.
    """

    def __init__(self, folder: Path, *, households: int = 20, port: int = 0) -> None:
        self.mark = uuid.uuid4().hex
        self.folder = folder
        environment = clean_environment(PORT=str(port)) | {MARK: self.mark}
        arguments = ["--dir", str(folder), "--households", str(households)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "loyalty.cli", "demo", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            cwd=folder.parent,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self._lines.append(line)

    @property
    def output(self) -> str:
        return "".join(self._lines)

    def wait_for(self, text: str) -> Self:
        """Until it has printed that; an early end or ``START_S`` is a failure."""
        deadline = time.monotonic() + START_S
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.02)
        return self

    def ready(self) -> Self:
        return self.wait_for("Ctrl-C stops everything.")

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.output)
        assert match is not None, self.output
        return match[1]

    @property
    def url(self) -> str:
        return self.found(r"Health +(http://\S+)/health/ready")

    @property
    def member(self) -> str:
        return self.found(r"member (\S+), until")

    @property
    def member_token(self) -> str:
        return self.found(r"(eyJ\S+)")

    @property
    def checkout_key(self) -> str:
        return self.found(r"checkout service\s+(lk_\S+)")

    @property
    def merchant_key(self) -> str:
        return self.found(r"merchant\s+(lk_\S+)")

    def graphql(
        self, credential: str, query: str, variables: Any = None, path: str = "/graphql"
    ) -> Any:
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        headers = {"content-type": "application/json", "authorization": f"Bearer {credential}"}
        request = urllib.request.Request(self.url + path, body, headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as response:
            return response.read()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.end()

    def end(self) -> int:
        """Wait for the end that somebody caused; gives the exit code."""
        status = self.process.wait(STOP_S)
        self._reader.join(STOP_S)
        return status

    def left_running(self, within_s: float = 0) -> list[str]:
        """Command lines of it and what it started, once ``within_s`` has passed or none is."""
        deadline = time.monotonic() + within_s
        while (left := self._marked()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def _marked(self) -> list[str]:
        wanted = f"{MARK}={self.mark}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                # Valkey writes its title over its environment, but stays in its folder.
                is_marked = wanted in (folder / "environ").read_bytes().split(b"\0")
                is_inside = (folder / "cwd").readlink().is_relative_to(self.folder)
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                # It has ended meanwhile, or is a thread of the kernel.
                continue
            if command and (is_marked or is_inside):
                found.append(command)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end()
