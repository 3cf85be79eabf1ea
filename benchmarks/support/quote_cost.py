"""A quote of twelve candidates and twenty lines, and the CPU that each answer takes."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.quote import quote
from loyalty.domain.quote_terms import Choice, MemberFacts, PointsMode, PointsWanted
from loyalty.domain.registry import built_in
from loyalty.domain.ruleset import Ruleset
from loyalty.domain.ruleset_file import read_ruleset

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CATEGORIES = ("TEA", "BREAD", "WINE", "FRUIT", "SOAP")
REWARDS, LINES = 11, 20
"""With paying by points there are twelve candidates."""

HEAD = """
code = "bench"
name = "Bench"
currency = "EUR"
time_zone = "Europe/Budapest"
[[point_types]]
code = "points"
name = "Points"
pending_days = 14
expires_after_months = 12
[[earning.rules]]
code = "base"
point_type = "points"
points = 1
per_minor = 100
[tier_policy]
point_type = "points"
[[tiers]]
code = "base"
name = "Base"
threshold = 0
[margin]
floor_bp = 1500
unknown_cost = "cap"
unknown_cap_bp = 3000
[tender]
point_type = "points"
points = 1
minor = 1
share_bp_max = 5000
"""


def program() -> Ruleset:
    """Rewards that compete: money and percentages, some in groups, some on categories."""
    return read_ruleset(HEAD + "".join(_rewards()), built_in(), version=1)


def _rewards() -> Iterator[str]:
    for number in range(REWARDS):
        points = "" if number % 4 == 3 else f'points = {150 + 40 * number}\npoint_type = "points"\n'
        group = f'exclusive_group = "g{number % 3}"\n' if number % 2 else ""
        does = (
            f'kind = "percentage_off", rate_bp = {400 + 70 * number}, off_minor_max = 1500'
            if number % 2
            else f'kind = "money_off", off_minor = {180 + 55 * number}'
        )
        yield (
            f'[[rewards]]\ncode = "r{number}"\nname = "Reward {number}"\npriority = {number}\n'
            f"{points}{group}does = {{ {does} }}\n"
        )
        if number % 3 == 0:
            wanted = CATEGORIES[number % len(CATEGORIES)]
            yield f'[[rewards.conditions]]\nkind = "category"\nany_of = ["{wanted}"]\n'


def quote_ms(count: int) -> list[float]:
    """Milliseconds of CPU for each of ``count`` quotes, each of a cart a little different."""
    ruleset = program()
    member = MemberFacts("ann", True, "ACTIVE", "base", {"points": 1_400})
    choice = Choice(PointsWanted(PointsMode.ALL))
    carts = cycle([_cart(number) for number in range(50)])
    for cart in (next(carts) for _ in range(5)):
        assert len(quote(ruleset, member, cart, choice, NOW).candidates) == REWARDS + 1
    taken = []
    for _ in range(count):
        cart = next(carts)
        began = time.process_time_ns()
        quote(ruleset, member, cart, choice, NOW)
        taken.append((time.process_time_ns() - began) / 1e6)
    return taken


def _cart(number: int) -> Cart:
    lines = tuple(
        CartLine(
            str(place), f"p-{place}", 1 + (place + number) % 3,
            199 + 137 * ((place * 7 + number) % 11),
            None if place % 9 == 8 else 120 + 60 * ((place * 7 + number) % 11),
            CATEGORIES[(place + number) % len(CATEGORIES)],
        )
        for place in range(LINES)
    )  # fmt: skip
    return Cart(f"cart-{number}", "EUR", lines, 490)
