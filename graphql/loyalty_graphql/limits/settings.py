"""The limits, their defaults and where the defaults come from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Largest request that is answered. Every refusal states what was found and allowed."""

    body_bytes: int = 65_536
    """Bytes of a request body or query string, counted while they arrive."""
    json_depth: int = 32
    """Lists and objects within one another in a request's JSON."""
    text_chars: int = 16_384
    """Characters of a document."""
    tokens: int = 2_000
    """Tokens of a document; GraphiQL's introspection query has about 300."""
    definitions: int = 40
    """Operations and fragments of a document."""
    depth: int = 12
    """Fields within one another; introspection's own fields are not counted."""
    nesting: int = 150
    """Selections within one another, inline fragments and spreads included."""
    aliases: int = 40
    """Aliased fields of an operation, fragments counted wherever they are spread."""
    root_fields: int = 20
    """Fields at the top of an operation."""
    directives: int = 60
    """Directives of an operation."""
    nodes: int = 2_000
    """Selections of an operation, fragments counted wherever they are spread."""
    overlap: int = 10_000
    """Pairs of fields that validation has to compare: its time is quadratic in fields of one name.
    This many take validation about 50 ms."""
    cost: int = 5_000
    """Values that the answer may hold: each field once per item of the lists around it."""
    page_default: int = 20
    """Items assumed of a paged field that names neither ``first`` nor ``last``."""
    list_default: int = 10
    """Items assumed of any other list of objects."""
    subscriptions: int = 10
    """Operations running at once on one socket."""
    message_bytes: int = 65_536
    """Bytes of one message on a socket."""
    init_timeout_s: int = 10
    """Seconds within which a new socket must present its credentials."""
    validation_errors: int = 20
    """Errors after which validation stops."""
