"""The languages there are, and which of them a reader gets."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from loyalty.errors import BadInput
from loyalty.wording.figures import Figures
from loyalty.wording.language import Language, read_language
from loyalty.wording.reasons import Words

ENGLISH = "en"
"""The language of whoever asked for none that there is."""

HEADER_MAX = 1_000
"""Longest ``Accept-Language`` that is read, in characters; browsers send less than 100."""

_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,6}", re.ASCII)
_RANGE = re.compile(r"\s*([A-Za-z0-9_-]{1,35})\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?")


@dataclass(frozen=True, slots=True)
class Languages:
    """Every language with texts, by tag. English is always among them."""

    known: Mapping[str, Language]

    @classmethod
    def load(cls, folder: Path | None = None) -> "Languages":
        """The built-in languages, and those of a folder, which go before them.

        Raises:
            BadInput: the folder is none, or a file in it is not a whole language.
        """
        return cls({**_built_in(), **({} if folder is None else _of_folder(folder))})

    def words(
        self,
        locale: str | None = None,
        *,
        member: str | None = None,
        accept: str | None = None,
    ) -> Words:
        """The words for a reader; in English if need be.

        Args:
            locale: what the request asks for; it alone decides where there is one.
            member: the member's own locale.
            accept: the header ``Accept-Language``.
        """
        asked = [locale] if locale else [member or "", *accepted(accept or "")]
        for tag in asked:
            found = self._found(tag or "")
            if found is not None:
                return found
        english = self.known[ENGLISH]
        return Words(english, Figures(english.locale))

    def _found(self, tag: str) -> Words | None:
        reader = _parsed(tag)
        if reader is None:
            return None
        exact = [each for each in self.known.values() if each.locale == reader]
        near = [each for each in self.known.values() if _reads(reader, each.locale)]
        for language in exact + near:
            # In the language's words, with figures as the reader's region writes them.
            return Words(language, Figures(reader))
        return None


def accepted(header: str) -> Iterator[str]:
    """Tags of an ``Accept-Language``, the most wanted first; what is malformed is passed over."""
    ranked: list[tuple[int, int, str]] = []
    for place, part in enumerate(header[:HEADER_MAX].split(",")):
        match = _RANGE.fullmatch(part)
        if match is None:
            continue
        whole, _, fraction = (match[2] or "1").partition(".")
        weight = int(whole) * 1_000 + int(fraction.ljust(3, "0"))
        if weight:
            ranked.append((-weight, place, match[1]))
    return (tag for _, _, tag in sorted(ranked))


@lru_cache(maxsize=512)
def _parsed(tag: str) -> Locale | None:
    """The locale of a tag as browsers and shops write it; None for what is none."""
    if len(tag) > 35 or not _TAG.fullmatch(tag):
        return None
    parts = tag.replace("_", "-").split("-")
    for length in range(min(len(parts), 3), 0, -1):
        try:
            return Locale.parse("_".join(parts[:length]))
        except (UnknownLocaleError, ValueError):
            continue
    return None


def _reads(reader: Locale, language: Locale) -> bool:
    """Whether a reader can read a language: the same one, in the same script.

    Who writes traditional characters is not given simplified ones.
    """
    return reader.language == language.language and _script(reader) == _script(language)


def _script(locale: Locale) -> str:
    if locale.script:
        return str(locale.script)
    likely: Mapping[str, str] = get_global("likely_subtags")
    name = f"{locale.language}_{locale.territory}" if locale.territory else locale.language
    full = likely.get(name) or likely.get(locale.language, "")
    return next((part for part in full.split("_")[1:] if len(part) == 4), "")


@lru_cache(maxsize=1)
def _built_in() -> Mapping[str, Language]:
    texts = sorted(
        (each.name.removesuffix(".toml"), each.read_text(encoding="utf-8"))
        for each in files("loyalty.wording").joinpath("texts").iterdir()
        if each.name.endswith(".toml")
    )
    return {tag: read_language(tag, text) for tag, text in texts}


def _of_folder(folder: Path) -> Mapping[str, Language]:
    setting = "LOYALTY_LANGUAGES_DIR"
    if not folder.is_dir():
        raise BadInput(f"{setting}: found no folder {str(folder)!r}, wanted one of *.toml")
    try:
        texts = [(each.stem, each.read_text("utf-8")) for each in sorted(folder.glob("*.toml"))]
    except (OSError, UnicodeError) as problem:
        raise BadInput(f"{setting}: cannot read {str(folder)!r}: {problem}") from None
    try:
        return {tag: read_language(tag, text) for tag, text in texts}
    except BadInput as problem:
        raise BadInput(f"{setting}: {problem.message}") from None
