"""Plans of personal offers: whom they are for, and who judges how likely a purchase is."""

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from offer_model import PRODUCTS, publish_model

from loyalty.domain.offers.offer_plan import PPM
from loyalty.domain.offers.offer_states import WhyOffered
from loyalty.domain.offers.propensity import TargetHistory
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.errors import BadInput, Conflict
from loyalty.services.books.door import outcome_of
from loyalty.services.offers import offer_histories
from loyalty.services.offers.offer_planning import OfferPlan, OfferPlanner
from loyalty.services.offers.propensity import prior_ppm
from loyalty.services.orders.orders import BookOrder
from loyalty.storage import offers as offers_sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Row, Statement
from loyalty_recommender import artifact
from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.card import FORMAT
from loyalty_recommender.history import History
from loyalty_recommender.offers.part import OfferPart
from loyalty_recommender.offers.targets import Shelves, Targets

from ..conftest import PROGRAM, START, Shop
from .conftest import RULES, Planner, members_of

pytestmark = pytest.mark.anyio


async def test_a_plan_is_for_those_who_consented_and_may_buy_more(desk: Planner) -> None:
    now_and_then = [20, 60, 100]
    some = await desk.member("some", buys=now_and_then)
    await desk.member("never")
    await desk.member("elsewhere")
    await desk.bought("elsewhere", 3, "soap")
    await desk.member("private", buys=now_and_then, profiling=False)
    await desk.member("habit", buys=range(1, 80))

    plan = await desk.plan()

    assert members_of(plan) == [some]
    (item,) = plan.chosen
    assert plan.considered == 4
    prospect = item.prospect
    # Two of 10.00 with a cost of 6.00 each; 5 % of 20.00 would come off.
    assert (prospect.margin_minor, prospect.discount_minor) == (800, 100)
    assert 150_000 < prospect.chance_ppm < 350_000
    reason = prospect.reason
    assert (reason.code, reason.times) == (WhyOffered.BOUGHT_BEFORE, 3)
    assert reason.last_on == (desk.shop.clock.now() - timedelta(days=20)).date()
    (figures,) = plan.figures
    assert (figures.members, figures.held_out, figures.cost_ppm) == (1, 0, item.cost_ppm)
    assert item.cost_ppm == item.uses_ppm * 100


async def test_a_plan_of_the_past_knows_nothing_of_what_came_later(desk: Planner) -> None:
    some = await desk.member("some", buys=[20, 60, 100])
    await desk.member("later", buys=[1, 2, 3])
    then = desk.shop.clock.now() - timedelta(days=10)

    plan = await desk.plan(at=then)

    assert members_of(plan) == [some]
    assert plan.planned_at == then
    before = await desk.plan(at=then - timedelta(days=200))
    assert before.chosen == ()


async def test_a_day_is_one_of_the_programs_summer_and_winter_alike(desk: Planner) -> None:
    shop = desk.shop
    await desk.member("some")
    for number, text in enumerate(("2025-06-01T12:00:00Z", "2025-07-10T22:30:00Z")):
        lines = (OrderLine("tea", 2, 2_000),)
        order = PaidOrder(f"o-{number}", "some", "EUR", lines, datetime.fromisoformat(text))
        outcome_of(await shop.door.submit(BookOrder(shop.tenant_id, order, "test")))
    win_back = RULES.replace("budget_minor", 'objective = "win_back"\nbudget_minor')
    await shop.rulesets.publish(shop.tenant_id, win_back, "test")

    (item,) = (await desk.plan()).chosen

    # It was summer in Budapest, half an hour into the next day.
    assert item.prospect.reason.last_on == date(2025, 7, 11)


async def test_a_plan_of_the_future_is_refused(desk: Planner) -> None:
    """What is published until then could not be known to it."""
    with pytest.raises(BadInput, match="wanted a moment that has come"):
        await desk.plan(at=desk.shop.clock.now() + timedelta(seconds=1))


def chances_of(plan: OfferPlan) -> dict[int, int]:
    return {item.prospect.member_id: item.prospect.chance_ppm for item in plan.chosen}


