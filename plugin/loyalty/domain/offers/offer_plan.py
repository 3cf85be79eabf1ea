"""Which members get which offers: a pure choice by what each is worth for what it costs.

An offer costs its discount whoever uses it, and only changes what would not have happened anyway.
So with the chance p that a member buys the target without it and p' that it does with it,

    worth = (p' - p) x margin of such a purchase - p' x discount,

where p' has the odds of p times the policy's uplift. It is a stated assumption, which the members
held out let the merchant check. With several uses p and p' are expected purchases: p + p² + ….

Chances are millionths, and what is expected is whole minor units times millionths, so budgets are
kept to the last of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from loyalty.domain.offers.offer_states import OfferReason
from loyalty.domain.offers.offers import OfferAim, OfferPolicy, OfferTarget, PoolOffer
from loyalty.domain.quotes.quote_holdings import NO_BUDGET, BudgetFacts

PPM = 1_000_000
"""Millionths in one whole."""

_UNIT_BP = 10_000
_DENSITY_BITS = 32

Goods = tuple[tuple[str, ...], ...]
"""What a target is for; offers whose targets are for the same goods are for the same target."""


def goods_of(target: OfferTarget) -> Goods:
    return target.products, target.categories, target.departments, target.brands


@dataclass(frozen=True, slots=True)
class Prospect:
    """An offer that a member could get.

    ``chance_ppm``: that the member buys the target anyway while the offer stands. Of one such
    purchase ``discount_minor`` is what the reward would take off, ``margin_minor`` the margin
    before that.
    """

    member_id: int
    offer: str
    target: str
    chance_ppm: int
    discount_minor: int
    margin_minor: int
    reason: OfferReason


@dataclass(slots=True)
class Standing:
    """What a member has: when offers of each code, and for the same goods, end or ended."""

    offers: dict[str, datetime] = field(default_factory=dict)
    goods: dict[Goods, datetime] = field(default_factory=dict)
    open: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """An offer chosen for a member; with ``is_held_out`` it is only noted.

    ``uses_ppm``: uses expected. ``cost_ppm``, ``points_ppm`` and ``worth_ppm``: minor units and
    points expected, in millionths.
    """

    prospect: Prospect
    is_held_out: bool
    uses_ppm: int
    cost_ppm: int
    points_ppm: int
    worth_ppm: int


@dataclass(frozen=True, slots=True)
class OfferFigures:
    """What an offer of the pool is expected to come to. ``held_out``: offers only noted."""

    offer: str
    members: int
    held_out: int
    uses_ppm: int
    cost_ppm: int
    points_ppm: int
    worth_ppm: int

    @property
    def cost_minor(self) -> int:
        """Rounded up: no less than what is expected."""
        return -(-self.cost_ppm // PPM)

    @property
    def points(self) -> int:
        """Rounded up."""
        return -(-self.points_ppm // PPM)


def with_uplift(chance_ppm: int, uplift_bp: int) -> int:
    """The chance whose odds are ``uplift_bp`` / 10,000 times those of ``chance_ppm``; rounded
    down, and never less than that.
    """
    odds = chance_ppm * uplift_bp
    return max(odds * PPM // (odds + (PPM - chance_ppm) * _UNIT_BP), chance_ppm)


def expected_uses(chance_ppm: int, uses_max: int) -> int:
    """Purchases expected of at most ``uses_max``, each as likely after the one before; in
    millionths, each power rounded down.
    """
    total, power = 0, PPM
    for _ in range(uses_max):
        power = power * chance_ppm // PPM
        total += power
        if not power:
            break
    return total


def is_held_out(tenant_id: int, member_id: int, holdout_bp: int) -> bool:
    """Whether a member gets no offers: by a hash, so for every plan alike."""
    digest = sha256(f"offers\n{tenant_id}\n{member_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % _UNIT_BP < holdout_bp


def weighed(
    prospect: Prospect, pool: PoolOffer, policy: OfferPolicy, point_minor: tuple[int, int]
) -> Planned | None:
    """What an offer is expected to come to; None for one that is not worth its cost.

    Args:
        point_minor: what bonus points are worth: minor units, and for how many points.
    """
    likely = with_uplift(prospect.chance_ppm, policy.uplift_bp)
    uses = expected_uses(likely, pool.uses_max)
    anyway = expected_uses(prospect.chance_ppm, pool.uses_max)
    cost = uses * prospect.discount_minor
    points = uses * pool.bonus_points
    minor, of_points = point_minor
    # Rounded up: points are promised money.
    bonus = -(-points * minor // of_points)
    gained = uses if pool.objective is OfferAim.UPTAKE else uses - anyway
    worth = gained * prospect.margin_minor - cost - bonus
    if not uses or worth <= 0:
        return None
    return Planned(prospect, False, uses, cost, points, worth)


class Chooser:
    """Chooses the best for their cost, as long as frequency caps and budgets allow.

    Args:
        budgets: what is left of each offer's, less what open offers are expected to cost.
        standings: of members that have or had offers lately.
    """

    def __init__(
        self,
        pool: Sequence[PoolOffer],
        policy: OfferPolicy,
        *,
        tenant_id: int,
        at: datetime,
        budgets: Mapping[str, BudgetFacts],
        standings: Mapping[int, Standing],
    ) -> None:
        self._pool = {offer.code: offer for offer in pool}
        self._policy = policy
        self._tenant_id = tenant_id
        self._at = at
        self._standings = {id: _copied(standing) for id, standing in standings.items()}
        self._left = {offer.code: _Left.of(budgets.get(offer.code, NO_BUDGET)) for offer in pool}

    def chosen(self, candidates: Iterable[Planned]) -> list[Planned]:
        """Greedily, most worth for each unit of cost first; of equals the one of the lower member
        id, offer and target.

        Members held out are chosen for alike, so that the two groups are, but cost no budget.
        """
        found = []
        for item in sorted(candidates, key=_rank):
            member_id = item.prospect.member_id
            out = is_held_out(self._tenant_id, member_id, self._policy.holdout_bp)
            left = self._left[item.prospect.offer]
            if not left.allows(item) or not self._may_have(item.prospect):
                continue
            if not out:
                left.take(item)
            self._note(item.prospect)
            found.append(
                Planned(
                    item.prospect, out, item.uses_ppm, item.cost_ppm, item.points_ppm,
                    item.worth_ppm,
                )
            )  # fmt: skip
        return found

    def _may_have(self, prospect: Prospect) -> bool:
        standing = self._standings.get(prospect.member_id)
        if standing is None:
            return True
        offer, policy = self._pool[prospect.offer], self._policy
        if standing.open >= policy.open_max:
            return False
        last = standing.offers.get(offer.code)
        if last is not None and self._at < last + timedelta(days=offer.days_between):
            return False
        last = standing.goods.get(self._goods(prospect))
        between = timedelta(days=policy.target_days_between)
        return last is None or self._at >= last + between

    def _note(self, prospect: Prospect) -> None:
        standing = self._standings.setdefault(prospect.member_id, Standing())
        # It stands until after this plan, whatever its days.
        ends_at = self._at + timedelta(days=self._pool[prospect.offer].valid_days)
        standing.open += 1
        standing.offers[prospect.offer] = ends_at
        standing.goods[self._goods(prospect)] = ends_at

    def _goods(self, prospect: Prospect) -> Goods:
        target = self._pool[prospect.offer].target(prospect.target)
        assert target is not None
        return goods_of(target)


@dataclass(slots=True)
class _Left:
    """What may still be expected of a budget, in millionths; None for no limit."""

    cost_ppm: int | None
    points_ppm: int | None

    @classmethod
    def of(cls, budget: BudgetFacts) -> "_Left":
        minor, points = budget.minor, budget.points
        return cls(None if minor is None else minor * PPM, None if points is None else points * PPM)

    def allows(self, item: Planned) -> bool:
        fits = self.cost_ppm is None or item.cost_ppm <= self.cost_ppm
        return fits and (self.points_ppm is None or item.points_ppm <= self.points_ppm)

    def take(self, item: Planned) -> None:
        if self.cost_ppm is not None:
            self.cost_ppm -= item.cost_ppm
        if self.points_ppm is not None:
            self.points_ppm -= item.points_ppm


def figures(pool: Sequence[PoolOffer], chosen: Sequence[Planned]) -> list[OfferFigures]:
    """The sums of each offer of the pool, in its sequence."""
    found = []
    for offer in pool:
        own = [item for item in chosen if item.prospect.offer == offer.code]
        given = [item for item in own if not item.is_held_out]
        found.append(
            OfferFigures(
                offer.code,
                len(given),
                len(own) - len(given),
                sum(item.uses_ppm for item in given),
                sum(item.cost_ppm for item in given),
                sum(item.points_ppm for item in given),
                sum(item.worth_ppm for item in given),
            )
        )
    return found


def _rank(item: Planned) -> tuple[int, int, str, str]:
    density = (item.worth_ppm << _DENSITY_BITS) // max(item.cost_ppm, 1)
    prospect = item.prospect
    return -density, prospect.member_id, prospect.offer, prospect.target


def _copied(standing: Standing) -> Standing:
    return Standing(dict(standing.offers), dict(standing.goods), standing.open)
