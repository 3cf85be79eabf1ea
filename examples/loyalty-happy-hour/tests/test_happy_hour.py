from datetime import UTC, datetime

import pytest
from loyalty_happy_hour import HappyHour, NthFree

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.conditions import Facts
from loyalty.domain.reasons import Reason, Unmet
from loyalty.domain.rewards import OpenLine


def facts(hour: int, minute: int = 0) -> Facts:
    local = datetime(2026, 3, 2, hour, minute, tzinfo=UTC)
    return Facts(Cart("cart-1", "EUR", ()), None, ("member",), local, local)


@pytest.mark.parametrize(
    ("from_hour", "until_hour", "happy"),
    [
        (14, 16, [14, 15]),
        (0, 24, list(range(24))),
        (22, 2, [0, 1, 22, 23]),
        (23, 0, [23]),
    ],
)
def test_hours_are_happy_from_the_first_up_to_the_last(from_hour, until_hour, happy):
    condition = HappyHour(from_hour, until_hour)

    assert [hour for hour in range(24) if condition.unmet(facts(hour, 59)) is None] == happy


def test_an_unhappy_hour_is_a_condition_not_met():
    assert HappyHour(14, 16).unmet(facts(16)) == Unmet(Reason.CONDITION_NOT_MET)


@pytest.mark.parametrize(
    ("quantity", "unit_minor", "left_minor", "nth", "off"),
    [
        (1, 250, 250, 3, 0),
        (3, 250, 750, 3, 250),
        (5, 250, 1_250, 3, 250),
        (6, 250, 1_500, 3, 500),
        (3, 250, 700, 3, 233),
        (3, 250, 0, 3, 0),
        (4, 0, 0, 2, 0),
    ],
)
def test_every_nth_piece_is_free(quantity, unit_minor, left_minor, nth, off):
    line = CartLine("line-1", "coffee", quantity, unit_minor)

    assert NthFree(nth).offer([OpenLine(line, left_minor)]) == [off]


@pytest.mark.parametrize(
    ("kind", "problems"),
    [
        (HappyHour(22, 2), []),
        (HappyHour(0, 24), []),
        (
            HappyHour(24, 25),
            [
                "from_hour: found 24, wanted a whole number from 0 to 23",
                "until_hour: found 25, wanted a whole number from 0 to 24",
            ],
        ),
        (HappyHour(7, 7), ["until_hour: found 7, wanted another hour than from_hour"]),
        (NthFree(2), []),
        (NthFree(1), ["nth: found 1, wanted a whole number from 2 to 1000"]),
    ],
)
def test_senseless_settings_are_told(kind, problems):
    assert list(kind.validate()) == problems
