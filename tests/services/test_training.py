"""A recommender learned from booked orders, put into service or left as it was."""

from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from habits import MEMBERS, VISITS, bought_by, paid_order, product, products, visits

from loyalty.cache import open_cache
from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_terms import Choice
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.jobs.training import train_all
from loyalty.services.catalogue import Catalogue
from loyalty.services.orders.orders import BookOrder
from loyalty.services.orders.refund_commands import RefundOrder
from loyalty.services.recommendations import purchases as purchases_module
from loyalty.services.recommendations.purchases import Purchases, purchases
from loyalty.services.recommendations.training import READING_SHARE, Trainer, TrainingFailed
from loyalty.services.tenants import Tenants
from loyalty.storage import interactions as interactions_sql
from loyalty.storage import offers as offers_sql
from loyalty_recommender import artifact, room
from loyalty_recommender.judging import Gate
from loyalty_recommender.models.als import Als
from loyalty_recommender.models.novel import Novel
from loyalty_recommender.serving import Recommender
from loyalty_recommender.training import Settings

from .conftest import START, Shop

pytestmark = pytest.mark.anyio

SMALL = Settings(for_you=Novel(als=Als(factors=2)), product_visits_min=1)


def order(name: str, member: str | None, *bought: str, days: int = 1) -> PaidOrder:
    lines = tuple(OrderLine(each, 1, 100) for each in bought)
    return PaidOrder(name, member, "EUR", lines, START - timedelta(days=days))


async def booked(shop: Shop, *orders: PaidOrder) -> None:
    commands = [BookOrder(shop.tenant_id, each, "test") for each in orders]
    await shop.door.execute(shop.tenant_id, commands)


async def read(
    shop: Shop, departments: list[str] | None = None, lines_max: int | None = None
) -> Purchases:
    return await purchases(
        shop.database,
        shop.tenant_id,
        utc_offset_s=0,
        departments=departments,
        read=lambda lines, whole: None,
        lines_max=None if lines_max is None else lambda members, products: lines_max,
    )


async def learned(shop: Shop, departments: list[str] | None = None) -> set[tuple[str, str]]:
    """Member and product of every purchase learned from."""
    names = {str((await shop.member(name)).id): name for name in ("ann", "bob")}
    found = (await read(shop, departments)).interactions
    members, sold = found.members.texts(), found.products.texts()
    pairs = zip(found.member.tolist(), found.product.tolist(), strict=True)
    return {(names[members[member]], sold[each]) for member, each in pairs}


@pytest.fixture
async def stocked(shop: Shop) -> AsyncIterator[Shop]:
    cache = open_cache(None)
    catalogue = Catalogue(shop.database, cache, shop.clock)
    fuel = product("petrol", START, department="FUEL")
    await catalogue.upsert(shop.tenant_id, [*products(START), fuel])
    await shop.enrol("ann")
    await shop.enrol("bob")
    yield shop
    await cache.close()


async def test_what_members_kept_is_learned(stocked: Shop) -> None:
    await booked(
        stocked,
        order("o-1", "ann", "milk", "tea-green"),
        order("o-2", "bob", "milk", "petrol", "not-in-the-catalogue"),
        order("o-3", None, "tea-black"),
        order("o-4", "ann", "sugar"),
    )
    await stocked.refund("o-4", "r-1")

    assert await learned(stocked) == {
        ("ann", "milk"), ("ann", "tea-green"), ("bob", "milk"), ("bob", "petrol"),
    }  # fmt: skip
    assert await learned(stocked, ["DRINKS"]) == {
        ("ann", "milk"), ("ann", "tea-green"), ("bob", "milk"),
    }  # fmt: skip


