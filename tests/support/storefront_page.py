"""What a shopper does and sees on the demo's page, for the stories in a browser."""

from __future__ import annotations

import re
from typing import Protocol
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, ViewportSize, expect

PHONE = ViewportSize(width=390, height=844)
NARROW = ViewportSize(width=360, height=740)
DESKTOP = ViewportSize(width=1280, height=900)

PIECES_AT_ONCE, TRIES_MAX = 4, 15
TABS_MAX = 250


class Picture(Protocol):
    """Keeps a picture of a page where pictures are wanted."""

    def __call__(self, page: Page, name: str, *, full_page: bool = False) -> None: ...


class Watched:
    """What a page complained about and whom it asked, from now on."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        # Pictures within the page's own text have no host.
        if host := urlsplit(request.url).netloc:
            self.hosts.add(host)


def opened(page: Page, server: str) -> Page:
    """The page with a member's card on it and products to choose from, told of changes."""
    page.goto(f"{server}/shop/")
    expect(available(page)).to_be_visible()
    expect(page.locator("#club-recommendations .add:enabled").first).to_be_visible()
    expect(page.locator("#connection")).to_have_text("Live")
    return page


def number(locator: Locator) -> int:
    """A count of points as the page writes it; 0 where it is not shown."""
    return int(locator.inner_text().replace(",", "")) if locator.count() else 0


def written(points: int) -> str:
    return f"{points:,}"


def available(page: Page) -> Locator:
    return page.locator("[data-test=available]")


def pending(page: Page) -> Locator:
    return page.locator("[data-test=pending]")


def points_said(locator: Locator, pattern: str) -> int:
    found = re.search(pattern, locator.inner_text())
    assert found is not None, f"no {pattern!r} in {locator.inner_text()!r}"
    return int(found[1].replace(",", ""))


def go(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until ``wanted`` has the focus, as a shopper without a mouse would."""
    for _ in range(TABS_MAX):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} cannot be reached by keyboard")


def add_recommended(page: Page) -> None:
    """Put the first recommended product into the cart by keyboard."""
    tab_to(page, page.locator("#club-recommendations .add:enabled").first)
    page.keyboard.press("Enter")
    expect(page.locator("#cart-count")).to_contain_text("1")


def quoted(page: Page) -> Locator:
    """The button that pays, once the quote for what is in the cart is there."""
    totals = page.locator(".totals")
    expect(totals.locator(".pay:enabled, .failure")).to_be_visible()
    assert totals.locator(".failure").count() == 0, totals.inner_text()
    return page.locator(".pay")


def apply_reward_that_costs_points(page: Page) -> None:
    """Fill the cart until a reward bought with points is possible, and choose it."""
    wanted = page.locator(".candidate", has_text=re.compile(r"for [\d,]+ points"))
    possible = wanted.and_(page.locator(":not([data-outcome=REJECTED])"))
    more = page.get_by_role("button", name=re.compile("^One more of")).first
    for _ in range(TRIES_MAX):
        quoted(page)
        if possible.count():
            break
        more.click(click_count=PIECES_AT_ONCE)
    # Others may be rejected still, and stand before it.
    costs = re.search(r"for [\d,]+ points", possible.first.inner_text())
    assert costs is not None
    possible.first.get_by_role("button", name=re.compile("^Use ")).click()
    quoted(page)
    chosen = page.locator(".candidate[data-outcome=APPLIED]", has_text=costs[0])
    expect(chosen.first).to_be_visible()


def hand_in(page: Page, code: str) -> None:
    """Hand in a coupon's code by keyboard, and fill the cart until it is in use."""
    tab_to(page, page.get_by_label("Code of a coupon or gift card"))
    page.keyboard.type(code.lower())
    page.keyboard.press("Enter")
    row = page.locator(".code-row", has_text=code)
    more = page.get_by_role("button", name=re.compile("^One more of")).first
    for _ in range(TRIES_MAX):
        quoted(page)
        if row.get_attribute("data-outcome") == "APPLIED":
            return
        more.click(click_count=PIECES_AT_ONCE)
    raise AssertionError(row.inner_text())


def use_points(page: Page, points: int) -> None:
    page.get_by_role("radio", name="Choose").check(force=True)
    page.get_by_role("spinbutton", name="Points to use, exact number").fill(str(points))
    expect(page.locator(".totals")).to_contain_text(f"Paid with {points} points")
    quoted(page)


def no_sideways_scroll(page: Page) -> None:
    width, room = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= room
