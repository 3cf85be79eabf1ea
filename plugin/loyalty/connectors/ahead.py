"""Reading a large file in a second process, so that parsing and booking each have a core."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from loyalty.errors import BadInput, LoyaltyError

T = TypeVar("T")

_END = "end"


class ReadAhead(Generic[T]):
    """What ``make`` yields, made in a process of its own and a step ahead of the reader.

    The pipe between the two holds little, so the maker waits when the reader is slow. It ends
    with the reader, however that ends.

    Args:
        make: a picklable function; what it yields is pickled too.
    """

    def __init__(self, make: Callable[[], Iterator[T]]) -> None:
        # A fork would copy this process's threads and locks in whatever state they are.
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_make, args=(theirs, make), daemon=True)
        # Ctrl-C reaches both processes; the reader decides, and ends this one. A blocked signal
        # stays blocked in the child from its first instruction on.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def __iter__(self) -> Iterator[T]:
        """Raises BadInput as the maker did, or when it ended before its time."""
        while True:
            try:
                what, value = self._ours.recv()
            except EOFError:
                self._process.join()
                raise BadInput(
                    f"the reader of the file ended early (status {self._process.exitcode})"
                ) from None
            if what == _END:
                return
            if what == "refused":
                raise BadInput(value)
            yield value

    def stop(self) -> None:
        """End the maker, done or not; whoever waits for it finds that it ended."""
        self._process.terminate()
        self._process.join()

    def close(self) -> None:
        """After ``stop``, and when nobody waits any more."""
        self._ours.close()
        self._process.close()


def _make(pipe: "Connection[Any, Any]", make: Callable[[], Iterator[Any]]) -> None:
    try:
        for value in make():
            pipe.send(("value", value))
        pipe.send((_END, None))
    except LoyaltyError as refusal:
        pipe.send(("refused", refusal.message))
    except BrokenPipeError:
        return
