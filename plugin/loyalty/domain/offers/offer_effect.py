"""What offers changed: members who got them beside those who were held out.

The two groups differ by a hash alone, so the difference of what they did is the offers' effect, as
far as chance lets it be seen: each difference comes with its 95 % interval, by the normal
approximation. Whole numbers, and roots rounded up, so that an interval is never too short; the
interval of an uplift alone takes a logarithm.

Of each offer it is told how many bought what it is for, in both groups, and how many times the odds
of that were higher: what a policy's ``uplift_bp`` assumes.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

Z_95 = Fraction(196, 100)
"""Standard errors on either side of a 95 % interval."""
BP = 10_000
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Group:
    """What some members did: ``buyers`` of them bought, for ``sales_minor`` together.

    ``squares`` is the sum of the squares of each member's sales.
    """

    members: int = 0
    buyers: int = 0
    sales_minor: int = 0
    squares: int = 0

    def with_more(self, other: "Group") -> "Group":
        """With other members of the same group."""
        return Group(
            self.members + other.members,
            self.buyers + other.buyers,
            self.sales_minor + other.sales_minor,
            self.squares + other.squares,
        )

    @property
    def rate_bp(self) -> int | None:
        """Of 10,000 members so many bought, rounded down."""
        return self.buyers * BP // self.members if self.members else None

    @property
    def sales_per_member_minor(self) -> int | None:
        """Rounded down."""
        return self.sales_minor // self.members if self.members else None


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of those with offers less that of those without, with its 95 % interval."""

    found: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Effect:
    """Both groups, and their differences: None where a group is too small to tell.

    ``rate`` in basis points of members that bought, ``sales`` in minor units per member.
    """

    offered: Group
    held_out: Group
    rate: Difference | None
    sales: Difference | None


@dataclass(frozen=True, slots=True)
class TargetEffect:
    """One offer of the pool: in both groups the members it was chosen for, and as ``buyers`` those
    who bought its target until it ended.

    ``rate`` in basis points; ``uplift``, of the odds, in 10,000ths, None where all or none of a
    group bought; ``assumed_bp``: what the policy took it to be.
    """

    offer: str
    offered: Group
    held_out: Group
    rate: Difference | None
    uplift: Difference | None
    assumed_bp: int


def group_of(sales: Iterable[int | None]) -> Group:
    """A group, of each member's sales; None for one who bought nothing."""
    members = buyers = total = squares = 0
    for minor in sales:
        members += 1
        if minor is not None:
            buyers += 1
            total += minor
            squares += minor * minor
    return Group(members, buyers, total, squares)


def effect_of(offered: Group, held_out: Group) -> Effect:
    if min(offered.members, held_out.members) < _FEWEST:
        return Effect(offered, held_out, None, None)
    rate = _difference(
        Fraction(offered.buyers * BP, offered.members)
        - Fraction(held_out.buyers * BP, held_out.members),
        _rate_error(offered) + _rate_error(held_out),
    )
    sales = _difference(
        Fraction(offered.sales_minor, offered.members)
        - Fraction(held_out.sales_minor, held_out.members),
        _sales_error(offered) + _sales_error(held_out),
    )
    return Effect(offered, held_out, rate, sales)


def target_effect_of(
    offer: str, offered: Group, held_out: Group, *, assumed_bp: int
) -> TargetEffect:
    rate = effect_of(offered, held_out).rate
    return TargetEffect(offer, offered, held_out, rate, uplift_of(offered, held_out), assumed_bp)


def uplift_of(offered: Group, held_out: Group) -> Difference | None:
    """How many times the odds of those who did not get it are the odds of those who did.

    Source: Woolf, "On Estimating the Relation Between Blood Group and Disease", Annals of Human
    Genetics 19, 1955 (the interval of an odds ratio).
    """
    bought, bought_out = offered.buyers, held_out.buyers
    not_, not_out = offered.members - bought, held_out.members - bought_out
    if not (bought and not_ and bought_out and not_out):
        return None
    ratio = Fraction(bought * not_out, not_ * bought_out)
    error = float(Z_95) * math.sqrt(sum(1 / each for each in (bought, not_, bought_out, not_out)))
    low, high = (float(ratio) * math.exp(sign * error) * BP for sign in (-1, 1))
    return Difference(int(ratio * BP), math.floor(low), math.ceil(high))


def _rate_error(group: Group) -> Fraction:
    """The variance of a rate in basis points."""
    share = Fraction(group.buyers, group.members)
    return share * (1 - share) * Fraction(BP * BP, group.members)


def _sales_error(group: Group) -> Fraction:
    """The variance of the mean sales of a member."""
    mean = Fraction(group.sales_minor, group.members)
    spread = group.squares - mean * group.sales_minor
    return spread * Fraction(1, (group.members - 1) * group.members)


def _difference(found: Fraction, variance: Fraction) -> Difference:
    # Of a fraction in millionths, so that its root is exact to a thousandth.
    error = Fraction(isqrt(int(variance * 1_000_000)) + 1, 1_000) * Z_95
    return Difference(round(found), (found - error).__floor__(), (found + error).__ceil__())
