"""Windows through HTTP, from a trained model: reasons, boosts, filters, caps, a shop's own list."""

from collections.abc import Sequence
from typing import Any

import pytest
from api_shop import PROGRAM, ApiShop, Caller, Program, eur
from habits import bought_by, missing
from trained_program import trained_program

from loyalty.services.recommendations.rankings import Rankings

pytestmark = pytest.mark.anyio

ANN, MISSING = "tea-1", missing(1)
TEAS = ["tea-green", "tea-black", "tea-white", "honey"]


@pytest.fixture
async def trained(shop: ApiShop) -> Program:
    """A program whose members have habits, and a model that learned them."""
    return await trained_program(shop)


@pytest.fixture
async def small(sqlite_shop: ApiShop) -> Program:
    """The same on SQLite alone."""
    return await trained_program(sqlite_shop)


async def window(caller: Caller, window: str, **asked: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await caller.run("recommendations", window=window, **asked)
    return answer


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["product"]["externalId"] for item in answer["items"]]


async def names(caller: Caller, asked: str, **more: Any) -> list[str]:
    return ids(await window(caller, asked, **more))


async def declare(program: Program, text: str) -> None:
    await program.shop.services.rulesets.publish(program.tenant_id, PROGRAM + text, "test")


async def test_every_product_says_why_it_is_shown(trained: Program) -> None:
    ann = await trained.shopper(ANN)

    again = (await window(ann, "BUY_AGAIN"))["items"]
    found = (await window(ann, "FOR_YOU"))["items"][0]
    like = (await window(ann, "SIMILAR", product="tea-green"))["items"][0]
    cart = (await window(ann, "CART", cart=["honey"]))["items"][0]
    guest = (await window(trained.anonymous, "TRENDING"))["items"][0]

    milk = next(item for item in again if item["product"]["externalId"] == "milk")
    assert milk["reason"] == {
        "code": "BOUGHT_BEFORE",
        "text": "Bought 12 times, about every 7 days, last 7 days ago.",
        "product": None,
        "times": 12,
        "everyDays": 7,
        "lastDays": 7,
    }
    assert found["product"]["externalId"] == MISSING
    assert found["reason"]["code"] == "BECAUSE_YOU_BUY"
    about = found["reason"]["product"]
    assert about["externalId"] in bought_by(1)[1]
    assert found["reason"]["text"] == f"Because you buy {about['name']}."
    assert like["reason"]["text"] == "Like Tea-Green."
    assert cart["reason"]["text"] == "Goes with Honey in your cart."
    # How many buy it is the shop's to know.
    assert guest["reason"] == {
        "code": "POPULAR",
        "text": "Popular now.",
        "product": None,
        "times": None,
        "everyDays": None,
        "lastDays": None,
    }


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"locale": "hu"}, "Ön 12 alkalommal vette, nagyjából 7 naponta, legutóbb 7 napja."),
        ({"locale": "ru"},
         "Вы покупали это 12 раз, примерно раз в 7 дней, последний раз 7 дней назад."),
        ({"locale": "xx"}, "Bought 12 times, about every 7 days, last 7 days ago."),
    ],
)  # fmt: skip
async def test_reasons_are_in_the_language_asked_for(
    asked: dict[str, str], text: str, small: Program
) -> None:
    ann = await small.shopper(ANN)

    items = (await window(ann, "BUY_AGAIN", **asked))["items"]

    assert text in [item["reason"]["text"] for item in items]


async def test_a_reason_names_no_product_that_the_reader_may_not_see(small: Program) -> None:
    ann = await small.shopper(ANN)
    reason = (await window(ann, "FOR_YOU"))["items"][0]["reason"]
    hidden = [small.product(name, tiers=("platinum",)) for name in TEAS if name != MISSING]
    await small.stock(*hidden)

    told = (await window(ann, "FOR_YOU"))["items"][0]["reason"]

    assert reason["product"] is not None
    assert (told["code"], told["product"]) == (reason["code"], None)
    assert told["text"] == "It goes with what you buy."


BOOSTS = """
[[recommendations.boosts]]
code = "sweet"
factor_bp = 100000
windows = ["TRENDING", "RANK_PRODUCTS"]
conditions = [{ kind = "product", any_of = ["sugar", "honey"] }]
[[recommendations.boosts]]
code = "for-gold"
factor_bp = 100000
conditions = [{ kind = "tier_at_least", tier = "gold" }, { kind = "product", any_of = ["milk"] }]
"""


