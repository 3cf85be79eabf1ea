"""Scalars: what passes, what comes back, and what is said about the rest."""

import re
from datetime import UTC
from decimal import Decimal

import pytest
from graphql import GraphQLError
from hypothesis import assume, given
from hypothesis import strategies as st

from loyalty_graphql.scalars import parse_date_time, parse_decimal, write_date_time

WIDE = 2**53 - 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("field", "type_", "sent", "answered"),
    [
        ("points", "Points", WIDE, WIDE),
        ("points", "Points", -WIDE, -WIDE),
        ("big", "BigInt", 3_000_000_000, 3_000_000_000),
        ("decimal", "Decimal", "12.30", "12.30"),
        ("decimal", "Decimal", "+0.5", "0.5"),
        ("decimal", "Decimal", "-999999999999999999.999999", "-999999999999999999.999999"),
        ("currency", "CurrencyCode", "HUF", "HUF"),
        ("moment", "DateTime", "2026-11-21T10:30:00+01:00", "2026-11-21T09:30:00Z"),
        ("moment", "DateTime", "2026-11-21T09:30:00.25z", "2026-11-21T09:30:00.250000Z"),
        ("moment", "DateTime", "2026-11-21T09:30:00.123456789Z", "2026-11-21T09:30:00.123456Z"),
        ("day", "Date", "2028-02-29", "2028-02-29"),
        ("external", "ExternalId", "Käufer 1/é", "Käufer 1/é"),
        ("external", "ExternalId", "e\u0301", "e\u0301"),
        ("external", "ExternalId", "x" * 128, "x" * 128),
        ("key", "IdempotencyKey", "a-1:~!", "a-1:~!"),
    ],
)
async def test_value_comes_back(ask, field, type_, sent, answered):
    query = f"query($value: {type_}!) {{ {field}(value: $value) }}"

    response = await ask(query, variables={"value": sent})

    assert response.json() == {"data": {field: answered}}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("field", "type_", "sent", "found"),
    [
        ("points", "Points", 1.5, "number 1.5"),
        ("points", "Points", 1.0, "number 1.0"),
        ("points", "Points", True, "boolean true"),
        ("points", "Points", "5", "text '5'"),
        ("points", "Points", WIDE + 1, "number 9007199254740992"),
        ("points", "Points", -WIDE - 1, "number -9007199254740992"),
        ("big", "BigInt", [1, 2], "a list"),
        ("decimal", "Decimal", "NaN", "text 'NaN'"),
        ("decimal", "Decimal", "Infinity", "text 'Infinity'"),
        ("decimal", "Decimal", "1E+1000000", "text '1E+1000000'"),
        ("decimal", "Decimal", "1_000", "text '1_000'"),
        ("decimal", "Decimal", "\u0661\u0662", r"text '\u0661\u0662'"),
        ("decimal", "Decimal", "1.2345678", "text '1.2345678'"),
        ("decimal", "Decimal", "1" * 19, f"text '{'1' * 19}'"),
        ("decimal", "Decimal", ".5", "text '.5'"),
        ("decimal", "Decimal", "5\n", r"text '5\n'"),
        ("decimal", "Decimal", 12.3, "number 12.3"),
        ("decimal", "Decimal", 12, "number 12"),
        ("currency", "CurrencyCode", "eur", "text 'eur'"),
        ("currency", "CurrencyCode", "ZZZ", "text 'ZZZ'"),
        ("moment", "DateTime", "2026-11-21T09:30:00", "text '2026-11-21T09:30:00'"),
        ("moment", "DateTime", "2026-02-30T09:30:00Z", "text '2026-02-30T09:30:00Z'"),
        ("moment", "DateTime", "0001-01-01T00:00:00+23:59", "text '0001-01-01T00:00:00+23:59'"),
        ("moment", "DateTime", 1, "number 1"),
        ("day", "Date", "2027-02-29", "text '2027-02-29'"),
        ("day", "Date", "20270101", "text '20270101'"),
        ("external", "ExternalId", "", "text ''"),
        ("external", "ExternalId", "x" * 129, f"text '{'x' * 40}'…"),
        ("external", "ExternalId", "a\nb", r"text 'a\nb'"),
        ("external", "ExternalId", " a", "text ' a'"),
        ("external", "ExternalId", {}, "an object"),
        ("key", "IdempotencyKey", "a b", "text 'a b'"),
        ("key", "IdempotencyKey", "é", r"text '\xe9'"),
        ("key", "IdempotencyKey", "x" * 129, f"text '{'x' * 40}'…"),
    ],
)
async def test_bad_value_is_named(ask, field, type_, sent, found):
    query = f"query($value: {type_}!) {{ {field}(value: $value) }}"

    response = await ask(query, variables={"value": sent})

    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["message"].startswith("Variable '$value' has invalid value: ")
    assert error["message"].endswith(f", found {found}")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("literal", "found"),
    [
        ("points(value: 1.5)", "9007199254740991, found a float value"),
        ("points(value: true)", "9007199254740991, found a boolean value"),
        ("points(value: " + "9" * 5000 + ")", "a number of more than 20 digits"),
        ("decimal(value: 12.3)", "(at most 18 digits and 6 decimals), found a float value"),
        ("external(value: {a: 1})", "at its ends, found an object value"),
        ("hello(name: " + "9" * 5000 + ")", "String cannot represent a non string value"),
        ("items(first: " + "9" * 5000 + ") { nodes { name } }", "the value of int value"),
    ],
)
async def test_bad_literal_is_a_clear_400(ask, literal, found):
    response = await ask(f"{{ {literal} }}")

    assert response.status_code == 400
    message = response.json()["errors"][0]["message"]
    assert found in message
    assert "4300" not in message


@pytest.mark.anyio
async def test_money_is_exact_text(ask):
    query = "query($m: MoneyInput!) { doubled(money: $m) { amount currencyCode minorUnits } }"

    response = await ask(query, variables={"m": {"amount": "0.15", "currencyCode": "EUR"}})

    assert response.json()["data"]["doubled"] == {
        "amount": "0.30",
        "currencyCode": "EUR",
        "minorUnits": 30,
    }


@pytest.mark.anyio
async def test_money_with_too_many_decimals_for_its_currency_is_bad_input(ask):
    query = '{ doubled(money: {amount: "1.5", currencyCode: "JPY"}) { amount } }'

    response = await ask(query)

    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "BAD_MONEY"
    assert error["path"] == ["doubled"]


@given(st.text(max_size=30))
def test_text_that_is_no_decimal_is_bad_input(text):
    assume(not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text, re.ASCII))

    with pytest.raises(GraphQLError) as caught:
        parse_decimal(text)

    assert caught.value.extensions == {"code": "BAD_USER_INPUT"}


@given(st.decimals(-(10**17), 10**17, places=6))
def test_every_plain_decimal_reads_back(number):
    assert Decimal(parse_decimal(f"{number:f}")) == number


@given(st.datetimes(timezones=st.timezones()))
def test_a_written_moment_reads_back(moment):
    try:
        text = write_date_time(moment)
    except OverflowError:
        return

    assert parse_date_time(text) == moment.astimezone(UTC)