async def test_a_plan_reads_the_model_in_service(served: Planner, trained: Path) -> None:
    """Every chance is what the model says of the member's own past, asked by itself."""
    part = OfferPart.load(trained)
    habits = {"seldom": [20, 60, 100], "weekly": [4, 11, 18, 25, 32], "gone": [120, 130, 140]}
    ids = {name: await served.member(name, buys=days) for name, days in habits.items()}
    await served.bought("seldom", 3, "soap")

    plan = await served.plan()

    assert (plan.propensity, plan.prior_for) == (f"model {part.model_id}", None)
    today = int(served.shop.clock.now().timestamp()) // DAY_S
    kinds = [PRODUCTS[each] for each in part.products.texts()]
    nothing = [None] * len(kinds)
    # The shop's own catalogue: of the products that the model knows it has tea and soap.
    own = Attributes.of_names(
        nothing, [kind if each in ("tea", "soap") else None
                  for each, kind in zip(part.products.texts(), kinds, strict=True)],
        nothing, nothing,
    )  # fmt: skip
    tea, soap = part.products.find("tea"), part.products.find("soap")
    asked = part.scorer.ask(Targets.of([np.array([tea])], Shelves.of(own)), 14)
    expected = {}
    for name, days in habits.items():
        bought = [(tea, today - day) for day in days]
        bought += [(soap, today - 3)] * (name == "seldom")
        product, day = np.array(bought, dtype=np.int32).T
        (chance,) = asked.chances(History.of(product, day), today)
        expected[ids[name]] = int(chance * PPM)
    assert chances_of(plan) == expected
    assert expected[ids["gone"]] < expected[ids["seldom"]] < expected[ids["weekly"]]


