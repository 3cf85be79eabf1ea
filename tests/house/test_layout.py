"""The tree stays one that a newcomer can find the way in."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest

MODULE_LINES_MAX = 350
FUNCTION_LINES_MAX = 70
IMPORT_PACKAGES = {
    "plugin": {"loyalty"},
    "graphql": {"loyalty_graphql"},
    "recommender": {"loyalty_recommender"},
}
HISTORY = "plugin/loyalty/storage/migrations/"
"""Written once by a tool and never changed again: nobody reads it in one go."""
ONE_FILE = "plugin/loyalty/ledger_verifier.py"
"""Handed to third parties, so it may not be split."""


def test_no_top_level_folder_is_a_package(root: Path) -> None:
    stray = sorted(
        str(path.relative_to(root))
        for folder in root.iterdir()
        if folder.is_dir() and not folder.name.startswith(".")
        for path in folder.glob("__init__.py")
    )

    assert stray == [], (
        f"remove {stray}: a top-level folder with an __init__.py is a package as soon as the "
        "project's folder is on Python's path, and graphql/ would then hide graphql-core"
    )


def test_tests_are_no_package(root: Path) -> None:
    stray = sorted(str(path.relative_to(root)) for path in (root / "tests").rglob("__init__.py"))

    assert stray == [], (
        f"remove {stray}: pytest imports each test file by itself (--import-mode=importlib); as a "
        "package, tests/ would hide other distributions' tests and load conftest.py twice"
    )


def test_each_source_root_holds_its_one_package(root: Path) -> None:
    found = {
        source_root: {path.parent.name for path in (root / source_root).glob("*/__init__.py")}
        for source_root in IMPORT_PACKAGES
    }

    assert found == IMPORT_PACKAGES, (
        "a package beside the known one is missing from the wheel: name it in pyproject.toml"
    )


def test_every_folder_with_modules_is_a_package(sources: dict[str, ast.Module]) -> None:
    folders = {str(Path(path).parent) for path in sources}

    missing = sorted(f for f in folders if f"{f}/__init__.py" not in sources)

    assert missing == [], f"add an __init__.py to {missing}: import-linter does not look into it"


def test_a_module_is_read_in_one_go(root: Path, sources: dict[str, ast.Module]) -> None:
    lines = {path: len((root / path).read_text(encoding="utf-8").splitlines()) for path in sources}

    long = {
        path: count
        for path, count in lines.items()
        if count > MODULE_LINES_MAX and not path.startswith(HISTORY) and path != ONE_FILE
    }

    assert long == {}, f"split by feature what is longer than {MODULE_LINES_MAX} lines"


def test_a_function_is_read_in_one_look(sources: dict[str, ast.Module]) -> None:
    long = {
        f"{path}:{node.lineno} {node.name}": length
        for path, tree in sources.items()
        if not path.startswith(HISTORY)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    }

    assert long == {}, f"name the steps of what is longer than {FUNCTION_LINES_MAX} lines"


def test_no_module_is_a_grab_bag(sources: dict[str, ast.Module]) -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "kit"}

    found = sorted(path for path in sources if {Path(path).stem, *Path(path).parts} & vague)

    assert found == [], "name the module after what it is about"


def test_every_command_that_a_text_names_can_be_run(root: Path, texts: dict[str, str]) -> None:
    named = {
        (path, script)
        for path, text in texts.items()
        if path.endswith(".md")
        for script in re.findall(r"(?<![\w/.])(?:\./)?scripts/([\w-]+)(?![\w./-]*\.)", text)
    }

    broken = sorted(
        (path, f"scripts/{script}")
        for path, script in named
        if not os.access(root / "scripts" / script, os.X_OK)
    )

    assert broken == [], "these texts name a command that is missing or has no run bit"


@pytest.mark.parametrize("script", ["setup", "demo", "test", "check", "bench", "soak", "lock"])
def test_the_promised_command_can_be_run(script: str, root: Path) -> None:
    assert os.access(root / "scripts" / script, os.X_OK)


def test_ci_runs_the_command_of_the_readme(root: Path) -> None:
    assert os.access(root / ".ci/run", os.X_OK)
    assert "scripts/test" in (root / ".ci/run").read_text(encoding="utf-8")
    assert "scripts/test" in (root / "README.md").read_text(encoding="utf-8")
    assert "scripts/demo" in (root / "README.md").read_text(encoding="utf-8")
