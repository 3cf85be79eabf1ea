"""What makes one choice better than another, as a tuple whose least is the best."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from loyalty.domain.quotes.quote_basket import Basket, Entrant
from loyalty.domain.quotes.quote_payment import Option
from loyalty.domain.quotes.quote_terms import CREDIT, TENDER, Choice, Objective, PointsMode

Key = tuple[int, int, int, int, int, int, int, tuple[str, ...]]
"""Pinned wishes missed, exact points missed, exact credit missed, then the objective: points
out of what expires soon, coupons that end soon, two figures of money and points, codes.
"""


class Found(NamedTuple):
    """The figures of a choice.

    ``points`` went into rewards, ``tender_points`` pay; ``spent`` are the former by type.
    ``ending``: coupons among it that end soon.
    """

    saved: int
    points: int
    tender_points: int
    spent: Mapping[str, int]
    ending: int
    codes: tuple[str, ...]


class Wishes:
    """The shopper's wishes as weights: the first pinned outweighs all later ones together."""

    def __init__(self, basket: Basket, entrants: Sequence[Entrant], choice: Choice) -> None:
        wishes = list(reversed(choice.pinned))
        self.weights = [
            sum(1 << wishes.index(name) for name in set(entrant.names) if name in wishes)
            for entrant in entrants
        ]
        self.tender_weight = 1 << wishes.index(TENDER) if TENDER in wishes else 0
        self.credit_weight = 1 << wishes.index(CREDIT) if CREDIT in wishes else 0
        self.all = sum(self.weights)
        self._objective = choice.objective
        self.is_by_money = choice.objective in (Objective.MOST_SAVED, Objective.PINNED)
        self._expiring = basket.expiring if choice.objective is Objective.EXPIRING_FIRST else {}
        tender = basket.tender
        self._tender_type = "" if tender is None else tender.point_type
        self._may_pay = tender is not None and choice.points.mode is not PointsMode.NONE
        self._look_ahead(basket, entrants)

    def _look_ahead(self, basket: Basket, entrants: Sequence[Entrant]) -> None:
        """From each position on: wishes and expiring things to come, and the least code."""
        count = len(entrants)
        self._wishes_from = [0] * (count + 1)
        self._ending_from = [0] * (count + 1)
        self._least_code_from = [""] * count
        self._points_from: dict[str, list[int]] = {
            kind: [0] * (count + 1) for kind in self._expiring
        }
        for index in range(count - 1, -1, -1):
            entrant = entrants[index]
            reward = entrant.reward
            later = self._least_code_from[index + 1 :]
            self._least_code_from[index] = min(reward.code, *later[:1])
            self._wishes_from[index] = self._wishes_from[index + 1] + self.weights[index]
            self._ending_from[index] = self._ending_from[index + 1] + entrant.ends_soon
            for kind, sums in self._points_from.items():
                sums[index] = sums[index + 1] + (reward.points if reward.point_type == kind else 0)
        # Points that may pay can use up all that expires.
        if self._may_pay and self._tender_type in self._points_from:
            most = max(basket.available.get(self._tender_type, 0), 0)
            sums = self._points_from[self._tender_type]
            self._points_from[self._tender_type] = [each + most for each in sums]

    def after(self, missed: int, option: Option) -> int:
        """Wishes missed by a set and what pays beside it."""
        if not option.payment.points:
            missed += self.tender_weight
        if option.credit_missed:
            missed += self.credit_weight
        return missed

    def key(self, missed: int, points_missed: int, credit_missed: int, found: Found) -> Key:
        objective = self._objective
        if objective is Objective.FEWEST_POINTS:
            figures = (0, 0, found.points, -found.saved)
        elif objective is Objective.EXPIRING_FIRST:
            points = found.points + found.tender_points
            figures = (-self._out_of_expiring(found), -found.ending, -found.saved, points)
        else:
            figures = (0, 0, -found.saved, found.points + found.tender_points)
        return missed, points_missed, credit_missed, *figures, found.codes

    def hoped(self, missed: int, index: int, found: Found) -> Key:
        """A key no greater than that of any choice that adds something from ``index`` on.

        Every figure has a lower bound of its own, so their tuple is one; of the codes, the next
        one is at least the least of those that may come.
        """
        codes = (*found.codes, self._least_code_from[index])
        return self._hoped(missed - self._wishes_from[index], index, found._replace(codes=codes))

    def hoped_beside(self, missed: int, found: Found) -> Key:
        """A key no greater than that of what is taken so far, whatever points pay beside it."""
        return self._hoped(missed, len(self._wishes_from) - 1, found)

    def _hoped(self, missed: int, index: int, found: Found) -> Key:
        if self._objective is not Objective.EXPIRING_FIRST:
            return self.key(missed, 0, 0, found)
        expiring = sum(
            min(most, found.spent.get(kind, 0) + self._points_from[kind][index])
            for kind, most in self._expiring.items()
        )
        ending = found.ending + self._ending_from[index]
        return missed, 0, 0, -expiring, -ending, -found.saved, found.points, found.codes

    def _out_of_expiring(self, found: Found) -> int:
        """Points spent that would expire soon: those are drawn first."""
        total = 0
        for kind, most in self._expiring.items():
            spent = found.spent.get(kind, 0)
            if kind == self._tender_type:
                spent += found.tender_points
            total += min(most, spent)
        return total
