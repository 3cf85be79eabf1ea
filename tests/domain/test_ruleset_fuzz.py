"""Whatever happens to a good file, it reads or is refused as a bad ruleset."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.domain.registry import built_in
from loyalty.domain.rulesets.ruleset_file import read_ruleset
from loyalty.errors import BadRuleset

EXAMPLES = Path(__file__).parents[2] / "examples"
GOOD = [(EXAMPLES / name).read_text() for name in ("grocery.toml", "minimal.toml")]


def problems(text: str) -> tuple[str, ...]:
    """What is wrong with a ruleset; nothing if it reads."""
    try:
        read_ruleset(text, built_in())
    except BadRuleset as error:
        return error.problems
    return ()


# What a mutation may put in the place of any value.
VALUES = st.one_of(
    st.integers(),
    st.integers(-(10**40), 10**40),
    st.booleans(),
    st.text(max_size=8),
    st.sampled_from(["points", "status", "gold", "cap", "down", "category", "money_off"]),
    st.just([]),
    st.just({}),
    st.lists(st.integers(), max_size=3),
    st.lists(st.dictionaries(st.sampled_from(["kind", "code", "name"]), st.text(max_size=3))),
    st.dictionaries(st.sampled_from(["kind", "code", "points"]), st.integers(), max_size=2),
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every path in a parsed file."""
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inner:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))


def toml(value: object) -> str:
    """A value in TOML's inline form."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        # As \U escapes, so that any text at all can be written.
        return '"' + "".join(f"\\U{ord(char):08x}" for char in value) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    assert isinstance(value, dict)
    return "{" + ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items()) + "}"


def change(raw: Any, path: tuple[str | int, ...], how: str, key: str, value: Any) -> None:
    """Change what is at a path, if an earlier change left anything there."""
    *way, last = path
    for step in way:
        if not isinstance(raw, dict | list):
            return
        try:
            raw = raw[step]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(raw, dict) and last in raw:
        if how == "remove":
            del raw[last]
        elif how == "rename":
            raw[key] = raw.pop(last)
        else:
            raw[last] = value
    elif isinstance(raw, list) and isinstance(last, int) and last < len(raw):
        if how == "remove":
            del raw[last]
        elif how == "double":
            raw.insert(last, raw[last])
        else:
            raw[last] = value


@st.composite
def mutated_rulesets(draw: st.DrawFn) -> str:
    """A good ruleset with some values replaced, removed, doubled, or keys renamed."""
    raw = tomllib.loads(draw(st.sampled_from(GOOD)))
    every = list(places(raw))
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(every))
        value = draw(VALUES)
        key = draw(st.text(max_size=6))
        how = draw(st.sampled_from(["set", "remove", "rename", "double"]))
        change(raw, path, how, key, value)
    return "\n".join(f"{toml(key)} = {toml(value)}" for key, value in raw.items())


@given(mutated_rulesets())
@settings(max_examples=200, deadline=None)
def test_a_mutated_ruleset_reads_or_is_refused_with_lines_of_text(text):
    for problem in problems(text):
        assert "\n" not in problem
        assert len(problem) < 1_000
        assert ": found " in problem or ": missing" in problem or ": unknown key" in problem


@given(
    st.sampled_from(GOOD),
    st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 9), st.text(max_size=4)), max_size=5),
)
@settings(max_examples=200, deadline=None)
def test_a_text_with_bits_of_it_replaced_reads_or_is_refused(text, edits):
    for start, length, new in edits:
        at = start % len(text)
        text = text[:at] + new + text[at + length :]

    assert all("\n" not in problem for problem in problems(text))


@given(st.text())
@settings(max_examples=200)
def test_any_text_is_refused_and_never_more(text):
    assert problems(text)
