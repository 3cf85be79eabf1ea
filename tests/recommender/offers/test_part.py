"""The part of a model that a planner reads: published with it, asked of a catalogue of today."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from loyalty_recommender import artifact
from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.card import FORMAT
from loyalty_recommender.errors import BrokenArtifact, NoModel, OlderFormat
from loyalty_recommender.gate import train_gated
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.models.als import Als
from loyalty_recommender.models.novel import Novel
from loyalty_recommender.offers.part import OfferPart, learned
from loyalty_recommender.offers.purchases import Pasts
from loyalty_recommender.offers.targets import Targets
from loyalty_recommender.serving import Recommender
from loyalty_recommender.training import Settings
from loyalty_recommender.vocabulary import Vocabulary

SMALL = Settings(for_you=Novel(als=Als(factors=2)), product_visits_min=1)


def trained_at(purchases: Interactions) -> datetime:
    """The evening of the day after the last purchase."""
    return datetime.fromtimestamp((int(purchases.day.max()) + 1) * DAY_S + 72_000, UTC)


def train(purchases: Interactions, root: Path) -> artifact.Card:
    return train_gated(
        purchases, SMALL, root, lambda doing, share: None,
        trained_at=trained_at(purchases), gate=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def root(shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    train(shop.purchases, folder)
    return folder


def test_every_training_publishes_it_and_the_card_says_so(shop, root: Path) -> None:
    model = Recommender.load(root)
    part = OfferPart.load(root)

    assert part.model_id == model.model_id
    assert model.card.offers["basis"] == "purchases"
    assert {"offers.products", "offers.rates"} <= model.card.files.keys()
    assert int(part.until.timestamp()) == int(shop.purchases.time.max())


def test_what_is_read_back_answers_as_what_was_learned(shop, root: Path) -> None:
    own = OfferPart.learn(shop.purchases, trained_at(shop.purchases))
    again = OfferPart.load(root)
    targets = Targets.of(shop.campaigns[0].sets, shop.shelves)
    history, day = Pasts(shop.purchases).of(3), int(shop.purchases.day.max()) + 1

    assert np.array_equal(
        again.scorer.ask(targets, 14).chances(history, day),
        own.scorer.ask(targets, 14).chances(history, day),
    )


def test_the_day_of_the_training_is_not_learned_from(shop) -> None:
    """It is not over: who buys in the evening would count as one who did not."""
    last = int(shop.purchases.day.max())
    noon = datetime.fromtimestamp(last * DAY_S + 43_200, UTC)

    today = OfferPart.learn(shop.purchases, noon).card()
    without = OfferPart.learn(shop.purchases.rows(shop.purchases.day < last), noon).card()

    assert today["weights"] == without["weights"]


def test_a_catalogue_of_today_has_other_products(shop, root: Path) -> None:
    part = OfferPart.load(root)
    texts = part.products.texts()
    today = Vocabulary.of([*texts[1:], "0-new", "zzz-a-new-one-with-a-long-name"])

    scorer, known = part.over(today)

    names = today.texts()
    assert [each for each, old in zip(names, known.tolist(), strict=True) if old] == texts[1:]
    assert np.array_equal(scorer.market.rates[:, known], part.scorer.market.rates[:, 1:])
    assert not scorer.market.rates[:, ~known].any()


def test_too_little_is_told_by_the_card_and_windows_answer_all_the_same(
    shop, tmp_path: Path
) -> None:
    few = shop.purchases.rows(shop.purchases.day < int(shop.purchases.day.min()) + 6)

    card = train(few, tmp_path)

    assert "are needed" in card.offers["problem"]
    assert not [name for name in card.files if name.startswith("offers.")]
    assert Recommender.load(tmp_path).recommend("TRENDING", 3, day=int(few.day.max())).items
    with pytest.raises(NoModel, match="are needed"):
        OfferPart.load(tmp_path)


def test_a_model_of_an_earlier_version_is_told_apart_from_a_broken_one(
    shop, tmp_path: Path
) -> None:
    card = train(shop.purchases, tmp_path)
    path = artifact.folder_named(tmp_path, card.model_id) / artifact.CARD
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"format": FORMAT - 1}))

    with pytest.raises(OlderFormat):
        OfferPart.load(tmp_path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda card, arrays: (replace(card, offers={**card.offers, "until": "soon"}), arrays),
        lambda card, arrays: (card, {k: v for k, v in arrays.items() if k != "offers.products"}),
        lambda card, arrays: (card, arrays | {"offers.products": arrays["offers.products"][1:]}),
        lambda card, arrays: (card, arrays | {"offers.products": arrays["offers.products"][::-1]}),
    ],
)
def test_a_part_that_does_not_fit_together_is_refused(root: Path, spoil) -> None:
    folder = artifact.folder_of(root)
    card = artifact.read_card(folder)

    with pytest.raises(BrokenArtifact):
        OfferPart.from_model(*spoil(card, artifact.read_arrays(folder, card)))


def test_only_its_own_arrays_are_read(shop, tmp_path: Path) -> None:
    """A planner need not wait until a whole model has been checked."""
    card = train(shop.purchases, tmp_path)
    folder = artifact.folder_named(tmp_path, card.model_id)
    # Equal arrays are one file under two names, so it is taken away, not written over.
    (folder / "ids.products.npy").unlink()

    assert OfferPart.load(tmp_path).model_id == card.model_id
    (folder / "offers.rates.npy").write_bytes(b"")
    with pytest.raises(BrokenArtifact):
        OfferPart.load(tmp_path)


def test_without_any_purchase_the_problem_is_told(shop) -> None:
    nothing = shop.purchases.rows(np.zeros(len(shop.purchases), dtype=np.bool_))

    card, arrays = learned(nothing, trained_at(shop.purchases))

    assert (list(card), arrays) == (["problem"], {})