async def test_lines_that_came_back_whole_are_not_learned(stocked: Shop) -> None:
    await booked(
        stocked,
        order("o-1", "ann", "milk", "tea-green", "honey"),
        order("o-2", "bob", "milk", "milk", "sugar"),
        replace(
            order("o-3", "bob"),
            lines=(OrderLine("tea-white", 4, 400), OrderLine("tea-black", 1, 0)),
        ),
    )
    for name, asks in {
        "o-1": [LineAsk("2", quantity=1), LineAsk("3", amount_minor=99)],
        # One of the two lines of milk.
        "o-2": [LineAsk("1", quantity=1), LineAsk("3", amount_minor=100)],
        "o-3": [LineAsk("1", quantity=3)],
    }.items():
        refund = RefundOrder(
            stocked.tenant_id, name, f"r-{name}", None, None, lines=tuple(asks), currency="EUR"
        )
        assert (await stocked.door.submit(refund)).refusal is None

    kept = {
        "ann": ["honey", "milk"],
        "bob": ["milk", "tea-black", "tea-white"],
    }
    assert await learned(stocked) == {(name, each) for name in kept for each in kept[name]}
    for name, own in kept.items():
        of = stocked.tenant_id, (await stocked.member(name)).id
        past = await stocked.database.read(interactions_sql.PAST(*of, 100))
        ever = await stocked.database.read(interactions_sql.EVER_BOUGHT(*of))
        offered = await stocked.database.read(
            offers_sql.BOUGHT(of[0], [of[1]], stocked.clock.now())
        )
        assert sorted(row[0] for row in past) == own
        assert sorted(row[0] for row in ever) == own
        assert sorted(row[2] for row in offered) == own
    popular = await stocked.database.read(interactions_sql.POPULAR(stocked.tenant_id, 100, 100))
    assert [row[0] for row in popular] == ["milk", "honey", "tea-black", "tea-white"]


async def test_a_line_is_kept_until_its_tax_came_back_too(stocked: Shop) -> None:
    ruleset = await stocked.rulesets.current(stocked.tenant_id)
    facts = (await stocked.member("ann")).facts()
    lines = (CartLine("1", "honey", 10, 100, tax_bp=2_500), CartLine("2", "milk", 1, 100))
    basket = Cart("c", "EUR", lines, tax_included=False)
    offered = quote(ruleset, facts, basket, Choice(), stocked.clock.now())
    held = (await stocked.reserve(offered)).outcome
    assert held is not None
    assert (await stocked.commit(held["reservation"], "o-1", 1_350)).refusal is None

    # Nine of ten pieces are worth more than all ten without their tax.
    for name, pieces, kept in (("r-1", 9, {"honey", "milk"}), ("r-2", 1, {"milk"})):
        asks = (LineAsk("1", quantity=pieces),)
        refund = RefundOrder(stocked.tenant_id, "o-1", name, None, None, lines=asks)
        assert (await stocked.door.submit(refund)).refusal is None
        assert await learned(stocked) == {("ann", each) for each in kept}


