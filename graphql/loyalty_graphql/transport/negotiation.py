"""Media types: what a client accepts and what it sent."""

import re
from http import HTTPStatus

from loyalty_graphql.errors import refused

RESPONSE_JSON = "application/graphql-response+json"
"""The media type of GraphQL over HTTP: its status codes mean what HTTP says."""
PLAIN_JSON = "application/json"
"""The older answer: a readable request always gets 200."""

_QUALITY = re.compile(r"([01])(?:\.([0-9]{0,3}))?", re.ASCII)


def answer_type(accept: str | None) -> str:
    """The media type to answer in; without a preference the older one, as clients of old expect.

    Raises:
        Refused: 406, nothing of what the client accepts is spoken here.
    """
    if not accept:
        return PLAIN_JSON
    best: tuple[int, int, str] | None = None
    for part in accept.split(","):
        name, quality = _range(part)
        offered = {"*/*": PLAIN_JSON, "application/*": PLAIN_JSON}.get(name, name)
        if offered not in (RESPONSE_JSON, PLAIN_JSON) or quality <= 0:
            continue
        # A type that is named wins over a wildcard of the same quality, then the earlier one.
        rank = (quality, 0 if "*" in name else 1, offered)
        if best is None or rank[:2] > best[:2]:
            best = rank
    if best is None:
        raise refused(
            f"found Accept: {accept[:80]}, wanted {RESPONSE_JSON} or {PLAIN_JSON}",
            "NOT_ACCEPTABLE",
            status=HTTPStatus.NOT_ACCEPTABLE,
        )
    return best[2]


def check_content(content_type: str | None, content_encoding: str | None) -> None:
    """Refuse bodies that are not plain JSON in UTF-8.

    Raises:
        Refused: 415.
    """
    name, _, parameters = (content_type or "").partition(";")
    if name.strip().lower() != PLAIN_JSON:
        found = f"Content-Type: {content_type[:80]}" if content_type else "no Content-Type"
        raise _unsupported(f"found {found}, wanted {PLAIN_JSON}")
    for parameter in parameters.split(";"):
        key, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if key.strip().lower() == "charset" and charset not in ("utf-8", "utf8", "us-ascii"):
            raise _unsupported(f"found charset {charset[:40]!r}, wanted utf-8")
    if content_encoding and content_encoding.strip().lower() != "identity":
        raise _unsupported(
            f"found Content-Encoding: {content_encoding[:40]}, wanted an uncompressed body"
        )


def _range(part: str) -> tuple[str, int]:
    """Name and quality, in thousandths, of one media range of an Accept header."""
    name, *parameters = part.split(";")
    quality = 1000
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            match = _QUALITY.fullmatch(value.strip())
            quality = int(match[1] + (match[2] or "").ljust(3, "0")) if match else 0
    return name.strip().lower(), quality


def _unsupported(message: str) -> Exception:
    return refused(
        message,
        "UNSUPPORTED_MEDIA_TYPE",
        status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        headers={"accept": PLAIN_JSON, "accept-encoding": "identity"},
    )
