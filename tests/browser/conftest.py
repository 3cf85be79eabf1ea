"""The demo itself, on a slice of its data, and a browser to visit it with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo_process import DemoProcess
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from storefront_page import PHONE, Picture, opened

# Enough for each tier to have members, and for products to be bought together.
HOUSEHOLDS = 60
ANSWER_MS = 20_000
STOPPED_WITHIN_S = 5

# Without these Chromium tries to reach its maker at every start.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def demo_server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running demo: ``http://127.0.0.1:PORT``."""
    folder = tmp_path_factory.mktemp("browser") / "demo"
    with DemoProcess(folder, households=HOUSEHOLDS).ready() as demo:
        yield demo.url
        demo.stop()
        assert demo.left_running(STOPPED_WITHIN_S) == []


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Closed after each module: while it is open Playwright keeps an event loop running in this
    thread, and no asynchronous test of another module could run."""
    expect.set_options(timeout=ANSWER_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A shopper's phone."""
    context = browser.new_context(viewport=PHONE, reduced_motion="reduce")
    context.set_default_timeout(ANSWER_MS)
    yield context
    context.close()


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Picture:
    """Keeps a picture of a page, for people to look at, where ``LOYALTY_PICTURES`` names a folder.

    They take half of the time of a test that takes them, and no test reads them.
    """
    folder = os.environ.get("LOYALTY_PICTURES")

    def take(page: Page, name: str, *, full_page: bool = False) -> None:
        if folder:
            path = Path(folder) / f"{request.node.name}-{name}.png"
            page.screenshot(path=path, full_page=full_page, scale="css")

    return take


@pytest.fixture
def page(context: BrowserContext, demo_server: str) -> Page:
    return opened(context.new_page(), demo_server)
