"""Questions from a file, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from loyalty_recommender.errors import BadRequest
from loyalty_recommender.windows import OF_PRODUCT, Window

Id: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the file."""

    member: Id | None
    """As it was written; None is a guest."""
    at_s: int
    """When it is asked, in epoch seconds."""
    cart: list[str]
    product: str | None
    """The product of the page, for SIMILAR and BOUGHT_TOGETHER."""
    viewed: list[str]
    """Products looked at of late, the latest first."""


def read_time(text: str) -> int:
    """Epoch seconds of an ISO 8601 date or time; without a zone it is UTC.

    Raises:
        ValueError: it is not such a text.
    """
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def read_requests(path: Path, window: Window, trained_before_s: int) -> list[Request]:
    """Read and check every line before anything is answered.

    Empty lines and keys that are not known are passed over.

    Args:
        trained_before_s: the model knows everything before this; no question may be earlier.

    Raises:
        BadRequest: with file, line, what was found and what was wanted.
        OSError: the file cannot be read.
    """
    requests = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                requests.append(_request(line, window, trained_before_s))
            except ValueError as error:
                raise BadRequest(f"{path}, line {number}: {error}") from error
    if not requests:
        raise BadRequest(f"{path} holds no requests")
    return requests


def _request(line: bytes, window: Window, trained_before_s: int) -> Request:
    try:
        content = json.loads(line)
    except UnicodeDecodeError as error:
        raise ValueError(f"wanted UTF-8, found {error}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"wanted a JSON object, found {_shown(line)}: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"wanted a JSON object, found {_shown(line)}")
    member = _field(content, "member", _is_id, 'an id or null, such as "m-1"', needed=True)
    at = _field(content, "at", _is_text, "an ISO 8601 time", needed=False)
    cart = _field(content, "cart", _is_list, "a list of product ids", needed=False)
    viewed = _field(content, "viewed", _is_list, "a list of product ids", needed=False)
    product = _field(
        content, "product", _is_id, f"a product id for {window}", needed=window in OF_PRODUCT
    )
    if product is None and window in OF_PRODUCT:
        raise ValueError(f"product: wanted a product id for {window}, found null")
    try:
        at_s = trained_before_s if at is None else read_time(at)
    except ValueError:
        raise ValueError(f"at: wanted an ISO 8601 time, found {at!r}") from None
    if at_s < trained_before_s:
        raise ValueError(
            f"at: wanted {datetime.fromtimestamp(trained_before_s, UTC).isoformat()} or later, "
            f"because the model learns from everything before, found {at!r}"
        )
    return Request(
        member=member,
        at_s=at_s,
        cart=[str(each) for each in cart or ()],
        product=None if product is None else str(product),
        viewed=[str(each) for each in viewed or ()],
    )


def _field(
    content: dict[str, Any], name: str, fits: Callable[[Any], bool], wanted: str, *, needed: bool
) -> Any:
    if name not in content:
        if needed:
            raise ValueError(f"{name}: wanted {wanted}, found no {name}")
        return None
    value = content[name]
    if value is not None and not fits(value):
        raise ValueError(f"{name}: wanted {wanted}, found {_shown(value)}")
    return value


def _is_id(value: Any) -> bool:
    return (isinstance(value, str) and value != "") or type(value) is int


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(_is_id(each) for each in value)


def _shown(value: Any) -> str:
    """The beginning of what was found: a line may be long."""
    text = value.decode(errors="replace").strip() if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
