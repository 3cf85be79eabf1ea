"""The machine's members: enrolled, corrected, made one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from driven_shop import Driven
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from machine_base import NAMES, PICKS, SHOPS, MachineBase
from shop_corrections import correct, decide
from shop_days import ZONE
from shop_holders import Correction as Asked
from shop_merges import merge, part
from shop_model import Shop

from loyalty.services.members.adjustments import Correction
from loyalty.services.members.members import Profile


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

    @rule(
        n=SHOPS, name=NAMES, unit=st.sampled_from(["points", "points", "credit:EUR", "status"]),
        amount=st.integers(-300, 900).filter(bool), may_owe=st.booleans(),
        days=st.sampled_from([None, None, None, -1, 0, 20]), seconded=st.booleans(),
    )  # fmt: skip
    def adjust(
        self, n: int, name: str, unit: str, amount: int, may_owe: bool, days: int | None,
        seconded: bool,
    ) -> None:  # fmt: skip
        """``days``: until the last day of what is added; None: as anything earned now."""
        shop = self.shops[n]
        before = shop.model.proposed
        self.run(self._adjust(shop, name, unit, amount, may_owe, days))
        new = [id for id in shop.model.proposed if id not in before]
        if new and seconded:
            self._decide(shop, new[0], "desk", True)

    async def _adjust(
        self,
        shop: Driven,
        name: str,
        unit: str,
        amount: int,
        may_owe: bool = False,
        days: int | None = None,
    ) -> None:
        now, key = self.clock.now(), shop.key()
        is_credit = unit.startswith("credit")
        last_day = None if days is None else now.astimezone(ZONE).date() + timedelta(days=days)
        wanted = Correction(
            name, amount, "count", point_type=None if is_credit else unit,
            currency="EUR" if is_credit else None, last_day=last_day, allows_deficit=may_owe,
        )  # fmt: skip

        def model(model: Shop, answer: Any) -> None:
            asked = Asked(name, unit, amount, None, may_owe, "till", now)
            correct(model, now, asked, last_day, lambda: answer.outcome["adjustment"])

        await shop.do(lambda: shop.services.adjustments.adjust(shop.viewer, key, wanted), model)

    @precondition(lambda self: any(shop.model.proposed for shop in self.shops))
    @rule(pick=PICKS, by=st.sampled_from(["till", "desk", "desk"]), accepts=st.booleans())
    def decide(self, pick: int, by: str, accepts: bool) -> None:
        """Somebody decides about a correction, mostly one that waits for it."""
        shops = [shop for shop in self.shops if shop.model.proposed]
        shop = shops[pick % len(shops)]
        ids = shop.model.proposed if pick < 90 else list(shop.model.corrections)
        self._decide(shop, ids[pick % len(ids)], by, accepts)

    def _decide(self, shop: Driven, id: int, by: str, accepts: bool) -> None:
        now, key = self.clock.now(), shop.key()
        self.run(
            shop.do(
                lambda: shop.services.adjustments.decide(
                    shop.viewer_of(by), key, id, accepts=accepts
                ),
                lambda model, _: decide(model, now, id, by, accepts=accepts),
            )
        )

    @rule(n=SHOPS, source=st.one_of(st.just("guest"), NAMES), into=NAMES)
    def merge(self, n: int, source: str, into: str) -> None:
        shop, now, key = self.shops[n], self.clock.now(), self.shops[n].key()
        self.run(
            shop.do(
                lambda: shop.services.membership.merge(shop.viewer, key, source, into),
                lambda model, _: merge(model, now, source, into),
            )
        )

    @precondition(lambda self: any(shop.model.merged for shop in self.shops))
    @rule(pick=PICKS, name=NAMES)
    def part(self, pick: int, name: str) -> None:
        """Undo a merge; at times one that never was."""
        shops = [shop for shop in self.shops if shop.model.merged]
        shop, now = shops[pick % len(shops)], self.clock.now()
        merged = list(shop.model.merged)
        source, key = merged[pick % len(merged)] if pick < 90 else name, shop.key()
        answer, is_moved = self.run(
            shop.do(
                lambda: shop.services.membership.unmerge(shop.viewer, key, source),
                lambda model, _: part(model, now, source),
            )
        )
        assert answer is None or answer.outcome["moved"] is is_moved
