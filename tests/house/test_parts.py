"""Every test belongs to the common part, or its absence from there has a reason."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

Parts = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def parts(root: Path) -> Parts:
    return tomllib.loads((root / "tests/parts.toml").read_text(encoding="utf-8"))


def said(path: Path, parts: Parts) -> str | None:
    """The part that the longest path names which this is, or is below."""
    named = {entry: name for name, entries in parts.items() for entry in entries}
    above = (str(each) for each in (path, *path.parents))
    return next((named[each] for each in above if each in named), None)


def test_every_test_is_common_or_says_why_not(root: Path, parts: Parts) -> None:
    files = [path.relative_to(root) for path in (root / "tests").rglob("test_*.py")]

    unsaid = sorted(str(path) for path in files if said(path, parts) is None)

    assert unsaid == [], "name them in tests/parts.toml: in [common], or in [elsewhere] with why"


def test_what_the_parts_name_is_there_once_and_has_a_reason(root: Path, parts: Parts) -> None:
    entries = [(path, why) for name in ("common", "elsewhere") for path, why in parts[name].items()]

    assert set(parts) == {"common", "elsewhere"}
    assert [path for path, _ in entries if not (root / path).exists()] == []
    assert parts["common"].keys() & parts["elsewhere"].keys() == set()
    assert [path for path, why in entries if not why.strip()] == []


@pytest.mark.parametrize(
    "path",
    ["tests/domain/test_book.py", "tests/laws", "tests/house", "tests/api/test_story.py"],
)
def test_rules_laws_house_and_the_story_are_common(path: str, parts: Parts) -> None:
    assert said(Path(path), parts) == "common"


def test_ci_runs_every_part(root: Path) -> None:
    assert (root / ".ci/run").read_text(encoding="utf-8").rstrip().endswith('/scripts/test"')
