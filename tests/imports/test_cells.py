"""What cells mean: exact amounts, and a sentence for whatever is not one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.connectors.cells import (
    AmountForm,
    Bad,
    Inexact,
    amount_of,
    instant_of,
    name_of,
    whole_of,
    words_of,
    yes_or_no,
)
from loyalty.domain.books.ledger import instant
from loyalty.domain.money import AMOUNT_MINOR_MAX

MILLIONTH = Decimal("0.000001")


@pytest.mark.parametrize(
    ("text", "form", "wanted"),
    [
        ("12.34", AmountForm(2), 1234),
        ("12", AmountForm(2), 1200),
        ("12.3", AmountForm(2), 1230),
        ("12.3400", AmountForm(2), 1234),
        ("0", AmountForm(2), 0),
        ("-0.00", AmountForm(2), 0),
        ("1500", AmountForm(0), 1500),
        ("1.234", AmountForm(3), 1234),
        ("12,34", AmountForm(2, comma=True), 1234),
        (None, AmountForm(2), None),
        ("1.776357e-15", AmountForm(2, tolerance=MILLIONTH), 0),
        ("0.30000000000000004", AmountForm(2, tolerance=MILLIONTH), 30),
        ("1e+2", AmountForm(2, tolerance=MILLIONTH), 10_000),
        ("12.345", AmountForm(2), "amount_unusable"),
        ("12.345", AmountForm(2, tolerance=MILLIONTH), "amount_unusable"),
        ("0.30000000000000004", AmountForm(2), "amount_unusable"),
        ("1.5", AmountForm(0), "amount_unusable"),
        ("1e2", AmountForm(2), "amount_unusable"),
        ("12,34", AmountForm(2), "amount_unusable"),
        ("1_000", AmountForm(2), "amount_unusable"),
        ("NaN", AmountForm(2, tolerance=MILLIONTH), "amount_unusable"),
        ("-inf", AmountForm(2, tolerance=MILLIONTH), "amount_unusable"),
        ("1e999999", AmountForm(2, tolerance=MILLIONTH), "amount_unusable"),
        ("١٢", AmountForm(2), "amount_unusable"),
        ("9" * 400, AmountForm(2, tolerance=MILLIONTH), "amount_unusable"),
        ("$5", AmountForm(2), "amount_unusable"),
        ("1_000", AmountForm(2, tolerance=MILLIONTH), "amount_unusable"),
        ("9e307", AmountForm(2, tolerance=MILLIONTH), "amount_unusable"),
        ("-3.50", AmountForm(2), "amount_negative"),
        (f"{AMOUNT_MINOR_MAX + 1}", AmountForm(0), "amount_unusable"),
    ],
)
def test_amounts(text: str | None, form: AmountForm, wanted: int | str | None) -> None:
    found = amount_of("amount", form)(text)

    assert (found.code if isinstance(found, Bad) else found) == wanted


def test_a_refused_amount_is_quoted_with_what_was_wanted() -> None:
    assert amount_of("amount", AmountForm(2))("much") == Bad(
        "amount_unusable",
        "found amount 'much', wanted a plain amount with at most 2 decimals, such as 12.34",
    )


def test_only_a_rounded_amount_says_so() -> None:
    read = amount_of("amount", AmountForm(2, tolerance=MILLIONTH))

    assert [type(read(text)) for text in ("1.43", "4.440892e-16")] == [int, Inexact]


@given(st.integers(0, AMOUNT_MINOR_MAX), st.sampled_from([0, 2, 3]))
def test_every_amount_of_a_currency_is_read_back_exactly(minor: int, digits: int) -> None:
    whole, part = divmod(minor, 10**digits)
    text = f"{whole}.{part:0{digits}d}" if digits else str(whole)

    assert amount_of("amount", AmountForm(digits))(text) == minor


@given(st.floats(0, 1e6, allow_nan=False))
def test_a_binary_fraction_is_rounded_only_within_the_tolerance(value: float) -> None:
    found = amount_of("amount", AmountForm(2, tolerance=MILLIONTH))(repr(value))

    exact = Fraction(repr(value)) * 100
    residue = abs(exact - round(exact))
    if residue > Fraction(1, 10**6):
        assert isinstance(found, Bad)
    else:
        assert found == round(exact)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("o-1", "o-1"),
        ("Ünïcode 7", "Ünïcode 7"),
        ("x" * 128, "x" * 128),
        (None, "order_missing"),
        ("x" * 129, "order_unusable"),
        ("a\0b", "order_unusable"),
        (" a", "order_unusable"),
        ("\udce9", "order_unusable"),
    ],
)
def test_names(text: str | None, wanted: str) -> None:
    found = name_of("order")(text)

    assert (found.code if isinstance(found, Bad) else found) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("3", 3), ("3.0", 3), ("0", 0), (None, None), ("2147483647", 2**31 - 1),
        ("2147483648", "quantity_unusable"), ("-1", "quantity_unusable"),
        ("2.5", "quantity_unusable"), ("1e3", "quantity_unusable"),
        ("9" * 5_000, "quantity_unusable"),
    ],
)  # fmt: skip
def test_whole_numbers(text: str | None, wanted: int | str | None) -> None:
    found = whole_of("quantity", 0, 2**31 - 1)(text)

    assert (found.code if isinstance(found, Bad) else found) == wanted


@pytest.mark.parametrize(
    ("text", "zone", "shift_weeks", "wanted"),
    [
        ("2026-03-01T10:00:00Z", "UTC", 0, datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01T10:00:00+01:00", "UTC", 0, datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-03-01 10:00:00", "Europe/Budapest", 0, datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-07-01 10:00:00.123456789", "Europe/Budapest", 0,
         datetime(2026, 7, 1, 8, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-03-01", "Europe/Budapest", 0, datetime(2026, 2, 28, 23, tzinfo=UTC)),
        ("2017-03-01 10:00:00", "UTC", 463, datetime(2026, 1, 14, 10, tzinfo=UTC)),
        (None, "UTC", 0, None),
        ("yesterday", "UTC", 0, "occurredAt_unusable"),
        ("2026-13-01", "UTC", 0, "occurredAt_unusable"),
        ("0001-01-01T00:00:00+14:00", "UTC", 0, "occurredAt_unusable"),
        ("2026-12-06T00:00:00Z", "UTC", 0, "occurredAt_out_of_range"),
        ("1969-12-31T23:59:59Z", "UTC", 0, "occurredAt_out_of_range"),
        ("2026-01-01T00:00:00Z", "UTC", 60, "occurredAt_out_of_range"),
    ],
)  # fmt: skip
def test_times(
    text: str | None, zone: str, shift_weeks: int, wanted: datetime | str | None
) -> None:
    last = datetime(2026, 12, 5, tzinfo=UTC)
    read = instant_of("occurredAt", zone, shift_micros=shift_weeks * 604_800_000_000, last=last)

    found = read(text)

    if isinstance(found, Bad):
        assert found.code == wanted
    else:
        assert (None if found is None else instant(found)) == wanted


def test_lists_and_truths() -> None:
    assert words_of("tiers")("gold, silver") == ("gold", "silver")
    assert words_of("tiers")(None) == ()
    assert [yes_or_no("active")(text) for text in ("true", "No", "1", None)] == [
        True, False, True, None,
    ]  # fmt: skip
    assert yes_or_no("active")("maybe") == Bad(
        "active_unusable", "found active 'maybe', wanted true or false"
    )
