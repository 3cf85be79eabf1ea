"""Signed quotes: what a checkout was promised, carried by the caller and honoured later."""

import base64
import binascii
import hmac
import zlib

import orjson

from loyalty.domain.quotes.quote_codec import from_dict, to_dict
from loyalty.domain.quotes.quote_terms import Quote
from loyalty.errors import BadInput
from loyalty.secrets import SecretKey

TOKEN_MAX = 48_000
"""Longest token, in characters: with it, the longest document that the API takes (16,384), a key
and what JSON puts around them, a request to reserve is still within the 64 KiB of a body."""


class QuoteTokens:
    """Signs and reads quotes. A token of one tenant says nothing to another."""

    def __init__(self, key: SecretKey) -> None:
        self._key = key

    def keyed(self, tenant_id: int, quote_hash: str) -> str:
        """A quote's hash as a shopper may see it: same quote, same text, nothing to guess."""
        key = self._key.derive("quote-hash", str(tenant_id))
        return hmac.digest(key, quote_hash.encode(), "sha256").hex()

    def sign(self, tenant_id: int, quote: Quote) -> str:
        """The token that carries the quote.

        Raises:
            BadInput: it would be too long to hand in again. Said now, not when it is reserved.
        """
        body = zlib.compress(orjson.dumps(to_dict(quote)), 6)
        mac = hmac.digest(self._key.derive("quote", str(tenant_id)), body, "sha256")
        token = base64.urlsafe_b64encode(mac + body).decode().rstrip("=")
        if len(token) > TOKEN_MAX:
            raise BadInput(
                f"found a cart whose quote takes a token of {len(token)} characters, wanted at "
                f"most {TOKEN_MAX}: fewer lines, or shorter ids",
                field=("lines",),
            )
        return token

    def read(self, tenant_id: int, token: str) -> Quote:
        """The quote that was signed.

        Raises:
            BadInput: not a token of ours.
        """
        where = ("input", "quoteToken")
        wrong = BadInput("the quote token is not valid", field=where)
        if len(token) > TOKEN_MAX:
            raise wrong
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except (binascii.Error, ValueError, UnicodeError) as problem:
            raise wrong from problem
        mac, body = raw[:32], raw[32:]
        key = self._key.derive("quote", str(tenant_id))
        if not hmac.compare_digest(mac, hmac.digest(key, body, "sha256")):
            raise wrong
        return from_dict(orjson.loads(zlib.decompress(body)))
