"""The command as a shell starts it, with an environment of its own."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import structlog

from loyalty.cli.root import invoke

ROOT = Path(__file__).resolve().parents[2]
SECRET = "tests-only-0123456789-abcdefghijklmnopqrstuvwxyz"
GROCERY = ROOT / "examples" / "grocery.toml"
TIMEOUT_S = 120


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    error: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class CommandLine:
    """Runs ``loyalty`` in a folder with an environment."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path, **more: str) -> Done:
        """In this process, which has imported already what each command needs."""
        out, error = io.StringIO(), io.StringIO()
        words = ["loyalty", *map(str, arguments)]
        with (
            patch.dict(os.environ, self.environment | more, clear=True),
            patch.object(sys, "argv", words),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(error),
            _logging_kept(),
        ):
            status = invoke()
        return Done(status, out.getvalue(), error.getvalue())

    def ok(self, *arguments: str | Path, **more: str) -> Done:
        """The same, where nothing but success will do."""
        done = self(*arguments, **more)
        assert done.status == 0, done
        return done

    def process(self, *arguments: str | Path, **more: str) -> Done:
        """In a process of its own, as a shell starts it."""
        done = subprocess.run(
            [sys.executable, "-m", "loyalty.cli", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment | more,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)


def made_shop(folder: Path) -> Path:
    """The folder, in which the commands made a tenant that has published the grocer's program.

    Copy it: that takes a fiftieth of the time.
    """
    made = CommandLine(folder, clean_environment(LOYALTY_SECRET_KEY=SECRET))
    made.ok("migrate")
    made.ok("tenant", "create", "demo", "--name", "Demo shop")
    made.ok("program", "publish", GROCERY)
    return folder


@contextlib.contextmanager
def _logging_kept() -> Iterator[None]:
    """Logging as it was before the command: a command sets it up for its whole process.

    A logger that is used meanwhile would keep that for good, and tests that capture logs would
    capture nothing.
    """
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        structlog.reset_defaults()
        logging.captureWarnings(False)
        root.handlers = handlers
        root.setLevel(level)


def clean_environment(**more: str) -> dict[str, str]:
    """The caller's environment without settings that may stand in it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LOYALTY_", "COV_")) and name not in ("PORT", "FORCE_COLOR")
    }
    return kept | {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"} | more
