"""The shapes of JSON answers outside GraphQL."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_CODES: Mapping[int, str] = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}


def json_answer(
    body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """JSON that no cache keeps."""
    every = {"cache-control": "no-store", **(headers or {})}
    return Response(orjson.dumps(body), status, every, "application/json")


def refusal(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """``{"error": {"code", "message"}}``; the codes are those of ``docs/reference/errors.md``."""
    return json_answer({"error": {"code": code, "message": message}}, status, headers)


async def http_refusal(request: Request, error: Exception) -> Response:
    """What the router refuses: no such address, or another method."""
    assert isinstance(error, HTTPException)
    found = f"found {request.method}"
    wanted = f", wanted {error.headers['Allow']}" if error.headers else " of an unknown address"
    code = _CODES.get(error.status_code, "BAD_REQUEST")
    return refusal(error.status_code, code, found + wanted, error.headers)
