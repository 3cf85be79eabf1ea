"""What the demo says while it gets ready: one line per step, with how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

Say = Callable[[str], None]


class Steps:
    """Tells a terminal of progress as it happens, and a log only of beginnings and ends."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._begun = time.monotonic()

    @contextmanager
    def step(self, doing: str) -> Iterator[Say]:
        """Time a step; it may say how far it is, in a few words, as often as it likes."""
        begun = time.monotonic()
        if not self._console.is_terminal:
            self.say(f"{doing} …")
            yield lambda detail: None
        else:
            with self._console.status(Text(doing)) as status:
                yield lambda detail: status.update(Text(f"{doing}: {detail}"))
        self.say(f"{doing}: done in {time.monotonic() - begun:.1f} s")

    def say(self, text: str) -> None:
        self._console.print(Text(text))
