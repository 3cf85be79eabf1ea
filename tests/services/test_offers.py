"""Personal offers at the door: made active, held, used, given back; and never past a budget."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from offer_shop import POOL, OfferShop

from loyalty.domain.offers.offer_states import OfferState
from loyalty.domain.reasons import Reason
from loyalty.errors import (
    Conflict,
    HoldExpired,
    KeyReused,
    MemberNotActive,
    NotFound,
    QuoteChanged,
)
from loyalty.services.books.desk import Verdict
from loyalty.services.members.erasure import Erase
from loyalty.services.members.member_export import exported
from loyalty.services.members.members import Profile, SetState, UpdateMember
from loyalty.services.members.merging import Merge, Unmerge

from .conftest import PROGRAM, Shop

pytestmark = pytest.mark.anyio

RULES = PROGRAM + POOL
HOUR = timedelta(hours=1)


@pytest.fixture
async def desk(shop: Shop) -> OfferShop:
    await shop.rulesets.publish(shop.tenant_id, RULES, "test")
    await shop.enrol("ann")
    return OfferShop(shop)


def reservation(verdict: Verdict) -> int:
    assert verdict.outcome is not None, verdict.refusal
    return int(verdict.outcome["reservation"])


def refusal(verdict: Verdict) -> Exception:
    assert verdict.refusal is not None
    return verdict.refusal


async def test_an_offer_goes_from_offered_to_restored(desk: OfferShop) -> None:
    shop = desk.shop
    offer = await desk.give("ann", active=False)
    quote = await desk.quoted("ann", "c-1", 2_000)
    assert [item.reason for item in quote.candidates if item.offer_id] == [Reason.OFFER_NOT_ACTIVE]
    assert await desk.states("ann") == ["OFFERED"]

    await desk.offers.activate(shop.tenant_id, shop.key("activate"), "ann", offer)
    assert await desk.states("ann") == ["ACTIVE"]

    quote = await desk.quoted("ann", "c-1", 2_000)
    assert quote.payable_minor == 1_600
    held = reservation(await shop.reserve(quote))
    assert await desk.states("ann") == ["HELD"]
    assert await desk.spent("minor:fresh") == (0, 400)
    # The same cart asked about again counts what it holds as free.
    assert (await desk.quoted("ann", "c-1", 2_000)).payable_minor == 1_600
    assert (await desk.quoted("ann", "c-2", 2_000)).payable_minor == 2_000

    assert (await shop.commit(held, "o-1", 1_600)).refusal is None
    assert await desk.states("ann") == ["USED"]
    assert await desk.spent("minor:fresh") == (400, 0)

    await shop.refund("o-1", "r-1")
    assert await desk.states("ann") == ["RESTORED"]
    assert await desk.spent("minor:fresh") == (0, 0)
    assert (await desk.quoted("ann", "c-3", 2_000)).payable_minor == 1_600

    shop.clock.advance(timedelta(days=11))
    assert await desk.states("ann") == ["EXPIRED"]
    assert await shop.problems() == []


async def test_release_and_time_give_an_offer_back(desk: OfferShop) -> None:
    shop = desk.shop
    await desk.give("ann")
    held = reservation(await shop.reserve(await desk.quoted("ann", "c-1", 2_000)))

    await shop.release(held)
    assert (await desk.states("ann"), await desk.spent("minor:fresh")) == (["ACTIVE"], (0, 0))

    late = reservation(await shop.reserve(await desk.quoted("ann", "c-2", 2_000)))
    shop.clock.advance(HOUR)
    assert (await desk.states("ann"), await desk.spent("minor:fresh")) == (["ACTIVE"], (0, 0))

    assert (await shop.commit(late, "o-1", 1_600)).refusal is None
    assert (await desk.states("ann"), await desk.spent("minor:fresh")) == (["USED"], (400, 0))
    assert await shop.problems() == []


async def test_a_late_commit_fails_plainly_once_the_budget_is_gone(desk: OfferShop) -> None:
    shop = desk.shop
    await shop.enrol("bob")
    for name in ("ann", "bob"):
        await desk.give(name)
    late = reservation(await shop.reserve(await desk.quoted("ann", "c-1", 3_000)))
    shop.clock.advance(HOUR)

    other = reservation(await shop.reserve(await desk.quoted("bob", "c-2", 3_000)))
    refused = await shop.commit(late, "o-1", 2_400)

    assert isinstance(refusal(refused), HoldExpired)
    assert str(refused.refusal).endswith("the offer was used up since it was quoted")
    assert (await shop.commit(other, "o-2", 2_400)).refusal is None
    assert await desk.spent("minor:fresh") == (600, 0)


async def test_a_signed_quote_is_honoured_after_the_offer_is_over(desk: OfferShop) -> None:
    shop = desk.shop
    await desk.give("ann", days=1)
    shop.clock.advance(timedelta(days=1, minutes=-5))
    held = reservation(await shop.reserve(await desk.quoted("ann", "c-1", 2_000)))
    shop.clock.advance(timedelta(minutes=6))

    assert await desk.states("ann") == ["HELD"]
    assert (await shop.commit(held, "o-1", 1_600)).refusal is None
    assert await desk.states("ann") == ["USED"]


async def test_an_offer_of_several_uses_is_left_until_the_last(desk: OfferShop) -> None:
    shop = desk.shop
    await desk.give("ann", uses=2)
    for number in range(2):
        quote = await desk.quoted("ann", f"c-{number}", 2_000)
        held = reservation(await shop.reserve(quote))
        await shop.commit(held, f"o-{number}", 1_600)

    assert await desk.states("ann") == ["USED"]
    quote = await desk.quoted("ann", "c-3", 2_000)
    assert [item.reason for item in quote.candidates if item.offer_id] == [Reason.OFFER_USED]


@pytest.mark.parametrize("what", ["member_offer", "offer_plan"])
async def test_an_offer_that_is_withdrawn_is_held_and_used_no_more(
    desk: OfferShop, what: str
) -> None:
    shop = desk.shop
    plan = await desk.plan()
    offer = await desk.give("ann", plan=plan)
    quote = await desk.quoted("ann", "c-1", 2_000)
    held = reservation(await shop.reserve(quote))
    await desk.set_state(what, offer if what == "member_offer" else plan, "WITHDRAWN")

    late = await shop.commit(held, "o-1", 1_600)
    again = await shop.reserve(replace(quote, cart=replace(quote.cart, id="c-2")))

    assert isinstance(refusal(late), QuoteChanged)
    assert str(late.refusal) == "the offer was revoked since it was quoted"
    assert isinstance(refusal(again), QuoteChanged)
    assert await desk.states("ann") == ["WITHDRAWN"]
    found = await desk.quoted("ann", "c-3", 2_000)
    assert found.payable_minor == 2_000


async def test_an_offer_withdrawn_before_its_first_use_is_not_held(desk: OfferShop) -> None:
    shop = desk.shop
    plan = await desk.plan()
    await desk.give("ann", plan=plan)
    quote = await desk.quoted("ann", "c-1", 2_000)
    await desk.set_state("offer_plan", plan, "WITHDRAWN")

    refused = await shop.reserve(quote)

    assert str(refusal(refused)) == "the offer was revoked since it was quoted"
    assert await desk.spent("minor:fresh") == (0, 0)


async def test_nobody_has_what_was_held_out_or_is_not_all_published(desk: OfferShop) -> None:
    await desk.give("ann", state="HELD_OUT")
    await desk.give("ann", plan=await desk.plan("PUBLISHING"))

    # A plan may be withdrawn when it is half published.
    await desk.give("ann", plan=await desk.plan("WITHDRAWN"))

    assert await desk.states("ann") == []
    assert (await desk.quoted("ann", "c-1", 2_000)).payable_minor == 2_000


async def test_a_forged_use_of_anothers_offer_is_refused(desk: OfferShop) -> None:
    shop = desk.shop
    await desk.give("ann")
    quote = await desk.quoted("ann", "c-1", 2_000)
    uses = tuple(replace(use, coupon_id=use.coupon_id and 12345) for use in quote.uses)

    refused = await shop.reserve(replace(quote, uses=uses))

    assert isinstance(refusal(refused), QuoteChanged)
    assert await desk.spent("minor:fresh") == (0, 0)


async def test_sixty_four_checkouts_never_take_a_budget_past_its_end(desk: OfferShop) -> None:
    shop = desk.shop
    names = [f"m{number}" for number in range(64)]
    for name in names:
        await shop.enrol(name)
        await desk.give(name)
    # The budget is for two and a half of them.
    quotes = [await desk.quoted(name, f"c-{name}", 2_000) for name in names]
    assert {quote.payable_minor for quote in quotes} == {1_600}

    verdicts = await asyncio.gather(*(shop.reserve(quote) for quote in quotes))

    assert sum(verdict.refusal is None for verdict in verdicts) == 2
    assert {type(each.refusal) for each in verdicts if each.refusal} == {QuoteChanged}
    assert await desk.spent("minor:fresh") == (0, 800)
    done = await asyncio.gather(
        *(
            shop.commit(each.outcome["reservation"], f"o-{number}", 1_600)
            for number, each in enumerate(verdicts)
            if each.outcome
        )
    )
    assert [each.refusal for each in done] == [None, None]
    assert await desk.spent("minor:fresh") == (800, 0)
    # A smaller cart still fits what is left, and one cent more does not.
    fits = await desk.quoted("m63", "c-x", 1_000)
    assert fits.payable_minor == 800
    assert (await desk.quoted("m63", "c-x", 1_005)).payable_minor == 1_005
    assert await shop.problems() == []


async def test_points_of_a_bonus_have_a_budget_of_their_own(desk: OfferShop) -> None:
    shop = desk.shop
    names = [f"m{number}" for number in range(5)]
    for name in names:
        await shop.enrol(name)
        await desk.give(name, offer="bonus", target="jam")
    quotes = [await desk.quoted(name, f"c-{name}", 1_000, "jam") for name in names]

    verdicts = [await shop.reserve(quote) for quote in quotes]

    assert [each.refusal is None for each in verdicts] == [True, True, True, False, False]
    assert await desk.spent("points:bonus") == (0, 90)
    held = reservation(verdicts[0])
    assert (await shop.commit(held, "o-1", 800)).refusal is None
    # 8 points for what was paid, and the bonus.
    assert (await shop.points("m0"))[1] == 38
    await shop.refund("o-1", "r-1")
    assert await shop.points("m0") == (0, 0, 0)
    assert await desk.spent("points:bonus") == (0, 60)
    assert await shop.problems() == []


async def test_a_budget_is_what_the_ruleset_in_force_says(desk: OfferShop) -> None:
    shop = desk.shop
    await desk.give("ann")
    quote = await desk.quoted("ann", "c-1", 2_000)
    less = RULES.replace("budget_minor = 1000", "budget_minor = 399")
    await shop.rulesets.publish(shop.tenant_id, less, "test")

    assert isinstance(refusal(await shop.reserve(quote)), QuoteChanged)

    more = RULES.replace("budget_minor = 1000", "budget_minor = 400")
    await shop.rulesets.publish(shop.tenant_id, more, "test")
    assert (await shop.reserve(quote)).refusal is None


async def test_a_limit_that_the_ruleset_took_away_holds_nobody_back(desk: OfferShop) -> None:
    shop = desk.shop
    await shop.enrol("bob")
    for name in ("ann", "bob"):
        await desk.give(name)
    assert (await shop.reserve(await desk.quoted("ann", "c-1", 4_000))).refusal is None
    unlimited = RULES.replace("budget_minor = 1000\n", "")
    await shop.rulesets.publish(shop.tenant_id, unlimited, "test")

    quote = await desk.quoted("bob", "c-2", 4_000)
    verdict = await shop.reserve(quote)

    assert (quote.payable_minor, verdict.refusal) == (3_200, None)
    assert await desk.spent("minor:fresh") == (0, 1_600)


async def test_an_offer_is_made_active_once(desk: OfferShop) -> None:
    shop = desk.shop
    offer = await desk.give("ann", active=False)
    key = shop.key("activate", "once")
    first = await desk.offers.activate(shop.tenant_id, key, "ann", offer)
    at = (await desk.of("ann"))[0].activated_at
    shop.clock.advance(HOUR)

    again = await desk.offers.activate(shop.tenant_id, key, "ann", offer)
    other = await desk.offers.activate(shop.tenant_id, shop.key("activate"), "ann", offer)

    assert (first, again, other) == ((offer, False), (offer, True), (offer, False))
    assert (await desk.of("ann"))[0].activated_at == at
    with pytest.raises(KeyReused):
        await desk.offers.activate(shop.tenant_id, key._replace(body_hash="x" * 64), "ann", offer)


async def test_what_cannot_be_made_active(desk: OfferShop) -> None:
    shop = desk.shop
    await shop.enrol("bob")
    await shop.enrol("zoe")
    mine, over = await desk.give("ann", active=False), await desk.give("ann", active=False, days=1)
    hers = await desk.give("zoe", active=False)
    await shop.door.submit(SetState(shop.tenant_id, None, "zoe", "SUSPENDED", None, "test"))
    shop.clock.advance(timedelta(days=1))

    for member, offer, error in (
        ("bob", mine, NotFound),
        ("nobody", mine, NotFound),
        ("ann", 123, NotFound),
        ("ann", over, Conflict),
        ("zoe", hers, MemberNotActive),
    ):
        with pytest.raises(error):
            await desk.offers.activate(shop.tenant_id, shop.key("activate"), member, offer)
    assert await desk.states("ann") == ["OFFERED", "EXPIRED"]
    await shop.rulesets.publish(shop.tenant_id, RULES.replace('"fresh"', '"other"'), "test")
    with pytest.raises(Conflict, match="withdrawn"):
        await desk.offers.activate(shop.tenant_id, shop.key("activate"), "ann", mine)
    assert await desk.states("ann") == ["WITHDRAWN", "WITHDRAWN"]


async def test_offers_of_another_tenant_are_not_there(
    shops: tuple[Shop, Shop], desk: OfferShop
) -> None:
    other = OfferShop(shops[1])
    await shops[1].rulesets.publish(shops[1].tenant_id, RULES, "test")
    await shops[1].enrol("ann")
    offer = await desk.give("ann", active=False)

    assert await other.states("ann") == []
    with pytest.raises(NotFound):
        await other.offers.activate(shops[1].tenant_id, shops[1].key("activate"), "ann", offer)
    assert await desk.states("ann") == ["OFFERED"]


async def test_offers_follow_a_merge_and_come_back_when_it_is_undone(desk: OfferShop) -> None:
    shop = desk.shop
    await shop.enrol("guest")
    mine, theirs = await desk.give("ann"), await desk.give("guest", target="jam")

    await shop.door.submit(Merge(shop.tenant_id, None, "guest", "ann", "test"))
    assert [each.id for each in await desk.of("ann")] == [mine, theirs]
    assert (await desk.quoted("ann", "c-1", 1_000, "jam")).payable_minor == 800

    await shop.door.submit(Unmerge(shop.tenant_id, None, "guest", "test"))
    assert [each.id for each in await desk.of("ann")] == [mine]
    assert [each.id for each in await desk.of("guest")] == [theirs]


async def test_erasing_a_member_leaves_no_reason_and_nothing_to_use(desk: OfferShop) -> None:
    shop = desk.shop
    offer = await desk.give("ann")
    await shop.reserve(await desk.quoted("ann", "c-1", 2_000))

    await shop.door.submit(Erase(shop.tenant_id, None, "ann", "test"))

    ruleset = await shop.rulesets.current(shop.tenant_id)
    left = await desk.offers.by_id(shop.tenant_id, offer, ruleset)
    assert (left.state, left.reason) == (OfferState.WITHDRAWN, None)
    assert await desk.spent("minor:fresh") == (0, 0)
    assert await shop.problems() == []


async def agreed(desk: OfferShop, name: str, to_profiling: bool) -> None:
    profile = Profile({}, {"profiling": to_profiling})
    shop = desk.shop
    done = await shop.door.submit(UpdateMember(shop.tenant_id, None, name, profile))
    assert done.refusal is None, done.refusal


async def reasons(desk: OfferShop, name: str) -> list[bool]:
    """Of each of the member's offers, whether its reason is told."""
    return [each.reason is not None for each in await desk.of(name)]


