"""What one operation reads more than once is read once, and together where it can be."""

import asyncio
from collections.abc import Sequence
from functools import cached_property

from strawberry.dataloader import DataLoader

from loyalty.domain.books.as_of import History
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.errors import NotFound
from loyalty.services.catalogue import Product
from loyalty.services.members.summary import Member
from loyalty.services.recommendations.experiments import Comparison, Experiment
from loyalty.services.recommendations.window_facts import ShownProducts
from loyalty.services.services import Services

CURRENT = 0
"""The ruleset in force, among the keys of ``Loaders.rulesets``."""
GUEST = ""
"""Nobody that is a member, among the keys of ``Loaders.shown_products``; no member's name."""


class Loaders:
    """Loaders of one operation, by tenant. Missing things load as None."""

    def __init__(self, services: Services, tenant_id: int) -> None:
        self._services = services
        self._tenant_id = tenant_id

    @cached_property
    def members(self) -> DataLoader[str, Member | None]:
        """Members as shown, by external id."""
        return DataLoader(self._members)

    @cached_property
    def products(self) -> DataLoader[str, Product | None]:
        """Products by external id, whoever may see them."""
        return DataLoader(self._products)

    @cached_property
    def rulesets(self) -> DataLoader[int, Ruleset]:
        """Rulesets by version; ``CURRENT`` for the one in force."""
        return DataLoader(self._rulesets)

    @cached_property
    def shown_products(self) -> DataLoader[str, ShownProducts]:
        """What products mean to members, by external id; ``GUEST`` for nobody."""
        return DataLoader(self._shown_products)

    @cached_property
    def histories(self) -> DataLoader[int, History]:
        """All that happened to members, by their row ids."""
        return DataLoader(self._histories)

    @cached_property
    def comparisons(self) -> DataLoader[Experiment, Comparison]:
        """What experiments show."""
        return DataLoader(self._comparisons)

    @cached_property
    def session_views(self) -> DataLoader[str, list[str]]:
        """External ids of what sessions looked at, the latest first."""
        return DataLoader(self._session_views)

    async def ruleset(self) -> Ruleset:
        """The ruleset in force."""
        return await self.rulesets.load(CURRENT)

    async def _members(self, names: list[str]) -> list[Member | BaseException | None]:
        return await asyncio.gather(*map(self._member, names), return_exceptions=True)

    async def _member(self, name: str) -> Member | None:
        try:
            rules = await self.ruleset()
            member = await self._services.summaries.shown(self._tenant_id, name, rules)
        except NotFound:
            return None
        # Nothing is left of an erased member but its place in the ledger.
        return None if member.state == "ERASED" else member

    async def _shown_products(self, names: list[str]) -> list[ShownProducts | BaseException]:
        return await asyncio.gather(*map(self._shown_to, names), return_exceptions=True)

    async def _shown_to(self, name: str) -> ShownProducts:
        rules = await self.ruleset()
        member = None if name == GUEST else await self.members.load(name)
        return await self._services.window_facts.shown_to(self._tenant_id, rules, member)

    async def _comparisons(self, found: list[Experiment]) -> list[Comparison]:
        return await self._services.feedback.experiments.comparisons(self._tenant_id, found)

    async def _session_views(self, sessions: list[str]) -> list[list[str] | BaseException]:
        latest = self._services.product_views.latest
        found = (latest(self._tenant_id, session) for session in sessions)
        return await asyncio.gather(*found, return_exceptions=True)

    async def _histories(self, ids: list[int]) -> list[History | BaseException]:
        read = self._services.pasts.history
        found = (read(self._tenant_id, id) for id in ids)
        return await asyncio.gather(*found, return_exceptions=True)

    async def _products(self, names: list[str]) -> Sequence[Product | None]:
        found = await self._services.catalogue.many(self._tenant_id, names)
        return [found.get(name) for name in names]

    async def _rulesets(self, versions: list[int]) -> list[Ruleset | BaseException]:
        return await asyncio.gather(*map(self._ruleset, versions), return_exceptions=True)

    async def _ruleset(self, version: int) -> Ruleset:
        rulesets = self._services.rulesets
        if version == CURRENT:
            return await rulesets.current(self._tenant_id)
        return await rulesets.version(self._tenant_id, version)
