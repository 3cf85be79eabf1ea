"""The pool of personal offers that a ruleset declares.

An offer of the pool is a reward for certain products, which one member gets for a time. Which
member gets which is planned (``offer_plan``) from the terms that stand here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from loyalty.domain.conditions import BrandIs, CategoryIs, Condition, DepartmentIs, ProductIs

NAME_OF_TARGET = "{target}"
"""Where it stands in an offer's name, the target's name is read."""


class OfferAim(StrEnum):
    """What an offer is planned for; see ``offer_plan``."""

    PROFIT = "profit"
    UPTAKE = "uptake"
    WIN_BACK = "win_back"
    TRY_NEW = "try_new"


class OfferConsent(StrEnum):
    """What a member must have consented to before offers are chosen for it."""

    PROFILING = "profiling"
    PROFILING_AND_MARKETING = "profiling_and_marketing"


@dataclass(frozen=True, slots=True)
class OfferTarget:
    """What an offer is for: products, or categories, departments or brands, one of the four."""

    code: str
    name: str
    products: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()

    @property
    def condition(self) -> Condition:
        """What covers the lines it is for."""
        if self.products:
            return ProductIs(self.products)
        if self.categories:
            return CategoryIs(self.categories)
        if self.departments:
            return DepartmentIs(self.departments)
        return BrandIs(self.brands)


@dataclass(frozen=True, slots=True)
class PoolOffer:
    """An offer of the pool: ``reward``, a code, for each of ``targets``.

    A purchase that uses it also earns ``bonus_points`` of the spendable point type. A member that
    gets it for a target may use it ``uses_max`` times, until the end of the day ``valid_days``
    after it was published, and gets it again ``days_between`` days after that at the earliest.
    What all members' uses take off comes to ``budget_minor`` at most, and the points that they
    bring to ``budget_points`` (None: no limit), for as long as the code is the same.
    """

    code: str
    name: str
    reward: str
    targets: tuple[OfferTarget, ...]
    conditions: tuple[Condition, ...] = ()
    bonus_points: int = 0
    valid_days: int = 14
    uses_max: int = 1
    budget_minor: int | None = None
    budget_points: int | None = None
    days_between: int = 28
    objective: OfferAim = OfferAim.PROFIT

    def target(self, code: str) -> OfferTarget | None:
        return next((target for target in self.targets if target.code == code), None)

    def named(self, target: OfferTarget) -> str:
        """What members read."""
        return self.name.replace(NAME_OF_TARGET, target.name)


@dataclass(frozen=True, slots=True)
class OfferPolicy:
    """How offers are chosen for members.

    ``open_max``: offers of one member that stand at the same time, at most.
    ``target_days_between``: days between two offers for the same target. ``holdout_bp``: the
    part of the members that gets none, so that their effect can be measured. ``margin_bp``: of
    what is charged for products whose cost is unknown. ``uplift_bp``: by how much an offer is
    taken to multiply the odds of a purchase, 10,000 is once.
    """

    open_max: int = 3
    target_days_between: int = 14
    holdout_bp: int = 1_000
    consent: OfferConsent = OfferConsent.PROFILING
    margin_bp: int = 2_500
    uplift_bp: int = 15_000


def own_use(offer_id: int) -> str:
    """The subject of the quota that counts the uses of one member's offer."""
    return f"offer:{offer_id}"


def money_budget(offer: str) -> str:
    """The subject of the quota that counts the money an offer of the pool takes off."""
    return f"minor:{offer}"


def points_budget(offer: str) -> str:
    """The subject of the quota that counts the bonus points of an offer of the pool."""
    return f"points:{offer}"


def budget_of_subject(
    offers: Sequence[PoolOffer], subject: str, gone: int | None = None
) -> int | None:
    """The limit of such a quota by the pool, None for no limit; ``gone`` where the pool has no such
    offer any more.
    """
    for offer in offers:
        if subject == money_budget(offer.code):
            return offer.budget_minor
        if subject == points_budget(offer.code):
            return offer.budget_points
    return gone


def offer_name(offer: str, target: str) -> str:
    """What a member's offer is called among the candidates of a quote.

    Codes hold no full stop, so it is no reward's and no benefit's code.
    """
    return f"{offer}.{target}"
