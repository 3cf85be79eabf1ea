"""A demo shop's state folder: its secret key, its data, and who is using it now.

    secret-key        made at the first start, readable by its owner only
    keys.json         the demo's keys as text, readable by its owner only
    shop.json         what was found out once the data was in: members to propose
    loyalty.sqlite3   the database          models/   what was learned          valkey/   a log
    running           held by the running demo; says where it and its Valkey listen

A real installation keeps its secrets in the environment instead, and only hashes of its keys.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from loyalty.cli.bad_settings import BadSettings, setting_problems
from loyalty.errors import Conflict, NotFound

if TYPE_CHECKING:
    from loyalty.settings import Settings


class DemoRunning(Conflict):
    """Another process runs the demo of this folder."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running demo is found."""

    pid: int
    port: int
    redis_url: str


class DemoFolder:
    """The folder, which need not be there yet.

    Args:
        path: absolute, or relative to the current folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: IO[str] | None = None

    @property
    def database(self) -> Path:
        return self.path / "loyalty.sqlite3"

    def make(self) -> None:
        """Make the folder and its secret key, once. Raises OSError."""
        self.path.mkdir(parents=True, exist_ok=True)
        if not self._secret_file.exists():
            self._write("secret-key", secrets.token_urlsafe(48) + "\n")

    def claim(self) -> None:
        """Be the one demo of this folder, for as long as the process lives.

        Raises:
            DemoRunning: another process is.
        """
        # Not "w", which would empty the file of the one who holds it.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        file = os.fdopen(os.open(self.path / "running", flags, 0o600), "r+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            found = _running(file.read())
            file.close()
            where = f" (process {found.pid}, port {found.port})" if found else ""
            raise DemoRunning(
                f"a demo runs in {self.path} already{where}; stop it, or choose another --dir"
            ) from None
        file.truncate()
        self._lock = file

    def announce(self, port: int, redis_url: str) -> None:
        """Tell the commands that run beside where this demo is. Only after ``claim``."""
        assert self._lock is not None
        self._lock.seek(0)
        self._lock.truncate()
        json.dump({"pid": os.getpid(), "port": port, "redis_url": redis_url}, self._lock)
        self._lock.flush()

    def give_up(self) -> None:
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.close()
            self._lock = None

    def running(self) -> Running | None:
        """The demo that runs in this folder now, whoever asks."""
        try:
            file = (self.path / "running").open()
        except OSError:
            return None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _running(file.read())
        return None

    def settings(self, **more: Any) -> Settings:
        """How processes of this demo run; ``more`` are further fields.

        Raises:
            NotFound: there is no demo in the folder.
            BadSettings: a value from the environment is not one.
        """
        from pydantic import ValidationError

        from loyalty.settings import Settings

        try:
            secret = self._secret_file.read_text().strip()
        except FileNotFoundError:
            raise NotFound("demo shop in", str(self.path)) from None
        if "redis_url" not in more and (running := self.running()) is not None:
            more["redis_url"] = running.redis_url
        fields = {
            "environment": "demo",
            "data_dir": self.path,
            "database_url": f"sqlite://{quote(str(self.database))}",
            "secret_key": secret,
            "redis_url": None,
            **more,
        }
        try:
            return Settings(**fields)
        except ValidationError as error:
            raise BadSettings("; ".join(setting_problems(error))) from error

    def read(self, name: str) -> dict[str, Any]:
        """What ``keep`` kept; empty when there is nothing, or nothing whole."""
        try:
            found = json.loads((self.path / name).read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def keep(self, name: str, value: dict[str, Any]) -> None:
        """Keep a small JSON file; it is there whole or not at all."""
        self._write(name, json.dumps(value, indent=2) + "\n")

    @property
    def _secret_file(self) -> Path:
        return self.path / "secret-key"

    def _write(self, name: str, text: str) -> None:
        part = self.path / f"{name}.part"
        part.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(part, flags, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path / name)


def _running(text: str) -> Running | None:
    try:
        return Running(**json.loads(text))
    except (ValueError, TypeError):
        # It has claimed the folder and not said yet where it listens.
        return None


def project_folder() -> Path | None:
    """The checkout that this runs from, None when it was installed as a wheel."""
    root = Path(__file__).resolve().parents[4]
    return root if (root / "scripts" / "demo").is_file() else None
