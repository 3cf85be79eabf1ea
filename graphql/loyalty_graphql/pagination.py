"""Relay connections, forwards only: ``first`` and ``after``.

A query field declares ``first`` and ``after``, turns them into a ``Page`` with ``page(...)``, asks
its service for ``page.limit`` rows after ``page.after``, and answers ``page.connection(...)``. The
service is asked for one row more than is shown: its presence is ``hasNextPage``.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson
import strawberry

from loyalty.errors import BadInput

PAGE_DEFAULT = 20
PAGE_MAX = 100
"""Most nodes in one page."""

_CURSOR_MAX = 512

T = TypeVar("T")
Row = TypeVar("Row")
CursorKey = tuple[int | str, ...]
"""What a list is sorted by, ending in something unique."""


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="More nodes follow.")
    has_previous_page: bool = strawberry.field(description="The page does not begin the list.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first node here.")
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last node here; hand it in as `after` for the next page."
    )


@strawberry.type(description="A node and its place in the list.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="The node's place, to be handed in as `after`.")
    node: T = strawberry.field(description="The node.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    nodes: list[T] = strawberry.field(description="The page's nodes, in order.")
    edges: list[Edge[T]] = strawberry.field(description="The same nodes with their cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page stands in the list.")


def encode_cursor(kind: str, key: CursorKey) -> str:
    """An opaque cursor: ``kind`` names the list's order, ``key`` the place in it."""
    return urlsafe_b64encode(orjson.dumps([kind, *key])).rstrip(b"=").decode()


def decode_cursor(text: str, kind: str, shape: Sequence[type[int] | type[str]]) -> CursorKey:
    """The key within a cursor, whose parts have exactly the types of ``shape``.

    Raises:
        BadInput: not a cursor of this list.
    """
    key = _decoded(text)
    if key is None or key[0] != kind or [type(part) for part in key[1:]] != list(shape):
        raise BadInput(
            f"found cursor {text[:40]!r}, wanted one that this list answered before",
            field=("after",),
        )
    return tuple(key[1:])


@dataclass(frozen=True, slots=True)
class Page:
    """What a caller asked of a list.

    ``first`` nodes after the key ``after`` (None: from the start) of the order ``kind``.
    """

    kind: str
    first: int
    after: CursorKey | None

    @property
    def limit(self) -> int:
        """How many rows to ask the service for: one more than is shown."""
        return self.first + 1

    def connection(
        self, rows: Sequence[Row], node: Callable[[Row], T], key: Callable[[Row], CursorKey]
    ) -> "Connection[T]":
        """The page of at most ``first`` nodes; ``rows`` hold up to ``limit``."""
        shown = rows[: self.first]
        edges = [Edge(cursor=encode_cursor(self.kind, key(row)), node=node(row)) for row in shown]
        return Connection(
            nodes=[edge.node for edge in edges],
            edges=edges,
            page_info=PageInfo(
                has_next_page=len(rows) > self.first,
                has_previous_page=self.after is not None,
                start_cursor=edges[0].cursor if edges else None,
                end_cursor=edges[-1].cursor if edges else None,
            ),
        )


def page(
    kind: str, first: int | None, after: str | None, shape: Sequence[type[int] | type[str]]
) -> Page:
    """Read a connection's arguments.

    Raises:
        BadInput: ``first`` outside 1 to 100, or a cursor of another list.
    """
    wanted = PAGE_DEFAULT if first is None else first
    if not 1 <= wanted <= PAGE_MAX:
        raise BadInput(f"found first: {wanted}, wanted 1 to {PAGE_MAX}", field=("first",))
    return Page(kind, wanted, None if after is None else decode_cursor(after, kind, shape))


def _decoded(text: str) -> list[int | str] | None:
    if len(text) > _CURSOR_MAX:
        return None
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        value = orjson.loads(raw)
    except (UnicodeError, binascii.Error, orjson.JSONDecodeError):
        return None
    return value if isinstance(value, list) and value else None
