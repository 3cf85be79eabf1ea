"""Which web pages of other sites may call the API: an allow-list, for HTTP and for sockets."""

import re
from collections.abc import Iterable

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from loyalty_graphql.transport.request import PREFLIGHT_HEADER

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?", re.ASCII)
_PREFLIGHT_MAX_AGE_S = 600


class Origins:
    """Origins of web pages, such as ``https://shop.example``, that may call the API.

    Callers prove who they are by a token in a header, never by a cookie, so this list protects
    against pages that misuse a token they hold, and the socket, which CORS does not cover.

    Raises:
        ValueError: an entry that is not an origin; wildcards are not taken.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self.allowed = frozenset(allowed)
        for origin in self.allowed:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"found allowed origin {origin!r}, wanted scheme and host in lower case "
                    'without a path, such as "https://shop.example"'
                )

    def allows(self, origin: str | None, host: str | None) -> bool:
        """Whether a socket may be opened: no browser, our own pages, or a listed origin."""
        if origin is None or origin in self.allowed:
            return True
        return host is not None and origin in (f"http://{host}", f"https://{host}")


def with_cors(app: ASGIApp, origins: Origins) -> ASGIApp:
    """``app``, answering preflights and letting pages of ``origins`` read its answers."""
    return CORSMiddleware(
        app,
        allow_origins=sorted(origins.allowed),
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", PREFLIGHT_HEADER, "x-request-id"],
        expose_headers=["x-request-id", "retry-after"],
        allow_credentials=False,
        max_age=_PREFLIGHT_MAX_AGE_S,
    )
