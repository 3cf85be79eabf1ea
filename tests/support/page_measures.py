"""What can be measured of a page in a browser: contrast, names, what the keyboard reaches."""

from __future__ import annotations

import base64
from typing import Any

from playwright.sync_api import Locator, Page

STOPS_MAX = 200

# Roles that tell nobody anything without a name.
NAMED = frozenset(
    {
        "button", "combobox", "dialog", "group", "heading", "image", "link", "navigation",
        "option", "progressbar", "radio", "region", "searchbox", "slider", "spinbutton", "tab",
        "tablist", "tabpanel", "textbox",
    }
)  # fmt: skip


def faint_texts(page: Page) -> list[str]:
    """Texts on one colour below WCAG 2.2 AA: a contrast of 4.5, or 3 for large ones.

    Left out: on a gradient (``faint_on_pixels`` measures them), disabled, being refreshed.
    """
    found: list[str] = page.evaluate(FAINT_TEXTS)
    return found


def faint_on_pixels(page: Page, place: Locator) -> list[str]:
    """Texts in ``place`` too faint on the worst pixel that is painted behind them."""
    # What is drawn anew meanwhile would be measured with its text.
    page.wait_for_load_state("networkidle")
    texts: list[Any] = place.evaluate(TEXTS_MADE_CLEAR)
    assert texts
    picture = base64.b64encode(page.screenshot()).decode()
    # The page's own policy admits no picture that was not served.
    blank = page.context.new_page()
    found: list[str] = blank.evaluate(FAINT_ON_PICTURE, [picture, texts])
    blank.close()
    return found


def unnamed(page: Page) -> list[str]:
    """Nodes of the accessibility tree that assistive technology could not name."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    found = []
    for node in nodes:
        role = node.get("role", {}).get("value", "")
        name = node.get("name", {}).get("value", "")
        if not node["ignored"] and role in NAMED and not name.strip():
            found.append(f"{role} {node.get('properties', [])}")
    return found


def skipped_headings(page: Page) -> list[str]:
    """Headings more than one level below the one before them."""
    found: list[str] = page.evaluate(SKIPPED_HEADINGS)
    return found


def unseen_stops(page: Page) -> list[str]:
    """Stops of the Tab key that are covered, out of view, or show no focus.

    Goes once through the whole page, from its start.
    """
    page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")
    unseen: list[str] = []
    page.evaluate("() => { window.seenStops = new Set(); }")
    for _ in range(STOPS_MAX):
        page.keyboard.press("Tab")
        stop: Any = page.evaluate(STOP)
        if stop is None:
            return unseen
        if stop["problem"]:
            unseen.append(f"{stop['name']}: {stop['problem']}")
    raise AssertionError(f"more than {STOPS_MAX} stops")


LIGHT = """
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (one, other) => {
    const [more, less] = [light(one), light(other)].sort((a, b) => b - a);
    return (more + 0.05) / (less + 0.05);
  };
  const needed = (size, weight) => (size >= 24 || (size >= 18.66 && weight >= 700) ? 3 : 4.5);
"""

FAINT_TEXTS = f"""() => {{{LIGHT}
  const ground = (element) => {{
    for (let at = element; at; at = at.parentElement) {{
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none" || Number(style.opacity) < 1) return null;
      const colour = parts(style.backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }}
    return [255, 255, 255];
  }};
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {{
    const text = walker.currentNode.data.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility()) continue;
    if (element.closest(":disabled, #toast, noscript")) continue;
    const behind = ground(element);
    if (!behind) continue;
    const style = getComputedStyle(element);
    const ratio = contrast(parts(style.color), behind);
    if (ratio < needed(parseFloat(style.fontSize), Number(style.fontWeight)))
      faint.push(`${{text.slice(0, 40)}}: ${{ratio.toFixed(2)}}`);
  }}
  return faint;
}}"""

# Where each text is and how it looks; then it is made transparent, so that a picture of the page
# shows what is behind it.
TEXTS_MADE_CLEAR = """(place) => {
  place.scrollIntoView({ block: "center" });
  const texts = [];
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    if (!node.data.trim() || element.closest(".visually-hidden")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const { x, y, width, height } = range.getBoundingClientRect();
    const style = getComputedStyle(element);
    texts.push({
      text: node.data.trim(), x, y, width, height, element, colour: style.color,
      size: parseFloat(style.fontSize), weight: Number(style.fontWeight),
    });
  }
  for (const { element } of texts) element.style.color = "transparent";
  return texts.map(({ element, ...rest }) => rest);
}"""

FAINT_ON_PICTURE = f"""async ([picture, texts]) => {{{LIGHT}
  const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], {{ type: "image/png" }}));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  canvas.drawImage(bitmap, 0, 0);
  const faint = [];
  for (const {{ text, x, y, width, height, colour, size, weight }} of texts) {{
    const {{ data }} = canvas.getImageData(x, y, Math.ceil(width), Math.ceil(height));
    let worst = 21;
    for (let at = 0; at < data.length; at += 4)
      worst = Math.min(worst, contrast(parts(colour), data.slice(at, at + 3)));
    if (worst < needed(size, weight)) faint.push(`${{text.slice(0, 40)}}: ${{worst.toFixed(2)}}`);
  }}
  return faint;
}}"""

SKIPPED_HEADINGS = """() => {
  let before = 0;
  const skipped = [];
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    if (!heading.checkVisibility()) continue;
    const level = Number(heading.tagName[1]);
    if (level > before + 1) skipped.push(`${heading.tagName} ${heading.textContent}`);
    before = level;
  }
  return skipped;
}"""

# The element with the focus and what is wrong with it; null once the page has been gone through.
STOP = """() => {
  const stop = document.activeElement;
  if (stop === document.body || window.seenStops.has(stop)) return null;
  window.seenStops.add(stop);
  const name = (stop.ariaLabel ?? stop.textContent).trim().slice(0, 40) || stop.id;
  const { x, y, width, height } = stop.getBoundingClientRect();
  const top = document.elementFromPoint(x + width / 2, y + Math.min(height, innerHeight) / 2);
  const places = [stop, ...(stop.labels ?? [])];
  const isSeen = top && places.some((place) => place.contains(top) || top.contains(place));
  // A radio's ring is drawn on the text beside it.
  const rings = [stop, stop.nextElementSibling].filter(Boolean).map((one) => getComputedStyle(one));
  const hasRing = rings.some(
    ({ outlineStyle, outlineWidth }) => outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
  );
  return { name, problem: !isSeen ? "covered or out of view" : !hasRing ? "shows no focus" : "" };
}"""
