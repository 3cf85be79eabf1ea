"""Orders that their shop changes after they were paid."""

from datetime import timedelta
from itertools import permutations

import orjson
import pytest

from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.errors import BadInput, Conflict
from loyalty.services.books.desk import Command
from loyalty.services.orders.order_edits import EDIT, OrderEdit
from loyalty.services.orders.orders import BookOrder
from loyalty.services.orders.refund_commands import RefundOrder, edit_name
from loyalty.storage.statements import Sql

from .conftest import Shop

pytestmark = pytest.mark.anyio
ORDER = Sql(
    """SELECT state, total_minor, points_earned, mismatch FROM shop_order
        WHERE tenant_id = $1 AND external_id = $2"""
)
MONEY = Sql(
    """SELECT SUM(money_minor) FROM order_refund
        WHERE tenant_id = $1 AND order_external_id = $2"""
)
REFUNDED = Sql("SELECT refunds FROM shop_order WHERE tenant_id = $1 AND external_id = $2")
LOTS = Sql(
    """SELECT l.unit, l.available_at, l.ends_at, SUM(l.remaining), SUM(l.amount - l.reversed)
         FROM lot l JOIN member m ON m.tenant_id = l.tenant_id AND m.id = l.member_id
        WHERE l.tenant_id = $1 AND m.external_id = $2
        GROUP BY l.unit, l.available_at, l.ends_at ORDER BY l.unit, l.available_at, l.ends_at"""
)
PAID = (OrderLine("tea", 3, 3_000, id="a"), OrderLine("pot", 1, 2_000, id="b"))


def paid(shop: Shop, number: int, lines: tuple[OrderLine, ...] = PAID) -> BookOrder:
    order = PaidOrder(f"o-{number}", f"m-{number}", "EUR", lines, shop.clock.now(), 490)
    return BookOrder(shop.tenant_id, order, "test")


def edit(
    shop: Shop, number: int, *lines: OrderLine, name: str = "e", later_s: int = 0
) -> RefundOrder:
    return RefundOrder(
        shop.tenant_id,
        f"o-{number}",
        edit_name(f"{name}-{number}"),
        None,
        shop.clock.now() - timedelta(hours=1) + timedelta(seconds=later_s),
        may_wait=True,
        kind=EDIT,
        edit=OrderEdit(lines, 490, "EUR"),
    )


def back(shop: Shop, number: int, name: str, *asks: LineAsk) -> RefundOrder:
    return RefundOrder(
        shop.tenant_id, f"o-{number}", f"{name}-{number}", None, shop.clock.now(),
        may_wait=True, lines=asks or None,
    )  # fmt: skip


async def booked(shop: Shop, number: int) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    ((*order,),) = await shop.database.read(ORDER(shop.tenant_id, f"o-{number}"))
    lots = await shop.database.read(LOTS(shop.tenant_id, f"m-{number}"))
    return tuple(map(str, order)), [tuple(map(str, row)) for row in lots]


async def refunded(shop: Shop, number: int) -> tuple[int, ...]:
    """What came back altogether: value, money, and points taken."""
    ((text,),) = await shop.database.read(REFUNDED(shop.tenant_id, f"o-{number}"))
    booked = orjson.loads(text)["booked"] if text else {}
    reversed_ = booked.get("reversed", {}).get("points", 0)
    return booked.get("value_minor", 0), booked.get("money_minor", 0), reversed_


async def submit(shop: Shop, *commands: Command) -> None:
    for command in commands:
        assert (await shop.door.submit(command)).refusal is None


CHANGED = (OrderLine("tea", 2, 2_000, id="a"), OrderLine("cup", 2, 900, id="c"))


async def test_a_changed_order_earns_as_if_it_had_been_ordered_so(shop: Shop) -> None:
    await submit(shop, paid(shop, 1), edit(shop, 1, *CHANGED))
    await submit(shop, paid(shop, 2, CHANGED))

    changed, ordered = await booked(shop, 1), await booked(shop, 2)

    assert changed[1] == ordered[1]
    assert changed[0][0] == "PARTIALLY_REFUNDED"
    # One piece of tea, 10.00, and the pot, 20.00, came back.
    assert await shop.database.read(MONEY(shop.tenant_id, "o-1")) == [(3_000,)]
    assert await shop.problems() == []


