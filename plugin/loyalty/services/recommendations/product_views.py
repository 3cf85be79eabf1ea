"""What a session looked at, for as long as the cache remembers it, and nowhere else.

A session goes by a name that the shop gives it, and nothing here says whose it is. A storefront
that keeps what was looked at itself hands it in with its question instead (decision 52).
"""

from collections.abc import Sequence
from typing import Final

from loyalty.cache import Cache, keys
from loyalty.cache.recents import Bounds
from loyalty.clock import Clock
from loyalty.domain.books.ledger import micros
from loyalty.errors import BadInput
from loyalty.secrets import SecretKey
from loyalty.services.catalogue import Catalogue

VIEWED_MAX: Final = 20
"""Products of one report, of one session and of one question at most."""
SESSION_MIN: Final = 16
"""Characters of a session's name at least: whoever guessed one would learn what was looked at."""
BOUNDS: Final = Bounds(
    window_s=keys.VIEWS.ttl_s or 0,
    items_max=VIEWED_MAX,
    # Anybody may report, under as many names as it likes: so many sessions fill 40 MB with ids of
    # ten characters, and the next ones find no room until ten minutes have passed.
    begun_max=10_000,
    slice_s=600,
)


class ProductViews:
    """Remembers and tells."""

    def __init__(self, cache: Cache, catalogue: Catalogue, clock: Clock, key: SecretKey) -> None:
        self._cache = cache
        self._catalogue = catalogue
        self._clock = clock
        self._key = key

    async def add(
        self,
        tenant_id: int,
        session: str,
        products: Sequence[str],
        *,
        tier: str | None = None,
        everything: bool = False,
    ) -> int:
        """Remember that a session looked at products.

        Args:
            session: 16 to 128 characters.
            products: external ids, 1 to 20, the latest first.
            tier: of the viewer, None for a guest: what does not exist for it is left out.
            everything: for the shop itself, whatever the tier.

        Returns:
            How many products are remembered of the report; 0 where the cache is away, or too many
            sessions were begun.

        Raises:
            BadInput: a session or products out of range.
        """
        if len(session) < SESSION_MIN:
            raise BadInput(
                f"found a session of {len(session)} characters, wanted at least {SESSION_MIN}: "
                "a random one, which nobody guesses",
                field=("session",),
            )
        if not 1 <= len(products) <= VIEWED_MAX:
            raise BadInput(
                f"found {len(products)} products, wanted 1 to {VIEWED_MAX}", field=("products",)
            )
        there = await self._catalogue.many(tenant_id, products)
        seen = [
            name
            for name in dict.fromkeys(products)
            if name in there and (everything or there[name].visible_to(tier))
        ]
        if not seen:
            return 0
        return len(set(await self._recent(tenant_id, session, seen)) & set(seen))

    async def latest(self, tenant_id: int, session: str) -> list[str]:
        """What a session looked at within the last hour, external ids, the latest first."""
        # Nothing was reported under a name that is too short.
        return [] if len(session) < SESSION_MIN else await self._recent(tenant_id, session, [])

    async def _recent(self, tenant_id: int, session: str, seen: Sequence[str]) -> list[str]:
        digest = self._key.derive_text("product views", str(tenant_id), session)
        key, begun = keys.views(tenant_id, digest), keys.views_begun(tenant_id)
        at_us = micros(self._clock.now())
        return await self._cache.recent(key, begun, seen, at_us, BOUNDS) or []


def checked(viewed: Sequence[str]) -> tuple[str, ...]:
    """What a caller says was looked at, each once.

    Raises:
        BadInput: too many.
    """
    if len(viewed) > VIEWED_MAX:
        raise BadInput(
            f"found {len(viewed)} products, wanted at most {VIEWED_MAX}: the latest",
            field=("viewed",),
        )
    return tuple(dict.fromkeys(viewed))
