"""The page of laws names tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROW = re.compile(r"^\| (\d+) \|[^|]+\| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def names(path: Path) -> set[str]:
    """Tests and test cases at the top of a module."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {name for name in found if name.lower().startswith("test")}


def test_every_law_has_tests_that_exist(root: Path) -> None:
    page = (root / "docs/concepts/laws.md").read_text(encoding="utf-8")
    laws = {int(number): TEST.findall(cell) for number, cell in ROW.findall(page)}

    assert sorted(laws) == list(range(1, 21))
    missing = [
        f"law {number}: {path}::{name}"
        for number, tests in laws.items()
        for path, name in tests
        if not (root / path).is_file() or (name and name not in names(root / path))
    ]
    assert missing == []
    assert all(laws.values())
