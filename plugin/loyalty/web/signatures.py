"""Signatures of webhook deliveries, by the Standard Webhooks specification.

A sender signs ``id.timestamp.body`` with HMAC-SHA256 and a secret that it shares with us, and
sends ``webhook-id``, ``webhook-timestamp`` (seconds since 1970) and ``webhook-signature``:
``v1,<base64>``, several between spaces while it changes secrets.

Source: https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md. Its own
library compares with the machine's clock; ours is handed the moment.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loyalty.errors import BadInput

SIGNATURES_MAX: Final = 8
"""Signatures of one delivery that are looked at."""

_ID: Final = re.compile(r"[!-~]{1,128}", re.ASCII)
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Signed:
    """The three headers of a delivery, read but not believed."""

    delivery: str
    timestamp: str
    signatures: tuple[bytes, ...]

    def is_by(self, secret: bytes, body: bytes) -> bool:
        """Whether one of the signatures was made with the secret, in time that tells nothing."""
        text = f"{self.delivery}.{self.timestamp}.".encode() + body
        wanted = hmac.digest(secret, text, "sha256")
        found = False
        for signature in self.signatures:
            found |= hmac.compare_digest(wanted, signature)
        return found

    def seconds_off(self, now: datetime) -> int:
        """How far its timestamp lies from ``now``, in whole seconds."""
        return abs(int(now.timestamp()) - int(self.timestamp))


def signed(headers: Mapping[str, str]) -> Signed:
    """The headers of a delivery; ``headers`` by lower-case names.

    Raises:
        BadInput: one is missing or not of its form.
    """
    delivery = headers.get("webhook-id", "")
    if not _ID.fullmatch(delivery):
        raise _bad("webhook-id", delivery, "1 to 128 visible ASCII characters")
    timestamp = headers.get("webhook-timestamp", "")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise _bad("webhook-timestamp", timestamp, "seconds since 1970, such as 1764000000")
    text = headers.get("webhook-signature", "")
    if not text:
        raise _bad("webhook-signature", text, "v1,<base64>")
    return Signed(delivery, timestamp, _signatures(text))


def _signatures(text: str) -> tuple[bytes, ...]:
    """Those of version 1; what cannot be read matches nothing."""
    found = []
    for part in text.split(" ", SIGNATURES_MAX)[:SIGNATURES_MAX]:
        version, _, encoded = part.partition(",")
        if version == "v1" and len(encoded) <= 64:
            try:
                found.append(base64.b64decode(encoded, validate=True))
            except (binascii.Error, ValueError):
                continue
    return tuple(found)


def _bad(header: str, found: str, wanted: str) -> BadInput:
    shown = repr(found[:60]) if found else "nothing"
    return BadInput(f"{header}: found {shown}, wanted {wanted}", field=(header,))
