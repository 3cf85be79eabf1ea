"""Whatever a signed body holds, it is taken or refused with a sentence: never a server error."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from senders import customer, order, product, refund

pytestmark = pytest.mark.anyio

numbers = count(1)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

ODD = [
    None, True, 0, -1, 2**53, 2**63, 10**400, 1.5, "", " ", "\0", "\ud800", "é" * 129, "-1", "1e9",
    "NaN", "0x10", "12.345", "9" * 30, "٣", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
    "2026-02-30", [], [[]], {}, {"": None}, "order.paid", "EUR", "XXX", "JPY", "' OR 1=1", "%s",
]  # fmt: skip
"""Values that have upset one parser or another."""

GOOD: list[tuple[str, dict[str, Any]]] = [
    (
        "order.paid",
        order("o-1", "c-1", "30.00", NOW, shipping="4.90", paid="34.90", reservationId="x"),
    ),
    ("order.paid", order("o-2", None, "0.00", NOW)),
    ("order.refunded", refund("r-1", "o-1", NOW)),
    (
        "customer.changed",
        customer(
            "c-1", NOW, name="Ann", email="a@b.c", birthday="1990-02-28", consents={"email": True}
        ),
    ),
    (
        "product.changed",
        product("p-1", "12.50", NOW, stock=4, tiers=["gold"], active=True, cost="1.00", type="t"),
    ),
]

json_values = st.recursive(
    st.one_of(st.sampled_from(ODD), st.text(max_size=20), st.integers(), st.floats()),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=10,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    found = [path] if path else []
    keys = value if isinstance(value, dict) else range(len(value) if type(value) is list else 0)
    for key in keys:
        found += paths(value[key], (*path, key))
    return found


@st.composite
def almost_good(draw: st.DrawFn) -> bytes:
    """A good event of which up to three places are changed or taken out."""
    kind, data = draw(st.sampled_from(GOOD))
    event = json.loads(json.dumps({"type": kind, "data": data}))
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(paths(event) or [("type",)]))
        place = event
        for key in above:
            place = place[key]
        if draw(st.booleans()):
            place[last] = draw(json_values)
        else:
            place.pop(last, None) if isinstance(place, dict) else place.pop()
    return json.dumps(event).encode()


bodies = st.one_of(
    almost_good(),
    st.binary(max_size=200),
    json_values.map(lambda value: json.dumps(value).encode()),
)


async def post(shop: Any, body: bytes) -> httpx2.Response:
    """Deliver bytes that need not be UTF-8, which the library cannot sign."""
    name, seconds = f"d-{next(numbers)}", int(shop.north.now.timestamp())
    secret = base64.b64decode(shop.north.secret.removeprefix("whsec_"))
    digest = hmac.digest(secret, f"{name}.{seconds}.".encode() + body, "sha256")
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(seconds),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
    return await shop.north.post(body, headers)


async def is_answered(shop: Any, body: bytes) -> None:
    response = await post(shop, body)
    answer = response.json()

    assert response.status_code in (200, 400, 409, 422), (body, answer)
    if response.status_code != 200:
        assert answer["error"]["message"]


@given(body=bodies)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_any_body_is_taken_or_refused(local_shop, body: bytes) -> None:
    await is_answered(local_shop, body)


async def test_every_place_of_every_event_may_be_odd(shop) -> None:
    """The same without chance, on both databases: each place with each odd value."""
    for kind, data in GOOD:
        event = {"type": kind, "data": data}
        for *above, last in paths(event):
            for odd in ODD:
                changed = json.loads(json.dumps(event))
                place = changed
                for key in above:
                    place = place[key]
                place[last] = odd
                await is_answered(shop, json.dumps(changed).encode())


async def test_json_that_upsets_parsers_is_refused(local_shop) -> None:
    hostile = [
        b"[" * 100_000,
        b'{"type":' * 50_000,
        b'{"type":"order.paid","data":{"id":' + b"9" * 100_000 + b"}}",
        b'{"type":"order.paid","type":"x","data":{}}',
        b'{"type":"order.paid","data":{"lines":[' + b"{}," * 1_000 + b"{}]}}",
        "{}".encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b"\x1f\x8b\x08\x00",
    ]

    answers = [await post(local_shop, body) for body in hostile]

    assert [each.status_code for each in answers] == [400] * len(hostile)


async def test_amounts_at_the_edge_are_taken_or_refused(shop) -> None:
    """A thousand lines of the largest amounts there are, in currencies of any digits."""
    await shop.north.send("customer.changed", customer("c-1", NOW))
    for currency, amount in (("EUR", "90071992547409.91"), ("JPY", str(2**53 - 1))):
        lines = [
            {"productId": f"p-{n}", "quantity": 1_000_000, "amount": amount, "discount": amount}
            for n in range(1_000)
        ]
        data = order("o-1", "c-1", "1.00", NOW, lines=lines, shipping=amount, paid=amount)
        for each in (data, data | {"lines": lines[:1]}, data | {"lines": [lines[0], lines[0]]}):
            body = {"type": "order.paid", "data": each | {"currency": currency}}
            await is_answered(shop, json.dumps(body).encode())
            body["data"]["id"] = f"o-{next(numbers)}"
            del lines[0]["discount"]
            await is_answered(shop, json.dumps(body).encode())
            lines[0]["discount"] = amount
