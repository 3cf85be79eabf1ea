"""Only clock.py reads the time of day; everybody else is handed it.

``time.monotonic`` and ``time.perf_counter`` measure spans and are free for all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

CLOCKS = {
    "plugin/loyalty/clock.py": "the clock",
    "recommender/loyalty_recommender/__main__.py": "knows nothing of loyalty; hands the time on",
}
READERS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime"},
}
SQL_READERS = re.compile(
    r"\b(?:current_timestamp|current_date|current_time|localtimestamp|clock_timestamp|getdate|now"
    r"|strftime\('%s'|unixepoch|julianday)\b\s*(?:\(|$|[,;)])|\bdatetime\('now'",
    re.IGNORECASE,
)


def clock_reads(tree: ast.Module) -> Iterator[str]:
    """Where a module asks what time it is."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
                if name in READERS.get(owner, ()):
                    yield f"line {node.lineno}: {owner}.{name}"
            case ast.ImportFrom(module="time", names=names):
                for alias in names:
                    if alias.name in READERS["time"]:
                        yield f"line {node.lineno}: from time import {alias.name}"
            case ast.keyword(arg="auto_now" | "auto_now_add" as name, value=ast.Constant(True)):
                yield f"line {node.value.lineno}: {name}=True"


def sql_clock_reads(tree: ast.Module) -> Iterator[str]:
    """Where a statement asks the database what time it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            looks_like_sql = re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|DEFAULT)\b", text)
            if looks_like_sql and (found := SQL_READERS.search(text)):
                yield f"line {node.lineno}: {found.group()!r} in a statement"


def test_only_the_clock_reads_the_clock(sources: dict[str, ast.Module]) -> None:
    found = {
        path: reads
        for path, tree in sources.items()
        if path not in CLOCKS
        if (reads := [*clock_reads(tree), *sql_clock_reads(tree)])
    }

    assert found == {}, "take `at` as an argument, or a loyalty.clock.Clock where time passes"
    assert [path for path in CLOCKS if not list(clock_reads(sources[path]))] == []


@pytest.mark.parametrize(
    ("code", "reads"),
    [
        ("import datetime\ndatetime.datetime.now()", 1),
        ("from datetime import datetime\ndatetime.now(tz)", 1),
        ("from datetime import date\nf(default_factory=date.today)", 1),
        ("import time\ntime.time()", 1),
        ("from time import time_ns", 1),
        ("DatetimeField(auto_now_add=True)", 1),
        ("x = 'INSERT INTO t VALUES (now())'", 1),
        ("x = 'CREATE TABLE t (at TEXT DEFAULT CURRENT_TIMESTAMP)'", 1),
        ("import time\ntime.monotonic()\ntime.perf_counter()", 0),
        ("clock.now()\nself.now()", 0),
        ("'''Select what counts now (and later).'''", 0),
        ("DatetimeField(auto_now=False)", 0),
    ],
)
def test_the_search_sees_each_way_to_read_the_clock(code: str, reads: int) -> None:
    tree = ast.parse(code)

    assert len([*clock_reads(tree), *sql_clock_reads(tree)]) == reads
