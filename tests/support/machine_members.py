"""The machine's members: enrolled, corrected, made one."""

from __future__ import annotations

from driven_shop import Driven
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from machine_base import NAMES, SHOPS, MachineBase

from loyalty.services.adjustments import Correction
from loyalty.services.members import Profile


class MemberRules(MachineBase):
    @rule(n=SHOPS, name=NAMES)
    def enrol(self, n: int, name: str) -> None:
        self.run(self._enrol(self.shops[n], name))

    async def _enrol(self, shop: Driven, name: str) -> None:
        key, now = shop.key(), self.clock.now()
        await shop.do(
            lambda: shop.services.enrolment.enrol(shop.viewer, key, name, Profile()),
            lambda model, _: model.enrol(now, name),
        )

    @rule(n=SHOPS, name=NAMES, state=st.sampled_from(["SUSPENDED", "ACTIVE", "ACTIVE"]))
    def set_aside(self, n: int, name: str, state: str) -> None:
        """A merchant suspends a member, or lets one take part again."""
        shop, now = self.shops[n], self.clock.now()
        self.run(
            shop.do(
                lambda: shop.services.enrolment.set_state(shop.viewer, name, state, "seen it"),
                lambda model, _: model.set_aside(now, name, state),
            )
        )
        shop.done.pop()

    @rule(n=SHOPS, name=NAMES, unit=st.sampled_from(["points", "credit:EUR"]),
          amount=st.integers(-150, 900).filter(bool))  # fmt: skip
    def adjust(self, n: int, name: str, unit: str, amount: int) -> None:
        self.run(self._adjust(self.shops[n], name, unit, amount))

    async def _adjust(self, shop: Driven, name: str, unit: str, amount: int) -> None:
        now = self.clock.now()
        currency = None if unit == "points" else "EUR"
        correction = Correction(name, amount, "count", currency=currency)
        key = shop.key()
        await shop.do(
            lambda: shop.services.adjustments.adjust(shop.viewer, key, correction),
            lambda model, _: model.adjust(now, name, unit, amount),
        )

    @precondition(lambda self: len(self.shops[0].model.orders) > 2)
    @rule(n=SHOPS, source=NAMES, into=NAMES)
    def merge(self, n: int, source: str, into: str) -> None:
        shop, now, key = self.shops[n], self.clock.now(), self.shops[n].key()
        self.run(
            shop.do(
                lambda: shop.services.membership.merge(shop.viewer, key, source, into),
                lambda model, _: model.merge(now, source, into),
            )
        )
