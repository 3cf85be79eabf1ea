"""Memory told in megabytes becomes a number of lines."""

import pytest

from loyalty_recommender.errors import FitFailed
from loyalty_recommender.room import LINES_MIN, Room


def test_more_memory_is_more_lines_and_more_members_fewer() -> None:
    small, large = Room(800), Room(1_600)

    assert small.lines(2_000, 20_000) < large.lines(2_000, 20_000)
    assert large.lines(200_000, 20_000) < large.lines(2_000, 20_000)
    assert large.lines(2_000, 80_000) < large.lines(2_000, 20_000)


def test_the_year_of_complete_journey_fits_into_a_gigabyte() -> None:
    # Measured: 817 MB from the database to a published first model.
    assert Room(950).lines(2_469, 68_500) >= 1_469_307


def test_too_little_memory_says_how_much_it_takes() -> None:
    with pytest.raises(FitFailed, match=r"takes at least 2,253 MB, allowed are 300") as refused:
        Room(300).lines(1_000_000, 200_000)

    least = int(str(refused.value).split("at least ")[1].split(" MB")[0].replace(",", ""))
    assert Room(least).lines(1_000_000, 200_000) >= LINES_MIN
    with pytest.raises(FitFailed):
        Room(least - 1).lines(1_000_000, 200_000)
