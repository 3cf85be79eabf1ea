"""One GraphQL endpoint as an ASGI application: HTTP as its specification says, and WebSocket."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
import strawberry
from graphql.language import OperationType
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from loyalty.errors import LoyaltyError, Unavailable
from loyalty_graphql.engine import Answer, Engine
from loyalty_graphql.errors import AuthenticationFailed, Refused, refused
from loyalty_graphql.limits import Limits
from loyalty_graphql.masking import loyalty_error, masked
from loyalty_graphql.transport.cors import Origins
from loyalty_graphql.transport.negotiation import PLAIN_JSON, answer_type
from loyalty_graphql.transport.request import read_request
from loyalty_graphql.transport.websocket import Socket

ContextFactory = Callable[[HTTPConnection, str | None], Awaitable[Any]]
"""Makes the context of one operation from the connection and the caller's ``Authorization``.

The text comes from the header, or on a socket from the payload of ``connection_init``; None when
there is none. Called once per operation, on a socket too, so that per-request loaders are fresh and
an expired token stops working. Raises ``AuthenticationFailed``.
"""


class GraphQLEndpoint:
    """ASGI application for one schema; mount it at one path, it does not route.

    POST with ``application/json``; GET for queries, with a header that a foreign page cannot send;
    WebSocket with the subprotocol ``graphql-transport-ws``.

    Args:
        schema: the Strawberry schema, made with ``schema_config()``.
        context_factory: see ``ContextFactory``.
        limits: what a request may cost.
        allow_introspection: whether the caller with this context may introspect, and read
            suggestions of names in errors.
        origins: web pages that may open a socket; for HTTP wrap the endpoint in ``with_cors``.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        context_factory: ContextFactory,
        *,
        limits: Limits | None = None,
        allow_introspection: Callable[[Any], bool] = lambda _context: False,
        origins: Origins | None = None,
    ) -> None:
        self.engine = Engine(schema, limits or Limits(), allow_introspection)
        self._context_factory = context_factory
        self._origins = origins or Origins()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            socket = WebSocket(scope, receive, send)
            await Socket(socket, self.engine, self._context_factory, self._origins).run()
            return
        assert scope["type"] == "http", scope["type"]
        try:
            response = await self._respond(Request(scope, receive))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        media_type = PLAIN_JSON
        try:
            media_type = answer_type(request.headers.get("accept"))
            answer = await self._answer(request)
            return _response(answer.body(), HTTPStatus.OK, media_type)
        except Refused as refusal:
            readable = refusal.well_formed and media_type == PLAIN_JSON
            status = HTTPStatus.OK if readable else refusal.status
            body = {"errors": list(refusal.errors)}
            return _response(body, status, media_type, refusal.headers)
        except AuthenticationFailed as failure:
            error = {"message": failure.message, "extensions": {"code": failure.code}}
            return _response(
                {"errors": [error]},
                HTTPStatus.UNAUTHORIZED,
                media_type,
                {"www-authenticate": _challenge(request.headers.get("authorization"))},
            )
        except Unavailable as error:
            body = {"errors": [loyalty_error(error)]}
            headers = {"retry-after": "1"}
            return _response(body, HTTPStatus.SERVICE_UNAVAILABLE, media_type, headers)
        except LoyaltyError as error:
            body = {"errors": [loyalty_error(error)]}
            return _response(body, HTTPStatus.BAD_REQUEST, media_type)
        except ClientDisconnect:
            raise
        except Exception as error:  # the last line: a bug becomes one masked message
            body = {"errors": [masked(error)]}
            return _response(body, HTTPStatus.INTERNAL_SERVER_ERROR, media_type)

    async def _answer(self, request: Request) -> Answer:
        params = await read_request(request, self.engine.limits)
        context = await self._context_factory(request, request.headers.get("authorization"))
        plan = self.engine.plan(params, context)
        if request.method == "GET" and plan.kind is not OperationType.QUERY:
            raise refused(
                f"found a {plan.kind.value} by GET, wanted POST",
                "METHOD_NOT_ALLOWED",
                status=HTTPStatus.METHOD_NOT_ALLOWED,
                headers={"allow": "POST"},
            )
        if plan.kind is OperationType.SUBSCRIPTION:
            raise refused(
                "found a subscription by POST, wanted it over WebSocket at this address, "
                "subprotocol graphql-transport-ws",
                "SUBSCRIPTION_NEEDS_SOCKET",
            )
        return await self.engine.run(plan, context)


def _challenge(authorization: str | None) -> str:
    """What a caller that was not let in should show.

    Source: RFC 6750, section 3.1: whoever showed nothing, or another scheme, is given no error
    code; it has not made one yet.
    """
    scheme, _, bearer = (authorization or "").partition(" ")
    shown = scheme.lower() == "bearer" and bearer.strip()
    return 'Bearer error="invalid_token"' if shown else "Bearer"


def _response(
    body: dict[str, Any], status: int, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        orjson.dumps(body),
        status_code=status,
        headers={
            "content-type": f"{media_type}; charset=utf-8",
            "cache-control": "no-store",
            "vary": "Accept",
            "x-content-type-options": "nosniff",
            **(headers or {}),
        },
    )