async def test_boosts_move_what_they_name_and_are_told(trained: Program) -> None:
    guest = trained.anonymous
    before = await window(guest, "TRENDING")
    await declare(trained, BOOSTS)

    after = await window(guest, "TRENDING")
    elsewhere = await window(guest, "FOR_YOU")

    sweet = [name for name in ids(before) if name in ("sugar", "honey")]
    assert all(item["boosts"] == [] for item in before["items"])
    assert ids(after) == [*sweet, *(name for name in ids(before) if name not in sweet)]
    assert [item["boosts"] for item in after["items"]] == [["sweet"]] * 2 + [[]] * 7
    assert [item["rank"] for item in after["items"]] == list(range(1, 10))
    assert ids(elsewhere) == ids(before)
    assert all(item["boosts"] == [] for item in elsewhere["items"])


async def test_a_boost_for_a_tier_is_for_its_members_alone(small: Program) -> None:
    ann = await small.shopper(ANN)
    await declare(small, BOOSTS)
    base = await window(ann, "BUY_AGAIN")
    await small.paid("big", ANN, 60_000, product="milk")

    gold = await window(ann, "BUY_AGAIN")

    assert [item["boosts"] for item in base["items"]] == [[]] * len(base["items"])
    assert gold["items"][0]["product"]["externalId"] == "milk"
    assert gold["items"][0]["boosts"] == ["for-gold"]


MARGIN = """
[[recommendations.boosts]]
code = "shops-choice"
factor_bp = 100000
margin_bp_min = 3000
"""


async def test_the_cost_of_a_product_changes_nothing_but_what_a_boost_declares(
    small: Program,
) -> None:
    """What a shopper sees is the same for all costs on one side of a declared limit."""
    ann = await small.shopper(ANN)
    asked: list[tuple[str, dict[str, Any]]] = [
        ("FOR_YOU", {}), ("BUY_AGAIN", {}), ("NEXT_VISIT", {}), ("TRENDING", {}),
        ("SIMILAR", {"product": "tea-green"}), ("CART", {"cart": ["honey"]}),
    ]  # fmt: skip

    async def page() -> list[Any]:
        answers = [await window(ann, name, **more) for name, more in asked]
        answers.append(await ann.run("rank_products", ids=[*TEAS, "milk", "sugar"]))
        for answer in answers:
            del answer["recommendationId"]
        return answers

    pages: dict[str, list[Any]] = {"plain": [], "above": [], "below": []}
    # Prices are 1.00: a margin of 30 % is a cost of 0.70. Nothing comes off what costs this much
    # or less, for Ann has no points to spend on them.
    for text, costs, kind in (
        ("", (0, 1, 55, 70, 71, 99, 100, 900), "plain"),
        (MARGIN, (0, 1, 55, 69, 70), "above"),
        (MARGIN, (71, 72, 90, 100, 900), "below"),
    ):
        await declare(small, text)
        for cost in costs:
            await small.stock(
                *(
                    small.product(name, price_minor=100, cost_minor=cost)
                    for name in ("honey", "sugar")
                )
            )
            pages[kind].append(await page())

    for kind, seen in pages.items():
        assert seen == [seen[0]] * len(seen), kind
    assert pages["plain"][0] == pages["below"][0]
    boosted = [item for answer in pages["above"][0] for item in answer["items"] if item["boosts"]]
    assert {item["product"]["externalId"] for item in boosted} == {"honey", "sugar"}
    assert {code for item in boosted for code in item["boosts"]} == {"shops-choice"}


FILTERS: list[tuple[dict[str, Any], Sequence[str]]] = [
    ({"categories": ["SWEET"]}, ["honey", "sugar"]),
    ({"categories": ["SWEET", "NOTHING"], "exclude": ["honey"]}, ["sugar"]),
    ({"priceMin": eur("2.00")}, ["coffee-beans", "honey"]),
    ({"priceMin": eur("2.00"), "priceMax": eur("2.00")}, ["honey"]),
    ({"priceMax": eur("0.99")}, []),
    ({"categories": []}, [*TEAS, "coffee-beans", "coffee-ground", "coffee-decaf", "sugar", "milk"]),
    ({"categories": ["NOTHING"]}, []),
]


