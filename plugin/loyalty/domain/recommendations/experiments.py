"""Two models that share traffic: who is answered by which, and how sure their difference is.

Shares and differences here are no money and no points, so they are floats.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Final

SHARE_WHOLE: Final = 10_000
"""All traffic, in basis points."""
MEMBERS_MIN: Final = 200
"""Members of each variant below which nothing is said of a difference."""
BUYERS_MIN: Final = 20
"""Buyers in each variant below which nothing is said of a difference: of fewer the mean of what
they spent is mostly the chance of one large basket."""
Z_95: Final = 1.959963984540054
"""Standard deviations around a normal mean that hold 95 %."""
Z_999: Final = 3.290526731491926
"""The same of 99.9 %."""


class Variant(StrEnum):
    """Which of an experiment's two models a caller is answered by."""

    CONTROL = "CONTROL"
    CANDIDATE = "CANDIDATE"


class Verdict(StrEnum):
    """What may be said of a difference."""

    TOO_FEW = "TOO_FEW"
    NO_DIFFERENCE = "NO_DIFFERENCE"
    CANDIDATE_HIGHER = "CANDIDATE_HIGHER"
    CONTROL_HIGHER = "CONTROL_HIGHER"


def variant_of(experiment_id: int, subject: str, share_bp: int) -> Variant:
    """The variant of a member or a session: always the same, another in another experiment.

    Args:
        experiment_id: salts the hash, so that nobody is a candidate in every experiment.
        subject: a name of the member or session.
        share_bp: the candidate's part of all subjects, in basis points.
    """
    digest = blake2b(subject.encode(), digest_size=8, salt=experiment_id.to_bytes(16)).digest()
    is_candidate = int.from_bytes(digest) % SHARE_WHOLE < share_bp
    return Variant.CANDIDATE if is_candidate else Variant.CONTROL


@dataclass(frozen=True, slots=True)
class Arm:
    """One variant: its members, how many of them bought, and what was spent in minor units.

    ``squares`` is the sum over members of the square of what each spent.
    """

    members: int = 0
    buyers: int = 0
    spent: int = 0
    squares: int = 0

    @property
    def rate(self) -> float:
        """The part of the members who bought."""
        return self.buyers / self.members if self.members else 0.0

    @property
    def mean(self) -> float:
        """What was spent by member, in minor units."""
        return self.spent / self.members if self.members else 0.0

    @property
    def variance_of_mean(self) -> float:
        if self.members < 2:
            return 0.0
        # Whole numbers up to the last step: squares of amounts are too large for a float's digits.
        scatter = self.squares * self.members - self.spent * self.spent
        return scatter / (self.members * self.members * (self.members - 1))


@dataclass(frozen=True, slots=True)
class Difference:
    """Candidate minus control, with its 95 % interval; None where there is nobody in one."""

    value: float | None
    low: float | None
    high: float | None
    verdict: Verdict


def is_enough(control: Arm, candidate: Arm) -> bool:
    """Whether anything may be said of a difference."""
    return all(
        arm.members >= MEMBERS_MIN and arm.buyers >= BUYERS_MIN for arm in (control, candidate)
    )


def rate_difference(control: Arm, candidate: Arm) -> Difference:
    """Difference of two proportions, by Newcombe's interval from two Wilson scores.

    It holds for unequal groups and rates near zero, where the usual one does not. Source: Newcombe,
    "Interval estimation for the difference between independent proportions", Statistics in
    Medicine 17 (1998), method 10.
    """
    if not (control.members and candidate.members):
        return Difference(None, None, None, Verdict.TOO_FEW)
    low_a, high_a = _wilson(candidate)
    low_b, high_b = _wilson(control)
    value = candidate.rate - control.rate
    low = value - math.hypot(candidate.rate - low_a, high_b - control.rate)
    high = value + math.hypot(high_a - candidate.rate, control.rate - low_b)
    return _judged(value, low, high, is_enough(control, candidate))


def mean_difference(control: Arm, candidate: Arm) -> Difference:
    """Difference of what is spent by member, by Welch's interval.

    Members who bought nothing count as zero. With so many members the mean is normal and the
    groups' scatters are taken as they are, each by its own size.
    """
    if not (control.members and candidate.members):
        return Difference(None, None, None, Verdict.TOO_FEW)
    value = candidate.mean - control.mean
    half = Z_95 * math.sqrt(candidate.variance_of_mean + control.variance_of_mean)
    return _judged(value, value - half, value + half, is_enough(control, candidate))


def is_traffic_as_declared(control: Arm, candidate: Arm, share_bp: int) -> bool:
    """Whether the candidate got its share, up to a chance of one in a thousand.

    If not, who is in which variant depends on something else than the hash, such as events that
    one of the two models' pages fails to report, and no difference means anything.
    """
    members, share = control.members + candidate.members, share_bp / SHARE_WHOLE
    spread = math.sqrt(members * share * (1 - share))
    return abs(candidate.members - members * share) <= max(Z_999 * spread, 1)


def _wilson(arm: Arm) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion."""
    n, z2 = arm.members, Z_95 * Z_95
    middle = arm.rate + z2 / (2 * n)
    half = Z_95 * math.sqrt(arm.rate * (1 - arm.rate) / n + z2 / (4 * n * n))
    return (middle - half) / (1 + z2 / n), (middle + half) / (1 + z2 / n)


def _judged(value: float, low: float, high: float, is_enough: bool) -> Difference:
    if not is_enough:
        verdict = Verdict.TOO_FEW
    elif low > 0:
        verdict = Verdict.CANDIDATE_HIGHER
    elif high < 0:
        verdict = Verdict.CONTROL_HIGHER
    else:
        verdict = Verdict.NO_DIFFERENCE
    return Difference(value, low, high, verdict)
