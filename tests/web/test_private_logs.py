"""A whole story through a real server, and nothing of anybody in its log."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from senders import Sender, customer, order, product, refund
from server_process import ServerProcess

pytestmark = pytest.mark.anyio

MEMBER = "ann-external-id"
NAME = "Ann Unmistakable"
EMAIL = "ann.unmistakable@example.com"
ENROL = """mutation ($input: MemberEnrolInput!) {
  memberEnrol(input: $input) { member { externalId } userErrors { code message } }
}"""
CARD = "query Card($id: ExternalId) { member(externalId: $id) { name email } }"


async def story(http: httpx2.AsyncClient, prepared) -> list[int]:
    """Everything a shop may send, good and bad; the statuses."""
    now = datetime.now(UTC)
    sender = Sender(http, "north", prepared.webhook_secret, now)
    keyed = {"authorization": f"Bearer {prepared.service_key}"}
    shopper = {"authorization": f"Bearer {prepared.member_token}"}
    forged = {"authorization": f"Bearer {prepared.member_token[:-4]}AAAA"}
    wanted = {
        "idempotencyKey": "key-of-a-call",
        "externalId": MEMBER,
        "name": NAME,
        "email": EMAIL,
        "birthday": "1990-02-28",
    }
    profile = customer(MEMBER, now, name=NAME, email=EMAIL, birthday="1990-02-28")
    answers = [
        await http.post(
            "/graphql", json={"query": ENROL, "variables": {"input": wanted}}, headers=keyed
        ),
        await http.post(
            "/graphql", json={"query": CARD, "variables": {"id": MEMBER}}, headers=keyed
        ),
        await http.post("/graphql", json={"query": CARD}, headers=shopper),
        await http.post("/graphql", json={"query": CARD}, headers=forged),
        await http.post(
            "/graphql", json={"query": f'{{ member(externalId: "{MEMBER}") {{ nme }} }}'}
        ),
        await http.get("/graphql", params={"query": CARD, "variables": json.dumps({"id": MEMBER})}),
        await http.get(f"/members/{MEMBER}", params={"email": EMAIL}),
        await http.post(
            "/graphql",
            content=f'{{"query": "{NAME}',
            headers={**keyed, "content-type": "application/json"},
        ),
        await sender.send("customer.changed", profile),
        await sender.send("customer.changed", {**profile, "birthday": f"{NAME} 1990"}),
        await sender.send("product.changed", product("p-1", "12.50", now)),
        await sender.send("order.paid", order("order-external-id", MEMBER, "30.00", now)),
        await sender.send("order.paid", order(EMAIL, MEMBER, NAME, now)),
        await sender.send("order.refunded", refund("refund-external-id", "order-external-id", now)),
        await sender.send("order.refunded", refund("r-2", MEMBER, now + timedelta(days=3))),
        await sender.post("{}", {**sender.headers("{}", "delivery-of-ann"), "webhook-id": "x"}),
    ]
    return [each.status_code for each in answers]


async def test_no_line_holds_names_ids_tokens_or_texts(prepared, tmp_path) -> None:
    with ServerProcess({**prepared.settings, "log_level": "info"}, tmp_path / "log") as server:
        async with httpx2.AsyncClient(base_url=server.url) as http:
            statuses = await story(http, prepared)
        server.stop()

    assert statuses == [
        200, 200, 200, 401, 401, 400, 404, 400,
        200, 400, 200, 200, 400, 200, 400, 401,
    ]  # fmt: skip
    private = [
        MEMBER, NAME, NAME.split()[1], EMAIL, "1990-02-28", "order-external-id",
        "refund-external-id", "p-1", "north", "key-of-a-call", "delivery-of-ann",
        prepared.service_key, prepared.service_key[-20:], prepared.member_token,
        prepared.member_token.split(".")[1], prepared.webhook_secret, "externalId", "query Card",
    ]  # fmt: skip
    assert [each for each in private if each.lower() in server.text.lower()] == []
    requests = server.lines("request")
    assert len(requests) == len(statuses)
    assert {line["route"] for line in requests} == {
        "/graphql",
        "/webhooks/generic/{sourceId}",
        "unmatched",
    }
    assert {"service", "shopper", "webhook", "none"} <= {line["viewer"] for line in requests}
    assert len({line["request_id"] for line in requests}) == len(requests)
    assert set(requests[0]) == {
        "at", "event", "level", "method", "ms", "request_id", "route", "status", "viewer",
    }  # fmt: skip
