"""Curves as inline SVG: no script, no network, colours from the page's own variables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 340, 230
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 10, 34


def curves(title: str, lines: Sequence[tuple[str, int, list[float]]], *, emphasised: str) -> str:
    """A chart of lines over K from 1.

    Args:
        title: read out by screen readers.
        lines: name, number of its colour, and a value for each K.
        emphasised: the name whose line is thicker and drawn on top.
    """
    depth = max(len(values) for _, _, values in lines)
    top = _ceiling(max(max(values) for _, _, values in lines))
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        *_grid(depth, top),
    ]
    for name, colour, values in sorted(lines, key=lambda line: line[0] == emphasised):
        points = " ".join(
            f"{_x(k, depth):.1f},{_y(value, top):.1f}" for k, value in enumerate(values, start=1)
        )
        thick = ' class="ours"' if name == emphasised else ""
        parts.append(
            f'<polyline{thick} points="{points}" style="stroke:var(--line-{colour})">'
            f"<title>{escape(name)}: {values[-1]:.3f} at {len(values)}</title></polyline>"
        )
    parts.append("</svg>")
    return "".join(parts)


def whisker(low: float, mean: float, high: float, top: float, colour: int) -> str:
    """A mean with its interval on a scale from zero."""
    scale = 100 / top if top > 0 else 0.0
    return (
        '<svg class="whisker" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect x="0" y="3" height="4" width="{mean * scale:.2f}" '
        f'style="fill:var(--line-{colour})" opacity="0.35"/>'
        f'<rect x="{low * scale:.2f}" y="4.2" height="1.6" width="{(high - low) * scale:.2f}" '
        f'style="fill:var(--line-{colour})"/></svg>'
    )


def _grid(depth: int, top: float) -> list[str]:
    parts = []
    for step in range(5):
        value = top * step / 4
        y = _y(value, top)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{y + 3.5}" text-anchor="end">{value:.3g}</text>')
    marks = sorted({1, *(k for k in (10, 20, 30, 40, 50) if k <= depth)})
    for k in marks:
        x = _x(k, depth)
        parts.append(f'<text x="{x}" y="{HEIGHT - 18}" text-anchor="middle">{k}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 4}" text-anchor="middle">products shown</text>')
    return parts


def _x(k: int, depth: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (k - 1) / max(depth - 1, 1)


def _y(value: float, top: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top, 2)


def _ceiling(value: float) -> float:
    """The next number above that divides into four steps of few digits."""
    if not value > 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(value))
    return next(
        step * unit for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if step >= value / unit
    )