async def test_a_shop_of_many_pages_reads_as_one(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await booked(
        stocked,
        *(
            order(f"o-{n}", ("ann", "bob")[n % 2], "milk", ("honey", "sugar")[n % 3 > 0], days=n)
            for n in range(1, 40)
        ),
    )
    whole = (await read(stocked)).interactions

    monkeypatch.setattr(purchases_module, "PAGE_ROWS", 7)
    paged = (await read(stocked)).interactions

    assert whole.members.texts() == paged.members.texts()
    assert whole.products.texts() == paged.products.texts()
    for name in ("member", "product", "time", "day"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(paged, name))


async def test_what_products_are_is_learned_with_them(stocked: Shop) -> None:
    catalogue = Catalogue(stocked.database, open_cache(None), stocked.clock)
    told = [
        product("oats", START, department="DRY", category="Cereals", type="Oats", brand="Mill"),
        product("rice", START, department="DRY", category="Grains", type="Basmati"),
        product("petrol", START, department="FUEL", brand="Mill"),
        product("nothing", START, department=None),
    ]
    await catalogue.upsert(stocked.tenant_id, told)
    await booked(stocked, order("o-1", "ann", "oats", "rice", "petrol", "nothing", "milk"))

    found = (await read(stocked)).interactions

    kinds = found.attributes
    assert kinds is not None
    rows = np.stack((kinds.department, kinds.category, kinds.type, kinds.brand), axis=1)
    of = dict(zip(found.products.texts(), rows.tolist(), strict=True))
    # Codes rise with the names: departments are DRINKS, DRY and FUEL.
    assert {name: of[name] for name in ("oats", "rice", "petrol", "nothing", "milk")} == {
        "oats": [1, 0, 1, 0],
        "rice": [1, 1, 0, -1],
        "petrol": [2, -1, -1, 0],
        "nothing": [-1, -1, -1, -1],
        "milk": [0, -1, -1, -1],
    }


@pytest.mark.parametrize("page", [3, 20_000])
async def test_the_oldest_days_make_way_for_what_fits(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(purchases_module, "PAGE_ROWS", page)
    days = (3, 40, 1, 39, 2, 38, 4, 37)
    await booked(
        stocked,
        *(order(f"o-{n}", "ann", "milk", "honey", days=n) for n in days),
        order("o-same-day", "ann", "sugar", days=37),
        order("o-bob", "bob", "sugar", "petrol", days=38),
    )

    whole, some, none = [await read(stocked, lines_max=most) for most in (19, 11, 1)]

    assert (whole.lines_left_out, whole.visits_left_out) == (0, 0)
    # Room for a day of which only a part fits is room for the days after it.
    last = {START.date() - timedelta(days=n) for n in (1, 2, 3, 4, 37)}
    kept = {date(1970, 1, 1) + timedelta(days=day) for day in some.interactions.day.tolist()}
    assert (kept, len(some.interactions)) == (last, 11)
    assert (some.lines_left_out, some.visits_left_out) == (8, 4)
    assert (len(none.interactions), none.lines_left_out) == (0, 19)


async def test_nothing_crosses_tenants(shops: tuple[Shop, Shop], stocked: Shop) -> None:
    _, other = shops
    await booked(other, order("o-1", "ann", "milk"))

    assert len((await read(stocked)).interactions) == 0
    assert len((await read(other)).interactions) == 0


async def test_a_model_is_trained_and_replaced(stocked: Shop, tmp_path: Path) -> None:
    trainer = Trainer(stocked.database, stocked.rulesets, stocked.clock, tmp_path)
    orders = [paid_order(visit) for visit in visits(START)]
    await booked(stocked, *orders)
    told: list[tuple[str, float]] = []

    first = await trainer.train(
        stocked.tenant_id, settings=SMALL, progress=lambda doing, share: told.append((doing, share))
    )
    stocked.clock.advance(timedelta(hours=1))
    second = await trainer.train(stocked.tenant_id, settings=SMALL)

    folder = tmp_path / str(stocked.tenant_id)
    recommender = Recommender.load(folder)
    assert artifact.model_ids(folder) == [first.model_id, second.model_id]
    assert recommender.model_id == second.model_id
    assert recommender.trained_at == START + timedelta(hours=1)
    assert (second.counts["members"], second.counts["visits"]) == (MEMBERS, MEMBERS * VISITS)
    _, own = bought_by(0)
    past = recommender.history([*own, *own, "milk"], [1, 2, 3, 4, 5, 6, 7])
    again = recommender.recommend("BUY_AGAIN", 9, history=past, day=9)
    assert set(again.products) == {"milk", *own}
    assert told[0] == (f"reading {len(orders) * 3:,} lines", READING_SHARE)
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert told[-1] == ("done", 1.0)


async def test_days_end_in_the_shops_own_zone(
    stocked: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    async def noted(*_: object, utc_offset_s: int, **__: object) -> Purchases:
        seen.append(utc_offset_s)
        return await read(stocked)

    monkeypatch.setattr("loyalty.services.recommendations.training.purchases", noted)
    trainer = Trainer(stocked.database, stocked.rulesets, stocked.clock, tmp_path)

    for month in (1, 7):
        stocked.clock.set(START.replace(month=month))
        with pytest.raises(TrainingFailed):
            await trainer.train(stocked.tenant_id)

    zone = ZoneInfo("Europe/Budapest")
    offsets = [START.replace(month=month).astimezone(zone).utcoffset() for month in (1, 7)]
    assert [timedelta(seconds=each) for each in seen] == offsets


async def test_too_little_leaves_the_model_in_service(stocked: Shop, tmp_path: Path) -> None:
    trainer = Trainer(stocked.database, stocked.rulesets, stocked.clock, tmp_path)

    with pytest.raises(TrainingFailed, match="there is no model in service, popularity answers"):
        await trainer.train(stocked.tenant_id)
    await booked(stocked, *[paid_order(visit) for visit in visits(START)])
    card = await trainer.train(stocked.tenant_id, settings=SMALL)
    with pytest.raises(TrainingFailed, match=f"model {card.model_id} stays in service"):
        await trainer.train(stocked.tenant_id, departments=["NOTHING"])

    assert artifact.current_id(tmp_path / str(stocked.tenant_id)) == card.model_id


async def test_settings_that_may_be_worse_leave_the_old_ones_with_newer_data(
    stocked: Shop, tmp_path: Path
) -> None:
    trainer = Trainer(stocked.database, stocked.rulesets, stocked.clock, tmp_path)
    orders = [paid_order(visit) for visit in visits(START)]
    await booked(stocked, *orders[:-20])
    before = await trainer.train(stocked.tenant_id, settings=SMALL)
    await booked(stocked, *orders[-20:])
    stocked.clock.advance(timedelta(hours=1))
    popular = replace(SMALL, member_visits_min=1_000)

    few = await trainer.train(stocked.tenant_id, settings=popular)
    stocked.clock.advance(timedelta(hours=1))
    gate = Gate(members_min=5)
    refused = await trainer.train(stocked.tenant_id, settings=popular, gate=gate)
    stocked.clock.advance(timedelta(hours=1))
    taken = await trainer.train(stocked.tenant_id, settings=popular, gate=None)

    assert [card.gate["verdict"] for card in (before, few, refused, taken)] == [
        "FIRST", "TOO_LITTLE", "REFUSED", "NOT_ASKED",
    ]  # fmt: skip
    assert before.settings == few.settings == refused.settings == asdict(SMALL)
    assert taken.settings["member_visits_min"] == 1_000
    assert refused.counts["interactions"] > before.counts["interactions"]
    served = Recommender.load(tmp_path / str(stocked.tenant_id))
    assert served.model_id == taken.model_id


async def test_the_job_keeps_what_a_shop_stated(stocked: Shop, tmp_path: Path) -> None:
    trainer = Trainer(stocked.database, stocked.rulesets, stocked.clock, tmp_path)
    await booked(stocked, *[paid_order(visit) for visit in visits(START)])
    await trainer.train(stocked.tenant_id, settings=SMALL)
    stocked.clock.advance(timedelta(hours=1))

    await train_all(Tenants(stocked.database, stocked.clock), trainer)

    card = Recommender.load(tmp_path / str(stocked.tenant_id)).card
    assert (card.gate["verdict"], card.settings) == ("SAME", asdict(SMALL))


async def test_what_does_not_fit_is_counted_in_the_card(
    stocked: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MB", 1)
    monkeypatch.setattr(room, "LINES_MIN", 1)
    trainer = Trainer(stocked.database, stocked.rulesets, stocked.clock, tmp_path)
    orders = [paid_order(visit) for visit in visits(START)]
    await booked(stocked, *orders)
    of_products = 10 * room.PRODUCT_BYTES + MEMBERS * room.MEMBER_BYTES
    all_but_one = len(orders) * 3 - 1

    card = await trainer.train(
        stocked.tenant_id,
        settings=SMALL,
        memory_max_mb=room.FIXED_BYTES + of_products + all_but_one * room.LINE_BYTES,
    )

    left_out = card.counts["visitsTooOld"]
    assert 0 < left_out < MEMBERS
    assert card.counts["linesTooOld"] == left_out * 3
    assert card.counts["visits"] == len(orders) - left_out


async def test_a_disk_that_refuses_is_said(stocked: Shop, tmp_path: Path) -> None:
    in_the_way = tmp_path / "models"
    in_the_way.write_text("a file")
    trainer = Trainer(stocked.database, stocked.rulesets, stocked.clock, in_the_way)
    await booked(stocked, *[paid_order(visit) for visit in visits(START)])

    with pytest.raises(TrainingFailed, match="there is no model in service"):
        await trainer.train(stocked.tenant_id, settings=SMALL)
