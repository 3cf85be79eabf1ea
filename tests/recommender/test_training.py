"""Training publishes one whole model, or changes nothing."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from loyalty_recommender import artifact
from loyalty_recommender.errors import BadSettings, FitFailed
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.serving import Recommender
from loyalty_recommender.training import SHARES, Settings, train


def quiet(doing: str, share: float) -> None: ...


def test_the_card_tells_what_was_learned_from(
    shop: Interactions, published: Path, trained_at: datetime
) -> None:
    card = artifact.read_card(artifact.folder_of(published))

    start_s, end_s = shop.span
    assert card.trained_at == trained_at
    assert card.data_from == datetime.fromtimestamp(start_s, UTC)
    assert card.data_to == datetime.fromtimestamp(end_s, UTC)
    assert card.counts == {
        "members": 17,
        "products": 10,
        "visits": 16 * 12 + 1 + 5,
        "interactions": len(shop),
        "productsLeftOut": 0,
        "interactionsLeftOut": 0,
    }
    assert card.settings["for_you"]["als"]["factors"] == 2
    assert set(card.parts) == set(card.seconds) == set(SHARES)
    assert set(card.versions) == {"implicit", "numpy", "scipy"}


def test_training_again_gives_the_same_arrays(
    shop: Interactions, settings: Settings, published: Path, trained_at: datetime, tmp_path: Path
) -> None:
    again = train(shop, settings, tmp_path, quiet, trained_at=trained_at)

    assert again.files == artifact.read_card(artifact.folder_of(published)).files


def test_seldom_bought_products_are_left_out(
    shop: Interactions, tmp_path: Path, trained_at: datetime
) -> None:
    card = train(shop, Settings(product_visits_min=6), tmp_path, quiet, trained_at=trained_at)

    assert (card.counts["productsLeftOut"], card.counts["interactionsLeftOut"]) == (1, 5)
    assert "wafers" not in Recommender.load(tmp_path).products


def test_progress_rises_from_nothing_to_all(
    shop: Interactions, settings: Settings, trained_at: datetime, tmp_path: Path
) -> None:
    told: list[tuple[str, float]] = []

    train(shop, settings, tmp_path, lambda *each: told.append(each), trained_at=trained_at)

    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (told[0], told[-1]) == (("for_you", 0.0), ("done", 1.0))
    assert {doing for doing, _ in told} == {*SHARES, "writing", "done"}


@pytest.mark.parametrize("part", ["for_you", "cart", "buy_again"])
def test_whoever_watches_may_stop_it(
    part: str, shop: Interactions, settings: Settings, trained_at: datetime, tmp_path: Path
) -> None:
    class Stopped(Exception):
        pass

    def watch(doing: str, share: float) -> None:
        if doing == part and share > 0:
            raise Stopped

    with pytest.raises(Stopped):
        train(shop, settings, tmp_path, watch, trained_at=trained_at)

    assert artifact.model_ids(tmp_path) == []


def test_too_little_data_keeps_the_model_in_service(
    shop: Interactions, settings: Settings, trained_at: datetime, tmp_path: Path
) -> None:
    before = train(shop, settings, tmp_path, quiet, trained_at=trained_at).model_id
    one = Interactions.from_columns(np.array([1]), np.array([2]), np.array([3]))

    with pytest.raises(FitFailed, match="no product was bought in 5 visits or more, among 1"):
        train(one, settings, tmp_path, quiet, trained_at=trained_at)

    assert artifact.current_id(tmp_path) == before
    assert artifact.model_ids(tmp_path) == [before]


def test_the_smallest_shop_gets_a_model(tmp_path: Path, trained_at: datetime) -> None:
    days = np.arange(5) * 86_400
    one = Interactions.from_columns(np.full(5, 1), np.full(5, 2), days)

    train(one, Settings(), tmp_path, quiet, trained_at=trained_at)

    serving = Recommender.load(tmp_path)
    past = serving.history(["2"] * 5, range(5))
    answers = {
        window: serving.recommend(window, 5, history=past, day=5, product="2")
        for window in ("FOR_YOU", "BUY_AGAIN", "SIMILAR", "TRENDING")
    }
    assert {window: found.products for window, found in answers.items()} == {
        "FOR_YOU": [],
        "BUY_AGAIN": ["2"],
        "SIMILAR": [],
        "TRENDING": ["2"],
    }


def test_bad_settings_are_refused(
    shop: Interactions, settings: Settings, trained_at: datetime, tmp_path: Path
) -> None:
    no_zone = trained_at.replace(tzinfo=None)

    with pytest.raises(BadSettings, match="at least 1, found 0 and 3"):
        Settings(product_visits_min=0)
    with pytest.raises(BadSettings, match="must have a time zone"):
        train(shop, settings, tmp_path, quiet, trained_at=no_zone)
    assert artifact.model_ids(tmp_path) == []