@pytest.mark.parametrize("depth", [100, 2])
async def test_filters_leave_out_and_never_pad(
    depth: int, trained: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyalty.services.recommendations.recommendations.DEPTH", depth)
    monkeypatch.setattr("loyalty.services.recommendations.picking.SPARE", 0)
    await trained.stock(
        trained.product("honey", price_minor=200, category="SWEET", stock=5),
        trained.product("sugar", price_minor=100, category="SWEET", stock=4),
        trained.product("coffee-beans", price_minor=900),
        trained.product("milk", price_minor=None),
        *(trained.product(name, price_minor=100) for name in
          ("tea-green", "tea-black", "tea-white", "coffee-ground", "coffee-decaf")),
    )  # fmt: skip
    everything = await names(trained.anonymous, "TRENDING", first=50)
    assert len(everything) == 9

    for wanted, expected in FILTERS:
        found = await names(trained.anonymous, "TRENDING", first=50, filter=wanted)

        # The order is the ranking's, whatever is left out of it.
        assert found == [name for name in everything if name in expected], wanted
        assert await names(trained.anonymous, "TRENDING", first=1, filter=wanted) == found[:1]


async def test_what_a_filter_leaves_deep_in_a_ranking_is_listed_once(
    small: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyalty.services.recommendations.recommendations.DEPTH", 1)
    await small.stock(
        small.product("sugar", category="SWEET", stock=0), small.product("honey", category="SWEET")
    )
    shop, guest = small.shop, small.anonymous
    query = """{recommendations(window:TRENDING,filter:{categories:["SWEET"]}){
        items{product{externalId}}}}"""

    async def found() -> list[str]:
        return ids((await guest.data(query))["recommendations"])

    await guest.data("{recommendations(window:TRENDING){strategy}}")

    cold, warm = await shop.reads(guest, query), await shop.reads(guest, query)

    assert warm == cold - 1
    assert await found() == ["honey"]
    # What comes back into stock is answered although no listing is made anew for it.
    await small.stock(small.product("sugar", category="SWEET", stock=1))
    assert sorted(await found()) == ["honey", "sugar"]
    await small.stock(small.product("milk", category="SWEET"))
    assert sorted(await found()) == ["honey", "milk", "sugar"]


async def test_only_services_ask_by_stock(trained: Program) -> None:
    """A shopper would learn by trying how many there are."""
    for name, stock in (("honey", 5), ("sugar", 4), ("milk", 1)):
        await trained.stock(trained.product(name, price_minor=100, stock=stock))
    wanted = {"stockMin": 5}
    everything = await names(trained.till, "TRENDING", first=50)

    found = await names(trained.till, "TRENDING", first=50, filter=wanted)

    # What is not counted is there.
    assert found == [name for name in everything if name not in ("sugar", "milk")]
    query = "query($f:RecommendationFilter){recommendations(window:TRENDING,filter:$f){strategy}}"
    for caller in (trained.anonymous, await trained.shopper(ANN)):
        refused = await caller.ask(query, {"f": wanted})
        assert refused["errors"][0]["message"] == (
            "found a stockMin, wanted none: only services ask by stock"
        )


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"priceMin": {"amount": "1.00", "currencyCode": "USD"}}, "currencyCode"),
        ({"priceMin": eur("2.00"), "priceMax": eur("1.99")}, "priceMin"),
        ({"priceMax": eur("-1.00")}, "priceMax"),
        ({"priceMin": eur("1.001")}, "priceMin"),
        ({"categories": [""]}, "categories"),
        ({"categories": ["x" * 201]}, "categories"),
        ({"categories": ["a\u0000"]}, "categories"),
        ({"categories": [str(number) for number in range(51)]}, "categories"),
        ({"exclude": [str(number) for number in range(201)]}, "exclude"),
        ({"stockMin": -1}, "stockMin"),
        ({"stockMin": 2_000_000_000}, "stockMin"),
    ],
)
async def test_a_filter_that_cannot_be_is_refused(
    wanted: dict[str, Any], field: str, sqlite_shop: ApiShop
) -> None:
    anybody = sqlite_shop.programs[0].till
    query = (
        "query($f:RecommendationFilter){recommendations(window:TRENDING,filter:$f){items{rank}}}"
    )

    answer = await anybody.ask(query, {"f": wanted})

    (error,) = answer["errors"]
    # Amounts and texts are refused as everywhere.
    assert error["extensions"]["code"] in ("BAD_USER_INPUT", "BAD_MONEY", "BAD_TEXT")
    assert field in str(error) or error["extensions"]["code"] != "BAD_USER_INPUT", error


CAPS = """
[recommendations]
max_per_category = 2
capped_windows = ["TRENDING"]
"""


async def test_caps_leave_out_what_is_too_much_of_a_kind(trained: Program) -> None:
    guest = trained.anonymous
    await trained.stock(*(trained.product(name, category="TEA") for name in TEAS))
    everything = await names(guest, "TRENDING", first=50)
    await declare(trained, CAPS)

    capped = await names(guest, "TRENDING", first=50)
    few = await names(guest, "TRENDING", first=3)

    teas = [name for name in everything if name in TEAS]
    assert capped == [name for name in everything if name not in teas[2:]]
    assert few == capped[:3]
    assert await names(guest, "FOR_YOU", first=50) == everything
    whole = ids(await guest.run("rank_products", ids=everything))
    assert sorted(whole) == sorted(everything)


