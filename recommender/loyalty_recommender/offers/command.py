"""``python -m loyalty_recommender evaluate-offers``: files in, a table and figures out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from loyalty_recommender.attributes import Products
from loyalty_recommender.evaluation.bootstrap import Interval, paired_difference
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.layout import columns_of, in_folder
from loyalty_recommender.offers.baselines import (
    BoughtBefore,
    OnPurchases,
    OnRedemptions,
    WithoutCeiling,
)
from loyalty_recommender.offers.campaigns import NEVER
from loyalty_recommender.offers.measures import Asked, Calibration, auc, auc_interval
from loyalty_recommender.offers.reading import columns_in, read_campaigns
from loyalty_recommender.offers.rolling import (
    CHOICE_DAYS,
    MADE_UP_DAYS,
    TEST_DAY,
    Measured,
    Rolled,
    roll,
    roll_made_up,
)
from loyalty_recommender.offers.targets import Shelves
from loyalty_recommender.reading import read_interactions, read_products

MAKERS = "manufacturer_id"
"""Complete Journey's ``brand`` only says whether it is the shop's own; its makers are brands."""


@dataclass(frozen=True, slots=True)
class OfferEvaluation:
    """What is asked for, in the words of the command line."""

    data: Path
    columns: Mapping[str, str]
    """Our name → the files' name, where they differ and are not recognised."""
    choice: bool
    """Ask the campaigns on which settings were chosen, not those that figures are reported on."""
    test_day: int = TEST_DAY
    """Days from the first purchase: campaigns that start from it on are the test."""
    out: Path | None = None
    """Folder for all figures, as ``offer-figures.json``."""


def evaluate_offers(asked: OfferEvaluation, progress: Callable[[str], None]) -> str:
    """Measure; the table, and the figures in ``asked.out``.

    Raises:
        RecommenderError: the files or the options are not as wanted.
        OSError: a file cannot be read or written.
    """
    purchases, shelves = read_shop(asked.data, asked.columns)
    campaigns = read_campaigns(asked.data, purchases)
    first_day = int(purchases.day.min())
    test_day = first_day + asked.test_day
    progress(f"{len(campaigns)} campaigns, {len(purchases):,} products of visits")
    end = int(purchases.day.max()) + 1
    if asked.choice:
        first = first_day + min(CHOICE_DAYS[0], asked.test_day)
        # What was redeemed later must not choose what the later campaigns are asked with.
        later = [each.starts for each in campaigns if each.starts >= test_day]
        known_until, until, end = min([end, *later]), test_day, test_day
    else:
        first, until, known_until = test_day, NEVER, end
    rolled = roll(
        campaigns, purchases, shelves, first, until, known_until=known_until, progress=progress
    )
    figures = figures_of(rolled, first_day)
    figures["madeUp"] = _made_up(purchases, shelves, end, progress)
    if asked.out is not None:
        asked.out.mkdir(parents=True, exist_ok=True)
        written = json.dumps(figures, indent=1) + "\n"
        (asked.out / "offer-figures.json").write_text(written, encoding="utf-8")
    return table_of(figures)


def read_shop(folder: Path, columns: Mapping[str, str]) -> tuple[Interactions, Shelves]:
    """Purchases of goods over the whole catalogue, and what is on its shelves.

    The catalogue and not what was bought: whether a product is ever bought is not known when a
    campaign starts.
    """
    layout = in_folder(folder)
    products = read_products(layout.products, columns=_with_makers(layout.products, columns))
    lines = read_interactions(
        layout.interactions,
        columns=columns_of(layout.interactions, columns),
        products=products.goods(),
    )
    return over_catalogue(lines, products)


def over_catalogue(lines: Interactions, products: Products) -> tuple[Interactions, Shelves]:
    """The same purchases, with a position for every product there is."""
    goods = products.ids.keep(products.is_good)
    position = np.searchsorted(goods.encoded, lines.products.encoded).astype(np.int32)
    whole = replace(lines, products=goods, product=position[lines.product])
    return whole, Shelves.of(products.attributes_of(goods))


def _with_makers(path: Path, columns: Mapping[str, str]) -> Mapping[str, str]:
    """Names of the products' columns, brands being makers where the file tells of them."""
    named = columns_of(path, columns)
    if "brand" in named or MAKERS not in columns_in(path):
        return named
    return {**named, "brand": MAKERS}


def figures_of(rolled: Rolled, first_day: int) -> dict[str, Any]:
    """Every figure, by ranker."""
    ours = _questions(rolled.measured[OnRedemptions.name])
    theirs = _questions(rolled.measured[BoughtBefore.name])
    first = rolled.measured[rolled.rankers[0].name]
    return {
        "campaigns": [
            {
                "campaign": each.campaign.id,
                "kind": each.campaign.kind,
                "day": each.campaign.starts - first_day,
                "members": len(each.campaign.members),
                "offers": len(each.campaign.offers),
                "redeemed": int(each.outcome.sum()),
            }
            for each in first
        ],
        "rankers": {each.name: _figures(rolled, each.name, each.gives_chances)
                    for each in rolled.rankers},
        "oursMinusBoughtBefore": {
            "recall@10": asdict(paired_difference(ours.recall, theirs.recall, ours.household)),
            "meanAuc": asdict(_paired_auc(ours, theirs)),
        },
    }  # fmt: skip


