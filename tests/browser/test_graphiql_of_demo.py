"""The demo's GraphiQL in a real browser: a click brings data, and nobody else is asked."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, TimeoutError, expect
from storefront_page import Watched

pytestmark = pytest.mark.browser

MISSED_MS = 3_000


def run(page: Page, answer: str) -> None:
    """Execute the tab that is open and wait for its answer.

    While GraphiQL starts or changes tabs it can still name another operation; then once more.
    """
    result = page.locator(".result-window", has_text=answer)
    for _ in range(5):
        page.get_by_role("button", name="Execute query").click()
        try:
            return result.wait_for(timeout=MISSED_MS)
        except TimeoutError:
            continue
    raise AssertionError(page.locator(".result-window").inner_text())


@pytest.mark.parametrize(
    ("path", "tabs", "answer"),
    [("/graphiql/", 5, '"available"'), ("/admin/graphiql/", 2, '"rulesetVersion"')],
)
def test_first_ready_tab_answers_with_data_and_no_other_host_is_asked(
    context: BrowserContext, demo_server: str, path: str, tabs: int, answer: str
) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 800})
    watched = Watched(page)
    page.goto(f"{demo_server}{path}")

    expect(page.get_by_role("tab")).to_have_count(tabs)
    run(page, answer)

    expect(page.locator(".result-window")).not_to_contain_text('"errors"')
    assert watched.hosts == {demo_server.removeprefix("http://")}
    # An execution that missed is answered 400, which the console reports.
    assert [said for said in watched.complaints if "400 (Bad Request)" not in said] == []
