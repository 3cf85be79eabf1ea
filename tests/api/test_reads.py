"""How many statements an answer takes: a resolver that asks once per item shows here."""

import pytest
from api_shop import PROGRAM, ApiShop, Program, document, line
from offer_shop import POOL, offers_of_program

from loyalty.storage.effects import Effects
from loyalty.storage.statements import Unit

pytestmark = pytest.mark.anyio


async def test_the_home_page_is_lean(shop: ApiShop) -> None:
    program = shop.programs[0]
    await program.stock(*(program.product(f"p-{number}") for number in range(30)))
    ann = await program.rich("ann", 300)
    for number in range(12):
        await program.paid(f"o-{number}", "ann", 1_000, product=f"p-{number}")
    home = document("home")
    await ann.data("{viewer{kind}}")

    cold = await shop.reads(ann, home)
    warm = await shop.reads(ann, home)

    # Cold: version of the rules, of the member; its row, lots, sums, holds in one go; history;
    # whether two models share traffic; what is popular, and what she bought, so is not new to her;
    # and the products of each of three windows, which have to be of this moment.
    assert cold == 10
    # Warm, all but the two versions, the history, what she bought and the products come from the
    # cache.
    assert warm == 7


async def test_a_quote_is_lean(shop: ApiShop) -> None:
    program = shop.programs[0]
    await program.stock(program.product("tea"))
    await program.rich("ann", 300)
    till = program.till
    await till.data("{viewer{kind}}")
    cart = {"cartId": "c", "member": "ann", "lines": [line("1", "tea", 1, "30.00")]}

    reads = await shop.reads(till, document("checkout_quote"), {"input": cart})

    # Version of the rules; what the cart holds; the member's id, and its row, lots, sums and holds
    # in one go; coupons, cards and stock in one go; products.
    assert reads == 6, shop.database.texts


async def test_members_and_products_asked_for_together_are_read_together(shop: ApiShop) -> None:
    program = shop.programs[0]
    await program.stock(*(program.product(f"p-{number}") for number in range(10)))
    await program.rich("ann", 300)
    till = program.till
    await till.data("{viewer{kind}}")
    products = " ".join(f'p{n}: product(externalId:"p-{n}") {{ name }}' for n in range(10))
    same = " ".join(
        f'm{n}: member(externalId:"ann") {{ name balance {{ held }} }}' for n in range(10)
    )

    assert await shop.reads(till, f"{{{products}}}") == 1
    cold, warm = await shop.reads(till, f"{{{same}}}"), await shop.reads(till, f"{{{same}}}")
    assert (cold, warm) == (3, 2)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{viewer{kind memberExternalId}}", 0),
        ("{program{code tiers{code} rewards{code}}}", 1),
        ("{member{name balance{available} balances{pending} tier{qualifying}}}", 2),
        ("{member{tier{history{at}}}}", 3),
        ("{member{history{nodes{points} edges{cursor}}}}", 3),
        ("{member{orders(first:10){nodes{externalId lines{product quantity}}}}}", 4),
        ("{products(first:20){nodes{name price{amount}}}}", 3),
        ('{products(first:20,search:"p"){nodes{name}}}', 4),
    ],
)
async def test_an_answer_takes_so_many_reads(
    query: str, expected: int, sqlite_shop: ApiShop
) -> None:
    program = sqlite_shop.programs[0]
    await program.stock(*(program.product(f"p-{number}") for number in range(20)))
    ann = await program.rich("ann", 300)
    for number in range(9):
        await program.paid(f"o-{number}", "ann", 1_000)
    await ann.data(query)

    assert await sqlite_shop.reads(ann, query) == expected


async def test_a_page_of_members_does_not_read_each(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    for number in range(5):
        await program.enrol(f"m-{number}")
    query = "query($first:Int){members(first:$first){nodes{externalId balance{available}}}}"
    await program.merchant.data(query, {"first": 1})

    one = await sqlite_shop.reads(program.merchant, query, {"first": 1})
    five = await sqlite_shop.reads(program.merchant, query, {"first": 5})

    assert one == five


async def test_a_page_of_plans_does_not_read_each(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    await sqlite_shop.services.rulesets.publish(program.tenant_id, PROGRAM + POOL, "test")
    desk = offers_of_program(program)
    await program.enrol("ann")
    for _ in range(5):
        await desk.give("ann", plan=await desk.plan())
    query = "query($first:Int){offerPlans(first:$first){nodes{number offers{uses held}}}}"
    await program.merchant.data(query, {"first": 1})

    one = await sqlite_shop.reads(program.merchant, query, {"first": 1})
    five = await sqlite_shop.reads(program.merchant, query, {"first": 5})

    assert one == five


async def ended_experiments(program: Program, count: int) -> None:
    database, now = program.shop.database, program.shop.clock.now()

    def unit() -> Unit[None]:
        effects = Effects()
        for id in database.ids.take(count):
            row = {"control": "a", "candidate": "b", "share_bp": 5_000, "running": None}
            times = {"started_at": now, "ended_at": now}
            effects.insert(
                "experiment",
                {"id": id, "tenant_id": program.tenant_id, "started_by": "test"} | row | times,
            )
        yield effects

    await database.write(unit)


async def test_a_page_of_experiments_does_not_read_each(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    await ended_experiments(program, 5)
    query = """query($first:Int){
        experiments(first:$first){nodes{id comparison{control{members} candidate{members}}}}}"""
    await program.merchant.data(query, {"first": 1})

    one = await sqlite_shop.reads(program.merchant, query, {"first": 1})
    five = await sqlite_shop.reads(program.merchant, query, {"first": 5})

    assert one == five
