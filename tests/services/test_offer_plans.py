"""Plans of personal offers on a real database: made, published once, withdrawn, counted."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import orjson
import pytest
from offer_model import PRODUCTS, publish_model
from offer_shop import OfferShop

from loyalty.cache import open_cache
from loyalty.domain.offers.offer_effect import Group, uplift_of
from loyalty.domain.offers.offer_plan import PPM
from loyalty.domain.offers.offer_states import WhyOffered
from loyalty.domain.offers.propensity import TargetHistory
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.product import ProductFacts
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.errors import BadInput, Conflict, NotFound
from loyalty.services.books.door import outcome_of
from loyalty.services.catalogue import Catalogue
from loyalty.services.members.erasure import Erase
from loyalty.services.members.members import Enrol, Profile, UpdateMember
from loyalty.services.offers import offer_figures, offer_histories
from loyalty.services.offers.offer_figures import OfferReports
from loyalty.services.offers.offer_plan_file import FiledPlan, read, written
from loyalty.services.offers.offer_planning import OfferPlan, OfferPlanner
from loyalty.services.offers.offer_publishing import OfferPublisher, Published
from loyalty.services.offers.propensity import prior_ppm
from loyalty.services.orders.order_edits import EDIT, OrderEdit
from loyalty.services.orders.orders import BookOrder
from loyalty.services.orders.refund_commands import RefundOrder, edit_name
from loyalty.storage import offers as offers_sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Row, Sql, Statement, Unit
from loyalty_recommender import artifact
from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.card import FORMAT
from loyalty_recommender.history import History
from loyalty_recommender.offers.part import OfferPart
from loyalty_recommender.offers.targets import Shelves, Targets

from .conftest import PROGRAM, START, Shop

pytestmark = pytest.mark.anyio

POOL = """
[[rewards]]
code = "fifth"
name = "A fifth off"
needs_offer = true
does = { kind = "percentage_off", rate_bp = 500 }

[offer_policy]
holdout_bp = 0
margin_bp = 4000
uplift_bp = 20000
target_days_between = 7

[[offers]]
code = "fresh"
name = "A fifth off {target}"
reward = "fifth"
days_between = 7
budget_minor = 1000
targets = [{ code = "tea", name = "tea", categories = ["TEA"] }]
"""
RULES = PROGRAM + POOL


class Planner:
    """The merchant's side of a shop whose members buy tea."""

    def __init__(self, shop: Shop, models: Path) -> None:
        self.shop = shop
        self.models = models
        self.planner = OfferPlanner(shop.database, shop.clock, shop.rulesets, models)
        self.publisher = OfferPublisher(shop.database, shop.clock, shop.rulesets)
        self.reports = OfferReports(shop.database, shop.clock, shop.rulesets)
        self.desk = OfferShop(shop)

    async def member(self, name: str, *, buys: Sequence[int] = (), **consents: bool) -> int:
        """A member that bought tea so many days ago."""
        shop = self.shop
        profile = Profile({}, {"profiling": True} | consents)
        outcome_of(await shop.door.submit(Enrol(shop.tenant_id, None, name, profile)))
        for days in buys:
            await self.bought(name, days)
        return (await shop.member(name)).id

    async def bought(self, name: str, days_ago: int, product: str = "tea") -> None:
        shop = self.shop
        at = shop.clock.now() - timedelta(days=days_ago)
        lines = (OrderLine(product, 2, 2_000),)
        order = PaidOrder(f"{name}-{product}-{at:%m%d}", name, "EUR", lines, at)
        outcome_of(await shop.door.submit(BookOrder(shop.tenant_id, order, "test")))

    async def plan(self, **more: Any) -> OfferPlan:
        return await self.planner.plan(self.shop.tenant_id, **more)

    async def filed(self) -> FiledPlan:
        return read(written(await self.plan(), "corner"))

    async def publish(self, plan: FiledPlan | None = None) -> Published:
        filed = plan or await self.filed()
        return await self.publisher.publish(self.shop.tenant_id, "corner", filed, "test")


def members_of(plan: OfferPlan) -> list[int]:
    return sorted(item.prospect.member_id for item in plan.chosen)


