"""Two shops on one database, driven at random through their services, against a model.

They use the same names, order ids, codes and idempotency keys. After every step both must show
what the model says, also the one that nothing was asked of (laws 2, 3, 4, 6, 8, 12, 16). What is
refused must be refused by both with one code, and move nothing. At the end the ledger must verify.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from driven_shop import SPANS, Driven
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from machine_base import PICKS
from machine_checkout import CheckoutRules
from machine_late import LateRules
from machine_members import MemberRules
from machine_orders import OrderRules
from machine_refunds import RefundRules
from machine_shared import SharedRules
from pydantic import SecretStr
from shop_model import Shop

from loyalty.cache import Cache
from loyalty.cache.null import NullCache
from loyalty.domain.registry import built_in
from loyalty.secrets import SecretKey
from loyalty.services.services import wire
from loyalty.settings import Settings
from loyalty.storage.database import open_database

SECRET = "a secret key of more than 32 characters"


def machine_for(
    make_url: Callable[[], str], folder: Path, make_cache: Callable[[], Cache] = NullCache
) -> type[RuleBasedStateMachine]:
    class Machine(LateRules, MemberRules, OrderRules, SharedRules, CheckoutRules, RefundRules):
        def __init__(self) -> None:
            super().__init__()
            self.cache = make_cache()

        @initialize()
        def open(self) -> None:
            self.run(self._open())

        async def _open(self) -> None:
            url = make_url()
            self.database = await open_database(url, self.clock)
            services = wire(
                Settings(
                    secret_key=SecretStr(SECRET), environment="development", database_url=url,
                    data_dir=folder,
                ),
                clock=self.clock, database=self.database, cache=self.cache,
                registry=built_in(), secret=SecretKey(SECRET),
            )  # fmt: skip
            for code in ("one", "two"):
                tenant = await services.tenants.create(code, code)
                shop = Driven(tenant.id, services, self.clock, Shop({}))
                await shop.publish(0)
                for name in ("ann", "bob"):
                    await self._enrol(shop, name)
                    await self._adjust(shop, name, "credit:EUR", 2_000)
                await self._paid(shop, "o-1", "ann", [9_000], 20)
                await self._paid(shop, "o-2", "guest", [4_000], 3)
                self.shops.append(shop)
                await self._issue(shop, "TEN-A", 2, None)
                await self._issue_card(shop, 3_000)
                await self._stock(shop, "mug", 2)
                await self._stock(shop, "big", 2)

        # Callers who ask again, and time

        @precondition(lambda self: any(shop.done for shop in self.shops))
        @rule(pick=PICKS)
        def again(self, pick: int) -> None:
            shop = next(shop for shop in self.shops if shop.done)
            self.run(shop.again(pick))

        @rule(span=st.sampled_from(SPANS))
        def wait(self, span: timedelta) -> None:
            self.clock.advance(span)

        def teardown(self) -> None:
            async def close() -> None:
                try:
                    for shop in self.shops:
                        assert await shop.problems() == []
                finally:
                    await self.database.close()
                    await self.cache.close()

            self.run(close())
            self.runner.close()

        def check_invariants(self, *args: Any, **words: Any) -> None:
            super().check_invariants(*args, **words)
            for shop in self.shops:
                self.run(shop.agrees())

    return Machine


def run_machine(machine: type[RuleBasedStateMachine], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
