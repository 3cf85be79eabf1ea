"""One language: its texts, read from a file of plain data and checked whole."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from babel import Locale, UnknownLocaleError

from loyalty.domain.offer_states import WhyOffered
from loyalty.domain.reasons import Reason
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

PLACEHOLDERS: Final[Mapping[str, frozenset[str]]] = {
    "says": frozenset(),
    "none": frozenset(),
    "applied": frozenset(),
    "money": frozenset({"money"}),
    "applied_money": frozenset({"money"}),
    "points": frozenset({"points"}),
    "tier": frozenset({"tier"}),
    "target": frozenset({"target"}),
}
"""What stands in braces in each text: exactly this, whatever the language."""

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
    forms = locale.plural_form.tags | {"other"}
    problems = [
        f"found {key!r}" for key in sorted(found.keys() - {"name", "reasons", "changes", "offered"})
    ]
    if not isinstance(found.get("name"), str):
        problems.append("found no name, wanted what its speakers call it")
    problems += _problems("reasons", found.get("reasons"), REASONS, forms)
    problems += _problems("changes", found.get("changes"), CHANGES, forms)
    problems += _problems("offered", found.get("offered"), OFFERED, forms)
    if problems:
        raise BadInput(f"{tag}.toml: " + "; ".join(problems))
    return Language(
        tag, found["name"], locale, found["reasons"], found["changes"], found["offered"]
    )


def _locale(tag: str) -> Locale:
    wanted = "wanted one such as pt or pt-BR that the locale data knows"
    if not _TAG.fullmatch(tag):
        raise BadInput(f"found a file of texts named {tag[:40]!r}, {wanted}")
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError) as unknown:
        raise BadInput(f"found a file of texts named {tag!r}, {wanted}") from unknown


def _problems(
    part: str, found: Any, wanted: Mapping[Any, tuple[str, ...]], forms: set[str] | frozenset[str]
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
            yield from _text_problems(f"{where}.{kind}", kind, have[kind], forms)


def _text_problems(
    where: str, kind: str, found: Any, forms: set[str] | frozenset[str]
) -> Iterator[str]:
    if kind == "points":
        if not isinstance(found, dict) or found.keys() != forms:
            has = sorted(found) if isinstance(found, dict) else "one text"
            yield f"{where}: found {has}, wanted the forms {sorted(forms)}"
            return
        texts = list(found.values())
    else:
        texts = [found]
    for text in texts:
        if not isinstance(text, str) or not 1 <= len(text) <= TEXT_MAX or not text.isprintable():
            yield f"{where}: found {text!r:.60}, wanted 1 to {TEXT_MAX} printable characters"
        elif placeholders(text) != PLACEHOLDERS[kind]:
            yield (
                f"{where}: found {sorted(placeholders(text))} in braces, "
                f"wanted {sorted(PLACEHOLDERS[kind])}"
            )


def placeholders(text: str) -> frozenset[str]:
    """Names in braces; a brace that stands alone is one of its own."""
    names = _BRACES.findall(text)
    alone = re.sub(_BRACES, "", text)
    return frozenset(names) | frozenset(brace for brace in "{}" if brace in alone)
