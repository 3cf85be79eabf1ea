"""Personal offers on the demo's page, in a real browser: seen, made active by keyboard, kept."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect
from storefront_page import Picture, Watched, opened, tab_to

pytestmark = pytest.mark.browser


def test_a_shopper_makes_an_offer_active(
    context: BrowserContext, demo_server: str, picture: Picture
) -> None:
    page = context.new_page()
    watched = Watched(page)
    opened(page, demo_server)
    panel = page.get_by_role("region", name="Your offers")
    wanted = panel.get_by_role("button", name="Activate").first
    expect(wanted).to_be_visible()
    name = wanted.get_attribute("aria-label")
    assert name is not None
    picture(page, "offers")

    tab_to(page, wanted)
    page.keyboard.press("Enter")

    offer = panel.locator("li", has_text=name.removeprefix("Activate: "))
    expect(offer).to_have_attribute("data-state", "ACTIVE")
    expect(page.locator("#toast")).to_contain_text("Active:")
    page.reload()
    expect(offer).to_have_attribute("data-state", "ACTIVE")
    assert watched.complaints == []
