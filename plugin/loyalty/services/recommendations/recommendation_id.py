"""Recommendation ids: what was answered, carried by the caller until an event names it.

Answering stores nothing. The id is a token that only a process with the server's key can make or
read (decision 41): which window and model answered, when, for whom, and a short mark of each
product. It says nothing to whoever holds it.
"""

import base64
import hmac
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b, shake_256
from typing import Final

from loyalty.domain.recommendations.experiments import Variant
from loyalty.errors import NotFound
from loyalty.secrets import SecretKey
from loyalty_recommender.artifact import MODEL_ID

MARKED_MAX: Final = 100
"""Products marked at most; those after them have no place that is known."""
RANK_PRODUCTS: Final = "RANK_PRODUCTS"
"""Stands for a window where a shop's own list was put in order."""
ANSWERED_IN: Final = (
    "FOR_YOU", "BUY_AGAIN", "NEXT_VISIT", "CART", "SIMILAR", "BOUGHT_TOGETHER", "TRENDING",
    "NEW_ARRIVALS", RANK_PRODUCTS,
)  # fmt: skip
"""What answers; a place in this list stands in every id, so it is only ever added to."""
FORMAT: Final = 1

_TAG: Final = 16
# Format, window, variant, number, time, experiment, member, model's time and hash, products.
_HEAD: Final = struct.Struct(">BBBQIQQI6sH")
_MARK: Final = 2
TEXT_MAX: Final = 400
"""Longest id, in characters; one with all marks has 346."""


_VARIANTS: Final = (None, Variant.CONTROL, Variant.CANDIDATE)


@dataclass(frozen=True, slots=True)
class Answered:
    """What an id says of its answer.

    Args:
        number: the answer's own, random, of 63 bits.
        at: when, in whole seconds.
        model: None where none was used.
        member_id: None for a guest, or one who did not agree to profiling.
        count: how many products were answered.
        marks: a short hash of each of the first ``MARKED_MAX``.
    """

    number: int
    window: str
    at: datetime
    model: str | None
    variant: Variant | None
    experiment_id: int | None
    member_id: int | None
    count: int
    marks: bytes

    def position(self, product: str) -> int | None:
        """The product's place in the answer from 1; 0: beyond the marked; None: not in it.

        One in 65,536 products that were not answered passes for one that was.
        """
        mark = _mark(self.number, product)
        for at in range(0, len(self.marks), _MARK):
            if self.marks[at : at + _MARK] == mark:
                return at // _MARK + 1
        return 0 if self.count > MARKED_MAX else None


class RecommendationIds:
    """Makes and reads ids. One of one tenant says nothing to another."""

    def __init__(self, key: SecretKey) -> None:
        self._key = key
        self._keys: dict[int, tuple[bytes, bytes]] = {}

    def make(
        self,
        tenant_id: int,
        window: str,
        products: Sequence[str],
        at: datetime,
        *,
        model: str | None = None,
        member_id: int | None = None,
        experiment_id: int | None = None,
        variant: Variant | None = None,
    ) -> str:
        """An id for an answer that is given now.

        Args:
            window: one of ``ANSWERED_IN``.
            products: external ids, in the order answered.
            model: whose ranking it is.
            member_id: whom it is for, where the member agreed to profiling.
        """
        number = secrets.randbits(63)
        trained, digest = (0, b"") if model is None else _packed(model)
        head = _HEAD.pack(
            FORMAT,
            ANSWERED_IN.index(window),
            _VARIANTS.index(variant),
            number,
            int(at.timestamp()),
            experiment_id or 0,
            member_id or 0,
            trained,
            digest,
            min(len(products), 0xFFFF),
        )
        body = head + b"".join(_mark(number, name) for name in products[:MARKED_MAX])
        signs, hides = self._keys_of(tenant_id)
        # The tag is of what is said, and hides it: the same key stream never serves two texts.
        tag = hmac.digest(signs, body, "sha256")[:_TAG]
        return _text(tag + _hidden(hides, tag, body))

    def read(self, tenant_id: int, text: str) -> Answered:
        """What an id says.

        Raises:
            NotFound: it was not made here, for this tenant.
        """
        missing = NotFound("recommendation")
        if len(text) > TEXT_MAX:
            raise missing
        try:
            raw = base64.b64decode(
                text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True
            )
        except ValueError:
            raise missing from None
        if len(raw) < _TAG + _HEAD.size or _text(raw) != text:
            raise missing
        signs, hides = self._keys_of(tenant_id)
        tag = raw[:_TAG]
        body = _hidden(hides, tag, raw[_TAG:])
        if not hmac.compare_digest(tag, hmac.digest(signs, body, "sha256")[:_TAG]):
            raise missing
        format_, window, variant, number, at, experiment, member, trained, digest, count = (
            _HEAD.unpack_from(body)
        )
        if format_ != FORMAT:
            raise missing
        return Answered(
            number=number,
            window=ANSWERED_IN[window],
            at=datetime.fromtimestamp(at, UTC),
            model=_unpacked(trained, digest) if trained else None,
            variant=_VARIANTS[variant],
            experiment_id=experiment or None,
            member_id=member or None,
            count=count,
            marks=body[_HEAD.size :],
        )

    def _keys_of(self, tenant_id: int) -> tuple[bytes, bytes]:
        keys = self._keys.get(tenant_id)
        if keys is None:
            of = str(tenant_id)
            keys = self._keys[tenant_id] = (
                self._key.derive("recommendation-sign", of),
                self._key.derive("recommendation-hide", of),
            )
        return keys


def _hidden(key: bytes, tag: bytes, body: bytes) -> bytes:
    """The body with a key stream laid over it; once more brings it back."""
    stream = shake_256(key + tag).digest(len(body))
    return (int.from_bytes(body) ^ int.from_bytes(stream)).to_bytes(len(body))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _mark(number: int, product: str) -> bytes:
    return blake2b(product.encode(), digest_size=_MARK, key=number.to_bytes(8)).digest()


@lru_cache(maxsize=64)
def _packed(model: str) -> tuple[int, bytes]:
    """A model's name in ten bytes."""
    assert MODEL_ID.fullmatch(model), f"found the model id {model!r}, wanted a time and a hash"
    time, _, digest = model.partition("-")
    return int(datetime.fromisoformat(time).timestamp()), bytes.fromhex(digest)


@lru_cache(maxsize=64)
def _unpacked(trained: int, digest: bytes) -> str:
    return f"{datetime.fromtimestamp(trained, UTC):%Y%m%dT%H%M%SZ}-{digest.hex()}"
