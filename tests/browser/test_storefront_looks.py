"""The demo storefront for everybody: small screens, large zoom, dark, by keyboard, read aloud."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from page_measures import faint_on_pixels, faint_texts, skipped_headings, unnamed, unseen_stops
from playwright.sync_api import Browser, Page, ViewportSize, expect
from storefront_page import DESKTOP, NARROW, Picture, go, no_sideways_scroll, opened

pytestmark = pytest.mark.browser

# What a window of 1280 by 800 has left at 200 and at 400 per cent.
ZOOMED_TWICE = ViewportSize(width=640, height=400)
ZOOMED_FOUR_TIMES = ViewportSize(width=320, height=200)

PAGES = [
    ("Club", "#history .entry"),
    ("Shop", "#page-shop .product"),
    ("Cart", ".pay:enabled"),
    ("Orders", ".order"),
]


def visited(page: Page, server: str) -> Page:
    """With something in the cart."""
    opened(page, server)
    page.locator("#club-recommendations .add:enabled").first.click()
    expect(page.locator("#cart-count")).to_contain_text("1")
    return page


def show(page: Page, name: str, settled: str) -> None:
    go(page, name)
    expect(page.locator(settled).first).to_be_attached()
    expect(page.locator("[aria-busy=true]:visible")).to_have_count(0)


@pytest.mark.parametrize(
    ("viewport", "scale", "scheme"),
    [
        (NARROW, 1, "light"),
        (NARROW, 1, "dark"),
        (DESKTOP, 1, "light"),
        (DESKTOP, 1, "dark"),
        (ZOOMED_TWICE, 2, "light"),
        (ZOOMED_FOUR_TIMES, 4, "light"),
    ],
    ids=["narrow", "narrow-dark", "desktop", "desktop-dark", "zoom-200", "zoom-400"],
)
def test_every_page_fits_and_reads_well(
    browser: Browser,
    demo_server: str,
    picture: Picture,
    viewport: ViewportSize,
    scale: int,
    scheme: Literal["light", "dark"],
) -> None:
    context = browser.new_context(
        viewport=viewport, device_scale_factor=scale, color_scheme=scheme, reduced_motion="reduce"
    )
    page = visited(context.new_page(), demo_server)

    for name, settled in PAGES:
        show(page, name, settled)
        no_sideways_scroll(page)
        assert faint_texts(page) == []
        picture(page, name, full_page=True)
        assert_end_is_free(page)
        picture(page, f"{name}-end")
    go(page, "Shop")
    page.locator("#page-shop .product-link").first.click()
    expect(page.locator("#page-product .honest")).to_be_attached()
    no_sideways_scroll(page)
    assert faint_texts(page) == []
    picture(page, "product", full_page=True)
    context.close()


def assert_end_is_free(page: Page) -> None:
    """At the end of the page its last line stands above the bar with the pages."""
    gap: float = page.evaluate(
        """() => {
          window.scrollTo(0, document.documentElement.scrollHeight);
          const last = document.querySelector("footer").lastElementChild;
          const bar = document.querySelector(".tabs");
          const isBelow = getComputedStyle(bar).position === "fixed";
          const edge = isBelow ? bar.getBoundingClientRect().top : innerHeight;
          return edge - last.getBoundingClientRect().bottom;
        }"""
    )
    assert gap >= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [NARROW, DESKTOP], ids=["narrow", "desktop"])
def test_card_reads_well_on_each_pixel_of_its_gradient(
    browser: Browser,
    demo_server: str,
    viewport: ViewportSize,
    scheme: Literal["light", "dark"],
) -> None:
    context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    page = opened(context.new_page(), demo_server)

    assert faint_on_pixels(page, page.locator(".card")) == []
    context.close()


@pytest.mark.parametrize("viewport", [NARROW, DESKTOP], ids=["narrow", "desktop"])
def test_every_page_can_be_read_aloud_and_walked_by_keyboard(
    browser: Browser, demo_server: str, viewport: ViewportSize
) -> None:
    context = browser.new_context(viewport=viewport, reduced_motion="reduce")
    page = visited(context.new_page(), demo_server)

    for landmark in ("banner", "main", "contentinfo"):
        expect(page.get_by_role(landmark)).to_be_visible()
    for name, settled in PAGES:
        show(page, name, settled)
        assert unnamed(page) == []
        assert skipped_headings(page) == []
        assert unseen_stops(page) == []
    context.close()


def test_dialog_keeps_the_focus_and_gives_it_back(page: Page) -> None:
    opener = page.get_by_role("button", name="Show my code large")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Your code")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    assert unnamed(page) == []
    page.keyboard.press("Escape")

    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_first_stop_leads_past_what_every_page_has(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()


@pytest.mark.parametrize(
    ("wish", "moves"), [("no-preference", True), ("reduce", False)], ids=["any", "reduced"]
)
def test_nothing_moves_where_that_is_not_wished(
    browser: Browser,
    demo_server: str,
    wish: Literal["no-preference", "reduce"],
    moves: bool,
) -> None:
    context = browser.new_context(viewport=NARROW, reduced_motion=wish)
    page = opened(context.new_page(), demo_server)
    longest_ms: float = page.evaluate(
        """() => Math.max(...[...document.querySelectorAll("*")].flatMap((element) => {
          const style = getComputedStyle(element);
          return `${style.transitionDuration},${style.animationDuration}`.split(",")
            .map((time) => parseFloat(time) * (time.trim().endsWith("ms") ? 1 : 1000));
        }))"""
    )

    assert (longest_ms > 1) is moves
    context.close()


def test_what_is_invented_is_marked_where_it_is_shown(page: Page) -> None:
    consent = page.locator("#club-recommendations .honest")
    go(page, "Shop")
    page.locator("#page-shop .product-link").first.click()
    detail = page.locator("#page-product .detail-card")
    stock = detail.get_by_role("definition").first

    expect(consent).to_have_text(re.compile("agreed to profiling†"))
    expect(stock).to_have_text(re.compile("^(In stock|Sold out)†"))
    expect(detail).to_contain_text("Invented for the demo: stock.")
    expect(detail.get_by_role("heading").locator(".invented")).to_have_count(0)
    expect(page.locator("#about")).to_contain_text(
        "This package contains simulated data based on real grocery shopping patterns. "
        "It is intended for educational and exploratory data analysis purposes only."
    )
