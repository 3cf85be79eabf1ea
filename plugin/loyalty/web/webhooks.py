"""``POST /webhooks/generic/{sourceId}``: events from a shop, signed, each taken once.

Statuses: 200 taken, or taken before; 400 not understood; 401 not signed by this source; 409 the
delivery's id came before with another body, or the state does not admit it; 413 too long; 422
refused for good; 503 try again. A bug is a 500, so that the sender tries again. The reference is
``docs/reference/webhooks.md``.
"""

from collections.abc import Callable
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from loyalty.connectors import generic
from loyalty.errors import BadInput, Conflict, LoyaltyError, Unavailable
from loyalty.services.services import Services
from loyalty.services.webhook_sources import WebhookSource
from loyalty.web.answers import json_answer, refusal
from loyalty.web.metrics import Metrics
from loyalty.web.requests import CLIENT_GONE, note_viewer
from loyalty.web.signatures import Signed, signed

KIND: Final = "generic"
RETRY_AFTER_S: Final = 5

_NOT_SIGNED: Final = "the delivery is not signed with the secret of this source"


class _TooLong(Exception):
    """The body is longer than allowed; its rest was not read."""


def webhook_routes(services: Callable[[], Services], metrics: Metrics) -> list[Route]:
    """The route of our own documented JSON."""

    async def deliver(request: Request) -> Response:
        return await _Delivery(services(), metrics, request).answer()

    return [Route("/webhooks/generic/{sourceId}", deliver, methods=["POST"], name="webhook")]


class _Delivery:
    """One request, from its raw bytes to its answer."""

    def __init__(self, services: Services, metrics: Metrics, request: Request) -> None:
        self._services = services
        self._metrics = metrics
        self._request = request
        self._event = ""

    async def answer(self) -> Response:
        try:
            response, outcome = await self._judged()
        except _TooLong:
            most = self._services.settings.webhook_bytes_max
            message = f"the body is longer than {most} bytes"
            response, outcome = refusal(413, "LIMIT_BODY", message, _CLOSE), "too_long"
        except ClientDisconnect:
            response, outcome = Response(status_code=CLIENT_GONE), "gone"
        except LoyaltyError as error:
            response, outcome = _failure(error), error.code.lower()
        except Exception:
            self._metrics.webhook(KIND, self._event, "failed")
            raise
        self._metrics.webhook(KIND, self._event, outcome)
        return response

    async def _judged(self) -> tuple[Response, str]:
        headers = signed(self._request.headers)
        body = await self._body()
        source = await self._services.webhook_sources.named(
            self._request.path_params["sourceId"], KIND
        )
        unproven = self._unproven(headers, source, body)
        if unproven is not None:
            return refusal(401, "UNAUTHENTICATED", unproven), "unauthenticated"
        note_viewer(self._request.scope, "webhook")
        event = generic.read(body)
        self._event = event.type
        taken = await self._services.intake.take(
            source.tenant_id, source.name, headers.delivery, event, body
        )
        return json_answer({"result": taken.result}), taken.result.lower()

    def _unproven(self, headers: Signed, source: WebhookSource, body: bytes) -> str | None:
        """Why the delivery is not believed, or None.

        Only who has the secret learns that its clock is off.
        """
        if not headers.is_by(source.secret, body) or not source.exists:
            return _NOT_SIGNED
        off = headers.seconds_off(self._services.clock.now())
        allowed = self._services.settings.webhook_tolerance_s
        if off > allowed:
            return f"webhook-timestamp is {off} s from our clock, at most {allowed} s allowed"
        return None

    async def _body(self) -> bytes:
        """The raw bytes, counted as they arrive so that an endless body is never held."""
        most = self._services.settings.webhook_bytes_max
        declared = self._request.headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:19]) > most:
            raise _TooLong
        body = bytearray()
        async for chunk in self._request.stream():
            body += chunk
            if len(body) > most:
                raise _TooLong
        return bytes(body)


# The rest of a body that is too long is not read, so the connection is of no more use.
_CLOSE: Final = {"connection": "close"}


def _failure(error: LoyaltyError) -> Response:
    if isinstance(error, Unavailable):
        headers = {"retry-after": str(RETRY_AFTER_S)}
        return refusal(503, error.code, error.message, headers)
    status = 400 if isinstance(error, BadInput) else 409 if isinstance(error, Conflict) else 422
    return refusal(status, error.code, error.message)
