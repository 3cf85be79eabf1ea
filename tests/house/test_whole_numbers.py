"""Money, points and rates are whole numbers: no float on any path that they take."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

PATHS = (
    "plugin/loyalty/domain/",
    "plugin/loyalty/services/",
    "plugin/loyalty/storage/",
    "plugin/loyalty/connectors/",
    "graphql/loyalty_graphql/",
)
ALLOWED: dict[str, str] = {
    "plugin/loyalty/services/recommendations/training.py": "shares of a bar of progress",
    "plugin/loyalty/services/offers/propensity.py": "chances; they leave as whole millionths",
    "plugin/loyalty/domain/offers/offer_effect.py::uplift_of": "odds, and how sure they are",
    "plugin/loyalty/domain/recommendations/experiments.py": "shares, and how sure they differ",
}
"""Path, or path::function, to the reason why what stands there is neither money nor points."""


def floats(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Every float with the name of the function or class around it."""
    yield from _floats(tree, "")


def _floats(node: ast.AST, around: str) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Constant(value=float() | complex() as value):
            yield around, f"line {node.lineno}: the literal {value!r}"
        case ast.Name(id="float" | "complex" as name):
            yield around, f"line {node.lineno}: {name}"
        case ast.Attribute(attr="float32" | "float64" | "double" | "FloatField" as name):
            yield around, f"line {node.lineno}: {name}"
        case ast.BinOp(op=ast.Div(), left=left, right=right) if not _joins_a_path(left, right):
            yield around, f"line {node.lineno}: a true division"
        case ast.AugAssign(op=ast.Div()):
            yield around, f"line {node.lineno}: a true division"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        around = f"{around}.{node.name}" if around else node.name
    for child in ast.iter_child_nodes(node):
        yield from _floats(child, around)


def _joins_a_path(left: ast.expr, right: ast.expr) -> bool:
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (left, right)
    )


def test_no_float_in_a_money_or_points_path(sources: dict[str, ast.Module]) -> None:
    found = [
        f"{path}::{around} {what}"
        for path, tree in sources.items()
        if path.startswith(PATHS) and path not in ALLOWED
        for around, what in floats(tree)
        if f"{path}::{around}" not in ALLOWED
    ]

    assert found == [], (
        "use integers of minor units, points or basis points and `//` with a declared rounding; "
        "what is neither money nor points goes to ALLOWED in this file, with its reason"
    )


def test_every_exception_is_still_needed(sources: dict[str, ast.Module]) -> None:
    needed = {
        name
        for path, tree in sources.items()
        for around, _ in floats(tree)
        for name in (path, f"{path}::{around}")
    }

    assert sorted(ALLOWED.keys() - needed) == []


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("rate = 0.1", 1),
        ("def f(rate: float) -> int: ...", 1),
        ("x = float(text)", 1),
        ("x = minor / 100", 1),
        ("minor /= 100", 1),
        ("x = np.float64(1)", 1),
        ("x = 1e3", 1),
        ("x = minor // 100", 0),
        ("path = folder / 'name'", 0),
        ("x = '0.1'", 0),
    ],
)
def test_the_search_sees_each_way_to_a_float(code: str, count: int) -> None:
    assert len(list(floats(ast.parse(code)))) == count


def test_the_domain_never_waits(sources: dict[str, ast.Module]) -> None:
    waits = [
        f"{path}:{node.lineno}"
        for path, tree in sources.items()
        if path.startswith("plugin/loyalty/domain/")
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
    ]

    assert waits == [], "domain functions take their inputs and return values: read in services"