async def test_changes_and_refunds_may_arrive_in_any_sequence(shop: Shop) -> None:
    states = set()
    for number, sequence in enumerate(permutations(range(4))):
        commands = [
            paid(shop, number),
            edit(shop, number, *CHANGED),
            back(shop, number, "r", LineAsk("a", quantity=1), LineAsk("c", amount_minor=450)),
            edit(shop, number, *PAID, name="older", later_s=-60),
        ]
        await submit(shop, *[commands[position] for position in sequence])
        order, lots = await booked(shop, number)
        states.add((order, tuple(lots)))

    assert len(states) == 1
    assert await shop.problems() == []


async def test_all_of_a_changed_order_comes_back(shop: Shop) -> None:
    more = (OrderLine("tea", 4, 4_000, id="a"), *PAID[1:])
    await submit(shop, paid(shop, 1), edit(shop, 1, *more))
    assert (await booked(shop, 1))[0][:3] == ("PAID", "6490", "60")

    await submit(shop, back(shop, 1, "r-1", LineAsk("a", quantity=2)))
    assert await shop.database.read(MONEY(shop.tenant_id, "o-1")) == [(2_000,)]
    await submit(shop, back(shop, 1, "r-2"))

    order, lots = await booked(shop, 1)
    assert order[0] == "REFUNDED"
    assert await shop.database.read(MONEY(shop.tenant_id, "o-1")) == [(6_490,)]
    assert {row[3:] for row in lots} == {("0", "0")}
    assert await shop.points("m-1") == (0, 0, 0)
    assert await shop.problems() == []


async def test_a_change_of_the_same_name_is_the_same_or_refused(shop: Shop) -> None:
    await submit(shop, paid(shop, 1), edit(shop, 1, *CHANGED), edit(shop, 1, *CHANGED))
    before = await booked(shop, 1)

    other = await shop.door.submit(edit(shop, 1, *PAID))

    assert isinstance(other.refusal, Conflict)
    assert await booked(shop, 1) == before


async def test_a_clock_that_runs_ahead_keeps_the_sequence_of_its_changes(shop: Shop) -> None:
    ahead = 3_600 + 60
    await submit(shop, paid(shop, 0), paid(shop, 1))
    for number, sequence in enumerate(permutations((60, 120))):
        for later_s in sequence:
            lines = CHANGED if later_s == 120 else PAID
            name = f"e-{later_s}"
            await submit(shop, edit(shop, number, *lines, name=name, later_s=ahead + later_s))
            shop.clock.advance(timedelta(seconds=1))

    assert await booked(shop, 0) == await booked(shop, 1)
    assert await shop.problems() == []


async def test_a_change_told_again_is_the_same_whatever_the_catalogue_says_by_now(
    shop: Shop,
) -> None:
    lines = [line._replace(category="tea", brand="Own") for line in CHANGED]
    await submit(shop, paid(shop, 1), edit(shop, 1, *lines))
    before = await booked(shop, 1)

    await submit(shop, edit(shop, 1, *[line._replace(category="hot") for line in lines]))

    assert await booked(shop, 1) == before


async def test_a_change_past_what_an_amount_can_hold_is_refused(shop: Shop) -> None:
    await submit(shop, paid(shop, 1))
    before = await booked(shop, 1)

    verdict = await shop.door.submit(edit(shop, 1, OrderLine("tea", 1, AMOUNT_MINOR_MAX, id="a")))

    assert isinstance(verdict.refusal, BadInput)
    assert await booked(shop, 1) == before


LOWERED = (OrderLine("tea", 1, 1_000, id="a"), OrderLine("pot", 1, 2_000, id="b"))
RAISED = (OrderLine("tea", 3, 2_500, id="a"), OrderLine("pot", 2, 4_000, id="b"))


@pytest.mark.parametrize("last", [PAID, RAISED, CHANGED])
async def test_changes_that_lower_and_raise_an_order_may_arrive_in_any_sequence(
    shop: Shop, last: tuple[OrderLine, ...]
) -> None:
    ends: dict[tuple[object, ...], list[tuple[int, ...]]] = {}
    for number, sequence in enumerate(permutations(range(4))):
        commands = [
            paid(shop, number),
            edit(shop, number, *LOWERED, name="lower", later_s=-120),
            edit(shop, number, *last, name="last"),
            back(shop, number, "r", LineAsk("a", quantity=1)),
        ]
        await submit(shop, *[commands[position] for position in sequence])
        order, lots = await booked(shop, number)
        ends.setdefault((order, tuple(lots), await refunded(shop, number)), []).append(sequence)

    assert len(ends) == 1, ends
    assert await shop.problems() == []
