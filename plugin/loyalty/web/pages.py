"""The demo storefront's static files, served as they lie in ``storefront/``."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

FOLDER = Path(__file__).with_name("storefront")

MEDIA_TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

# Everything from this host and nothing inline; a script can turn no text into markup.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)

HEADERS: Mapping[str, str] = {
    # Asked for again each time, answered 304 by its tag: an update is seen at once.
    "cache-control": "no-cache",
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    media_type: str
    tag: str


def storefront_routes(path: str = "/shop", folder: Path = FOLDER) -> list[Route]:
    """Routes that serve the page at ``path`` + "/" and its files below it.

    The files are read once, here: what is not among them does not exist, whatever the address.
    The page finds the demo's own addresses at ``../demo/``, seen from itself.
    """
    files = _read(folder)

    async def to_folder(request: Request) -> Response:
        # Relative, so that it also holds where a host mounts the application below a prefix.
        return RedirectResponse(f"{path.rpartition('/')[2]}/", status_code=308)

    async def file(request: Request) -> Response:
        found = files.get(request.path_params["file"] or "index.html")
        if found is None:
            return PlainTextResponse("no such file\n", 404, {"x-content-type-options": "nosniff"})
        headers = {**HEADERS, "etag": found.tag}
        if _has_tag(request, found.tag):
            return Response(status_code=304, headers=headers)
        return Response(found.body, headers={**headers, "content-type": found.media_type})

    return [
        Route(path, to_folder, methods=["GET"], name="storefront-folder"),
        Route(f"{path}/{{file:path}}", file, methods=["GET"], name="storefront"),
    ]


def _read(folder: Path) -> dict[str, _File]:
    files = {}
    for source in sorted(folder.rglob("*")):
        media_type = MEDIA_TYPES.get(source.suffix)
        if source.is_file() and media_type is not None:
            body = source.read_bytes()
            tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            files[source.relative_to(folder).as_posix()] = _File(body, media_type, tag)
    return files


def _has_tag(request: Request, tag: str) -> bool:
    """Whether ``If-None-Match`` names the tag, weakly compared (RFC 9110, section 13.1.2)."""
    wanted = request.headers.get("if-none-match", "")
    names = {name.strip().removeprefix("W/") for name in wanted.split(",")}
    return tag in names or "*" in names
