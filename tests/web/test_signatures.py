"""Only who has a source's secret is believed, and only for a while."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from senders import customer
from standardwebhooks.webhooks import Webhook

from loyalty.errors import BadInput
from loyalty.web.signatures import signed

SECRET = bytes(range(32))


@pytest.fixture
def body(local_shop) -> str:
    return json.dumps({"type": "customer.changed", "data": customer("c-1", local_shop.clock.now())})


NOT_SIGNED = (
    401,
    {
        "error": {
            "code": "UNAUTHENTICATED",
            "message": "the delivery is not signed with the secret of this source",
        }
    },
)


@pytest.mark.anyio
async def test_tampering_with_any_part_is_seen(local_shop, body: str) -> None:
    headers = local_shop.north.headers(body, "d-1")
    signature = headers["webhook-signature"]
    other_digest = signature[:-5] + ("A" if signature[-5] != "A" else "B") + signature[-4:]
    seconds = int(headers["webhook-timestamp"])
    attempts = [
        (body + " ", headers),
        (body.replace("c-1", "c-2"), headers),
        (body, headers | {"webhook-id": "d-2"}),
        (body, headers | {"webhook-timestamp": str(seconds + 1)}),
        (body, headers | {"webhook-signature": other_digest}),
        (body, headers | {"webhook-signature": signature.replace("v1,", "v2,")}),
        (body, headers | {"webhook-signature": signature.replace("v1,", "v1a,")}),
        (body, headers | {"webhook-signature": "v1,"}),
        (body, headers | {"webhook-signature": "v1,é".encode("latin-1")}),
        (body, headers | {"webhook-signature": " ".join(["v1,AAAA"] * 8 + [signature])}),
    ]

    answers = [await local_shop.north.post(*attempt) for attempt in attempts]

    assert [(each.status_code, each.json()) for each in answers] == [NOT_SIGNED] * len(attempts)
    assert (await local_shop.north.post(body, headers)).json() == {"result": "TAKEN"}


@pytest.mark.anyio
async def test_an_unknown_source_answers_like_a_bad_signature(local_shop, body: str) -> None:
    headers = local_shop.north.headers(body, "d-1")

    for source in ("nobody", "north ", "x" * 300, "%00", "ü", "north'--"):
        address = f"/webhooks/generic/{source}"
        response = await local_shop.http.post(address, content=body, headers=headers)
        assert (response.status_code, response.json()) == NOT_SIGNED, source


@pytest.mark.anyio
async def test_while_a_secret_changes_several_signatures_may_come(local_shop, body: str) -> None:
    headers = local_shop.north.headers(body, "d-1")
    other = Webhook(os.urandom(24)).sign("d-1", local_shop.north.now, body)
    headers["webhook-signature"] = f"{other} v1a,x {headers['webhook-signature']}"

    response = await local_shop.north.post(body, headers)

    assert (response.status_code, response.json()) == (200, {"result": "TAKEN"})


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("off_s", "status"), [(-301, 401), (-300, 200), (0, 200), (300, 200), (301, 401)]
)
async def test_the_timestamp_is_judged_by_our_clock(
    local_shop, body, off_s: int, status: int
) -> None:
    at = local_shop.clock.now() + timedelta(seconds=off_s)

    response = await local_shop.north.post(body, local_shop.north.headers(body, "d-1", at))

    assert response.status_code == status
    if status == 401:
        assert response.json()["error"]["message"] == (
            "webhook-timestamp is 301 s from our clock, at most 300 s allowed"
        )


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("header", "value", "message"),
    [
        ("webhook-id", None, "webhook-id: found nothing, wanted 1 to 128 visible ASCII characters"),
        (
            "webhook-id",
            "d 1",
            "webhook-id: found 'd 1', wanted 1 to 128 visible ASCII characters",
        ),
        (
            "webhook-timestamp",
            "1e9",
            "webhook-timestamp: found '1e9', wanted seconds since 1970, such as 1764000000",
        ),
        (
            "webhook-timestamp",
            "9" * 13,
            "webhook-timestamp: found '9999999999999', wanted seconds since 1970, "
            "such as 1764000000",
        ),
        ("webhook-signature", None, "webhook-signature: found nothing, wanted v1,<base64>"),
    ],
)
async def test_a_header_that_is_none_is_named(
    local_shop, body: str, header: str, value: str | None, message: str
) -> None:
    headers = local_shop.north.headers(body, "d-1")
    del headers[header]

    response = await local_shop.north.post(body, headers | ({header: value} if value else {}))

    assert (response.status_code, response.json()["error"]["message"]) == (400, message)


@pytest.mark.anyio
async def test_a_body_that_is_too_long_is_not_read_to_its_end(local_shop) -> None:
    most = local_shop.services.settings.webhook_bytes_max
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 4 * most:
            sent += 65_536
            yield b"x" * 65_536

    headers = local_shop.north.headers("", "d-1")
    address = "/webhooks/generic/north"
    declared = await local_shop.http.post(
        address, content=b"x" * (most + 1), headers={**headers, "content-type": "text/plain"}
    )
    status = await stream(local_shop, address, endless(), headers)

    assert (declared.status_code, declared.json()["error"]["code"]) == (413, "LIMIT_BODY")
    assert status == 413
    assert sent <= most + 2 * 65_536


async def stream(local_shop, path: str, chunks, headers: dict[str, str]) -> int:
    """Status of a POST whose body is asked for piece by piece."""
    sent: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": await anext(chunks), "more_body": True}

    async def send(message: dict) -> None:
        sent.append(message)

    request = httpx2.Request("POST", f"http://shop.test{path}", headers=headers)
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": "http",
        "server": ("shop.test", 80),
        "http_version": "1.1",
    }
    await local_shop.app(scope, receive, send)
    return int(sent[0]["status"])


@given(
    st.binary(min_size=1, max_size=64),
    st.from_regex(r"[!-~]{1,128}", fullmatch=True),
    st.integers(0, 10**11),
    st.text(max_size=300),
)
def test_what_the_library_signs_is_signed(
    secret: bytes, delivery: str, seconds: int, body: str
) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    raw = body.encode("utf-8", "replace")

    theirs = Webhook(secret).sign(delivery, at, raw.decode())

    headers = {
        "webhook-id": delivery,
        "webhook-timestamp": str(seconds),
        "webhook-signature": theirs,
    }
    assert signed(headers).is_by(secret, raw)
    assert not signed(headers).is_by(secret + b"x", raw)


@given(
    st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]),
        st.text(max_size=200),
    ),
    st.binary(max_size=100),
)
def test_headers_of_any_kind_are_read_or_refused(headers: dict[str, str], body: bytes) -> None:
    try:
        found = signed(headers)
    except BadInput:
        return
    assert not found.is_by(SECRET, body)
