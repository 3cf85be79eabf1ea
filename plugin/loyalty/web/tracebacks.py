"""Tracebacks for the log: where it went wrong and what kind of error, without anybody's data.

The text of an exception may quote what a caller sent (a driver names the row it refused, a
parser the value it could not read), and logs outlive the member who was erased. So only the
kinds whose text speaks of code keep it.
"""

import traceback
from collections.abc import Iterator
from typing import Final

_SPEAK_OF_CODE: Final = (
    AssertionError,
    AttributeError,
    ImportError,
    MemoryError,
    NameError,
    NotImplementedError,
    RecursionError,
    TimeoutError,
    TypeError,
)
_CHAIN_MAX: Final = 10
_FRAMES_MAX: Final = 60


def told(error: BaseException, *, with_text: bool = False) -> str:
    """The error and those that led to it, the first one first, as Python prints them.

    Args:
        with_text: keep the text of every exception, for a developer's own machine.
    """
    return "\n".join(_told(error, with_text))


def _told(error: BaseException, with_text: bool) -> Iterator[str]:
    chain = _chain(error)
    for place, link in enumerate(chain):
        frames = traceback.extract_tb(link.__traceback__)
        if frames:
            yield "Traceback (most recent call last):"
            for frame in frames[-_FRAMES_MAX:]:
                yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
        yield _named(link, with_text)
        if isinstance(link, BaseExceptionGroup):
            for member in link.exceptions[:_CHAIN_MAX]:
                yield from ("  | " + line for line in _told(member, with_text))
        if place < len(chain) - 1:
            yield "which led to:"


def _chain(error: BaseException) -> list[BaseException]:
    links: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in links and len(links) < _CHAIN_MAX:
        links.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return links[::-1]


def _named(error: BaseException, with_text: bool) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else _full_name(kind)
    if with_text or isinstance(error, _SPEAK_OF_CODE):
        return f"{name}: {error}" if str(error) else name
    return name


def _full_name(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
