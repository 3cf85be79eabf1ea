from fractions import Fraction
from math import ceil, floor

from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.rates import rounded, tender_points, tender_value_minor
from loyalty.domain.rulesets.ruleset import PointsTender, Rounding

tenders = st.builds(
    PointsTender, st.just("points"), points=st.integers(1, 1_000), minor=st.integers(1, 1_000)
)


@given(st.integers(0, 2**60), st.integers(1, 2**40))
def test_rounding_goes_the_declared_way(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)

    assert rounded(numerator, denominator, Rounding.DOWN) == floor(exact)
    assert rounded(numerator, denominator, Rounding.UP) == ceil(exact)
    assert rounded(numerator, denominator, Rounding.HALF_UP) == floor(exact + Fraction(1, 2))


@given(tenders, st.integers(0, 10_000))
def test_points_for_an_amount_never_overpay_and_never_waste(
    tender: PointsTender, minor: int
) -> None:
    points = tender_points(tender, minor)
    value = tender_value_minor(tender, points)

    assert value <= minor
    assert points == 0 or tender_value_minor(tender, points - 1) < value
    assert all(
        not value < tender_value_minor(tender, more) <= minor
        for more in range(points + 1, points + 2 + tender.points)
    )
