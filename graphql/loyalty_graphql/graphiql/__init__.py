"""GraphiQL served from our own files: it works offline, and no other host learns of a query."""

import hashlib
import html
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from importlib.resources import files

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_HERE = files(__name__)
_TYPES = {".js": "text/javascript", ".css": "text/css"}
_VENDORED = (
    "graphiql.min.js",
    "graphiql.min.css",
    "graphiql-plugin-explorer.umd.js",
    "graphiql-plugin-explorer.css",
    "react.production.min.js",
    "react-dom.production.min.js",
)
_FILES = {
    **{f"/vendor/{name}": ("vendor", name) for name in _VENDORED},
    "/page.js": ("page.js",),
    "/page.css": ("page.css",),
}
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tab:
    """A ready tab: ``variables`` and ``headers`` are JSON texts, as their editors show them."""

    title: str
    query: str
    variables: str = ""
    headers: str = ""


TabSource = Callable[[], Awaitable[Sequence[Tab]]]
"""Asked at each opening of the page, so that the tokens in the tabs are fresh."""


async def no_tabs() -> Sequence[Tab]:
    """One empty tab."""
    return ()


class GraphiQL:
    """ASGI application that serves the page and its files; mount it, where it is enabled at all.

    Args:
        endpoint: address of the GraphQL endpoint, as the page's browser sees it, such as
            ``/graphql``; subscriptions use the same.
        tabs: the ready tabs.
        title: of the page.
    """

    def __init__(
        self, endpoint: str, tabs: TabSource = no_tabs, *, title: str = "Loyalty GraphiQL"
    ) -> None:
        self._endpoint = endpoint
        self._tabs = tabs
        self._title = title
        self._page = (_HERE / "index.html").read_text(encoding="utf-8")
        self._cache: dict[str, tuple[bytes, str]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        request = Request(scope, receive)
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response(
                "GraphiQL is only read: GET",
                HTTPStatus.METHOD_NOT_ALLOWED,
                {"allow": "GET, HEAD"},
                "text/plain",
            )
        base = request.scope.get("root_path", "").rstrip("/")
        path = request.scope["path"].removeprefix(base)
        if path in ("", "/"):
            return await self._index(base, request.headers.get("host", ""))
        if path in _FILES:
            return self._file(path, request.headers.get("if-none-match"))
        return Response("no such file", HTTPStatus.NOT_FOUND, media_type="text/plain")

    async def _index(self, base: str, host: str) -> Response:
        tabs = [asdict(tab) for tab in await self._tabs()]
        version = hashlib.sha256(orjson.dumps(tabs)).hexdigest()[:16]
        config = orjson.dumps({"endpoint": self._endpoint, "tabs": tabs, "version": version})
        # Inside a script element only "<" can end it or begin a comment.
        text = config.decode().replace("<", "\\u003c")
        values = {"title": html.escape(self._title), "base": html.escape(base), "config": text}
        page = re.sub(r"\{(title|base|config)\}", lambda match: values[match[1]], self._page)
        return Response(
            page,
            headers={"content-security-policy": _policy(host), **_HEADERS},
            media_type="text/html",
        )

    def _file(self, path: str, known: str | None) -> Response:
        if path not in self._cache:
            content = _HERE.joinpath(*_FILES[path]).read_bytes()
            self._cache[path] = (content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
        content, tag = self._cache[path]
        headers = {"etag": tag, "cache-control": "no-cache", "x-content-type-options": "nosniff"}
        if known == tag:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(content, headers=headers, media_type=_TYPES[path[path.rindex(".") :]])


_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def _policy(host: str) -> str:
    """Nothing from anywhere else; sockets are named, for browsers whose 'self' leaves them out."""
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        f"font-src 'self' data:; img-src 'self' data:; connect-src 'self'{sockets}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
