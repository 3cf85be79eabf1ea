"""Files that processes lock: one server per SQLite file, one migration at a time."""

import fcntl
import os
from pathlib import Path
from typing import IO

from loyalty.storage.problems import ServerAlreadyRunning


class FileLock:
    """A lock that the operating system gives up with the process that holds it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Wait until nobody else holds it."""
        self._file = self._opened()
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def claim(self) -> None:
        """Take it, or say who has it.

        Raises:
            ServerAlreadyRunning: another process holds it.
        """
        if self._file is not None:
            return
        file = self._opened()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = file.read().strip()
            file.close()
            raise ServerAlreadyRunning(
                f"a server already runs on this SQLite file (process {holder or 'unknown'}); "
                "stop it first, or use PostgreSQL to run several"
            ) from None
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def give_up(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> IO[str]:
        # Not "w", which would empty the file of the one who holds it.
        return os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644), "r+")
