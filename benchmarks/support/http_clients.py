"""A server process, and clients that ask it over HTTP: one connection each, kept open."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message
from support.bench_shop import SECRET, Waiting

from loyalty_graphql.ids import encode_id

COMMIT = (
    Path(__file__).parents[2] / "graphql" / "operations" / "storefront" / "checkout_commit.graphql"
).read_text(encoding="utf-8")
START_S = 30


@contextmanager
def serving(database_url: str, folder: Path) -> Iterator[int]:
    """``loyalty serve`` on a free port, which is yielded."""
    given = {
        "DATABASE_URL": database_url, "SECRET_KEY": SECRET, "DATA_DIR": str(folder), "PORT": "0",
        "ENVIRONMENT": "development", "SETTLE_EVERY_S": "0", "LOG_LEVEL": "info",
    }  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if "LOYALTY_" not in name}
    environment |= {f"LOYALTY_{name}": value for name, value in given.items()}
    log = folder / "server.log"
    with log.open("wb") as errors:
        command = [sys.executable, "-m", "loyalty.cli", "serve"]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=errors
        )
    try:
        yield _port(log, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _port(log: Path, process: "subprocess.Popen[bytes]") -> int:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        for line in log.read_text(encoding="utf-8").splitlines():
            if '"listening"' in line:
                return int(json.loads(line)["url"].rpartition(":")[2])
        assert process.poll() is None, log.read_text(encoding="utf-8")
        time.sleep(0.05)
    raise TimeoutError(log.read_text(encoding="utf-8"))


async def per_second(port: int, key: str, waiting: Sequence[Waiting], clients: int) -> float:
    """Commits per second of all that wait, by so many clients."""
    left = [_request(key, one) for one in waiting]
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(clients)]

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left:
            writer.write(left.pop())
            body = await _answer(reader)
            assert b'"userErrors":[]' in body, body

    began = time.perf_counter()
    await asyncio.gather(*(client(*connection) for connection in connections))
    taken = time.perf_counter() - began
    for _, writer in connections:
        writer.close()
    return len(waiting) / taken


async def asked(app: ASGIApp, key: str, one: Waiting) -> bytes:
    """The answer's body to a commit, without a network."""
    body = _body(one)
    headers = [(name.lower().encode(), value.encode()) for name, value in _headers(key, body)]
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "root_path": "", "query_string": b"",
        "headers": headers,
    }  # fmt: skip
    await app(scope, receive, send)
    return b"".join(message.get("body", b"") for message in sent)


def _request(key: str, one: Waiting) -> bytes:
    body = _body(one)
    head = "".join(f"{name}: {value}\r\n" for name, value in _headers(key, body))
    return f"POST /graphql HTTP/1.1\r\n{head}\r\n".encode() + body


def _headers(key: str, body: bytes) -> list[tuple[str, str]]:
    return [
        ("Host", "shop"),
        ("Content-Type", "application/json"),
        ("Authorization", f"Bearer {key}"),
        ("Content-Length", str(len(body))),
    ]


def _body(one: Waiting) -> bytes:
    variables: dict[str, Any] = {
        "idempotencyKey": f"k-{one.cart}",
        "reservationId": encode_id("Reservation", one.reservation),
        "orderExternalId": f"o-{one.cart}",
        "paid": {"amount": one.paid.text(), "currencyCode": one.paid.currency},
    }
    return json.dumps({"query": COMMIT, "variables": {"input": variables}}).encode()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert b" 200 " in head, head
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    return await reader.readexactly(int(length))