@pytest.fixture
async def desk(shop: Shop, tmp_path: Path) -> Planner:
    await shop.rulesets.publish(shop.tenant_id, RULES, "test")
    catalogue = Catalogue(shop.database, open_cache(None), shop.clock)
    tea = ProductFacts("tea", "Tea", shop.clock.now(), "EUR", category="TEA", cost_minor=600)
    soap = ProductFacts("soap", "Soap", shop.clock.now(), "EUR", category="CARE")
    await catalogue.upsert(shop.tenant_id, [tea, soap])
    return Planner(shop, tmp_path)


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


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of a tenant, one of them in service, trained when the shop's clock begins."""
    folder = tmp_path_factory.mktemp("trained")
    publish_model(folder, START)
    return folder


@pytest.fixture
def served(desk: Planner, trained: Path) -> Planner:
    """A shop that has trained."""
    shutil.copytree(trained, desk.models / f"{desk.shop.tenant_id}")
    return desk


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


async def test_a_published_plan_is_everybodys_at_once_and_only_once(desk: Planner) -> None:
    for number in range(5):
        await desk.member(f"m{number}", buys=[20 + number, 60, 100])
    filed = await desk.filed()

    first = await desk.publish(filed)
    again = await desk.publish(filed)

    assert (first.offers, first.held_out, first.skipped, first.replayed) == (5, 0, 0, False)
    assert (again.plan_id, again.offers, again.replayed) == (first.plan_id, 0, True)
    for number in range(5):
        assert await desk.desk.states(f"m{number}") == ["OFFERED"]
    (offer,) = await desk.desk.of("m0")
    # Until the end of the fourteenth day after this one, in Budapest.
    assert f"{offer.ends_at:%m-%d %H:%M}" == "03-15 23:00"


async def test_what_ends_publishing_in_between_is_taken_up_again(desk: Planner) -> None:
    class Cut(OfferPublisher):
        """Is stopped after the first part."""

        parts = 0

        def _part(self, *arguments: Any) -> Unit[tuple[int, int, int]]:
            self.parts += 1
            if self.parts > 1:
                raise RuntimeError("stopped")
            return super()._part(*arguments)

        def _ended(self, *arguments: Any) -> Unit[None]:
            raise RuntimeError("stopped")

    shop = desk.shop
    for number in range(4):
        await desk.member(f"m{number}", buys=[20 + number, 60, 100])
    filed = await desk.filed()
    cut = Cut(shop.database, shop.clock, shop.rulesets)
    with pytest.raises(RuntimeError):
        await cut.publish(shop.tenant_id, "corner", filed, "test")
    assert await desk.desk.states("m0") == []
    with pytest.raises(Conflict, match="half published"):
        await desk.publish(replace(filed, key="0" * 64))

    done = await desk.publish(filed)

    assert done.offers == 4
    rows = await shop.database.read(Sql("SELECT COUNT(*) FROM member_offer")())
    assert rows == [(4,)]
    assert await desk.desk.states("m3") == ["OFFERED"]


async def test_a_plan_withdrawn_while_it_is_published_is_not_said_to_be(desk: Planner) -> None:
    class Overtaken(OfferPublisher):
        """Is withdrawn after the last part."""

        def _ended(self, tenant_id: int, plan_id: int, by: str) -> Unit[None]:
            yield offers_sql.WITHDRAW(tenant_id, plan_id, desk.shop.clock.now())
            yield from super()._ended(tenant_id, plan_id, by)

    shop = desk.shop
    await desk.member("m", buys=[20, 60, 100])
    publisher = Overtaken(shop.database, shop.clock, shop.rulesets)

    with pytest.raises(Conflict, match="withdrawn meanwhile"):
        await publisher.publish(shop.tenant_id, "corner", await desk.filed(), "test")
    assert await desk.desk.states("m") == []


async def test_two_who_publish_the_same_plan_publish_it_once(desk: Planner) -> None:
    for number in range(6):
        await desk.member(f"m{number}", buys=[20 + number, 60, 100])
    filed = await desk.filed()

    done = await asyncio.gather(*(desk.publish(filed) for _ in range(4)), return_exceptions=True)

    assert {each.plan_id for each in done if isinstance(each, Published)} != set()
    assert all(isinstance(each, Published | Conflict) for each in done), done
    rows = await desk.shop.database.read(
        Sql("SELECT COUNT(*), COUNT(DISTINCT plan_id) FROM member_offer")()
    )
    assert rows == [(6, 1)]


