"""The demo shop's backend over the real server: it signs shoppers in and holds the shop's key.

Its checkout goes through the same endpoint, key check and scopes as a shop's own would, without
the way over the network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from starlette.types import ASGIApp, Message

from loyalty.errors import NotFound, Unavailable
from loyalty.services.services import Services
from loyalty.services.tenants import Tenant
from loyalty.web.demo_shop import DOCUMENTS, SHIPPING, Json

TOKEN_TTL_S = 3_600
"""Lifetime of a page's token, in seconds; the page renews it by itself."""


@dataclass(frozen=True, slots=True)
class DemoMember:
    """A member whom the page proposes, with a word on what there is to see."""

    external_id: str
    label: str


@dataclass(frozen=True, slots=True)
class DemoCode:
    """A code to try, and what it is."""

    code: str
    label: str


class ServedShop:
    """``loyalty.web.demo_shop.DemoShop`` over a started application.

    Args:
        services: the application's use cases, once its lifespan has run.
        app: the application itself.
        key: the checkout service's.
        members: to propose; the first one to newcomers.
        codes: of coupons and gift cards, to try.
    """

    def __init__(
        self,
        services: Callable[[], Services],
        app: Callable[[], ASGIApp],
        *,
        tenant: Tenant,
        key: str,
        members: Sequence[DemoMember],
        codes: Sequence[DemoCode],
    ) -> None:
        self._services = services
        self._app = app
        self._tenant = tenant
        self._key = key
        self._members = tuple(members)
        self._codes = tuple(codes)

    async def session(self, member: str | None) -> Json:
        """Any member of the shop may be looked at; see ``DemoShop``."""
        services = self._services()
        if member is None:
            if not self._members:
                raise NotFound("member of", self._tenant.name)
            member = self._members[0].external_id
        elif all(one.external_id != member for one in self._members):
            await services.summaries.shown(self._tenant.id, member)
        token, expires = await services.credentials.mint(self._tenant.id, member, TOKEN_TTL_S)
        return {
            # As seen from the page, whatever prefix a proxy puts before it.
            "endpoint": "../graphql",
            "webSocket": "../graphql",
            "checkoutProxy": "../demo/checkout",
            "shipping": SHIPPING,
            "codes": [{"code": one.code, "label": one.label} for one in self._codes],
            "program": self._tenant.code,
            "members": [
                {"externalId": one.external_id, "label": one.label} for one in self._members
            ],
            "member": {
                "externalId": member,
                "token": token,
                "expiresAt": expires.isoformat().replace("+00:00", "Z"),
            },
        }

    async def execute(self, operation_name: str, variables: Json) -> Json:
        """Raises Unavailable when the server answers with an error of its own."""
        body = orjson.dumps(
            {
                "query": DOCUMENTS[operation_name],
                "operationName": operation_name,
                "variables": variables,
            }
        )
        status, answer = await _post(self._app(), "/graphql", self._key, body)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unavailable(f"the server answered {status}; try again")
        found: Json = orjson.loads(answer)
        return found


async def _post(app: ASGIApp, path: str, key: str, body: bytes) -> tuple[int, bytes]:
    """One JSON request to an ASGI application of this process: status and body."""
    headers = {
        "host": "localhost",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "accept": "application/graphql-response+json",
        "authorization": f"Bearer {key}",
    }
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 0),
        "server": ("localhost", 80),
    }
    requests: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    answer = bytearray()
    status = 0

    async def receive() -> Message:
        return requests.pop() if requests else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            answer.extend(message.get("body", b""))

    await app(scope, receive, send)
    return status, bytes(answer)
