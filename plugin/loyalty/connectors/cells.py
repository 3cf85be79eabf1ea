"""What a cell means: exact amounts, whole numbers, names, instants. No float anywhere.

A reader returns the value, or ``Bad`` with a code to count by and a sentence that says what
was found and what was wanted.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Context, Decimal

from loyalty.domain.books.ledger import micros
from loyalty.domain.calendar import time_zone
from loyalty.domain.money import AMOUNT_MINOR_MAX

TEXT_MAX = 128
"""Longest id, in characters."""
QUANTITY_MAX = 2**31 - 1

_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,16}(?:\.[0-9]{1,18})?", re.ASCII)
# As binary floating point is printed.
_BINARY = re.compile(r"-?[0-9]{1,320}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_EXACT = Context(prec=400)
_YES = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Bad:
    """Why a cell cannot be used: a code to count by, and a sentence."""

    code: str
    text: str


class Inexact(int):
    """Minor units that were rounded off a binary fraction's residue."""


def name_of(what: str) -> Callable[[str | None], str | Bad]:
    """Reader of a required id: 1 to 128 printable characters."""

    def read(text: str | None) -> str | Bad:
        if text is None:
            return Bad(f"{what}_missing", f"found no {what}, wanted one")
        if len(text) > TEXT_MAX or not text.isprintable() or text != text.strip():
            return Bad(
                f"{what}_unusable",
                f"found {what} {text[:40]!r}, wanted 1 to {TEXT_MAX} printable characters",
            )
        return text

    return read


def text_of(what: str, length_max: int) -> Callable[[str | None], str | Bad | None]:
    """Reader of an optional text."""

    def read(text: str | None) -> str | Bad | None:
        if text is not None and (len(text) > length_max or not text.isprintable()):
            return Bad(
                f"{what}_unusable",
                f"found {what} {text[:40]!r}, wanted at most {length_max} printable characters",
            )
        return text

    return read


def whole_of(what: str, least: int, most: int) -> Callable[[str | None], int | Bad | None]:
    """Reader of an optional whole number; ``3.0`` is one too, as spreadsheets write it."""

    def read(text: str | None) -> int | Bad | None:
        if text is None:
            return None
        digits = text[:-2] if text.endswith(".0") else text
        if not _WHOLE.fullmatch(digits) or not least <= int(digits) <= most:
            return Bad(
                f"{what}_unusable",
                f"found {what} {text[:40]!r}, wanted a whole number from {least} to {most}",
            )
        return int(digits)

    return read


def yes_or_no(what: str) -> Callable[[str | None], bool | Bad | None]:
    """Reader of an optional truth: true, false, yes, no, 1 or 0."""

    def read(text: str | None) -> bool | Bad | None:
        if text is None:
            return None
        found = _YES.get(text.lower())
        if found is None:
            return Bad(f"{what}_unusable", f"found {what} {text[:40]!r}, wanted true or false")
        return found

    return read


def words_of(what: str) -> Callable[[str | None], tuple[str, ...] | Bad]:
    """Reader of a list of codes, with spaces or commas between."""

    def read(text: str | None) -> tuple[str, ...] | Bad:
        words = tuple((text or "").replace(",", " ").split())
        if not all(word.isprintable() for word in words):
            return Bad(f"{what}_unusable", f"found {what} {words!r}, wanted printable codes")
        return words

    return read


def required(what: str, meaning: Callable[[str | None], object]) -> Callable[[str | None], object]:
    """Reader of a cell that may not be empty."""

    def read(text: str | None) -> object:
        if text is None:
            return Bad(f"{what}_missing", f"found no {what}, wanted one")
        return meaning(text)

    return read


@dataclass(frozen=True, slots=True)
class AmountForm:
    """How a file writes money.

    Args:
        digits: after the decimal point of the currency; 0 also where amounts are minor units.
        comma: whether the decimal point is written as a comma.
        tolerance: how far, in minor units, an amount may be from a whole number of them and
            still be rounded to it; None: not at all, and only plain decimals are amounts.
    """

    digits: int
    comma: bool = False
    tolerance: Decimal | None = None


def amount_of(what: str, form: AmountForm) -> Callable[[str | None], int | Bad | None]:
    """Reader of an optional amount >= 0 in minor units; ``Inexact`` when it was rounded."""

    def read(text: str | None) -> int | Bad | None:
        if text is None:
            return None
        plain = text.replace(",", ".") if form.comma else text
        written = _DECIMAL if form.tolerance is None else _BINARY
        if not written.fullmatch(plain):
            return _no_amount(what, text, form)
        exact = Decimal(plain).scaleb(form.digits, _EXACT)
        whole = exact.to_integral_value(ROUND_HALF_EVEN)
        if abs(whole) > AMOUNT_MINOR_MAX:
            return _no_amount(what, text, form)
        residue = abs(exact - whole)
        if residue and (form.tolerance is None or residue > form.tolerance):
            return _no_amount(what, text, form)
        if whole < 0:
            return Bad(f"{what}_negative", f"found {what} {text[:40]}, wanted 0 or more")
        return Inexact(whole) if residue else int(whole)

    return read


def _no_amount(what: str, text: str, form: AmountForm) -> Bad:
    decimals = f"with at most {form.digits} decimals" if form.digits else "without decimals"
    return Bad(
        f"{what}_unusable",
        f"found {what} {text[:40]!r}, wanted a plain amount {decimals}, such as "
        + (f"12.{'34567'[: form.digits]}" if form.digits else "1200"),
    )


def instant_of(
    what: str, zone: str, *, shift_micros: int, last: datetime
) -> Callable[[str | None], int | Bad | None]:
    """Reader of an optional ISO 8601 time, in microseconds since 1970.

    Args:
        zone: of times without an offset; a date alone is its first moment there.
        shift_micros: added to each time.
        last: the latest moment there may be, after the shift.
    """
    tz = time_zone(zone)
    last_micros = micros(last)

    def read(text: str | None) -> int | Bad | None:
        if text is None:
            return None
        try:
            if len(text) == 10:
                at = datetime.combine(date.fromisoformat(text), time())
            else:
                at = datetime.fromisoformat(text)
            aware = at.replace(tzinfo=tz) if at.tzinfo is None else at
            found = micros(aware.astimezone(UTC)) + shift_micros
        except (ValueError, OverflowError):
            return Bad(
                f"{what}_unusable",
                f"found {what} {text[:40]!r}, wanted a time such as 2026-01-31T18:30:00+01:00",
            )
        if not 0 <= found <= last_micros:
            return Bad(
                f"{what}_out_of_range",
                f"found {what} {text[:40]!r}, wanted one from 1970 until "
                f"{last.isoformat(timespec='seconds')}"
                + (" after the shift" if shift_micros else ""),
            )
        return found

    return read
