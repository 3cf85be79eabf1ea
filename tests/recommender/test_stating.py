"""Settings read back from where they were stated, whole or not at all."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from loyalty_recommender.card import FORMAT
from loyalty_recommender.errors import BadSettings
from loyalty_recommender.models.als import Als
from loyalty_recommender.models.boosted import Boosted
from loyalty_recommender.models.novel import Novel
from loyalty_recommender.models.popularity import Popularity
from loyalty_recommender.models.repeat import Repeat
from loyalty_recommender.stating import read_settings, stated
from loyalty_recommender.training import Settings

OTHER = Settings(
    product_visits_min=2,
    for_you=Novel(als=Als(factors=8, alpha=2.5), strength=3.0),
    popular=Popularity(recent_days=90.0),
    trending=Popularity(),
)


def names(table: dict[str, Any], path: str = "") -> list[str]:
    found: list[str] = []
    for name, value in table.items():
        inside = isinstance(value, dict)
        found += names(value, f"{path}{name}.") if inside else [f"{path}{name}"]
    return found


@pytest.mark.parametrize(
    "settings", [Settings(), OTHER, Settings(buy_again=Boosted(trees=20, linear=Repeat(periods=1)))]
)
def test_what_a_card_says_is_what_was_set(settings: Settings) -> None:
    assert stated(json.loads(json.dumps(asdict(settings))), whole=True) == settings


def test_every_setting_a_card_lacks_is_missed() -> None:
    for name in names(asdict(Settings())):
        table = asdict(Settings())
        *above, last = name.split(".")
        inside = table
        for each in above:
            inside = inside[each]
        del inside[last]

        with pytest.raises(BadSettings, match=f"the setting {name} is missing"):
            stated(table, whole=True)


def test_a_file_states_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("product_visits_min = 2\n[for_you]\nstrength = 3\nals = { factors = 8 }\n")
    default = Settings()

    assert read_settings(path) == replace(
        default,
        product_visits_min=2,
        for_you=replace(default.for_you, strength=3.0, als=replace(default.for_you.als, factors=8)),
    )


def test_names_of_another_kind_of_model_choose_it(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"

    path.write_text("[buy_again]\ntrees = 20\n")
    boosted = read_settings(path)
    path.write_text("[buy_again]\nperiods = 3\n")
    light = read_settings(path)

    assert boosted == Settings(buy_again=Boosted(trees=20))
    assert light == Settings(buy_again=Repeat(periods=3))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("factors = 8", "there is no setting factors; known are product_visits_min, "),
        ("[for_you.als]\nfactor = 8", "there is no setting for_you.als.factor; known are for_you"),
        ("[for_you]\nals = 8", "for_you.als must be a table of settings, found 8"),
        ("product_visits_min = 2.5", "product_visits_min must be a whole number, found 2.5"),
        ("product_visits_min = true", "product_visits_min must be a whole number, found True"),
        ("[for_you]\nstrength = nan", "for_you.strength must be a number, found nan"),
        ("[for_you]\nstrength = 0", "for_you: strength must be above 0"),
        ("[popular]\nrecent_days = 'all'", "popular.recent_days must be a number or nothing"),
        ("[cart.together]\nover = 'weeks'", "cart.together.over must be 'visits' or 'members'"),
        ("[cart", "is not TOML"),
    ],
)
def test_what_is_no_setting_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)

    with pytest.raises(BadSettings) as refused:
        read_settings(path)

    assert problem in str(refused.value)


def test_the_format_of_cards_rises_with_the_settings() -> None:
    # A model whose settings this version cannot read back must be of an older format, or no
    # training would know what to compare with. Whoever changes this list raises FORMAT.
    assert (FORMAT, names(asdict(Settings()))) == (
        5,
        [
            "product_visits_min",
            "member_visits_min",
            "for_you.als.factors",
            "for_you.als.alpha",
            "for_you.als.regularization",
            "for_you.als.iterations",
            "for_you.als.seed",
            "for_you.similar.over",
            "for_you.similar.neighbours",
            "for_you.autoencoder.products_max",
            "for_you.autoencoder.regularization",
            "for_you.autoencoder.directions",
            "for_you.strength",
            "for_you.share",
            "for_you.seed",
            "cart.together.over",
            "cart.together.neighbours",
            "cart.strength",
            "cart.share",
            "cart.seed",
            "buy_again.periods",
            "buy_again.strength",
            "buy_again.share",
            "buy_again.seed",
            "popular.half_life_days",
            "popular.recent_days",
            "trending.half_life_days",
            "trending.recent_days",
            "arrivals.recent_days",
        ],
    )