async def test_a_plan_does_not_depend_on_how_many_members_are_read_at_once(
    served: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = RULES.replace("budget_minor", 'objective = "try_new"\nbudget_minor')
    for number in range(7):
        await served.member(f"m{number}", buys=[10 + number, 40, 90][: number % 4])
    whole = await served.plan()
    await served.shop.rulesets.publish(served.shop.tenant_id, rules, "test")
    new = await served.plan()
    await served.shop.rulesets.publish(served.shop.tenant_id, RULES, "test")

    monkeypatch.setattr(offer_histories, "PAGE_MEMBERS", 2)

    assert (await served.plan()).chosen == whole.chosen != ()
    await served.shop.rulesets.publish(served.shop.tenant_id, rules, "test")
    assert (await served.plan()).chosen == new.chosen != ()


async def test_each_member_is_read_once_and_few_at_a_time(
    served: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is held of purchases does not grow with the members."""

    class Told:
        """A database that notes whose purchases were asked for."""

        asked: list[list[int]]

        def __init__(self) -> None:
            self.asked = []

        async def read(self, statement: Statement) -> list[Row]:
            if statement.sql is offers_sql.BOUGHT:
                self.asked.append(list(statement.parameters[1]))
            return await served.shop.database.read(statement)

    monkeypatch.setattr(offer_histories, "PAGE_MEMBERS", 2)
    ids = [await served.member(f"m{number}", buys=[10, 40]) for number in range(5)]
    told = Told()
    shop = served.shop
    planner = OfferPlanner(cast(Database, told), shop.clock, shop.rulesets, served.models)

    await planner.plan(shop.tenant_id)

    assert told.asked == [ids[:2], ids[2:4], ids[4:]]


async def test_a_shop_without_a_catalogue_is_judged_by_the_prior(
    shops: tuple[Shop, Shop], tmp_path: Path, trained: Path
) -> None:
    """Its orders name products that nobody described."""
    bare = Planner(shops[1], tmp_path)
    shutil.copytree(trained, tmp_path / f"{bare.shop.tenant_id}")
    rules = RULES.replace('categories = ["TEA"]', 'products = ["tea"]')
    await bare.shop.rulesets.publish(bare.shop.tenant_id, rules, "test")
    some = await bare.member("some", buys=[20, 60, 100])

    plan = await bare.plan()

    assert plan.prior_for == "the model knows no product of tea"
    assert chances_of(plan) == {some: prior_ppm(TargetHistory(3, 1, 20), 14)}


async def test_without_a_model_the_prior_answers_and_the_plan_says_so(desk: Planner) -> None:
    await desk.member("m", buys=[20, 60, 100])

    plan = await desk.plan()

    assert plan.propensity == "prior-1"
    assert "no model has been published" in (plan.prior_for or "")
    assert 150_000 < next(iter(chances_of(plan).values())) < 350_000


async def test_a_model_that_had_too_little_to_learn_from_leaves_it_to_the_prior(
    desk: Planner,
) -> None:
    publish_model(desk.models / f"{desk.shop.tenant_id}", START, days=5)
    await desk.member("m", buys=[20, 60, 100])

    plan = await desk.plan()

    assert plan.propensity == "prior-1"
    assert "does not tell who uses offers" in (plan.prior_for or "")


async def test_a_plan_of_the_past_asks_no_model_that_learned_what_came_later(
    served: Planner,
) -> None:
    await served.member("m", buys=[20, 60, 100])

    plan = await served.plan(at=served.shop.clock.now() - timedelta(days=5))

    assert plan.propensity == "prior-1"
    assert "has learned from purchases until 2026-02-" in (plan.prior_for or "")


async def test_a_model_of_an_earlier_version_leaves_it_to_the_prior_and_a_broken_one_stops(
    served: Planner,
) -> None:
    await served.member("m", buys=[20, 60, 100])
    card = artifact.folder_of(served.models / f"{served.shop.tenant_id}") / artifact.CARD
    text = card.read_text()

    card.write_text(text.replace(f'"format": {FORMAT}', f'"format": {FORMAT - 1}'))
    plan = await served.plan()
    card.write_text(text.replace('"basis"', '"basil"'))

    assert plan.propensity == "prior-1"
    assert plan.prior_for == "the model in service is of an earlier version: train again"
    with pytest.raises(Conflict, match="cannot be read"):
        await served.plan()


async def test_the_prior_answers_for_what_the_model_never_saw(served: Planner) -> None:
    target = '{ code = "tea", name = "tea", categories = ["TEA"] }'
    rules = RULES.replace(target, target + ', { code = "x", name = "x", products = ["x"] }')
    await served.shop.rulesets.publish(served.shop.tenant_id, rules, "test")
    await served.member("tea", buys=[20, 60, 100])
    await served.member("x")
    for days in (20, 60, 100):
        await served.bought("x", days, "x")

    plan = await served.plan()

    chances = {item.prospect.target: item.prospect.chance_ppm for item in plan.chosen}
    assert plan.propensity.startswith("model ")
    assert plan.prior_for == "the model knows no product of x"
    assert chances["x"] == prior_ppm(TargetHistory(3, 1, 20), 14) != chances["tea"]


async def test_a_purchase_of_this_minute_counts_although_the_model_is_older(
    served: Planner,
) -> None:
    some = await served.member("some", buys=[20, 60, 100])
    before = await served.plan()

    await served.bought("some", 1)
    after = await served.plan()

    assert chances_of(after)[some] > chances_of(before)[some]


async def test_a_merchant_that_wants_consent_to_marketing_gets_no_others(desk: Planner) -> None:
    rules = RULES.replace("holdout_bp = 0", 'holdout_bp = 0\nconsent = "profiling_and_marketing"')
    await desk.shop.rulesets.publish(desk.shop.tenant_id, rules, "test")
    await desk.member("silent", buys=[20, 60, 100])
    asked = await desk.member("asked", buys=[20, 60, 100], email=True)

    assert members_of(await desk.plan()) == [asked]


@pytest.mark.parametrize(
    ("objective", "wanted"),
    [("profit", ["gone", "some"]), ("win_back", ["gone"]), ("try_new", ["new"])],
)
async def test_an_objective_says_whom_an_offer_is_for(
    desk: Planner, objective: str, wanted: list[str]
) -> None:
    rules = RULES.replace("budget_minor", f'objective = "{objective}"\nbudget_minor')
    await desk.shop.rulesets.publish(desk.shop.tenant_id, rules, "test")
    ids = {
        await desk.member("some", buys=[20, 60, 100]): "some",
        await desk.member("gone", buys=[70, 80, 90, 100]): "gone",
        await desk.member("new"): "new",
    }

    plan = await desk.plan()

    assert sorted(ids[id] for id in members_of(plan)) == wanted


async def test_a_program_without_a_pool_has_nothing_to_plan(desk: Planner) -> None:
    await desk.shop.rulesets.publish(desk.shop.tenant_id, PROGRAM, "test")

    with pytest.raises(Conflict, match="no \\[\\[offers\\]\\]"):
        await desk.plan()