async def test_an_offer_keeps_its_value_without_its_reason_once_consent_is_taken_back(
    desk: OfferShop,
) -> None:
    shop = desk.shop
    await shop.enrol("bob")
    for name in ("ann", "bob"):
        await agreed(desk, name, True)
        await desk.give(name)
    # One that is being published is nobody's yet, and is told of later.
    await desk.give("ann", plan=await desk.plan("PUBLISHING"))
    assert await reasons(desk, "ann") == [True]

    await agreed(desk, "ann", False)

    assert (await reasons(desk, "ann"), await reasons(desk, "bob")) == ([False], [True])
    assert await desk.states("ann") == ["ACTIVE"]
    assert (await desk.quoted("ann", "c-1", 2_000)).payable_minor == 1_600
    now = shop.clock.now()
    held = await shop.database.read_unit(lambda: exported(shop.tenant_id, "shop", "ann", now))
    assert [each["reason"] for each in held["offers"]] == [{}, {}]
    # What was forgotten is not known again.
    await agreed(desk, "ann", True)
    assert await reasons(desk, "ann") == [False]


@pytest.mark.parametrize(("agrees", "told"), [(True, [True, True]), (False, [False, False])])
async def test_a_member_who_did_not_agree_is_told_no_reason_of_a_merged_ones_offers(
    desk: OfferShop, agrees: bool, told: list[bool]
) -> None:
    shop = desk.shop
    await shop.enrol("guest")
    await agreed(desk, "guest", True)
    await agreed(desk, "ann", agrees)
    for name in ("ann", "guest"):
        await desk.give(name)

    await shop.door.submit(Merge(shop.tenant_id, None, "guest", "ann", "test"))

    assert await reasons(desk, "ann") == told
    assert await desk.states("ann") == ["ACTIVE", "ACTIVE"]
    await shop.door.submit(Unmerge(shop.tenant_id, None, "guest", "test"))
    assert await reasons(desk, "guest") == told[:1]
