"""The subscription: told of changes as they are booked, through a real socket."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from api_shop import ApiShop, ListenedCache, api_shop, document
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from loyalty.services.books.desk import MemberChanged

pytestmark = pytest.mark.anyio

TRANSPORT = Subprotocol("graphql-transport-ws")
PATIENCE_S = 5


class Listener:
    """One subscription on one socket."""

    def __init__(self, raw: ClientConnection) -> None:
        self.raw = raw

    async def send(self, **message: Any) -> None:
        await self.raw.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            message: dict[str, Any] = json.loads(await self.raw.recv())
            return message

    async def listen(self, variables: Any = None) -> None:
        payload = {"query": document("member_changed"), "variables": variables or {}}
        await self.send(id="1", type="subscribe", payload=payload)

    async def change(self) -> tuple[str, dict[str, int]]:
        """Reason and balance of the next change."""
        message = await self.receive()
        assert message["type"] == "next", message
        told = message["payload"]["data"]["memberChanged"]
        return told["reason"], told["member"]["balance"]


@asynccontextmanager
async def serving(shop: ApiShop) -> AsyncIterator[str]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        shop.storefront_endpoint, log_level="warning", lifespan="off", ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    async with asyncio.timeout(PATIENCE_S):
        # uvicorn sets a flag and tells nobody.
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0)
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        await task
        listener.close()


@asynccontextmanager
async def listening(shop: ApiShop, token: str, variables: Any = None) -> AsyncIterator[Listener]:
    """A socket that has said who it is and what it wants to be told of."""
    async with serving(shop) as address, connect(address, subprotocols=[TRANSPORT]) as raw:
        listener = Listener(raw)
        payload = {"Authorization": f"Bearer {token}"}
        await listener.send(type="connection_init", payload=payload)
        assert await listener.receive() == {"type": "connection_ack"}
        await listener.listen(variables)
        yield listener


@pytest.fixture
def cache() -> ListenedCache:
    return ListenedCache()


@pytest.fixture
async def told_shop(
    migrated_url: str, tmp_path: Path, cache: ListenedCache
) -> AsyncIterator[ApiShop]:
    """A shop that says when somebody listens."""
    async with api_shop(migrated_url, tmp_path / "data", cache=cache) as made:
        yield made


async def heard(event: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await event.wait()


async def token_of(shop: ApiShop, member: str) -> str:
    return (await shop.services.credentials.mint(shop.programs[0].tenant_id, member, 3_600))[0]


async def test_a_shopper_is_told_of_its_own_changes_alone(
    told_shop: ApiShop, cache: ListenedCache
) -> None:
    program = told_shop.programs[0]
    await program.rich("ann", 100)
    await program.enrol("bob")

    async with listening(told_shop, await token_of(told_shop, "ann")) as ann:
        await heard(cache.is_listened_to)
        await program.paid("o-bob", "bob", 5_000)
        await program.paid("o-ann", "ann", 5_000)
        order = await ann.change()
        await program.till.run("member_update", input={"externalId": "ann", "locale": "hu"})
        profile = await ann.change()

    await heard(cache.is_left)
    balance = {"available": 100, "pending": 50, "held": 0}
    assert [order, profile] == [("order", balance), ("profile", balance)]


async def test_a_service_listens_to_whom_it_names(told_shop: ApiShop, cache: ListenedCache) -> None:
    program = told_shop.programs[0]
    await program.enrol("ann")

    async with listening(told_shop, program.tokens["till"], {"externalId": "ann"}) as till:
        await heard(cache.is_listened_to)
        await program.paid("o", "ann", 5_000)

        assert (await till.change())[0] == "order"


@pytest.mark.parametrize("name", ["bob", "nobody"])
async def test_another_is_answered_like_nobody(name: str, told_shop: ApiShop) -> None:
    program = told_shop.programs[0]
    await program.enrol("ann")
    await program.enrol("bob")
    token = await token_of(told_shop, "ann")

    async with listening(told_shop, token, {"externalId": name}) as ann:
        message = await ann.receive()

    assert message["type"] == "error"
    assert [(e["message"], e["extensions"]["code"]) for e in message["payload"]] == [
        (f"no member '{name}'", "NOT_FOUND")
    ]


async def test_it_ends_with_the_membership(told_shop: ApiShop, cache: ListenedCache) -> None:
    program = told_shop.programs[0]
    await program.enrol("ann")

    async with listening(told_shop, await token_of(told_shop, "ann")) as ann:
        await heard(cache.is_listened_to)
        await program.merchant.data(
            'mutation{memberClose(input:{externalId:"ann"}){userErrors{code}}}'
        )

        assert (await ann.change())[0] == "closed"
        assert await ann.receive() == {"id": "1", "type": "complete"}


async def test_it_ends_when_the_token_does(told_shop: ApiShop, cache: ListenedCache) -> None:
    program = told_shop.programs[0]
    await program.enrol("ann")

    async with listening(told_shop, await token_of(told_shop, "ann")) as ann:
        await heard(cache.is_listened_to)
        told_shop.clock.advance(timedelta(hours=2))
        await program.paid("o", "ann", 5_000)

        assert await ann.receive() == {"id": "1", "type": "complete"}


async def test_it_ends_when_the_key_is_revoked(told_shop: ApiShop, cache: ListenedCache) -> None:
    program = told_shop.programs[0]
    await program.enrol("ann")
    token = program.tokens["till"]
    key = {"input": {"keyId": token.split("_")[2]}}

    async with listening(told_shop, token, {"externalId": "ann"}) as till:
        await heard(cache.is_listened_to)
        revoke = "mutation($input:ApiKeyRevokeInput!){apiKeyRevoke(input:$input){apiKey{name}}}"
        await program.merchant.data(revoke, key)
        await program.paid("o", "ann", 5_000)

        assert await till.receive() == {"id": "1", "type": "complete"}


async def test_what_changed_nothing_new_is_not_told(
    told_shop: ApiShop, cache: ListenedCache
) -> None:
    """After missed messages the member is read again, and told only if it moved."""
    program = told_shop.programs[0]
    await program.enrol("ann")
    services = told_shop.services
    member = await services.summaries.exact(program.tenant_id, "ann")
    stale = MemberChanged(program.tenant_id, member.id, "ann", member.version, "order")

    async with listening(told_shop, await token_of(told_shop, "ann")) as ann:
        await heard(cache.is_listened_to)
        await services.changes.told([stale])
        await program.paid("o", "ann", 5_000)

        assert await ann.change() == ("order", {"available": 0, "pending": 50, "held": 0})
