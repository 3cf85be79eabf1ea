"""The CPU that each answer to a quote of twelve candidates and twenty lines takes."""

import time

from support.quote_case import quote_case

from loyalty.domain.quotes.quote import quote

CASES = 50
"""How many carts and balances take turns."""


def quote_ms(count: int) -> list[float]:
    """Milliseconds of CPU for each of ``count`` quotes, cases in turn."""
    cases = [quote_case(number) for number in range(CASES)]
    taken = []
    for number in range(count + 5):
        case = cases[number % CASES]
        began = time.process_time_ns()
        given = quote(case.ruleset, case.member, case.cart, case.choice, case.at, case.holdings)
        taken.append((time.process_time_ns() - began) / 1e6)
        assert given.candidates
    # The first few are slower: nothing is in the processor's caches yet.
    return taken[5:]
