"""The demo storefront in a real browser: a visit by keyboard, in two tabs, badly connected."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, ViewportSize, expect
from storefront_page import (
    DESKTOP,
    PHONE,
    Picture,
    Watched,
    add_recommended,
    apply_reward_that_costs_points,
    available,
    go,
    hand_in,
    number,
    opened,
    pending,
    points_said,
    quoted,
    tab_to,
    use_points,
    written,
)

pytestmark = pytest.mark.browser

COUPON = "TEN-PERCENT"
POINTS_TO_USE = 500
LIVE_MS = 1_000
ANSWER_MS = 20_000


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_shopper_pays_with_a_reward_a_coupon_and_points_and_sends_it_back(
    browser: Browser, demo_server: str, picture: Picture, viewport: ViewportSize
) -> None:
    """By keyboard wherever value moves."""
    context = browser.new_context(viewport=viewport, reduced_motion="reduce")
    page = context.new_page()
    watched = Watched(page)
    opened(page, demo_server)
    expect(page.get_by_role("img", name=re.compile("^QR code"))).to_be_visible()
    before, pending_before = number(available(page)), number(pending(page))
    picture(page, "club", full_page=True)

    add_recommended(page)
    go(page, "Cart")
    apply_reward_that_costs_points(page)
    hand_in(page, COUPON)
    use_points(page, POINTS_TO_USE)
    picture(page, "cart", full_page=True)
    tab_to(page, quoted(page))
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Ready to pay")).to_be_visible()
    expect(dialog).to_contain_text(f"Coupon held for you{COUPON}")
    picture(page, "held")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("heading", name="Thank you, it is booked")).to_be_visible()
    picture(page, "paid")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    order = page.locator(".order").first
    expect(order).to_contain_text("Paid")
    used = points_said(order, r"used ([\d,]+) points")
    earned = points_said(order, r"earned ([\d,]+) point")
    go(page, "Club")

    assert used > POINTS_TO_USE
    expect(available(page)).to_have_text(written(before - used))
    expect(pending(page)).to_have_text(written(pending_before + earned))
    redeemed = page.locator(".entry", has_text="Redeemed").first
    expect(redeemed).to_contain_text(f"{written(used)} points that were held")
    expect(redeemed.locator(".still")).to_have_text("0")
    picture(page, "redeemed", full_page=True)

    go(page, "Orders")
    tab_to(page, order.get_by_role("button", name=re.compile("^Refund")))
    page.keyboard.press("Enter")
    picture(page, "refund")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("heading", name="Refunded")).to_be_visible()
    picture(page, "refunded")
    page.keyboard.press("Enter")
    expect(order).to_contain_text("Refunded")
    go(page, "Club")

    expect(available(page)).to_have_text(written(before))
    assert number(pending(page)) == pending_before
    assert watched.complaints == []
    assert watched.hosts == {demo_server.removeprefix("http://")}
    context.close()


def test_order_in_one_tab_shows_in_the_other_at_once(page: Page, demo_server: str) -> None:
    """Told over the WebSocket: the page asks by itself only every twenty seconds."""
    other = opened(page.context.new_page(), demo_server)
    pending_before = number(pending(other))
    shown_before = other.locator(".entry").first.inner_text()
    page.bring_to_front()
    add_recommended(page)
    go(page, "Cart")
    quoted(page).click()
    page.get_by_role("button", name=re.compile("^Pay .*")).last.click()
    expect(page.get_by_role("heading", name="Thank you, it is booked")).to_be_visible()
    earned = points_said(page.get_by_role("dialog"), r"Points earned\s+([\d,]+) point")

    expect(pending(other)).to_have_text(written(pending_before + earned), timeout=LIVE_MS)
    expect(other.locator(".entry").first).not_to_have_text(shown_before, timeout=LIVE_MS)
    expect(other.locator("#connection")).to_have_text("Live")


def test_payment_whose_answer_is_lost_is_booked_once(page: Page) -> None:
    keys: list[str] = []

    def lose_first_answer(route: Route) -> None:
        body: Any = route.request.post_data_json
        if body["operationName"] != "CheckoutCommit":
            route.continue_()
            return
        keys.append(body["variables"]["input"]["idempotencyKey"])
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    go(page, "Orders")
    numbers = page.locator(".order .number")
    expect(numbers.first).to_be_visible()
    first_before = numbers.first.inner_text()
    go(page, "Club")
    add_recommended(page)
    go(page, "Cart")
    page.route("**/demo/checkout/graphql", lose_first_answer)
    quoted(page).click()
    page.get_by_role("button", name=re.compile("^Pay .*")).last.click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("counts once")
    # The tab is closed by accident: what was not answered is offered again.
    page.reload()
    page.get_by_role("button", name="Finish it").click()
    expect(page.get_by_role("heading", name="Thank you, it is booked")).to_be_visible()
    page.keyboard.press("Enter")

    expect(numbers.nth(1)).to_have_text(first_before)
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_offline_is_said_and_mends_itself(page: Page, context: BrowserContext) -> None:
    context.set_offline(True)
    expect(page.locator("#connection")).to_have_text("Offline")
    go(page, "Shop")
    expect(page.locator("#page-shop")).to_contain_text("The shop cannot be reached")
    context.set_offline(False)

    expect(page.locator("#connection")).to_have_text("Live")
    page.locator("#page-shop").get_by_role("button", name="Try again").click()
    expect(page.locator("#page-shop .product").first).to_be_visible()


def test_price_that_did_not_arrive_is_asked_for_again(page: Page) -> None:
    answers: list[Route] = []

    def busy_once(route: Route) -> None:
        body: Any = route.request.post_data_json
        if body["operationName"] == "Quote" and not answers:
            answers.append(route)
            route.fulfill(status=503, body="{}")
        else:
            route.continue_()

    page.route("**/graphql", busy_once)
    add_recommended(page)
    go(page, "Cart")
    expect(page.locator(".totals")).to_contain_text("The shop is busy.")

    expect(page.locator(".pay")).to_be_enabled()
    expect(page.locator(".totals .failure")).to_have_count(0)


@pytest.mark.parametrize(
    ("code", "reasons"),
    [
        (
            "NOBODYS",
            {
                "hu": "Ilyen kódú kupon vagy ajándékkártya nincs.",
                "ru": "Купона или подарочной карты с таким кодом нет.",
                "zh": "没有对应此代码的优惠券或礼品卡。",
                "en": "No coupon or gift card has this code.",
            },
        ),
        (
            "SUMMER-IS-OVER",
            {"ru": "Срок действия купона истёк.", "en": "The coupon has expired."},
        ),
    ],
)
def test_why_a_code_opens_nothing_is_said_in_the_language_chosen(
    page: Page, code: str, reasons: dict[str, str]
) -> None:
    add_recommended(page)
    go(page, "Cart")
    quoted(page)
    page.get_by_label("Code of a coupon or gift card").fill(code)
    page.keyboard.press("Enter")
    row = page.locator(".code-row", has_text=code)

    for tag, reason in reasons.items():
        page.get_by_label("Reasons in").select_option(tag)
        expect(row.locator(f".why[lang={tag}]")).to_have_text(reason)

    row.get_by_role("button", name=f"Take out {code}").click()
    expect(page.locator(".code-row")).to_have_count(0)
    quoted(page)


def test_a_gift_card_and_credit_pay(page: Page) -> None:
    add_recommended(page)
    go(page, "Cart")
    quoted(page)
    page.get_by_role("checkbox", name=re.compile("store credit")).check()
    totals = page.locator(".totals")
    expect(totals).to_contain_text("Store credit")
    page.get_by_text("Codes to try in this demo").click()
    page.locator(".offered button", has_text=re.compile(r"^\w{4}-\w{4}-\w{4}-\w{4}$")).click()

    expect(page.locator(".code-row[data-outcome=APPLIED]")).to_contain_text("Gift card …")
    expect(totals).to_contain_text("Gift card …")
    expect(quoted(page)).to_have_text("Pay $0.00")


def test_another_member_has_another_card_and_cart(page: Page) -> None:
    add_recommended(page)
    members = page.locator("#member option")
    other = next(
        value
        for index in range(members.count())
        if (value := members.nth(index).get_attribute("value"))
        != page.locator("#member").input_value()
    )

    page.locator("#member").select_option(other)

    expect(page.locator(".card-foot")).to_contain_text(f"No. {other}")
    tier = page.locator(".card-tier").inner_text()
    expect(page.locator("#member option:checked")).to_have_text(f"Household {other} ({tier})")
    expect(page.locator("#cart-count")).to_be_hidden()
    go(page, "Cart")
    expect(page.locator("#page-cart")).to_contain_text("Your cart is empty.")
    expect(page.get_by_role("heading", name="Goes with your cart")).to_be_hidden()


def test_tabs_of_recommendations_follow_the_arrow_keys(page: Page) -> None:
    first, second = page.get_by_role("tab").nth(0), page.get_by_role("tab").nth(1)
    tab_to(page, first)
    page.keyboard.press("ArrowRight")

    expect(second).to_be_focused()
    expect(second).to_have_attribute("aria-selected", "true")
    expect(page.locator("#club-recommendations .honest")).to_contain_text("Chosen by")


def test_each_recommendation_says_why_and_what_it_brings(page: Page, picture: Picture) -> None:
    section = page.locator("#club-recommendations")
    for tab, why in (
        ("Next visit", r"^Bought |^Because |^Popular "),
        ("Buy again", r"^Bought (once|\d+ times)"),
        ("For you", r"^Because you buy |^It goes with |^Popular "),
    ):
        section.get_by_role("tab", name=tab, exact=True).click()
        expect(section.locator("[aria-busy]")).to_have_count(0)
        products = section.locator(".product")
        expect(products.first.locator(".because")).to_have_text(re.compile(why))
        shown = products.count()
        assert shown > 0
        assert section.locator(".because").count() == shown
        # A member earns with everything that has a price.
        expect(section.locator(".earns").first).to_contain_text("point")
        picture(page, tab)
    page.evaluate("sessionStorage.setItem('journey.locale', 'hu')")
    page.reload()
    why = section.locator(".because").first
    expect(why).to_have_attribute("lang", "hu")
    expect(why).to_have_text(re.compile(r"vette|veszi|népszerű|Illik"))


def test_a_product_counts_as_shown_once_it_is_in_sight(page: Page) -> None:
    told: list[str] = []

    def heard(request: Request) -> None:
        body = request.post_data or ""
        if "RecommendationEvents" in body:
            told.extend(
                each["product"] for each in json.loads(body)["variables"]["input"]["events"]
            )

    page.on("request", heard)
    page.reload()
    products = page.locator("#club-recommendations .product")
    expect(products.last).to_be_attached()
    page.wait_for_timeout(LIVE_MS)
    above = list(told)
    shown = products.count()
    for place in range(shown):
        products.nth(place).scroll_into_view_if_needed()
    for _ in range(ANSWER_MS // LIVE_MS):
        if len(told) < shown:
            page.wait_for_timeout(LIVE_MS)

    # Below the fold of a phone nothing was shown before it was scrolled to.
    assert len(above) < shown == len(told) == len(set(told))


def test_what_becomes_of_a_recommendation_is_told(page: Page) -> None:
    section = page.locator("#club-recommendations")

    def tells(request: Request) -> bool:
        return '"type":"CART"' in (request.post_data or "")

    with page.expect_request(tells) as told:
        section.locator(".add:enabled").first.click()

    answer = told.value.response()
    assert answer is not None
    assert answer.json() == {"data": {"recommendationEvents": {"recorded": 1, "userErrors": []}}}
