"""Log lines: JSON, one a line, and nothing in them that is somebody's."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog

from loyalty.settings import Settings
from loyalty.web.logs import configure_logging
from loyalty.web.tracebacks import told

PROGRAM = """
import logging, sys
import structlog
from loyalty.settings import Settings
from loyalty.web.logs import configure_logging

configure_logging(Settings(database_url="sqlite:////x", log_level=sys.argv[1]))
log = structlog.get_logger("loyalty.test")
with structlog.contextvars.bound_contextvars(request_id="request-1"):
    log.debug("detail")
    log.info("note", count=3, odd=object(), when=None)
logging.getLogger("tortoise.db_client").debug("SELECT 'ann@example.com'")
logging.getLogger("uvicorn.error").info("127.0.0.1:5 - WebSocket /x?token=secret [accepted]")
logging.getLogger("asyncio").error("Task %s", "failed")
try:
    try:
        {}["ann@example.com"]
    except KeyError as error:
        raise TypeError("wrong kind") from error
except TypeError:
    log.exception("bug")
    logging.getLogger("uvicorn.error").exception("in the server")
"""


def lines(level: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, level], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_lines_are_json_with_time_level_and_request() -> None:
    found = lines("info")

    assert [(line["level"], line["event"]) for line in found] == [
        ("info", "note"),
        ("error", "Task failed"),
        ("error", "bug"),
        ("error", "in the server"),
    ]
    note = found[0]
    assert str(note.pop("at")).endswith("Z")
    assert note == {
        "level": "info",
        "event": "note",
        "count": 3,
        "odd": "object",
        "when": None,
        "request_id": "request-1",
    }
    assert found[1]["logger"] == "asyncio"


@pytest.fixture
def configured() -> Iterator[None]:
    """Logging as a command leaves it, and as it was again."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_logging(Settings(database_url="sqlite:////x", log_level="info"))
    yield
    structlog.reset_defaults()
    logging.captureWarnings(False)
    root.handlers = handlers
    root.setLevel(level)


def test_lines_go_where_standard_error_goes(configured: None) -> None:
    log = structlog.get_logger("loyalty.test")
    text_only, second, raw = io.StringIO(), io.StringIO(), io.BytesIO()
    binary = io.TextIOWrapper(raw, encoding="ascii")

    for stream in (text_only, binary, second):
        with contextlib.redirect_stderr(stream):
            log.info("told", name="Zoë")
            logging.getLogger("asyncio").error("told too")

    for text in (text_only.getvalue(), raw.getvalue().decode(), second.getvalue()):
        first, other = (json.loads(line) for line in text.splitlines())
        assert (first["event"], first["name"]) == ("told", "Zoë")
        assert (other["event"], other["logger"]) == ("told too", "asyncio")


@pytest.mark.parametrize("case", ["none", "closed", "full"])
def test_without_a_standard_error_nothing_fails(
    case: str, configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = io.StringIO()
    closed.close()
    full = open("/dev/full", "w", encoding="utf-8")  # noqa: SIM115  (its end is what is tested)
    monkeypatch.setattr(sys, "stderr", {"none": None, "closed": closed, "full": full}[case])

    structlog.get_logger("loyalty.test").info("told")
    logging.getLogger("asyncio").error("told too")

    monkeypatch.undo()
    with contextlib.suppress(OSError):
        full.close()


def test_a_traceback_shows_where_and_what_kind_not_whose() -> None:
    for line in lines("info")[2:]:
        text = str(line["exception"])
        assert 'File "<string>"' in text
        assert text.splitlines()[-1] == "TypeError: wrong kind"
        assert "KeyError\nwhich led to:" in text
        assert "ann@example.com" not in text


def test_a_developer_sees_all_of_it() -> None:
    found = lines("debug")

    assert found[0]["event"] == "detail"
    assert "KeyError: 'ann@example.com'" in str(found[3]["exception"])
    # Not even then: it would show every member's row.
    assert not any("SELECT" in str(line["event"]) for line in found)


def test_groups_and_contexts_are_told() -> None:
    try:
        try:
            raise ValueError("ann")
        except ValueError:
            raise ExceptionGroup("several", [KeyError("bob"), TypeError("kind")])  # noqa: B904  (the context is what is tested)
    except ExceptionGroup as group:
        text = told(group)

    assert "ValueError\nwhich led to:" in text
    assert "  | KeyError" in text
    assert "  | TypeError: kind" in text
    assert "ann" not in text
    assert "bob" not in text


def test_a_chain_without_an_end_is_told_once() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first

    assert told(first) == "ValueError\nwhich led to:\nValueError"


@pytest.mark.parametrize("error", [AssertionError(), AttributeError("no x"), MemoryError()])
def test_what_speaks_of_code_keeps_its_text(error: BaseException) -> None:
    assert told(error) == f"{type(error).__name__}: {error}".removesuffix(": ")
