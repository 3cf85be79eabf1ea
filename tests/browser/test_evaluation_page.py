"""The page of an evaluation, as a browser shows it: alone, and no wider than a phone."""

from pathlib import Path

import pytest
from measured_figures import EXAMPLE, SAYS, measured_figures
from page_measures import faint_texts, skipped_headings
from playwright.sync_api import Browser
from storefront_page import Picture

from loyalty_recommender.evaluation.report import page as report

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [320, 390, 1100])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_screen_and_asks_for_nothing(
    browser: Browser, tmp_path: Path, picture: Picture, width: int, scheme: str
) -> None:
    path = tmp_path / "report.html"
    path.write_text(report(measured_figures(), SAYS, [EXAMPLE]), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(path.as_uri())

    picture(page, f"{width}-{scheme}", full_page=True)
    assert asked == [path.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faint_texts(page) == []
    assert skipped_headings(page) == []
    context.close()
