"""What refunds ask for, of lines that have nothing to be asked for."""

import pytest

from loyalty.domain.refunds.order_facts import FactsLine, OrderFacts
from loyalty.domain.refunds.refund_asks import Asked, LineAsk, is_too_much, portion_of

PIECE, MONEY = LineAsk("a", quantity=1), LineAsk("a", amount_minor=100)


@pytest.mark.parametrize(
    ("case", "line", "asks", "part"),
    [
        ("money of what was free, then its piece", FactsLine("a", 1, 500, 0), (MONEY, PIECE), 1),
        ("its piece, then money of what was free", FactsLine("a", 1, 500, 0), (PIECE, MONEY), 1),
        ("a piece of what has none, and its money", FactsLine("a", 0, 100, 100), (PIECE, MONEY), 1),
    ],
)
def test_what_a_line_does_not_have_takes_nothing_away(
    case: str, line: FactsLine, asks: tuple[LineAsk, ...], part: int
) -> None:
    facts = OrderFacts((line,))
    asked = Asked()
    for ask in asks:
        asked = asked.adding([ask])

    assert portion_of(facts, asked).lines == (part,), case
    assert is_too_much(facts, asked), "and it is flagged"
