"""GraphQL over WebSocket: the subprotocol ``graphql-transport-ws``, and no other.

Source: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. Close codes are the
protocol's: 4400 bad message, 4401 subscribe before the acknowledgement, 4403 credentials refused,
4406 subprotocol, 4408 no ``connection_init`` in time, 4409 id in use, 4429 second init; 1009 for a
message too large.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import orjson
from graphql.language import OperationType
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from loyalty.errors import LoyaltyError
from loyalty_graphql.engine import Engine
from loyalty_graphql.errors import (
    AuthenticationFailed,
    FormattedError,
    LimitExceeded,
    Refused,
)
from loyalty_graphql.masking import loyalty_error, masked
from loyalty_graphql.transport.cors import Origins
from loyalty_graphql.transport.request import params_of, parse_json

SUBPROTOCOL = "graphql-transport-ws"

_ID_MAX = 128


class _Closing(Exception):
    """The socket is to be closed with this code; the reason goes to the client."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Socket:
    """One client's socket, from its handshake to its end.

    Args:
        socket: not yet accepted.
        engine: runs the operations.
        context_factory: makes each operation's context from the credentials of the init message.
        origins: web pages that may connect.
    """

    def __init__(
        self,
        socket: WebSocket,
        engine: Engine,
        context_factory: Callable[[HTTPConnection, str | None], Awaitable[Any]],
        origins: Origins,
    ) -> None:
        self._socket = socket
        self._engine = engine
        self._limits = engine.limits
        self._context_factory = context_factory
        self._origins = origins
        self._authorization: str | None = None
        self._acknowledged = False
        self._running: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Serve the socket until either side ends it."""
        headers = self._socket.headers
        if not self._origins.allows(headers.get("origin"), headers.get("host")):
            # Closing before accepting answers the handshake with 403.
            await self._socket.close()
            return
        offered = self._socket.scope.get("subprotocols") or []
        if SUBPROTOCOL not in offered:
            await self._socket.accept()
            await self._socket.close(4406, f"Subprotocol not acceptable: {SUBPROTOCOL} only")
            return
        await self._socket.accept(subprotocol=SUBPROTOCOL)
        try:
            await self._greet()
            while True:
                await self._handle(await self._receive())
        except _Closing as closing:
            await self._close(closing.code, closing.reason)
        except WebSocketDisconnect:
            pass
        finally:
            await self._stop_all()

    async def _greet(self) -> None:
        """Wait for the credentials, at most ``init_timeout_s``."""
        try:
            async with asyncio.timeout(self._limits.init_timeout_s):
                while not self._acknowledged:
                    await self._handle(await self._receive())
        except TimeoutError:
            raise _Closing(4408, "Connection initialisation timeout") from None

    async def _receive(self) -> dict[str, Any]:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        if text is None:
            raise _Closing(4400, "found a binary message, wanted text")
        # A character is at least one byte, so a long text need not be encoded to be refused.
        limit = self._limits.message_bytes
        if len(text) > limit or len(text.encode(errors="replace")) > limit:
            raise _Closing(1009, f"at most {limit} bytes a message")
        try:
            value = parse_json(text, self._limits, "message")
        except Refused as refusal:
            raise _Closing(4400, _reason(str(refusal))) from None
        if not isinstance(value, dict) or not isinstance(value.get("type"), str):
            raise _Closing(4400, "found a message without a type, wanted a JSON object with one")
        return value

    async def _handle(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "connection_init":
            await self._init(message.get("payload"))
        elif kind == "ping":
            await self._send({"type": "pong"})
        elif kind == "pong":
            pass
        elif kind == "subscribe":
            await self._subscribe(message)
        elif kind == "complete":
            task = self._running.pop(_id(message), None)
            if task is not None:
                task.cancel()
        else:
            raise _Closing(4400, f"found message type {kind[:40]!a}, wanted one of {SUBPROTOCOL}")

    async def _init(self, payload: object) -> None:
        if self._acknowledged:
            raise _Closing(4429, "Too many initialisation requests")
        if payload is not None and not isinstance(payload, dict):
            raise _Closing(4400, "found an init payload that is no object, wanted one or none")
        self._authorization = _authorization(payload or {})
        try:
            await self._context_factory(self._socket, self._authorization)
        except (AuthenticationFailed, LoyaltyError) as failure:
            raise _Closing(4403, _reason(str(failure))) from None
        except Exception as error:  # a bug, as in every other place
            raise _Closing(1011, _reason(masked(error)["message"])) from None
        self._acknowledged = True
        await self._send({"type": "connection_ack"})

    async def _subscribe(self, message: dict[str, Any]) -> None:
        if not self._acknowledged:
            raise _Closing(4401, "Unauthorized")
        id_ = _id(message)
        if id_ in self._running:
            raise _Closing(4409, f"Subscriber for {_reason(id_)} already exists")
        if len(self._running) >= self._limits.subscriptions:
            found, allowed = len(self._running) + 1, self._limits.subscriptions
            limit = LimitExceeded("SUBSCRIPTIONS", "operations on this socket", found, allowed)
            await self._fail(id_, list(limit.errors))
            return
        task = asyncio.create_task(self._operate(id_, message.get("payload")))
        self._running[id_] = task

    async def _operate(self, id_: str, payload: object) -> None:
        """Run one operation to its end; it leaves the socket usable whatever happens."""
        try:
            await self._answer(id_, payload)
            self._forget(id_)
            await self._send({"id": id_, "type": "complete"})
        except Refused as refusal:
            await self._fail(id_, list(refusal.errors))
        except AuthenticationFailed as failure:
            error = {"message": failure.message, "extensions": {"code": failure.code}}
            await self._fail(id_, [error])
        except LoyaltyError as failure:
            await self._fail(id_, [loyalty_error(failure)])
        except WebSocketDisconnect:
            pass
        except Exception as error:  # a bug becomes one masked message
            await self._fail(id_, [masked(error)])

    async def _answer(self, id_: str, payload: object) -> None:
        params = params_of(payload)
        context = await self._context_factory(self._socket, self._authorization)
        plan = self._engine.plan(params, context)
        if plan.kind is not OperationType.SUBSCRIPTION:
            answer = await self._engine.run(plan, context)
            await self._send({"id": id_, "type": "next", "payload": answer.body()})
            return
        async with aclosing(self._engine.stream(plan, context)) as answers:
            async for answer in answers:
                await self._send({"id": id_, "type": "next", "payload": answer.body()})

    async def _fail(self, id_: str, errors: list[FormattedError]) -> None:
        if self._running.get(id_) is asyncio.current_task():
            self._forget(id_)
        await self._send({"id": id_, "type": "error", "payload": errors})

    def _forget(self, id_: str) -> None:
        """Free the id before the last message: the client may use it again as soon as it reads."""
        self._running.pop(id_, None)

    async def _send(self, message: dict[str, Any]) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            try:
                await self._socket.send_text(orjson.dumps(message).decode())
            except (WebSocketDisconnect, RuntimeError):
                # The client left between our look and our word; the reading side ends the socket.
                return

    async def _close(self, code: int, reason: str) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            await self._socket.close(code, reason)

    async def _stop_all(self) -> None:
        tasks = list(self._running.values())
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _authorization(payload: dict[str, Any]) -> str | None:
    """The credentials of an init message; clients spell the key in either case."""
    for key, value in payload.items():
        if key.lower() == "authorization" and isinstance(value, str):
            return value
    return None


def _id(message: dict[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not 1 <= len(id_) <= _ID_MAX:
        raise _Closing(4400, f"wanted an id, text of 1 to {_ID_MAX} characters")
    return id_


def _reason(text: str) -> str:
    """A close reason: the protocol allows 123 bytes."""
    return text.encode()[:120].decode(errors="ignore")
