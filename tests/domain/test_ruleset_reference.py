"""Every setting has its range, and the reference page names both."""

import re
from dataclasses import fields, is_dataclass
from pathlib import Path

from loyalty.domain.rulesets import ruleset as shapes
from loyalty.domain.rulesets.ruleset import (
    Benefit,
    EarningBase,
    Ruleset,
    TierPolicy,
)
from loyalty.domain.rulesets.ruleset_shape import RANGES, RulesetFile

ROOT = Path(__file__).parents[2]
WHOLE = "9007199254740991"


def test_every_range_is_of_a_field_there_is():
    for cls, name in RANGES:
        assert name in {field.name for field in fields(cls)}, (cls, name)


def test_every_number_of_the_domain_has_a_range():
    tables = [RulesetFile, *(cls for cls in vars(shapes).values() if is_dataclass(cls))]
    unbounded = {
        f"{cls.__name__}.{field.name}"
        for cls in tables
        for field in fields(cls)
        if field.type in (int, int | None)
        and cls not in (Ruleset, TierPolicy)
        and (cls, field.name) not in RANGES
    }

    assert unbounded == set()


def test_the_reference_names_every_key_with_its_limits():
    reference = (ROOT / "docs" / "reference" / "ruleset.md").read_text()
    rows = [line.split("|") for line in reference.splitlines() if line.startswith("| `")]
    tables = {cls for cls, _ in RANGES} | {EarningBase, Benefit}

    headings = set(re.findall(r"\[([a-z_.]+)\]", reference))

    untold = set()
    for cls in tables:
        for field in fields(cls):
            told = [text for _, keys, text, *_ in rows if f"`{field.name}`" in keys]
            low, high = RANGES.get((cls, field.name), (0, int(WHOLE)))
            is_number = field.type in (int, int | None)
            if is_number and high < int(WHOLE):
                told = [text for text in told if f"{low} to {high}" in text]
            if not told and not headings & {field.name, f"earning.{field.name}"}:
                untold.add(f"{cls.__name__}.{field.name}")

    assert untold == set()
