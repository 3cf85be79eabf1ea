"""Logs: JSON, one line per event, on standard error. Called by commands, never on import.

A host that mounts the application keeps its own logging; ours goes through structlog, which the
host configures as it likes.
"""

import logging
import sys
from contextlib import suppress
from typing import Any, BinaryIO, Final, cast

import orjson
import structlog
from structlog.typing import EventDict, ExcInfo, Processor

from loyalty.settings import Settings
from loyalty.web.tracebacks import told

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
# uvicorn tells of every socket with its address and query string, Tortoise of every statement
# with its values: neither belongs in a log.
_QUIET: Final = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "tortoise")


def configure_logging(settings: Settings, stream: BinaryIO | None = None) -> None:
    """Send structlog's and the standard library's log lines to ``stream`` as JSON.

    Args:
        stream: standard error unless told otherwise.
    """
    # structlog and logging only write to it and flush it.
    stream = cast("BinaryIO", _StandardError()) if stream is None else stream
    level = _LEVELS[settings.log_level]
    traced = ExceptionText(with_text=settings.log_level == "debug")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        traced,
    ]
    structlog.configure(
        processors=[*shared, _as_json],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(_Text(stream))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _as_text,
            ],
            keep_exc_info=False,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.INFO))
    for name in _QUIET:
        quiet = logging.getLogger(name)
        quiet.handlers = []
        quiet.propagate = True
        quiet.setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)


class ExceptionText:
    """Turns ``exc_info`` into the text that ``tracebacks`` makes of it."""

    def __init__(self, *, with_text: bool) -> None:
        self._with_text = with_text

    def __call__(self, logger: Any, name: str, event: EventDict) -> EventDict:
        found: bool | BaseException | ExcInfo | None = event.pop("exc_info", None)
        if found is True:
            found = sys.exc_info()[1]
        elif isinstance(found, tuple):
            found = found[1]
        if isinstance(found, BaseException):
            event["exception"] = told(found, with_text=self._with_text)
        return event


class _StandardError:
    """Standard error as it is when a line is written, and no reason for a request to fail.

    A host, a test or a shell may have exchanged it for one that takes only text, closed it, or
    started the process without one.
    """

    def write(self, line: bytes) -> int:
        # A full disk or a reader that left loses the line, not the checkout that told of itself.
        with suppress(OSError, ValueError):
            if hasattr(sys.stderr, "buffer"):
                sys.stderr.buffer.write(line)
            elif sys.stderr is not None:
                sys.stderr.write(line.decode("utf-8", "backslashreplace"))
        return len(line)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            if sys.stderr is not None:
                sys.stderr.flush()


class _Text:
    """A text stream over a binary one, as ``logging`` wants it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(text.encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        self._stream.flush()


def _as_json(logger: Any, name: str, event: EventDict) -> bytes:
    return orjson.dumps(event, default=_kind, option=orjson.OPT_NON_STR_KEYS)


def _as_text(logger: Any, name: str, event: EventDict) -> str:
    return _as_json(logger, name, event).decode()


def _kind(value: object) -> str:
    # What JSON cannot hold is named, not shown: its repr might quote somebody's data.
    return type(value).__qualname__
