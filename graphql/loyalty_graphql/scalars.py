"""The API's own scalars: exact, bounded, and refusing with what was found and what was wanted.

Strawberry's own Decimal, DateTime and Date accept NaN, naive times and other writings; ``Int``
stops at 2,147,483,647. A schema takes these through ``schema_config()``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NewType

import strawberry
from graphql.language import IntValueNode, StringValueNode, ValueNode
from iso4217 import Currency
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from loyalty.domain.points import POINTS_MAX, Points
from loyalty_graphql.errors import bad_input

BigInt = NewType("BigInt", int)
"""A whole number within ±(2^53 - 1), or a total of such."""
DecimalText = NewType("DecimalText", str)
"""Exact decimal text such as ``-12.34``; the scalar ``Decimal``."""
CurrencyCode = NewType("CurrencyCode", str)
ExternalId = NewType("ExternalId", str)
IdempotencyKey = NewType("IdempotencyKey", str)

_DECIMAL = re.compile(r"([+-]?)([0-9]{1,18}(?:\.[0-9]{1,6})?)", re.ASCII)
_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_KEY = re.compile(r"[!-~]{1,128}", re.ASCII)
_EXTERNAL_ID_MAX = 128


@dataclass(frozen=True, slots=True)
class _OtherLiteral:
    """A literal that is neither text nor a whole number, by its kind."""

    kind: str


def found(value: object) -> str:
    """A short description of a value a client sent, safe to repeat to it."""
    if isinstance(value, str):
        return f"text {value[:40]!a}{'…' if len(value) > 40 else ''}"
    if isinstance(value, _OtherLiteral):
        return f"{'an' if value.kind[0] in 'aeiou' else 'a'} {value.kind}"
    if isinstance(value, bool):
        return f"boolean {str(value).lower()}"
    if isinstance(value, int):
        return f"number {value}" if abs(value) < 10**20 else "a number of more than 20 digits"
    kinds = {type(None): "null", list: "a list", dict: "an object"}
    return kinds.get(type(value), f"number {value!r}")


def _whole_number(name: str) -> Callable[[object], int]:
    wanted = f"{name} wants a whole number from -{POINTS_MAX} to {POINTS_MAX}"

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > POINTS_MAX:
            raise bad_input(f"{wanted}, found {found(value)}")
        return value

    return parse


def _written(value: Any) -> int:
    """A whole number as it is: a total of amounts, each in range, may be beyond it, and what is
    booked has to be answered.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_input(f"found {found(value)}, wanted a whole number")
    return value


def parse_decimal(value: object) -> DecimalText:
    """Plain decimal text: up to 18 digits, at most one dot and 6 more; a plus sign is dropped."""
    match = _DECIMAL.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise bad_input(
            'Decimal wants text such as "12.34" (at most 18 digits and 6 decimals), '
            f"found {found(value)}"
        )
    return DecimalText(match[2] if match[1] == "+" else match[0])


def parse_currency(value: object) -> CurrencyCode:
    """An ISO 4217 alphabetic code, in capitals."""
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isupper():
        try:
            return CurrencyCode(Currency(value).code)
        except ValueError:
            pass
    raise bad_input(f'CurrencyCode wants an ISO 4217 code such as "EUR", found {found(value)}')


def parse_date_time(value: object) -> datetime:
    """An RFC 3339 instant with its offset, as aware UTC; digits past microseconds are dropped."""
    match = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        offset = "+00:00" if match[4] in "Zz" else match[4]
        fraction = (match[3] or "")[:6].ljust(6, "0")
        try:
            moment = datetime.fromisoformat(f"{match[1]}T{match[2]}.{fraction}{offset}")
            return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise bad_input(
        f'DateTime wants an RFC 3339 time with an offset, such as "2026-11-21T09:30:00Z", '
        f"found {found(value)}"
    )


