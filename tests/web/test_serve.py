"""The server process: how it starts, what stops it from starting, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import httpx2
import pytest
from pydantic import SecretStr
from senders import Sender, customer
from server_process import ServerProcess
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from loyalty.app import create_app
from loyalty.cli.serve import STOP_S
from loyalty.errors import LoyaltyError
from loyalty.settings import Settings

pytestmark = pytest.mark.anyio


def half_sent(server: ServerProcess, secret: str) -> tuple[socket.socket, bytes]:
    """A delivery of which the server has the headers and half the body; the other half."""
    now = datetime.now(UTC)
    body = json.dumps({"type": "customer.changed", "data": customer("c-1", now)})
    headers = Sender(None, "north", secret, now).headers(body, "d-1")
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    text = (
        f"POST /webhooks/generic/north HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n"
        f"{head}\r\n{body[:20]}"
    )
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.settimeout(20)
    connection.sendall(text.encode())
    return connection, body[20:].encode()


def refuses_connections(server: ServerProcess) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
    except OSError:
        return True
    return False


def received(connection: socket.socket) -> bytes:
    chunks = b""
    while chunk := connection.recv(65_536):
        chunks += chunk
    return chunks


async def test_it_finishes_a_request_under_way_when_told_to_stop(prepared, tmp_path) -> None:
    with ServerProcess(prepared.settings, tmp_path / "log") as server:
        connection, rest = half_sent(server, prepared.webhook_secret)
        # Answered, so the half before it on the other connection has been read.
        assert httpx2.get(f"{server.url}/health/ready").status_code == 200
        server.signal(signal.SIGTERM)
        until = monotonic() + 10
        while not refuses_connections(server):
            assert monotonic() < until, "it still accepts connections"
        with connection:
            connection.sendall(rest)
            answer = received(connection)
        code = server.wait()

        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b'{"result":"TAKEN"}')
        assert code == 0
        events = [line["event"] for line in server.lines()]
        assert events == ["listening", "request", "stopping", "stopped"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_idle_connections_do_not_hold_up_a_stop(
    make_settings, prepared, tmp_path, number
) -> None:
    with ServerProcess(prepared.settings, tmp_path / "log") as server:
        async with httpx2.AsyncClient(base_url=server.url) as http:
            await http.get("/health/live")
            began = monotonic()
            server.signal(number)
            code = server.wait()

        assert code == 0
        assert monotonic() - began < STOP_S


async def test_sockets_are_closed_with_a_word_when_it_stops(prepared, tmp_path) -> None:
    with ServerProcess(prepared.settings, tmp_path / "log") as server:
        with connect(
            f"{server.url.replace('http', 'ws')}/graphql",
            subprotocols=["graphql-transport-ws"],
        ) as socket:
            payload = {"authorization": f"Bearer {prepared.service_key}"}
            socket.send(json.dumps({"type": "connection_init", "payload": payload}))
            acknowledged = json.loads(socket.recv(5))
            began = monotonic()
            server.signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(5)
        code = server.wait()

        assert acknowledged == {"type": "connection_ack"}
        # 1012: the service restarts, so clients of graphql-ws connect again.
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert code == 0
        assert monotonic() - began < STOP_S
        assert [line["event"] for line in server.lines()][-3:] == ["socket", "stopping", "stopped"]


async def test_a_second_server_on_one_sqlite_file_is_refused(
    make_settings, prepared, tmp_path
) -> None:
    if not str(prepared.settings["database_url"]).startswith("sqlite"):
        with (
            ServerProcess(prepared.settings, tmp_path / "one") as first,
            ServerProcess(prepared.settings, tmp_path / "two") as second,
        ):
            assert httpx2.get(f"{first.url}/health/ready").status_code == 200
            assert httpx2.get(f"{second.url}/health/ready").status_code == 200
        return
    with ServerProcess(prepared.settings, tmp_path / "log") as first:
        code, said = ServerProcess(prepared.settings, tmp_path / "other").run()

        assert code == 1
        assert said.startswith("error: a server already runs on this SQLite file (process ")
        assert said.endswith("); stop it first, or use PostgreSQL to run several\n")
        assert httpx2.get(f"{first.url}/health/ready").status_code == 200
        first.kill()

        # Its lock went with it.
        with ServerProcess(prepared.settings, tmp_path / "again") as third:
            assert httpx2.get(f"{third.url}/health/ready").status_code == 200


@pytest.fixture
def on_sqlite(make_settings, sqlite_path: Path, tmp_path: Path) -> dict[str, object]:
    """Settings of a server that nothing was prepared for."""
    settings: Settings = make_settings(f"sqlite://{sqlite_path}")
    return {
        "database_url": settings.database_url,
        "secret_key": settings.secret_key.get_secret_value(),
        "data_dir": tmp_path,
    }


def test_a_taken_port_is_said_in_a_sentence(on_sqlite, tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said = ServerProcess({**on_sqlite, "port": port}, tmp_path / "log").run()

    assert code == 1
    assert said == (
        f"error: port {port} of 127.0.0.1 is taken or not ours (Address already in use); "
        "set LOYALTY_PORT to another, or 0 for any free one\n"
    )


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        (
            "secret_key",
            "short",
            "LOYALTY_SECRET_KEY: the secret key has 5 characters, wanted 32 or more; "
            "make one with: openssl rand -hex 32",
        ),
        ("host", "no-such-host.invalid", "cannot listen on 'no-such-host.invalid' "),
        ("secret_key", None, "the database has not this version's tables; run: loyalty migrate"),
    ],
)
def test_what_keeps_it_from_starting_is_said_in_a_sentence(
    on_sqlite, tmp_path, setting: str, value: str | None, message: str
) -> None:
    settings = on_sqlite if value is None else {**on_sqlite, setting: value}

    code, said = ServerProcess(settings, tmp_path / "log").run()

    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith(f"error: {message}")


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        (
            "secret_key",
            SecretStr(""),
            "LOYALTY_SECRET_KEY: the secret key has 0 characters, wanted 32 or more; "
            "make one with: openssl rand -hex 32",
        ),
        (
            "database_url",
            "mysql://db/loyalty",
            "database URL of kind 'mysql' found; sqlite:///absolute/path or "
            "postgresql://user:password@host:port/name wanted",
        ),
        (
            "redis_url",
            "memcached://secret@cache",
            "LOYALTY_REDIS_URL: cache address of kind 'memcached' found, expected "
            "redis://HOST:PORT/DB, rediss://, unix://, memory:// or off",
        ),
        (
            "cors_origins",
            ("https://shop.example", "*"),
            "LOYALTY_CORS_ORIGINS: found allowed origin '*', wanted scheme and host in lower case "
            'without a path, such as "https://shop.example"',
        ),
    ],
)
async def test_a_setting_that_is_none_is_named(
    make_settings, sqlite_path, setting: str, value: object, message: str
) -> None:
    made: Settings = make_settings(f"sqlite://{sqlite_path}")
    settings = made.model_copy(update={setting: value})

    with pytest.raises(LoyaltyError) as refused:
        async with create_app(settings).router.lifespan_context(None):
            pass

    assert str(refused.value) == message


async def test_a_request_that_never_ends_is_cut_off(prepared, tmp_path, is_soak: bool) -> None:
    if not is_soak:
        pytest.skip("takes as long as a stop may take; run by scripts/soak")
    with ServerProcess(prepared.settings, tmp_path / "log") as server:
        connection, _ = half_sent(server, prepared.webhook_secret)
        assert httpx2.get(f"{server.url}/health/ready").status_code == 200

        with connection:
            code = server.stop()

        assert code == 0
        assert server.lines()[-1]["event"] == "stopped"
