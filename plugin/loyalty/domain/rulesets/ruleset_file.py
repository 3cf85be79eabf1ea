"""The ruleset as a TOML file: read, checked as a whole, and named by its hash.

``docs/reference/ruleset.md`` is the reference for whoever writes one, ``examples/`` has some.
"""

import hashlib
import re
import tomllib
from typing import Any

from loyalty.domain.registry import Registry
from loyalty.domain.rulesets.ruleset import EarningBase, Ruleset, TierPolicy
from loyalty.domain.rulesets.ruleset_checks import check
from loyalty.domain.rulesets.ruleset_problems import Decimals, Problems
from loyalty.domain.rulesets.ruleset_reader import Reader
from loyalty.domain.rulesets.ruleset_shape import RANGES, RulesetFile
from loyalty.errors import BadRuleset

SIZE_MAX = 262_144
"""Largest file, in bytes of UTF-8."""

_KEY_PARTS_MAX = 16

# tomllib needs time in the square of a dotted key's parts; nothing here is nested so deeply.
# Quoted parts are bounded so that this search itself stays linear: no file holds many longer ones.
_KEY_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.){0,200}+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![\w-])(?:{_KEY_PART}\s*+\.\s*+){{{_KEY_PARTS_MAX}}}")
_LONG_NUMBER = re.compile(r"[0-9_]{4300}")
_TOML_PLACE = re.compile(r"(.*) \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)")


def read_ruleset(text: str, registry: Registry, *, version: int = 0) -> Ruleset:
    """The ruleset that a TOML text describes.

    Args:
        text: the file, at most ``SIZE_MAX`` bytes.
        registry: the kinds of condition and reward it may name.
        version: which version of the program this is, 0 for one not published yet.

    Raises:
        BadRuleset: with every problem found, each one line that starts with its path.
    """
    raw = _parsed(canonical(text))
    reader = Reader(registry, RANGES, ("code", "exclusive_group"))
    try:
        file = reader.record(RulesetFile, raw, "")
    except RecursionError:
        raise _broken("the file: tables or lists are nested too deeply") from None
    # The top of a TOML text is always a table.
    assert file is not None
    check(reader, file)
    if reader.problems:
        raise BadRuleset(reader.problems.lines())
    return Ruleset(
        code=file.code,
        name=file.name,
        currency=file.currency,
        time_zone=file.time_zone,
        point_types=file.point_types,
        earning_base=EarningBase(
            file.earning.discounts,
            file.earning.includes_shipping,
            file.earning.includes_points_used,
            file.earning.includes_credit_used,
            file.earning.tax,
        ),
        earning_rules=file.earning.rules,
        tier_policy=TierPolicy(
            file.tier_policy.point_type, file.tiers, file.tier_policy.grace_days
        ),
        rewards=file.rewards,
        tender=file.tender,
        margin=file.margin,
        holds=file.holds,
        refunds=file.refunds,
        caps=file.caps,
        credit=file.credit,
        adjustments=file.adjustments,
        expiring_soon_days=file.expiring_soon_days,
        offers=file.offers,
        offer_policy=file.offer_policy,
        recommendations=file.recommendations,
        version=version,
    )


def canonical(text: str) -> str:
    """The text as it is published and hashed: no byte order mark, lines ended by ``\\n``, one
    at the end. What the TOML says stays the same.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return lines.rstrip("\n") + "\n"


def ruleset_hash(text: str) -> str:
    """SHA-256 of the canonical text, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(text).encode("utf-8", "surrogatepass")).hexdigest()


def _parsed(text: str) -> dict[str, Any]:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise _broken("the file: found half of a surrogate pair, wanted Unicode text") from None
    if size > SIZE_MAX:
        raise _broken(f"the file: found {size} bytes, wanted at most {SIZE_MAX}")
    long_key = _LONG_KEY.search(text)
    if long_key is not None:
        raise _broken(
            f"{_line_of(text, long_key)}: found a key of more than {_KEY_PARTS_MAX} parts, "
            f"wanted at most {_KEY_PARTS_MAX}"
        )
    try:
        return tomllib.loads(text, parse_float=Decimals)
    except RecursionError:
        raise _broken("the file: tables or lists are nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.fullmatch(str(error))
        if place is None:
            raise _broken(f"the file: not TOML: {error}") from None
        at = f"line {place[2]}, column {place[3]}" if place[2] else "the end of the file"
        raise _broken(f"{at}: not TOML: {place[1]}") from None
    except ValueError:
        # Python reads no decimal integer of more than 4,300 digits.
        number = _LONG_NUMBER.search(text)
        at = _line_of(text, number) if number else "the file"
        raise _broken(f"{at}: found a number of thousands of digits") from None


def _broken(problem: str) -> BadRuleset:
    problems = Problems()
    path, _, text = problem.partition(": ")
    problems.add(path, text)
    return BadRuleset(problems.lines())


def _line_of(text: str, match: re.Match[str]) -> str:
    return f"line {text.count(chr(10), 0, match.start()) + 1}"
