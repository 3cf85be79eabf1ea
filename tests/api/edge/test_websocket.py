"""GraphQL over WebSocket, through a real server and a real client."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from loyalty_graphql.limits import Limits
from loyalty_graphql.transport import Origins

TRANSPORT = Subprotocol("graphql-transport-ws")
PATIENCE_S = 5


@asynccontextmanager
async def serving(edge):
    """A server for an edge; gives its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        edge.endpoint, log_level="warning", lifespan="off", ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


class Client:
    """A socket that speaks JSON."""

    def __init__(self, raw):
        self.raw = raw

    async def send(self, **message):
        await self.raw.send(json.dumps(message))

    async def receive(self):
        async with asyncio.timeout(PATIENCE_S):
            return json.loads(await self.raw.recv())

    async def init(self, token=None):
        payload = {"Authorization": f"Bearer {token}"} if token else None
        await self.send(type="connection_init", payload=payload)
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, id_, query, **more):
        await self.send(id=id_, type="subscribe", payload={"query": query, **more})

    async def closed(self):
        """Close code and reason, once the server has closed."""
        async with asyncio.timeout(PATIENCE_S):
            await self.raw.wait_closed()
        return self.raw.close_code, self.raw.close_reason


@pytest.fixture
def opened(make_edge):
    """Open a socket to an edge with these limits."""

    @asynccontextmanager
    async def opening(edge=None, subprotocols=(TRANSPORT,), **headers):
        edge = edge or make_edge()
        async with (
            serving(edge) as address,
            connect(
                f"ws://{address}/", subprotocols=subprotocols, additional_headers=headers
            ) as raw,
        ):
            yield Client(raw)

    return opening


@pytest.mark.anyio
async def test_a_subscription_streams_and_completes(opened):
    async with opened() as client:
        assert client.raw.subprotocol == TRANSPORT
        await client.init("ann")
        await client.subscribe("1", "subscription($n: Int!) { count(to: $n) }", variables={"n": 2})

        assert [await client.receive() for _ in range(3)] == [
            {"id": "1", "type": "next", "payload": {"data": {"count": 0}}},
            {"id": "1", "type": "next", "payload": {"data": {"count": 1}}},
            {"id": "1", "type": "complete"},
        ]


@pytest.mark.anyio
async def test_queries_and_mutations_run_for_the_caller_of_the_init(opened):
    async with opened() as client:
        await client.init("ann")
        await client.subscribe("1", "{ viewer }")
        assert await client.receive() == {
            "id": "1",
            "type": "next",
            "payload": {"data": {"viewer": "ann"}},
        }
        assert await client.receive() == {"id": "1", "type": "complete"}
        await client.subscribe("1", "mutation { touch }")
        assert (await client.receive())["payload"] == {"data": {"touch": 1}}


@pytest.mark.anyio
async def test_a_ping_is_answered_before_and_after_the_init(opened):
    async with opened() as client:
        await client.send(type="ping")
        assert await client.receive() == {"type": "pong"}
        await client.init()
        await client.send(type="pong")
        await client.send(type="ping", payload={"at": 1})
        assert await client.receive() == {"type": "pong"}


@pytest.mark.anyio
async def test_complete_from_the_client_ends_the_source(opened, make_edge):
    edge = make_edge()
    async with opened(edge) as client:
        await client.init()
        await client.subscribe("1", "subscription { silence }")
        await until(lambda: edge.listening == [1])

        await client.send(id="1", type="complete")

        await until(lambda: edge.listening == [])
        await client.subscribe("1", "{ hello }")
        assert (await client.receive())["payload"] == {"data": {"hello": "hello world"}}


@pytest.mark.anyio
async def test_leaving_ends_every_source(opened, make_edge):
    edge = make_edge()
    async with opened(edge) as client:
        await client.init()
        for number in range(5):
            await client.subscribe(str(number), "subscription { silence }")
        await until(lambda: len(edge.listening) == 5)

    assert edge.listening == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { count(to: " + "1" * 5_000 + ") }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ hello" + " hello" * 30 + " }", "LIMIT_ROOT_FIELDS"),
        ("{ item { " + "child { " * 30 + "name" + " }" * 31 + " }", "LIMIT_DEPTH"),
        ("{ __schema { description } }", "INTROSPECTION_DISABLED"),
        ("query($v: Points!) { points(value: $v) }", "BAD_USER_INPUT"),
        ("subscription($v: Int!) { count(to: $v) }", "BAD_USER_INPUT"),
        (" ", "BAD_REQUEST"),
    ],
)
async def test_a_refused_operation_leaves_the_socket_usable(opened, query, code):
    async with opened() as client:
        await client.init()
        await client.subscribe("1", query)

        answer = await client.receive()

        assert (answer["id"], answer["type"]) == ("1", "error")
        assert answer["payload"][0]["extensions"]["code"] == code
        await client.subscribe("1", "{ hello }")
        assert (await client.receive())["type"] == "next"


