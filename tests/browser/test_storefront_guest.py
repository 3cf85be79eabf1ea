"""A guest on the demo's page: what its visit opens shapes what is picked for it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from storefront_page import DESKTOP, PHONE, Picture, Watched, available, go, opened

pytestmark = pytest.mark.browser


def as_guest(page: Page) -> None:
    page.get_by_label("Shop as").select_option(label="Guest")
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()


def picked(page: Page) -> None:
    """The guest's own window, once its answer is drawn."""
    expect(page.locator("#guest-recommendations .product").first).to_be_visible()


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_guest_is_shown_more_of_what_it_opened(
    browser: Browser, demo_server: str, picture: Picture, viewport: ViewportSize
) -> None:
    context = browser.new_context(viewport=viewport, reduced_motion="reduce")
    page = context.new_page()
    watched = Watched(page)
    opened(page, demo_server)
    as_guest(page)
    window = page.locator("#guest-recommendations")
    picked(page)
    expect(window.locator(".honest")).to_contain_text("popularity")
    expect(page.locator("#connection")).to_have_text("Not signed in")
    for part in ("#history", "#rewards", "#club-recommendations section"):
        expect(page.locator(part)).to_be_hidden()

    product = window.locator(".product-link").first
    name = product.locator("h3").get_attribute("title")
    assert name is not None
    product.click()
    expect(
        page.get_by_role("heading", level=1, name=re.compile(re.escape(name[:10])))
    ).to_be_visible()
    picture(page, "product", full_page=True)
    go(page, "Club")
    expect(window.locator(".honest")).to_contain_text("viewed")
    because = window.locator(".because").first
    expect(because).to_have_text(re.compile("^Because you looked at "))
    expect(window.locator(".product h3", has_text=name)).to_have_count(0)
    picture(page, "club", full_page=True)

    window.locator(".add:enabled").first.click()
    go(page, "Cart")
    expect(page.locator("#page-cart .totals")).to_contain_text("Guests pay at the shop")
    picture(page, "cart", full_page=True)
    go(page, "Orders")
    expect(page.locator(".guest-note")).to_be_visible()
    assert watched.complaints == []
    context.close()


def test_a_guest_stays_one_through_a_reload_and_becomes_a_member(page: Page) -> None:
    as_guest(page)
    picked(page)

    page.reload()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    picked(page)
    page.get_by_label("Shop as").select_option(index=0)

    expect(available(page)).to_be_visible()
    expect(page.locator("#guest-recommendations section")).to_be_hidden()
    expect(page.locator("#club-recommendations .product").first).to_be_visible()
    expect(page.locator("#connection")).to_have_text("Live")
