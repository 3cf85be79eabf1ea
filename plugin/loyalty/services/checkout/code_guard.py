"""Against guessing codes of coupons and gift cards.

A quote says of each code whether it exists, so somebody could try codes until one does. Each code
that nobody has counts against its caller, once; beyond the limit the caller gets no quote with
codes for a while. Counted in the shared cache, and in this process too for when that is away.
"""

from collections.abc import Collection
from typing import Final

import structlog

from loyalty.cache import keys
from loyalty.cache.protocol import Cache
from loyalty.cache.sightings import Sightings
from loyalty.clock import Clock
from loyalty.domain.books.ledger import micros
from loyalty.errors import TooManyAttempts
from loyalty.secrets import SecretKey
from loyalty.services.access import Viewer, ViewerKind

MISSES_MAX: Final = 10
"""Codes that exist for nobody which one caller may try within the window."""
WINDOW_S: Final = keys.MISSES.ttl_s or 0
"""How long a miss counts, in seconds."""

log = structlog.get_logger(__name__)


class CodeGuard:
    """Counts misses per caller: a shopper's member, or a service's client and whom it asks for.

    Requests that are under way together are all checked before the first of them is counted, so
    at most one answer each is given beyond the limit.
    """

    def __init__(self, cache: Cache, clock: Clock, key: SecretKey) -> None:
        self._cache = cache
        self._clock = clock
        self._key = key
        self._here = Sightings()

    async def check(self, viewer: Viewer, subject: str) -> None:
        """Before codes are looked up.

        Args:
            subject: whom a service asks for: the member's external id, or the cart's id without
                a member. What a shopper says does not matter.

        Raises:
            TooManyAttempts: the caller has tried too many already.
        """
        seen = await self._note(viewer, subject, ())
        if len(seen) >= MISSES_MAX:
            raise self._too_many(viewer, seen)

    async def missed(self, viewer: Viewer, subject: str, codes: Collection[str]) -> None:
        """After codes were looked up and these were found to be nobody's, normalised.

        The same code again does not count again: a storefront quotes anew with each change of a
        cart.

        Raises:
            TooManyAttempts: these were more than the caller had left; answer nothing of them.
        """
        if not codes:
            return
        tried = [self._key.derive_text("code guard", "code", code) for code in codes]
        seen = await self._note(viewer, subject, tried)
        if len(seen) > MISSES_MAX:
            raise self._too_many(viewer, seen)

    async def _note(self, viewer: Viewer, subject: str, tried: Collection[str]) -> list[int]:
        if viewer.kind is ViewerKind.SHOPPER:
            who = ["shopper", viewer.member_external_id or ""]
        else:
            who = ["client", viewer.client, subject]
        caller = self._key.derive_text("code guard", *who)
        key = keys.misses(viewer.tenant_id, caller)
        at_s = micros(self._clock.now()) // 1_000_000
        # Here as well each time: should the shared cache go away, what was tried is still known.
        here = self._here.note(key, tried, at_s, WINDOW_S)
        shared = await self._cache.note(key, list(tried), at_s, WINDOW_S)
        return here if shared is None or len(shared) < len(here) else shared

    def _too_many(self, viewer: Viewer, seen: list[int]) -> TooManyAttempts:
        log.warning("codes_guessed", tenant_id=viewer.tenant_id, caller=viewer.kind.lower())
        now_s = micros(self._clock.now()) // 1_000_000
        # The caller is let in again once fewer than the limit are left of the window.
        return TooManyAttempts(max(seen[len(seen) - MISSES_MAX] + WINDOW_S - now_s, 1))