async def test_a_plan_overtaken_by_another_or_by_new_rules_is_refused(desk: Planner) -> None:
    shop = desk.shop
    await desk.member("m", buys=[20, 60, 100])
    old = await desk.filed()
    shop.clock.advance(timedelta(minutes=1))
    newer = await desk.filed()
    await desk.publish(newer)

    with pytest.raises(Conflict, match="published since"):
        await desk.publish(old)
    with pytest.raises(Conflict, match="of tenant 'corner'"):
        await desk.publisher.publish(shop.tenant_id, "elsewhere", newer, "test")
    await shop.rulesets.publish(shop.tenant_id, RULES + "\n# changed\n", "test")
    with pytest.raises(Conflict, match="made by version"):
        await desk.publish(newer)
    assert await desk.desk.states("m") == ["OFFERED"]


async def test_who_left_or_took_back_consent_meanwhile_gets_nothing(desk: Planner) -> None:
    shop = desk.shop
    for name in ("stays", "left", "silent"):
        await desk.member(name, buys=[20, 60, 100])
    filed = await desk.filed()
    await shop.door.submit(Erase(shop.tenant_id, None, "left", "test"))
    quiet = UpdateMember(shop.tenant_id, None, "silent", Profile({}, {"profiling": False}))
    outcome_of(await shop.door.submit(quiet))

    done = await desk.publish(filed)

    assert (done.offers, done.skipped) == (1, 2)
    assert await desk.desk.states("stays") == ["OFFERED"]
    assert await desk.desk.states("silent") == []


