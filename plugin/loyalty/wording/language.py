"""One language: its texts, read from a file of plain data and checked whole."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from babel import Locale, UnknownLocaleError

from loyalty.domain.offers.offer_states import WhyOffered
from loyalty.domain.reasons import Reason
from loyalty.domain.recommendations.because import BecauseCode
from loyalty.errors import BadInput

Text = str | Mapping[str, str]
"""A text, or one for each form of the plural."""

REASONS: Final[Mapping[Reason, tuple[str, ...]]] = dict.fromkeys(Reason, ("says",)) | {
    Reason.TIER_TOO_LOW: ("says", "tier"),
    Reason.MINIMUM_NOT_MET: ("says", "money"),
    Reason.CONDITION_NOT_MET: ("says", "money", "points"),
    Reason.INSUFFICIENT_POINTS: ("says", "points"),
    Reason.MARGIN_LIMIT: ("says", "applied"),
    Reason.TOO_FEW_POINTS: ("says", "points"),
    Reason.TENDER_LIMIT: ("says", "money"),
    Reason.DISCOUNT_CAP: ("says", "money", "applied", "applied_money"),
    Reason.INSUFFICIENT_CREDIT: ("says", "money", "none"),
}
"""The texts of each reason: without a figure, with the gap's, for what was applied smaller, and
for credit of which there is none at all."""

CHANGES: Final[Mapping[str, tuple[str, ...]]] = {
    "ADD_TO_CART": ("money",),
    "ADD_MATCHING": ("money",),
    "USE_POINTS": ("points",),
    "USE_CREDIT": ("money",),
    "ADD_CODE": ("says",),
    "ACTIVATE_OFFER": ("says",),
    "PIN": ("says",),
    "ALLOW": ("says",),
}
"""The text of each kind of nearest change."""

OFFERED: Final[Mapping[WhyOffered, tuple[str, ...]]] = dict.fromkeys(WhyOffered, ("target",))
"""The text of each reason for which a member got an offer."""

BECAUSE: Final[Mapping[str, tuple[str, ...]]] = {
    BecauseCode.BOUGHT_BEFORE: ("rhythm", "once"),
    BecauseCode.BECAUSE_YOU_BUY: ("says", "product"),
    BecauseCode.BECAUSE_YOU_VIEWED: ("says", "product"),
    BecauseCode.VIEWED_BEFORE: ("says",),
    BecauseCode.GOES_WITH: ("says", "product", "cart"),
    BecauseCode.SIMILAR_TO: ("says", "product"),
    BecauseCode.POPULAR: ("says",),
    BecauseCode.NEW: ("says", "date"),
}
"""Why a product is recommended: with a product's name, with the name of one in the cart, or without
either where the reader may not see it."""

PHRASES: Final[Mapping[str, tuple[str, ...]]] = {
    "TIMES": ("count",),
    "EVERY": ("count",),
    "AGO": ("says", "count"),
}
"""Phrases that stand in ``rhythm`` and ``once`` as ``{times}``, ``{every}`` and ``{last}``. Each is
counted by itself, so that no language has to say every pair of counts. ``AGO.says`` is today."""

PLACEHOLDERS: Final[Mapping[str, frozenset[str]]] = {
    "says": frozenset(),
    "none": frozenset(),
    "applied": frozenset(),
    "money": frozenset({"money"}),
    "applied_money": frozenset({"money"}),
    "points": frozenset({"points"}),
    "tier": frozenset({"tier"}),
    "target": frozenset({"target"}),
    "rhythm": frozenset({"times", "every", "last"}),
    "once": frozenset({"last"}),
    "product": frozenset({"product"}),
    "cart": frozenset({"product"}),
    "date": frozenset({"date"}),
    "count": frozenset({"count"}),
}
"""What stands in braces in each text: exactly this, whatever the language."""

_PARTS: Final[Mapping[str, Mapping[Any, tuple[str, ...]]]] = {
    "reasons": REASONS,
    "changes": CHANGES,
    "offered": OFFERED,
    "because": BECAUSE,
    "phrases": PHRASES,
}
_PLURALS = ("points", "count")
"""Kinds of text of which there is one for each form of the plural."""
_COUNTS = range(1_001)
"""Numbers that tell which of them a form of the plural is for."""

TEXT_MAX = 300
_BRACES = re.compile(r"\{([^{}]*)\}")
_TAG = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Language:
    """The texts of one language, complete.

    ``tag``: its BCP 47 tag, the name of its file. ``name``: what its speakers call it.
    """

    tag: str
    name: str
    locale: Locale
    reasons: Mapping[str, Mapping[str, Text]]
    changes: Mapping[str, Mapping[str, Text]]
    offered: Mapping[str, Mapping[str, Text]]
    because: Mapping[str, Mapping[str, Text]]
    phrases: Mapping[str, Mapping[str, Text]]


def read_language(tag: str, text: str) -> Language:
    """The language of a file of texts.

    Args:
        tag: name of the file without its ending, such as ``pt-BR``.

    Raises:
        BadInput: it is no TOML, no language, or not whole; names all that is wrong.
    """
    locale = _locale(tag)
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise BadInput(f"{tag}.toml: found no TOML: {problem}") from None
    problems = [f"found {key!r}" for key in sorted(found.keys() - {"name", *_PARTS})]
    if not isinstance(found.get("name"), str):
        problems.append("found no name, wanted what its speakers call it")
    for part, wanted in _PARTS.items():
        problems += _problems(part, found.get(part), wanted, locale)
    if problems:
        raise BadInput(f"{tag}.toml: " + "; ".join(problems))
    return Language(tag, found["name"], locale, **{part: found[part] for part in _PARTS})


def _locale(tag: str) -> Locale:
    wanted = "wanted one such as pt or pt-BR that the locale data knows"
    if not _TAG.fullmatch(tag):
        raise BadInput(f"found a file of texts named {tag[:40]!r}, {wanted}")
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError) as unknown:
        raise BadInput(f"found a file of texts named {tag!r}, {wanted}") from unknown


def _problems(
    part: str, found: Any, wanted: Mapping[Any, tuple[str, ...]], locale: Locale
) -> Iterator[str]:
    if not isinstance(found, dict):
        yield f"found no {part}"
        return
    names = {str(code): kinds for code, kinds in wanted.items()}
    for code in sorted(found.keys() - names.keys()):
        yield f"found {part}.{code}, which there is not"
    for code, kinds in names.items():
        texts = found.get(code)
        have = texts if isinstance(texts, dict) else {}
        where = f"{part}.{code}"
        if have.keys() != set(kinds):
            yield f"{where}: found {sorted(have)}, wanted {sorted(kinds)}"
            continue
        for kind in kinds:
            yield from _text_problems(f"{where}.{kind}", kind, have[kind], locale)


def _text_problems(where: str, kind: str, found: Any, locale: Locale) -> Iterator[str]:
    texts = {"": found}
    if kind in _PLURALS:
        forms = locale.plural_form.tags | {"other"}
        if not isinstance(found, dict) or found.keys() != forms:
            has = sorted(found) if isinstance(found, dict) else "one text"
            yield f"{where}: found {has}, wanted the forms {sorted(forms)}"
            return
        texts = found
    for form, text in texts.items():
        if not isinstance(text, str) or not 1 <= len(text) <= TEXT_MAX or not text.isprintable():
            yield f"{where}: found {text!r:.60}, wanted 1 to {TEXT_MAX} printable characters"
        elif placeholders(text) != PLACEHOLDERS[kind] and not _says_the_number(
            text, kind, form, locale
        ):
            yield (
                f"{where}: found {sorted(placeholders(text))} in braces, "
                f"wanted {sorted(PLACEHOLDERS[kind])}"
            )


def _says_the_number(text: str, kind: str, form: str, locale: Locale) -> bool:
    """Whether a phrase does without its count: "once" is for one number only."""
    return kind == "count" and not placeholders(text) and _is_of_one_number(locale, form)


@lru_cache(maxsize=256)
def _is_of_one_number(locale: Locale, form: str) -> bool:
    return sum(locale.plural_form(number) == form for number in _COUNTS) == 1


def placeholders(text: str) -> frozenset[str]:
    """Names in braces; a brace that stands alone is one of its own."""
    names = _BRACES.findall(text)
    alone = re.sub(_BRACES, "", text)
    return frozenset(names) | frozenset(brace for brace in "{}" if brace in alone)
