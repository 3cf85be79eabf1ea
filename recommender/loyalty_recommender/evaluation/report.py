"""One page that shows an evaluation: no script and no network, readable on a phone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

from loyalty_recommender.evaluation.bootstrap import Interval
from loyalty_recommender.evaluation.charts import curves, whisker
from loyalty_recommender.evaluation.examples import Example
from loyalty_recommender.evaluation.figures import OURS, Figures, K, Row
from loyalty_recommender.evaluation.protocol import WINDOWS, AskedWindow

COLOURS = 10
"""How many line colours report.css has."""

MEANS = {
    "NEXT_VISIT": "What the household buys on its next visit, repeats included.",
    "FOR_YOU": "What it buys within four weeks and never bought before.",
    "CART": "The other half of a visit of four products or more, one half being given.",
    "BUY_AGAIN": "The part of the next visit that it bought before.",
}


def page(figures: Figures, says: dict[str, str], examples: Sequence[Example]) -> str:
    """The whole page as HTML.

    Args:
        says: model → what it is, in a line.
        examples: of what is served; none where it was not measured.
    """
    colour = {model: at % COLOURS for at, model in enumerate(says)}
    body = [
        _head(figures),
        *(_window(figures, window, colour) for window in WINDOWS if figures.pooled(window)),
        _apart(figures),
        _differences(figures),
        _left_out(figures),
        _stories(examples),
        _models(says, colour, figures.seconds),
        _protocol(figures),
    ]
    style = files("loyalty_recommender.evaluation").joinpath("report.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Recommendations, measured</title><style>\n{style}</style></head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body></html>\n"
    )


def _head(figures: Figures) -> str:
    about = figures.about
    cuts = ", ".join(str(each) for each in about["cuts"])
    return (
        "<h1>Recommendations, measured on purchases that were made</h1>"
        f"<p>{about['households']:,} households, {about['productsOfVisits']:,} products of visits. "
        f"Each model learns what came before days {cuts} (day 0 is {escape(about['dayZero'])}) and "
        f"is asked about the {about['testDays']} days after. Figures in brackets are 95 % "
        "intervals over households.</p>"
    )


def _window(figures: Figures, window: AskedWindow, colour: dict[str, int]) -> str:
    rows = figures.pooled(window)
    tops = [
        max(each.high for each in figures_of) for figures_of in zip(*map(_both, rows), strict=True)
    ]
    table = _table(
        ["model", f"recall@{K}", f"nDCG@{K}"],
        (
            (
                row.model == OURS,
                [
                    _name(row.model, colour),
                    *(
                        _cell(each)
                        + whisker(each.low, each.mean, each.high, top, colour[row.model])
                        for each, top in zip(_both(row), tops, strict=True)
                    ),
                ],
            )
            for row in rows
        ),
    )
    lines = [each for each in figures.curves if each.window == window]
    charts = "".join(
        f'<figure class="card" style="margin:0"><h3>{what}@K</h3>'
        + curves(
            f"{what} of {window} by the number of products shown",
            [(each.model, colour[each.model], getattr(each, field)) for each in lines],
            emphasised=OURS,
        )
        + "</figure>"
        for what, field in (("recall", "recall"), ("nDCG", "ndcg"))
    )
    return (
        f'<h2 id="{window}">{window}</h2><p class="soft">{MEANS[window]} '
        f"{rows[0].questions:,} questions.</p>"
        f'<div class="card wide">{table}</div><div class="charts">{charts}</div>'
    )


def _apart(figures: Figures) -> str:
    cuts = sorted({row.cut for row in figures.rows if row.cut is not None})
    parts = []
    for window in WINDOWS:
        found = {(row.model, row.cut): row for row in figures.rows if row.window == window}
        models = dict.fromkeys(row.model for row in figures.pooled(window))
        rows = [
            (
                model == OURS,
                [escape(model), *(_both_cell(found.get((model, cut))) for cut in cuts)],
            )
            for model in models
        ]
        if rows:
            table = _table(["model", *(f"day {cut}" for cut in cuts)], rows)
            parts.append(f'<div class="card wide"><h3>{window}</h3>{table}</div>')
    return f"<h2>Each cut apart</h2><p class='soft'>recall@{K}, then nDCG@{K}</p>" + "".join(parts)


def _differences(figures: Figures) -> str:
    if not figures.differences:
        return ""
    rows = [
        (
            False,
            [each.window, escape(each.other), _cell(each.recall, "+"), _cell(each.ndcg, "+")],
        )
        for each in sorted(figures.differences, key=lambda each: WINDOWS.index(each.window))
    ]
    table = _table(["window", f"{OURS} less", f"recall@{K}", f"nDCG@{K}"], rows)
    return (
        "<h2>What is served, less each other model</h2>"
        '<p class="soft">On the same questions; an interval without zero is a difference.</p>'
        f'<div class="card wide">{table}</div>'
    )


def _left_out(figures: Figures) -> str:
    if not figures.left_out:
        return ""
    rows = [
        (
            each.model == OURS,
            [
                each.window,
                escape(each.model),
                f"{each.questions:,}",
                _cell(each.ndcg),
                _cell(each.ratio),
            ],
        )
        for each in sorted(figures.left_out, key=lambda each: WINDOWS.index(each.window))
    ]
    table = _table(["window", "model", "questions", f"nDCG@{K}", "of trained"], rows)
    return (
        "<h2>Households that training never saw</h2>"
        '<p class="soft">Left out of training and answered from their history alone, over the same '
        "households answered by the model that learned from them.</p>"
        f'<div class="card wide">{table}</div>'
    )


def _stories(examples: Sequence[Example]) -> str:
    if not examples:
        return ""
    parts = []
    for each in examples:
        habits = "".join(
            f'<li>{escape(habit.name)} <span class="why">{habit.times} visits, '
            f"last {habit.last_days} days ago</span></li>"
            for habit in each.habits
        )
        shown = "".join(
            f"<li><span{' class=hit' if one.was_bought else ''}>{escape(one.name)}</span>"
            f'<span class="why">{escape(one.why)}</span></li>'
            for one in each.shown
        )
        cart = f"<h3>In the cart</h3><p>{_listed(each.cart)}</p>" if each.cart else ""
        parts.append(
            f'<section class="card"><h3>{each.window}, household {escape(each.household)}</h3>'
            f'<p class="soft">{each.visits} visits; answered better than '
            f"{round(each.quantile * 100)} % of the households</p>"
            f"<h3>Habits</h3><ul>{habits}</ul>{cart}<h3>Recommended</h3><ol>{shown}</ol>"
            f"<h3>Bought besides</h3><p>{_listed(each.missed)}</p></section>"
        )
    return (
        "<h2>Households one can look at</h2>"
        "<p>Picked by how well they were answered, good and bad alike. A tick means that it was "
        f'bought.</p><div class="stories">{"".join(parts)}</div>'
    )


def _models(says: dict[str, str], colour: dict[str, int], seconds: dict[str, float]) -> str:
    rows = [
        (
            model == OURS,
            [_name(model, colour), escape(text), f"{seconds[model]:,.0f}"],
        )
        for model, text in says.items()
        if model in seconds
    ]
    table = _table(["model", "what it is", "seconds"], rows)
    return f'<h2>Models</h2><div class="card wide">{table}</div>'


def _protocol(figures: Figures) -> str:
    asked = {"cut": "the day of the cut", "visit": "the day of the visit"}
    return (
        "<h2>How it was measured</h2><ul>"
        "<li>Goods with a quantity above zero; a visit is one household on one day.</li>"
        "<li>Products of at least 5 visits, households of at least 5 visit days before the cut."
        "</li><li>The whole assortment is ranked; nothing is sampled.</li>"
        f"<li>Questions name {asked[str(figures.about['askedOn'])]}; only what came before the cut "
        "is known.</li>"
        f"<li>recall@{K}: hits in {K} over all that was bought. nDCG@{K}: binary gain, ideal over "
        f"the smaller of {K} and what was bought. Ties by product id.</li>"
        "<li>Pooled over households and cuts; intervals by drawing households again 2,000 times."
        "</li></ul>"
    )


def _table(head: Sequence[str], rows: Iterable[tuple[bool, Sequence[str]]]) -> str:
    cells = "".join(f"<th>{each}</th>" for each in head)
    lines = "".join(
        f"<tr{' class=ours' if is_ours else ''}>"
        + "".join(f"<td>{each}</td>" for each in row)
        + "</tr>"
        for is_ours, row in rows
    )
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table>"


def _both(row: Row) -> tuple[Interval, Interval]:
    return row.recall, row.ndcg


def _both_cell(row: Row | None) -> str:
    return "&ndash;" if row is None else _cell(row.recall) + _cell(row.ndcg)


def _cell(each: Interval, sign: str = "") -> str:
    form = f"{sign}.4f"
    return f"{each.mean:{form}}<small>[{each.low:{form}}, {each.high:{form}}]</small>"


def _name(model: str, colour: dict[str, int]) -> str:
    return f'<span class="name" style="--line:var(--line-{colour[model]})">{escape(model)}</span>'


def _listed(names: Sequence[str]) -> str:
    return escape(", ".join(names)) if names else "nothing"