def _made_up(
    purchases: Interactions, shelves: Shelves, end: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    progress("made up offers")
    found = roll_made_up(purchases, shelves, end)
    return {
        "days": list(found.days),
        "auc": asdict(auc_interval(found.bought, found.chances, found.household)),
        "aucBoughtBefore": asdict(auc_interval(found.bought, found.visits, found.household)),
        "calibration": asdict(Calibration.of(found.bought, found.chances, found.household)),
    }


def _paired_auc(ours: Asked, theirs: Asked) -> Interval:
    known = np.isfinite(ours.auc)
    return paired_difference(ours.auc[known], theirs.auc[known], ours.household[known])


def _questions(measured: list[Measured]) -> Asked:
    return Asked.together(
        [Asked.of(each.outcome, each.scores, each.campaign.members) for each in measured]
    )


def _figures(rolled: Rolled, ranker: str, gives_chances: bool) -> dict[str, Any]:
    measured = rolled.measured[ranker]
    kinds = sorted({each.campaign.kind for each in measured})
    found: dict[str, Any] = _pooled(measured)
    found["kinds"] = {
        kind: _pooled([each for each in measured if each.campaign.kind == kind]) for kind in kinds
    }
    found["campaigns"] = {each.campaign.id: _of_one(each) for each in measured}
    if gives_chances:
        outcome = np.concatenate([each.outcome for each in measured])
        # A campaign that goes on after the last day of the data has had part of its time.
        chance = np.concatenate([each.scores * each.seen for each in measured])
        household = np.concatenate([each.campaign.household() for each in measured])
        found["calibration"] = asdict(Calibration.of(outcome, chance, household))
    return found


def _pooled(measured: list[Measured]) -> dict[str, Any]:
    questions = _questions(measured)
    outcome = np.concatenate([each.outcome for each in measured])
    scores = np.concatenate([each.scores for each in measured])
    household = np.concatenate([each.campaign.household() for each in measured])
    return {
        "pairs": len(outcome),
        "redeemed": int(outcome.sum()),
        "questions": len(questions.recall),
        "auc": asdict(auc_interval(outcome, scores, household)),
        "meanAuc": asdict(questions.auc_interval()),
        "recall@10": asdict(questions.recall_interval()),
    }


def _of_one(measured: Measured) -> dict[str, float]:
    questions = _questions([measured])
    known = questions.auc[np.isfinite(questions.auc)]
    return {
        "auc": auc(measured.outcome, measured.scores),
        "meanAuc": float(known.mean()) if len(known) else float("nan"),
        "recall@10": float(questions.recall.mean()) if len(questions.recall) else float("nan"),
        "expected": float(measured.scores.sum() * measured.seen),
    }


def table_of(figures: Mapping[str, Any]) -> str:
    """What the command prints."""
    campaigns = figures["campaigns"]
    whole = figures["rankers"][OnRedemptions.name]
    lines = [
        f"{len(campaigns)} campaigns, {whole['pairs']:,} pairs of member and offer, "
        f"{whole['redeemed']:,} redeemed in {whole['questions']:,} member-campaigns",
        "",
        f"{'':32}{'AUC, all pairs':>22}{'AUC, per member':>22}{'recall@10':>22}",
    ]
    for name, found in figures["rankers"].items():
        lines.append(f"{name:32}" + "".join(_cell(found[each]) for each in _COLUMNS))
        if len(found["kinds"]) > 1:
            for kind, part in found["kinds"].items():
                lines.append(f"  {kind:30}" + "".join(_cell(part[each]) for each in _COLUMNS))
    gained = figures["oursMinusBoughtBefore"]
    lines += ["", f"{OnRedemptions.name} less {BoughtBefore.name}:"]
    lines += [f"  {each} {_signed(gained[each])}" for each in ("meanAuc", "recall@10")]
    lines += ["", "Chances:"]
    for name, found in figures["rankers"].items():
        if "calibration" in found:
            of = found["calibration"]
            lines.append(
                f"  {name}: {of['expected']:,.0f} expected, {of['observed']:,} redeemed; "
                f"error {of['error']:.2f}; log loss {of['log_loss']:.5f}, "
                f"with one chance for all {of['log_loss_base']:.5f}"
            )
    for name in (WithoutCeiling.name, OnRedemptions.name):
        lines += ["", *_reliability(name, figures["rankers"][name]["calibration"])]
    of = figures["madeUp"]
    lines += [
        "",
        f"Purchases within {MADE_UP_DAYS} days of offers made up, learned on purchases before:",
        f"  AUC {_cell(of['auc']).strip()}, bought before {_cell(of['aucBoughtBefore']).strip()}",
        f"  {of['calibration']['expected']:,.0f} expected, {of['calibration']['observed']:,} "
        f"bought; error {of['calibration']['error']:.2f}",
    ]
    lines += ["", *_reliability(OnPurchases.name, of["calibration"])]
    return "\n".join(lines) + "\n"


def _reliability(name: str, calibration: Mapping[str, Any]) -> Iterator[str]:
    """Whether of pairs with a chance of 1 % one in a hundred came true."""
    yield f"{name:32}{'came true':>26}{'pairs':>12}"
    for each in calibration["bins"]:
        share = [f"{each['share'][at]:.2%}" for at in ("mean", "low", "high")]
        told = f"{share[0]} [{share[1]}, {share[2]}]"
        yield f"  {each['chance']:>30.2%}{told:>26}{each['pairs']:>12,}"


_COLUMNS = ("auc", "meanAuc", "recall@10")


def _cell(interval: Mapping[str, float]) -> str:
    mean, low, high = (_digits(interval[each]) for each in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}]".rjust(22)


def _signed(interval: Mapping[str, float]) -> str:
    return f"{interval['mean']:+.4f} [{interval['low']:+.4f}, {interval['high']:+.4f}]"


def _digits(figure: float) -> str:
    return f"{figure:.4f}".removeprefix("0")