async def test_caps_do_not_look_on_for_ever(
    small: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = small.anonymous
    for name in [*TEAS, "milk", "sugar", "coffee-beans", "coffee-ground", "coffee-decaf"]:
        await small.stock(small.product(name, category="ONE" if name == "milk" else "TWO"))
    everything = await names(guest, "TRENDING", first=50)
    await declare(small, CAPS)
    assert everything[0] == "milk"
    assert len(await names(guest, "TRENDING", first=50)) == 3
    monkeypatch.setattr("loyalty.services.recommendations.recommendations.DEPTH", 1)
    monkeypatch.setattr("loyalty.services.recommendations.recommendations.CAPPED_DEPTH_MAX", 2)
    monkeypatch.setattr("loyalty.services.recommendations.recommendations.DEEPER", 2)
    depths: list[int] = []
    computed = Rankings.computed

    async def noted(self: Rankings, served: Any, question: Any, depth: int) -> Any:
        depths.append(depth)
        return await computed(self, served, question, depth)

    monkeypatch.setattr(Rankings, "computed", noted)

    assert await names(guest, "TRENDING", first=50) == everything[:2]
    assert depths == [1, 2]


async def test_a_list_of_the_shops_is_put_in_order_for_the_member(trained: Program) -> None:
    await trained.stock(
        trained.product("new-1"),
        trained.product("new-2"),
        trained.product("gold-only", tiers=("gold",)),
        trained.product("gone", is_active=False),
        trained.product("tea-black", stock=0),
    )
    given = ["new-2", "sugar", "nothing", "gold-only", "tea-black", "gone", "new-1", "milk", "milk"]
    ann, coffee = await trained.shopper(ANN), await trained.shopper("coffee-0")

    found = await ann.run("rank_products", ids=given)
    other = await coffee.run("rank_products", ids=given)
    guest = await trained.anonymous.run("rank_products", ids=given)

    # What the model does not know keeps its order at the end; out of stock is still the shop's.
    assert ids(found) == ["milk", "tea-black", "sugar", "new-2", "new-1"]
    assert ids(other)[:2] == ["milk", "sugar"]
    assert ids(guest)[-2:] == ["new-2", "new-1"]
    assert [item["rank"] for item in found["items"]] == [1, 2, 3, 4, 5]
    assert found["items"][0]["reason"]["code"] == "BOUGHT_BEFORE"
    assert found["items"][-1]["reason"] is None
    assert (found["strategy"], guest["strategy"]) != ("popularity", "personal")
    assert guest["strategy"] == "popularity"
    assert found["modelId"] is not None
    report = {
        "recommendationId": found["recommendationId"], "type": "CLICK", "product": "sugar",
    }  # fmt: skip
    told = await ann.run("recommendation_events", input={"events": [report]})
    assert told["userErrors"] == []

    await declare(trained, BOOSTS)
    boosted = await ann.run("rank_products", ids=given)
    assert ids(boosted)[0] == "sugar"
    assert boosted["items"][0]["boosts"] == ["sweet"]
    for wrong in ([], [str(number) for number in range(101)]):
        refused = await trained.anonymous.ask(
            "query($ids:[ExternalId!]!){rankProducts(ids:$ids){strategy}}", {"ids": wrong}
        )
        assert refused["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_without_a_model_a_list_is_ordered_by_what_is_popular(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    await program.stock(*(program.product(name) for name in ("a", "b", "c", "d")))
    for number, name in enumerate(["c", "c", "a"]):
        await program.paid(f"o-{number}", None, 100, product=name)

    found = await program.anonymous.run("rank_products", ids=["d", "a", "b", "c"])

    assert ids(found) == ["c", "a", "d", "b"]
    assert (found["strategy"], found["modelId"]) == ("popularity", None)


async def test_windows_read_as_often_as_before(small: Program) -> None:
    shop, ann = small.shop, await small.shopper(ANN)
    query = "query($w:RecommendationWindow!){recommendations(window:$w){items{rank %s}}}"
    rank = '{rankProducts(ids:["milk","sugar","honey"]){items{rank}}}'
    await ann.data(query % "", {"w": "FOR_YOU"})

    reads = [
        await shop.reads(ann, query % fields, {"w": name})
        for name, fields in [
            ("FOR_YOU", ""), ("NEXT_VISIT", ""), ("TRENDING", ""),
            ("FOR_YOU", "reason{code times} boosts"), ("FOR_YOU", "reason{text}"),
        ]
    ]  # fmt: skip

    # The versions of the rules and of the member, the products; what the member bought where the
    # ranking is not cached; for sentences, all products that they name in one go.
    assert reads == [3, 4, 3, 3, 4], shop.database.texts
    assert await shop.reads(ann, rank) == 4
    await declare(small, BOOSTS)
    await ann.data(query % "", {"w": "TRENDING"})
    assert await shop.reads(ann, query % "", {"w": "TRENDING"}) == 3
