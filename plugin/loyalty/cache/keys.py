"""Every key and channel, with its lifetime, in one table.

A key reads ``l1:<family>:<hash tag><rest>``. ``l1`` is the layout of the cached bytes: raise it
when they change, so that two releases running side by side never read each other's. The hash tag
in braces keeps what is read together on one shard of a cluster. Only internal ids go into a key,
never an external id, a code or a name, so no key holds personal data.
"""

import re
from dataclasses import dataclass
from typing import Final

LAYOUT: Final = "l1"

# A reader takes a value from the database and stores it a moment later; a tombstone has to outlive
# that moment. No request lives longer than 30 s.
TOMBSTONE_TTL_S: Final = 60

_PART = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of key.

    Attributes:
        ttl_s: lifetime in seconds; None for a channel, which stores nothing.
        is_versioned: written with ``put_versioned`` and ``invalidate`` only.
        is_layered: changes so seldom that each process may keep a copy of its own; never together
            with ``is_versioned``, as versions are compared where all processes see them.
    """

    name: str
    pattern: str
    ttl_s: int | None
    is_versioned: bool
    is_layered: bool
    holds: str
    written_by: str


SUMMARY: Final = Family(
    name="summary",
    pattern="l1:summary:{t<tenant>:m<member>}",
    # Every booking leaves a tombstone, so the lifetime only limits how long a process that could
    # not reach Redis when it booked can leave an old value to the others.
    ttl_s=60,
    is_versioned=True,
    is_layered=False,
    holds="profile, tier status, lots with their boundaries, holds with their ends; never an "
    "available balance, which the reader computes from these and the clock",
    written_by="services.summary on a miss; every unit of work that raises the member's version "
    "invalidates it after commit",
)
CATALOGUE: Final = Family(
    name="catalogue",
    pattern="l1:catalogue:{t<tenant>}:<revision>:<listing>",
    # The revision makes a listing immutable; the lifetime only clears away old revisions.
    ttl_s=300,
    is_versioned=False,
    is_layered=True,
    holds="product ids of one listing, at one revision of the tenant's catalogue",
    written_by="services.catalogue and services.matching_products on a miss",
)
RULESET: Final = Family(
    name="ruleset",
    pattern="l1:ruleset:{t<tenant>}:<version>",
    # Immutable. Which version is current comes from the database, never from here.
    ttl_s=86_400,
    is_versioned=False,
    # A process asks once per version and keeps the rules it read: a copy would serve nobody.
    is_layered=False,
    holds="the text of one published version, believed only if the hash in the database is its own",
    written_by="services.rulesets on a miss",
)
RECOMMENDATIONS: Final = Family(
    name="recommendations",
    pattern="l1:recommendations:{t<tenant>:m<member>}:<window>:<model> | "
    "l1:recommendations:{t<tenant>}:popular:<window>:<model>",
    # Long enough to serve one visit, short enough that a purchase shows in the next.
    ttl_s=300,
    is_versioned=False,
    is_layered=False,
    holds="product ids, best first, of a member with the version and tier they were ranked for, or "
    "of what sells most; stock, price and visibility are asked of the database",
    written_by="services.recommendations on a miss",
)
MISSES: Final = Family(
    name="misses",
    pattern="l1:misses:{t<tenant>}:<caller>",
    # The window in which they are counted.
    ttl_s=600,
    is_versioned=False,
    # Counted where all processes see it.
    is_layered=False,
    holds="keyed digests of codes that a caller tried and that do not exist, each with the second "
    "at which it was first tried; the caller is a keyed digest too",
    written_by="services.code_guard, with each code that nobody has",
)
VIEWS: Final = Family(
    name="views",
    pattern="l1:views:{t<tenant>}:<session> | l1:views:{t<tenant>}:begun",
    # A visit and a break; what was looked at earlier is no sign of what is wanted now.
    ttl_s=3_600,
    is_versioned=False,
    # Written where all processes see it.
    is_layered=False,
    holds="ids of the last products that a session looked at, each with its moment; the session is "
    "a keyed digest of the name that the shop gave it, and nothing says whose it is. And how many "
    "sessions were begun of late",
    written_by="services.product_views, with each report of what was looked at",
)
CHANGES: Final = Family(
    name="changes",
    pattern="l1:changes:{t<tenant>:m<member>}",
    ttl_s=None,
    is_versioned=False,
    is_layered=False,
    holds="channel: the member's new version and what moved; a subscriber reads the rest itself",
    written_by="every unit of work that raises the member's version, after commit",
)

TABLE: Final[tuple[Family, ...]] = (
    SUMMARY,
    CATALOGUE,
    RULESET,
    RECOMMENDATIONS,
    MISSES,
    VIEWS,
    CHANGES,
)
NAMES: Final = frozenset(family.name for family in TABLE)
LAYERED: Final = frozenset(family.name for family in TABLE if family.is_layered)


def summary(tenant_id: int, member_id: int) -> str:
    return f"l1:summary:{{t{tenant_id:d}:m{member_id:d}}}"


def catalogue(tenant_id: int, revision: int, listing: str) -> str:
    """Key of one listing.

    Args:
        revision: counts changes of the tenant's catalogue.
        listing: digest of filter, order and page.
    """
    return f"l1:catalogue:{{t{tenant_id:d}}}:{revision:d}:{_part(listing)}"


def ruleset(tenant_id: int, version: int) -> str:
    return f"l1:ruleset:{{t{tenant_id:d}}}:{version:d}"


def recommendations(tenant_id: int, member_id: int, window: str, model_id: str) -> str:
    tag = f"{{t{tenant_id:d}:m{member_id:d}}}"
    return f"l1:recommendations:{tag}:{_part(window)}:{_part(model_id)}"


def recommendations_popular(tenant_id: int, window: str, model_id: str) -> str:
    tag = f"{{t{tenant_id:d}}}"
    return f"l1:recommendations:{tag}:popular:{_part(window)}:{_part(model_id)}"


def misses(tenant_id: int, caller: str) -> str:
    """Key of the codes that a caller guessed.

    Args:
        caller: digest that names the caller.
    """
    return f"l1:misses:{{t{tenant_id:d}}}:{_part(caller)}"


def views(tenant_id: int, session: str) -> str:
    """Key of what a session looked at.

    Args:
        session: digest that names the session.
    """
    return f"l1:views:{{t{tenant_id:d}}}:{_part(session)}"


def views_begun(tenant_id: int) -> str:
    """Key under which begun sessions are counted; no digest is as short."""
    return f"l1:views:{{t{tenant_id:d}}}:begun"


def changes(tenant_id: int, member_id: int) -> str:
    """Channel on which a member's changes are told."""
    return f"l1:changes:{{t{tenant_id:d}:m{member_id:d}}}"


def family(key: str) -> str:
    """Name of the key's family; ``other`` for a key that is not in the table."""
    pieces = key.split(":", 2)
    name = pieces[1] if len(pieces) == 3 else ""
    return name if name in NAMES else "other"


def prefix(family_name: str) -> str:
    """What every key of a family begins with."""
    return f"{LAYOUT}:{family_name}:"


def _part(text: str) -> str:
    if _PART.fullmatch(text) is None:
        raise ValueError(
            f"{text!r} cannot be part of a cache key: 1 to 128 of A-Z a-z 0-9 . _ - expected"
        )
    return text
