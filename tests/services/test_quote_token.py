"""A quote that was given can be handed in again."""

import json

import pytest

from loyalty.clock import FixedClock
from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_terms import Choice, Quote
from loyalty.domain.registry import built_in
from loyalty.domain.rulesets.ruleset_file import read_ruleset
from loyalty.errors import BadInput
from loyalty.secrets import SecretKey
from loyalty.services.checkout.quote_token import TOKEN_MAX, QuoteTokens
from loyalty.settings import Settings
from loyalty_graphql.limits.settings import Limits

from .conftest import PROGRAM, START

TOKENS = QuoteTokens(SecretKey("a key for tests, of more than 32 characters"))


def quoted(lines: int) -> Quote:
    cart = Cart(
        "c", "EUR",
        tuple(CartLine(f"{number * 7_919:0128x}"[::-1], "tea", 1, 100) for number in range(lines)),
    )  # fmt: skip
    ruleset = read_ruleset(PROGRAM, built_in(), version=1)
    return quote(ruleset, None, cart, Choice(), FixedClock(START).now())


def test_a_token_is_read_as_it_was_signed() -> None:
    found = quoted(200)

    assert TOKENS.read(1, TOKENS.sign(1, found)) == found


def test_a_token_that_is_too_long_is_refused_when_it_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = quoted(20)
    length = len(TOKENS.sign(1, found))
    monkeypatch.setattr("loyalty.services.checkout.quote_token.TOKEN_MAX", length - 1)

    with pytest.raises(BadInput) as refused:
        TOKENS.sign(1, found)

    assert refused.value.field == ("lines",)
    assert refused.value.message == (
        f"found a cart whose quote takes a token of {length} characters, wanted at most "
        f"{length - 1}: fewer lines, or shorter ids"
    )


def test_the_longest_token_can_be_reserved() -> None:
    body = {
        "query": "\n" * 128 + "x" * (Limits().text_chars - 128),
        "operationName": "x" * 100,
        "variables": {
            "input": {
                "idempotencyKey": "k" * 128,
                "quoteToken": "x" * TOKEN_MAX,
                "ttlSeconds": 1800,
            }
        },
    }

    longest = min(Limits().body_bytes, Settings.model_fields["body_bytes_max"].default)
    assert len(json.dumps(body)) <= longest