def write_date_time(value: datetime) -> str:
    """RFC 3339 in UTC with ``Z``; microseconds only where there are any."""
    if value.tzinfo is None:
        raise TypeError("a naive datetime reached the API; every stored time is aware UTC")
    return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def parse_date(value: object) -> date:
    """A calendar day, ``YYYY-MM-DD``."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise bad_input(f'Date wants a day such as "2026-11-21", found {found(value)}')


def write_date(value: date) -> str:
    """``YYYY-MM-DD``; a moment is not a day."""
    if isinstance(value, datetime):
        raise TypeError("a datetime reached a Date field; the day depends on the program's zone")
    return value.isoformat()


def parse_external_id(value: object) -> ExternalId:
    """1 to 128 printable characters, kept as given: no case folding, no Unicode normalisation."""
    if (
        isinstance(value, str)
        and 1 <= len(value) <= _EXTERNAL_ID_MAX
        and value.isprintable()
        and value == value.strip()
    ):
        return ExternalId(value)
    raise bad_input(
        f"ExternalId wants text of 1 to {_EXTERNAL_ID_MAX} printable characters without spaces at "
        f"its ends, found {found(value)}"
    )


def parse_idempotency_key(value: object) -> IdempotencyKey:
    """1 to 128 visible ASCII characters."""
    if isinstance(value, str) and _KEY.fullmatch(value):
        return IdempotencyKey(value)
    raise bad_input(
        f"IdempotencyKey wants text of 1 to 128 visible ASCII characters, found {found(value)}"
    )


def _literal(parse: Callable[[object], Any]) -> Callable[..., Any]:
    """Read a literal of a document by the rules for JSON values.

    The default would turn any digits into an int first, which Python refuses past 4,300 digits.
    """

    def parse_literal(node: ValueNode, _variables: dict[str, Any] | None = None) -> Any:
        if isinstance(node, StringValueNode):
            return parse(node.value)
        if isinstance(node, IntValueNode):
            digits = node.value
            return parse(int(digits) if len(digits) <= 20 else 10**20)
        return parse(_OtherLiteral(node.kind.replace("_", " ")))

    return parse_literal


def _scalar(
    name: str,
    description: str,
    parse: Callable[[object], Any],
    write: Callable[[Any], Any] | None = None,
    url: str | None = None,
) -> ScalarDefinition:
    return strawberry.scalar(
        name=name,
        description=description,
        specified_by_url=url,
        serialize=write or parse,
        parse_value=parse,
        parse_literal=_literal(parse),
    )


SCALARS: dict[object, ScalarDefinition] = {
    Points: _scalar(
        "Points",
        "A number of points: a whole JSON number within ±9007199254740991; only a total of several "
        "such numbers may be beyond it. `Int` would stop at 2147483647.",
        _whole_number("Points"),
        _written,
    ),
    BigInt: _scalar(
        "BigInt",
        "A whole JSON number within ±9007199254740991, such as an amount in minor units; only a "
        "total of several such numbers may be beyond it.",
        _whole_number("BigInt"),
        _written,
    ),
    DecimalText: _scalar(
        "Decimal",
        'An exact decimal number as text, such as "-12.34": at most 18 digits before the dot and '
        "6 after it. Never a JSON number, which could lose digits.",
        parse_decimal,
    ),
    CurrencyCode: _scalar(
        "CurrencyCode",
        'An ISO 4217 alphabetic currency code, such as "EUR".',
        parse_currency,
        url="https://www.iso.org/iso-4217-currency-codes.html",
    ),
    datetime: _scalar(
        "DateTime",
        'A moment as RFC 3339 text, such as "2026-11-21T09:30:00Z". Answers are in UTC; input may '
        "carry any offset but must carry one.",
        parse_date_time,
        write_date_time,
        url="https://datatracker.ietf.org/doc/html/rfc3339",
    ),
    date: _scalar("Date", 'A calendar day, such as "2026-11-21".', parse_date, write_date),
    ExternalId: _scalar(
        "ExternalId",
        "The shop's own name for something: 1 to 128 printable characters, compared exactly.",
        parse_external_id,
        write=str,
    ),
    IdempotencyKey: _scalar(
        "IdempotencyKey",
        "Names one intended effect, so that a repeat of the request has no second one: 1 to 128 "
        "visible ASCII characters, a UUID for instance.",
        parse_idempotency_key,
    ),
}
"""Python type → scalar, for ``StrawberryConfig.scalar_map``."""


def schema_config() -> StrawberryConfig:
    """The configuration that every schema of this API is made with."""
    return StrawberryConfig(scalar_map=SCALARS)
