"""The verifier stands alone: whoever checks our books need not run our code."""

from __future__ import annotations

import ast
import sys

VERIFIER = "plugin/loyalty/ledger_verifier.py"


def imported(tree: ast.Module) -> set[str]:
    """Top-level names of all that a module imports, wherever it does."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." if node.level else (node.module or "").partition(".")[0])
    return names


def test_the_verifier_imports_nothing_but_the_standard_library(
    sources: dict[str, ast.Module],
) -> None:
    foreign = imported(sources[VERIFIER]) - sys.stdlib_module_names - {"__future__"}

    assert foreign == set(), "a third party copies this one file and runs it (law 20)"


def test_the_server_does_not_check_its_books_with_the_verifier(
    sources: dict[str, ast.Module],
) -> None:
    """Two programs that share code share its mistakes."""
    sharing = [
        path
        for path, tree in sources.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        if "ledger_verifier" in ast.unparse(node)
    ]

    assert sharing == []