async def test_a_second_plan_keeps_its_distance_and_what_is_left_of_the_budget(
    desk: Planner,
) -> None:
    shop = desk.shop
    await desk.member("m", buys=[20, 60, 100])
    first = await desk.plan()
    await desk.publish(read(written(first, "corner")))

    second = await desk.plan()

    assert second.chosen == ()
    expected = -(-first.chosen[0].cost_ppm // PPM)
    assert second.budgets["fresh"].minor == 1_000 - expected
    # Fourteen days it stands, and seven it rests; what it cost is what it cost.
    shop.clock.advance(timedelta(days=21, hours=12))
    assert len((await desk.plan()).chosen) == 1
    assert (await desk.plan()).budgets["fresh"].minor == 1_000


async def test_an_offer_that_is_used_up_makes_room_for_another(desk: Planner) -> None:
    shop = desk.shop
    second = (
        RULES.replace("target_days_between", "open_max = 1\ntarget_days_between")
        + """
[[offers]]
code = "clean"
name = "A fifth off {target}"
reward = "fifth"
targets = [{ code = "soap", name = "soap", products = ["soap"] }]
"""
    )
    await desk.member("m", buys=[20, 60, 100])
    await desk.publish()
    for days in (20, 60, 100):
        await desk.bought("m", days, "soap")
    await shop.rulesets.publish(shop.tenant_id, second, "test")
    assert (await desk.plan()).chosen == ()
    (offer,) = await desk.desk.of("m")
    await desk.desk.offers.activate(shop.tenant_id, shop.key("activate"), "m", offer.id)
    quote = await desk.desk.quoted("m", "c-1", 2_000, category="TEA")
    held = outcome_of(await shop.reserve(quote))
    outcome_of(await shop.commit(held["reservation"], "o-1", quote.payable_minor))

    assert [item.prospect.offer for item in (await desk.plan()).chosen] == ["clean"]
    # Read together, each plan is told what came of it alone.
    await desk.publish()
    newer, older = await desk.reports.plans(shop.tenant_id, 10)
    assert [newer, older] == [
        await desk.reports.plan(shop.tenant_id, each.id) for each in (newer, older)
    ]
    assert [[each.uses for each in plan.offers] for plan in (newer, older)] == [[0, 0], [1]]


async def test_what_was_bought_before_publication_is_no_effect(desk: Planner) -> None:
    await desk.member("m", buys=[20, 60, 100])
    filed = await desk.filed()
    desk.shop.clock.advance(timedelta(hours=2))
    await desk.bought("m", 0, "soap")
    desk.shop.clock.advance(timedelta(hours=2))
    done = await desk.publish(filed)
    desk.shop.clock.advance(timedelta(hours=2))

    plan = await desk.reports.plan(desk.shop.tenant_id, done.plan_id)
    effect = await desk.reports.effect(desk.shop.tenant_id, plan)

    assert effect is not None
    assert (effect.offered.members, effect.offered.buyers) == (1, 0)


async def test_a_withdrawn_plan_is_nobodys_any_more(desk: Planner) -> None:
    shop = desk.shop
    await desk.member("m", buys=[20, 60, 100])
    filed = await desk.filed()
    done = await desk.publish(filed)

    assert await desk.publisher.withdraw(shop.tenant_id, done.plan_id, "test")
    assert not await desk.publisher.withdraw(shop.tenant_id, done.plan_id, "test")
    assert await desk.desk.states("m") == ["WITHDRAWN"]
    with pytest.raises(Conflict, match="withdrawn"):
        await desk.publish(filed)
    with pytest.raises(NotFound):
        await desk.publisher.withdraw(shop.tenant_id, 12, "test")
    events = await shop.database.read(
        Sql("SELECT action FROM audit_event WHERE subject_kind = 'OFFER_PLAN' ORDER BY id")()
    )
    assert events == [("offerPlanPublish",), ("offerPlanWithdraw",)]


async def test_another_tenants_plan_is_not_there(shops: tuple[Shop, Shop], desk: Planner) -> None:
    await desk.member("m", buys=[20, 60, 100])
    done = await desk.publish()
    await shops[1].rulesets.publish(shops[1].tenant_id, RULES, "test")
    other = Planner(shops[1], desk.models)

    with pytest.raises(NotFound):
        await other.publisher.withdraw(shops[1].tenant_id, done.plan_id, "test")
    with pytest.raises(NotFound):
        await other.reports.plan(shops[1].tenant_id, done.plan_id)
    assert await other.reports.plans(shops[1].tenant_id, 9) == []
    # Its members are nobody's here, even where the file says otherwise.
    filed = read(written(await desk.plan(at=desk.shop.clock.now() - timedelta(days=1)), "corner"))
    there = await other.publisher.publish(shops[1].tenant_id, "corner", filed, "test")
    assert (there.offers, there.skipped) == (0, len(filed.offers))


async def test_what_came_of_a_plan_beside_what_was_expected_and_who_was_held_out(
    desk: Planner,
) -> None:
    shop = desk.shop
    rules = RULES.replace("holdout_bp = 0", "holdout_bp = 4000")
    await shop.rulesets.publish(shop.tenant_id, rules, "test")
    names = [f"m{number}" for number in range(12)]
    for name in names:
        await desk.member(name, buys=[20, 60, 100])
    done = await desk.publish()
    offered = [name for name in names if await desk.desk.states(name)]
    assert 0 < len(offered) == done.offers < 12
    assert done.held_out == 12 - len(offered)
    user = offered[0]
    (offer,) = await desk.desk.of(user)
    await desk.desk.offers.activate(shop.tenant_id, shop.key("activate"), user, offer.id)
    for order in ("o-1", "o-2"):
        quote = await desk.desk.quoted(user, f"c-{order}", 2_000, category="TEA")
        held = await shop.reserve(quote)
        assert held.outcome is not None
        await shop.commit(held.outcome["reservation"], order, quote.payable_minor)
    shop.clock.advance(timedelta(minutes=1))

    plan = await desk.reports.plan(shop.tenant_id, done.plan_id)
    effect = await desk.reports.effect(shop.tenant_id, plan)

    (came,) = plan.offers
    assert (plan.state, came.offered, came.held_out) == ("PUBLISHED", len(offered), done.held_out)
    assert (came.activated, came.users, came.uses, came.held) == (1, 1, 1, 0)
    assert came.cost_minor == 100
    assert came.expected_uses_ppm > 0
    assert effect is not None
    assert (effect.offered.members, effect.offered.buyers) == (len(offered), 1)
    assert effect.offered.sales_minor == 2_000 - 100 + 2_000
    assert (effect.held_out.members, effect.held_out.buyers) == (done.held_out, 0)
    assert effect.rate is not None
    assert effect.rate.low < 0 < effect.rate.found < effect.rate.high
    await shop.refund("o-1", "r-1")
    (came,) = (await desk.reports.plan(shop.tenant_id, done.plan_id)).offers
    assert (came.uses, came.cost_minor) == (0, 0)


@pytest.mark.parametrize("page", [1, 100])
async def test_what_came_back_was_not_sold(
    desk: Planner, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offer_figures, "PAGE_MEMBERS", page)
    shop = desk.shop
    rules = RULES.replace("holdout_bp = 0", "holdout_bp = 4000")
    await shop.rulesets.publish(shop.tenant_id, rules, "test")
    for number in range(12):
        await desk.member(f"m{number}", buys=[20, 60, 100])
    done = await desk.publish()
    offered = [f"m{number}" for number in range(12) if await desk.desk.states(f"m{number}")]
    at = shop.clock.now()
    tea, jam, ham = (OrderLine(each, 2, 2_000, id=each) for each in ("tea", "jam", "ham"))
    for name in offered[:3]:
        order = PaidOrder(name, name, "EUR", (tea, jam), at, 300)
        outcome_of(await shop.door.submit(BookOrder(shop.tenant_id, order, "test")))
    of_tea = (LineAsk("tea", quantity=1),)
    steps = [
        RefundOrder(shop.tenant_id, offered[0], "r-1", None, None, lines=of_tea),
        # All of it but the shipping.
        RefundOrder(shop.tenant_id, offered[1], "r-2", None, None, lines=(LineAsk("tea"),)),
        RefundOrder(shop.tenant_id, offered[1], "r-3", None, None, lines=(LineAsk("jam"),)),
    ]
    # Jam makes way for ham, and ham for half of it.
    for later_s, line in enumerate((ham, ham._replace(quantity=1, amount_minor=1_000))):
        edit = OrderEdit((tea, line), 300, "EUR")
        name, when = edit_name(f"e-{later_s}"), at + timedelta(seconds=later_s)
        steps.append(
            RefundOrder(
                shop.tenant_id, offered[2], name, None, when, may_wait=True, kind=EDIT, edit=edit
            )
        )
    shop.clock.advance(timedelta(minutes=1))
    for step in steps:
        outcome_of(await shop.door.submit(step))

    plan = await desk.reports.plan(shop.tenant_id, done.plan_id)
    effect = await desk.reports.effect(shop.tenant_id, plan)

    assert effect is not None
    sold = [1_000 + 2_000 + 300, 300, 2_000 + 1_000 + 300]
    squares = sum(each * each for each in sold)
    assert effect.offered == Group(len(offered), 3, sum(sold), squares)
    assert effect.held_out == Group(12 - len(offered))


async def test_of_each_offer_it_is_told_who_bought_its_target_and_by_how_much_the_odds_rose(
    desk: Planner,
) -> None:
    shop = desk.shop
    rules = RULES.replace("holdout_bp = 0", "holdout_bp = 4000")
    await shop.rulesets.publish(shop.tenant_id, rules, "test")
    names = [f"m{number}" for number in range(20)]
    for name in names:
        await desk.member(name, buys=[20, 60, 100])
    done = await desk.publish()
    offered = [name for name in names if await desk.desk.states(name)]
    held_out = [name for name in names if name not in offered]
    # Another version of the rules, with another target, says nothing of this plan.
    later = rules.replace('categories = ["TEA"]', 'categories = ["CARE"]')
    await shop.rulesets.publish(shop.tenant_id, later.replace("20000", "30000"), "test")
    shop.clock.advance(timedelta(days=2))
    for name in (*offered[:3], held_out[0]):
        await desk.bought(name, 1)
    for name in (*offered[:5], *held_out[:2]):
        await desk.bought(name, 1, "soap")
    await desk.bought(offered[3], 3)
    shop.clock.advance(timedelta(days=20))
    await desk.bought(offered[4], 1)

    plan = await desk.reports.plan(shop.tenant_id, done.plan_id)
    (effect,) = await desk.reports.target_effects(shop.tenant_id, plan)

    assert (effect.offer, effect.assumed_bp) == ("fresh", 20_000)
    assert (effect.offered, effect.held_out) == (Group(len(offered), 3), Group(len(held_out), 1))
    assert effect.uplift == uplift_of(effect.offered, effect.held_out)
    assert effect.rate is not None


async def test_of_a_plan_that_nobody_got_anything_of_no_effect_is_told(desk: Planner) -> None:
    done = await desk.publish()

    plan = await desk.reports.plan(desk.shop.tenant_id, done.plan_id)

    assert await desk.reports.target_effects(desk.shop.tenant_id, plan) == []
    assert await desk.reports.effect(desk.shop.tenant_id, plan) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda value: value | {"format": 2}, "format '2'"),
        (lambda value: [], "format 'None'"),
        (lambda value: value | {"offers": {}}, "no list"),
        (lambda value: value | {"offers": [3]}, "offers\\[0\\]: found no table"),
        (lambda value: value | {"figures": [1]}, "figures"),
        (lambda value: value | {"figures": [{}]}, "figures\\[0\\].offer"),
        (lambda value: with_figures(value, usesPpm="1"), "figures\\[0\\].usesPpm"),
        (lambda value: with_figures(value, costMinor=-1), "figures\\[0\\].costMinor"),
        (lambda value: value | {"plannedAt": "2026-03-01"}, "with its offset"),
        (lambda value: value | {"plannedAt": "0001-01-01T00:00:00+14:00"}, "with its offset"),
        (lambda value: value | {"rulesetVersion": True}, "rulesetVersion"),
        (lambda value: value | {"tenant": "a\nb"}, "the plan.tenant"),
        (lambda value: with_offer(value, member="-1"), "number of a member"),
        (lambda value: with_offer(value, member="9" * 19), "number of a member"),
        (lambda value: with_offer(value, member="\u0661"), "number of a member"),
        (lambda value: with_offer(value, heldOut=1), "true or false"),
        (lambda value: with_offer(value, usesPpm=-1), "usesPpm"),
        (lambda value: with_offer(value, usesPpm=1.5), "usesPpm"),
        (lambda value: with_offer(value, discountMinor=10**19), "discountMinor"),
        (lambda value: with_offer(value, reason={"code": "WHIM", "times": 1}), "no reason"),
        (lambda value: with_offer(value, reason={}), "no reason"),
        (
            lambda value: with_offer(value, reason={"code": "BOUGHT_BEFORE", "times": 2**31}),
            "times",
        ),
        (lambda value: with_offer(value, reason={"code": "BOUGHT_BEFORE", "times": -1}), "times"),
        (lambda value: value | {"offers": value["offers"] * 2}, "same offer"),
    ],
)
async def test_a_file_that_is_no_plan_is_refused(desk: Planner, change: Any, words: str) -> None:
    await desk.member("m", buys=[20, 60, 100])
    value = orjson.loads(written(await desk.plan(), "corner"))

    with pytest.raises(BadInput, match=words):
        read(orjson.dumps(change(value)))


def with_offer(value: dict[str, Any], **changes: Any) -> dict[str, Any]:
    (offer,) = value["offers"]
    return value | {"offers": [offer | changes]}


def with_figures(value: dict[str, Any], **changes: Any) -> dict[str, Any]:
    first, *others = value["figures"]
    return value | {"figures": [first | changes, *others]}


def test_bytes_that_are_no_json_are_refused():
    for raw in (b"", b"\xff\xfe", b"{", b"[" * 100_000):
        with pytest.raises(BadInput):
            read(raw)


async def test_an_offer_that_the_program_has_not_is_refused(desk: Planner) -> None:
    await desk.member("m", buys=[20, 60, 100])
    value = orjson.loads(written(await desk.plan(), "corner"))

    with pytest.raises(BadInput, match="which the program has not"):
        await desk.publish(read(orjson.dumps(with_offer(value, target="jam"))))
