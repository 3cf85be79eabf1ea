"""Kinds of any origin are read by their annotations."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from loyalty.domain.cart import CartLine
from loyalty.domain.conditions import Condition, Facts
from loyalty.domain.reasons import Unmet
from loyalty.domain.registry import Kinds, Registry, built_in
from loyalty.domain.rulesets.ruleset import Rounding
from loyalty.domain.rulesets.ruleset_file import read_ruleset
from loyalty.errors import BadRuleset

MINIMAL = (Path(__file__).parents[2] / "examples" / "minimal.toml").read_text()
WHOLE = "9007199254740991"
READABLE = "settings of int, str, bool, StrEnum, dataclass or condition, or tuples of them"


@dataclass(frozen=True, slots=True)
class Moon:
    """A kind with every form of setting, and checks of its own."""

    kind: ClassVar[str] = "moon"

    phase: Rounding
    is_visible: bool
    nights: tuple[int, ...] = ()
    name: str | None = None
    but: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        if self.name == "Sun":
            raise ValueError("found the Sun, wanted a moon")

    def validate(self) -> Iterator[str]:
        if self.name == "Io":
            yield "name: found Jupiter's, wanted ours"
            yield "nothing is right"

    def covers(self, line: CartLine) -> bool:
        return True

    def unmet(self, facts: Facts) -> Unmet | None:
        return None


@dataclass(frozen=True, slots=True)
class Tide(Moon):
    kind: ClassVar[str] = "tide"

    height: float = 0


@dataclass(frozen=True, slots=True)
class Star(Moon):
    kind: ClassVar[str] = "star"

    light: "NoSuchName" = 0  # type: ignore[name-defined]  # noqa: F821 what this kind is about


def sky() -> Registry:
    ours = built_in()
    kinds: dict[str, Any] = {**ours.conditions.by_name, "moon": Moon, "tide": Tide, "star": Star}
    return Registry(Kinds("condition", kinds), ours.rewards)


def problems(text: str) -> tuple[str, ...]:
    """What is wrong with a ruleset under the kinds of this file; nothing if it reads."""
    try:
        read_ruleset(text, sky())
    except BadRuleset as error:
        return error.problems
    return ()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("kind = 'moon', phase = 'up', is_visible = true", []),
        (
            "kind = 'moon', phase = 'up', is_visible = true, nights = [1, -2], name = 'Luna', "
            "but = [{ kind = 'moon', phase = 'down', is_visible = false }]",
            [],
        ),
        (
            "kind = 'moon', phase = 'full', is_visible = 'yes', nights = [0.5], is_visble = true",
            [
                '.phase: found "full", wanted one of down, half_up, up',
                '.is_visible: found "yes", wanted true or false',
                f".nights[0]: found 0.5, wanted a whole number from -{WHOLE} to {WHOLE}; "
                "no decimals: money is in minor units, rates are in basis points",
                ".is_visble: unknown key, did you mean is_visible?",
            ],
        ),
        (
            "kind = 'moon', phase = 'up', is_visible = true, name = 'Io'",
            [".name: found Jupiter's, wanted ours", ": nothing is right"],
        ),
        (
            "kind = 'moon', phase = 'up', is_visible = true, name = 'Sun'",
            [": found the Sun, wanted a moon"],
        ),
        (
            "kind = 'moon', phase = 'up', is_visible = true, "
            "but = [{ kind = 'tier_at_least', tier = 'gold' }]",
            ['.but[0].tier: found "gold", wanted one of member'],
        ),
        (
            "kind = 'tide'",
            [
                '.kind: found "tide", a kind with settings that no ruleset can hold (height); '
                f"wanted {READABLE}"
            ],
        ),
        (
            "kind = 'star'",
            [
                '.kind: found "star", a kind with an annotation that cannot be resolved '
                f"(name 'NoSuchName' is not defined); wanted {READABLE}"
            ],
        ),
    ],
)
def test_the_settings_of_any_kind_are_read_by_their_annotations(condition, expected):
    text = MINIMAL.replace("per_minor", f"conditions = [{{ {condition} }}]\nper_minor")

    assert list(problems(text)) == [f"earning.rules[0].conditions[0]{it}" for it in expected]


def test_kinds_nested_beyond_reason_are_told():
    deep = "{ kind = 'moon', phase = 'up', is_visible = true, but = [" * 200 + "]}" * 200
    text = MINIMAL.replace("per_minor", f"conditions = [{deep}]\nper_minor")

    assert problems(text) in ((), ("the file: tables or lists are nested too deeply",))
