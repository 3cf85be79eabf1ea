"""Reading a GraphQL request from HTTP; whatever arrives is either understood or refused."""

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from loyalty_graphql.engine import Params
from loyalty_graphql.errors import LimitExceeded, refused
from loyalty_graphql.limits import Limits
from loyalty_graphql.transport.negotiation import PLAIN_JSON, check_content

PREFLIGHT_HEADER = "graphql-require-preflight"
"""A header no web page can send to another site without that site's consent (CORS preflight)."""

_NAMES = ("query", "operationName", "variables", "extensions")


async def read_request(request: Request, limits: Limits) -> Params:
    """The request's parameters, from the body of a POST or the query string of a GET.

    Raises:
        Refused: 400, 405, 413 or 415 with a sentence that says what was found and wanted.
    """
    if request.method == "POST":
        check_content(request.headers.get("content-type"), request.headers.get("content-encoding"))
        return params_of(parse_json(await read_body(request, limits), limits, "body"))
    if request.method == "GET":
        return params_of(_query_string(request, limits))
    raise refused(
        f"found {request.method}, wanted POST, or GET for queries",
        "METHOD_NOT_ALLOWED",
        status=HTTPStatus.METHOD_NOT_ALLOWED,
        headers={"allow": "GET, POST"},
    )


async def read_body(request: Request, limits: Limits) -> bytes:
    """The body, counted while it arrives so that an endless one is never held in memory.

    Raises:
        LimitExceeded: 413; the connection is to be closed, the rest of the body is not read.
    """
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and len(declared) < 20:
        _check_size(int(declared), limits)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        _check_size(size, limits)
        chunks.append(chunk)
    return b"".join(chunks)


def parse_json(raw: bytes | str, limits: Limits, what: str) -> Any:
    """JSON within the depth limit, its text free of NUL, which no database stores.

    Raises:
        Refused: 400; not UTF-8, not JSON, too deep, or a number nobody can hold.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        # The decoder's sentence names the place and quotes nothing of the body.
        if "depth limit" in error.msg or "ecursion" in error.msg:
            raise LimitExceeded(
                "JSON_DEPTH", f"levels of JSON in the {what}", None, limits.json_depth
            ) from None
        problem = f"{error.msg} at character {error.pos}" if raw else "nothing"
        raise refused(f"wanted JSON in UTF-8 in the {what}, found: {problem}") from None
    _check_values(value, limits, what)
    return value


def params_of(value: Any) -> Params:
    """The four parameters of a request; others are ignored, as the specification says.

    Raises:
        Refused: 400; a batch, or a parameter of the wrong type.
    """
    if isinstance(value, list):
        raise refused(
            f"found a batch of {len(value)} requests, wanted one; send them one by one",
            "BATCHING_NOT_SUPPORTED",
        )
    if not isinstance(value, dict):
        raise refused(f"found {_kind(value)}, wanted a JSON object with a query")
    query, name = value.get("query"), value.get("operationName")
    variables, extensions = value.get("variables"), value.get("extensions")
    if not isinstance(query, str) or not query.strip():
        found = "an empty text" if isinstance(query, str) else _kind(query)
        raise refused(f"found {found} as query, wanted the text of a GraphQL document")
    if name is not None and not isinstance(name, str):
        raise refused(f"found {_kind(name)} as operationName, wanted text or null")
    if variables is not None and not isinstance(variables, dict):
        raise refused(f"found {_kind(variables)} as variables, wanted an object or null")
    if extensions is not None and not isinstance(extensions, dict):
        raise refused(f"found {_kind(extensions)} as extensions, wanted an object or null")
    return Params(query, name or None, variables or {})


def _query_string(request: Request, limits: Limits) -> dict[str, Any]:
    """Parameters of a GET.

    Only requests that a web page cannot make another site's visitor send are read: those with
    credentials in a header, a JSON content type, or the header made for it.
    """
    headers = request.headers
    json_type = headers.get("content-type", "").partition(";")[0].strip().lower() == PLAIN_JSON
    if not (json_type or "authorization" in headers or PREFLIGHT_HEADER in headers):
        raise refused(
            f"a GET needs an Authorization header, Content-Type: {PLAIN_JSON} or "
            f"{PREFLIGHT_HEADER}: 1, so that no other site can make a browser send it",
            "CSRF_PREVENTION",
        )
    raw: bytes = request.scope.get("query_string", b"")
    _check_size(len(raw), limits)
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20
        )
    except ValueError:
        raise refused(
            "found a query string that is not UTF-8, or of more than 20 parameters, wanted "
            "query, variables, operationName in UTF-8"
        ) from None
    values: dict[str, Any] = {}
    for name, text in pairs:
        if name in values:
            raise refused(f"found parameter {name[:40]!a} twice, wanted it once")
        if name in _NAMES:
            values[name] = text
    for name in ("variables", "extensions"):
        if values.get(name):
            values[name] = parse_json(values[name], limits, name)
        else:
            values.pop(name, None)
    return values


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.body_bytes:
        raise LimitExceeded(
            "BODY",
            "bytes of request",
            size,
            limits.body_bytes,
            status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            headers={"connection": "close"},
        )


def _check_values(value: Any, limits: Limits, what: str) -> None:
    """Walk a JSON value without recursion: depth, and NUL in its text."""
    level = [value]
    depth = 0
    while level:
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.keys()
                inner += item.values()
            elif isinstance(item, list):
                inner += item
            elif isinstance(item, str) and "\0" in item:
                raise refused(
                    f"found a NUL character in the {what}, wanted text without", "BAD_TEXT"
                )
        if inner:
            depth += 1
        if depth > limits.json_depth:
            raise LimitExceeded(
                "JSON_DEPTH", f"levels of JSON in the {what}", None, limits.json_depth
            )
        level = inner


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if value is None:
        return "null"
    kinds: dict[type, str] = {str: "text", list: "a list", dict: "an object"}
    return kinds.get(type(value), "a number")