@pytest.mark.anyio
async def test_a_source_that_breaks_is_masked(opened):
    async with opened() as client:
        await client.init()
        await client.subscribe("1", "subscription { broken }")

        first, second, last = [await client.receive() for _ in range(3)]

    assert first["payload"] == {"data": {"broken": 1}}
    assert second["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"
    assert "hunter2" not in str(second)
    assert last == {"id": "1", "type": "complete"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (['{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }"}}'], 4401),
        (['{"type": "connection_init"}', '{"type": "connection_init"}'], 4429),
        (['{"type": "connection_init", "payload": 5}'], 4400),
        (['{"type": "connection_init", "payload": {"authorization": "Bearer stale"}}'], 4403),
        (['{"type": "connection_init", "payload": {"authorization": "Bearer down"}}'], 4403),
        (['{"type": "connection_init", "payload": {"authorization": "Bearer bug"}}'], 1011),
        (["{"], 4400),
        (["null"], 4400),
        (["[" * 5_000], 4400),
        (['{"type": 5}'], 4400),
        (['{"type": "start"}'], 4400),
        ([b"\x00"], 4400),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": 5}'], 4400),
        (['{"type": "connection_init"}', '{"type": "complete"}'], 4400),
        (['"' + "x" * 70_000 + '"'], 1009),
    ],
)
async def test_a_client_that_breaks_the_protocol_is_closed(opened, messages, code):
    async with opened() as client:
        for message in messages:
            await client.raw.send(message)

        closed_with, reason = await client.closed()

    assert closed_with == code
    assert "hunter2" not in reason


@pytest.mark.anyio
async def test_an_id_in_use_closes_the_socket(opened):
    async with opened() as client:
        await client.init()
        await client.subscribe("1", "subscription { silence }")
        await client.subscribe("1", "subscription { silence }")

        assert await client.closed() == (4409, "Subscriber for 1 already exists")


@pytest.mark.anyio
async def test_a_socket_without_init_is_closed_in_time(opened, make_edge):
    async with opened(make_edge(Limits(init_timeout_s=0))) as client:
        assert await client.closed() == (4408, "Connection initialisation timeout")


@pytest.mark.anyio
async def test_operations_on_a_socket_are_counted(opened, make_edge):
    async with opened(make_edge(Limits(subscriptions=2))) as client:
        await client.init()
        for number in range(3):
            await client.subscribe(str(number), "subscription { silence }")

        assert await client.receive() == {
            "id": "2",
            "type": "error",
            "payload": [
                {
                    "message": "found 3 operations on this socket, at most 2 allowed",
                    "extensions": {"code": "LIMIT_SUBSCRIPTIONS", "found": 3, "allowed": 2},
                }
            ],
        }


@pytest.mark.anyio
@pytest.mark.parametrize("subprotocols", [None, (Subprotocol("graphql-ws"),)])
async def test_other_subprotocols_are_not_spoken(opened, subprotocols):
    async with opened(subprotocols=subprotocols) as client:
        code, reason = await client.closed()

    assert code == 4406
    assert TRANSPORT in reason


@pytest.mark.anyio
async def test_pages_of_other_sites_are_refused_at_the_handshake(opened):
    with pytest.raises(InvalidStatus) as caught:
        async with opened(origin="https://evil.example"):
            pass

    assert caught.value.response.status_code == 403


@pytest.mark.anyio
async def test_a_listed_page_may_connect(opened, make_edge):
    edge = make_edge(origins=Origins(["https://shop.example"]))
    async with opened(edge, origin="https://shop.example") as client:
        await client.init()


async def until(holds):
    """Wait for something that another task brings about."""
    for _ in range(PATIENCE_S * 200):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"did not come about within {PATIENCE_S} s")
