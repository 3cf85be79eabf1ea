"""New settings go into service only if they are not worse than those that are."""

import shutil
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from loyalty_recommender import artifact
from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.card import FORMAT, Card
from loyalty_recommender.errors import BadSettings, BrokenArtifact
from loyalty_recommender.evaluation.run import Measured
from loyalty_recommender.gate import in_service, train_gated
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.judging import Gate, compared, differing_windows, judge
from loyalty_recommender.models.arrivals import Arrivals
from loyalty_recommender.pasts import split_day
from loyalty_recommender.serving import Recommender
from loyalty_recommender.training import Settings

MEMBERS = 130
DAYS = 120
GOOD = Settings()
ALIKE = replace(GOOD, arrivals=Arrivals(recent_days=14.0))
"""Other settings; no window that is asked shows arrivals."""
WORSE = replace(GOOD, member_visits_min=1_000)
"""Everybody is told what is popular."""
AT = datetime(2024, 12, 1, 8, 30, tzinfo=UTC)


def quiet(doing: str, share: float) -> None: ...


@cache
def habits() -> Interactions:
    """Members of three tastes with forty products each: every six days they buy most of their
    own six, and often try one of the others."""
    random = np.random.default_rng(5)
    rows = []
    for member in range(MEMBERS):
        taste = 40 * (member % 3) + np.arange(40)
        own = random.choice(taste, 6, replace=False)
        for day in range(member % 6, DAYS, 6):
            visit = set(random.choice(own, 4, replace=False).tolist())
            if random.random() < 0.7:
                visit.add(int(random.choice(taste)))
            rows += [(member, product, day * DAY_S) for product in visit]
    member, product, time = np.array(rows).T
    return Interactions.from_columns(member, product, time)


GATE = Gate()


def trained(
    root: Path,
    settings: Settings | None,
    *,
    until: int = DAYS,
    gate: Gate | None = GATE,
) -> Card:
    """Train on the habits before a day, that many days after ``AT``."""
    return train_gated(
        habits().before(until * DAY_S),
        settings,
        root,
        quiet,
        trained_at=AT + timedelta(days=until),
        gate=gate,
    )


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the good settings in service, learned before day 100."""
    root = tmp_path_factory.mktemp("good")
    trained(root, GOOD, until=100, gate=None)
    return root


@pytest.fixture
def served(good: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return shutil.copytree(good, tmp_path / "models")


def test_a_first_model_is_published_with_its_figures(tmp_path: Path) -> None:
    card = trained(tmp_path, None)

    assert artifact.read_card(artifact.folder_of(tmp_path)) == card
    assert card.gate == {"verdict": "FIRST", "ownSettings": False}
    first = split_day(habits())
    assert (card.metrics["from"], card.metrics["to"]) == ("1970-04-03", "1970-04-30")
    assert datetime.fromtimestamp(first * DAY_S, UTC).date().isoformat() == card.metrics["from"]
    assert card.metrics["measuredAt"] == "2025-03-31T08:30:00Z"
    windows = card.metrics["windows"]
    assert set(windows) == {"NEXT_VISIT", "FOR_YOU", "CART"}
    for figures in windows.values():
        assert figures["questions"] >= 100
        for name in ("ndcg10", "recall10"):
            assert figures[name]["low"] <= figures[name]["mean"] <= figures[name]["high"]
    assert windows["NEXT_VISIT"]["ndcg10"]["low"] > 0.5


def test_the_same_settings_are_never_judged(served: Path) -> None:
    told: list[str] = []
    card = train_gated(
        habits(), GOOD, served, lambda doing, share: told.append(doing), trained_at=AT, gate=Gate()
    )

    assert card.gate["verdict"] == "SAME"
    assert not [doing for doing in told if "asking" in doing]


def test_figures_stay_with_the_settings_they_are_of(tmp_path: Path) -> None:
    first = trained(tmp_path, None, until=110)
    again = trained(tmp_path, None)

    assert (again.gate["verdict"], again.metrics) == ("SAME", first.metrics)
    assert again.data_to > first.data_to


def test_worse_settings_are_refused_and_the_old_ones_learn_anew(served: Path) -> None:
    before = artifact.read_card(artifact.folder_of(served))

    card = trained(served, WORSE)

    assert card.gate["verdict"] == "REFUSED"
    assert card.gate["against"] == before.model_id
    assert card.gate["asked"]["member_visits_min"] == 1_000
    assert card.settings == before.settings
    assert card.data_to > before.data_to
    assert Recommender.load(served).model_id == card.model_id
    next_visit = card.gate["windows"]["NEXT_VISIT"]
    assert not next_visit["passed"]
    assert next_visit["difference"]["ndcg10"]["high"] < -next_visit["allowed"]
    assert card.metrics["windows"]["NEXT_VISIT"]["ndcg10"] == next_visit["old"]["ndcg10"]


def test_better_settings_pass(tmp_path: Path) -> None:
    trained(tmp_path, WORSE, until=100, gate=None)

    card = trained(tmp_path, GOOD)

    assert (card.gate["verdict"], card.settings) == ("PASSED", asdict(GOOD))
    windows = card.gate["windows"]
    assert windows["NEXT_VISIT"]["difference"]["ndcg10"]["low"] > 0
    assert card.metrics["windows"]["CART"]["ndcg10"] == windows["CART"]["new"]["ndcg10"]


def test_settings_that_answer_alike_pass_by_a_difference_of_nothing(served: Path) -> None:
    card = trained(served, ALIKE)

    assert card.gate["verdict"] == "PASSED"
    nothing = {"mean": 0.0, "low": 0.0, "high": 0.0}
    differences = [each["difference"] for each in card.gate["windows"].values()]
    assert differences == [{"ndcg10": nothing, "recall10": nothing}] * 3


def test_too_few_members_keep_the_old_settings(served: Path) -> None:
    card = trained(served, WORSE, gate=Gate(members_min=1_000, members_max=1_000))

    assert card.gate["verdict"] == "TOO_LITTLE"
    assert (card.gate["windows"], card.metrics) == ({}, {})
    assert card.settings == asdict(GOOD)


def test_a_window_that_few_can_be_asked_about_is_no_judge() -> None:
    # Many visits are too small to be halved, so that fewer than 100 have a cart.
    first = np.unique(habits().member.astype(np.int64) * 1_000 + habits().day, return_index=True)[1]
    small = np.ones(len(habits()), dtype=np.bool_)
    small[first] = False
    few = habits().rows(small & (habits().product % 5 > 0))
    cart = replace(GOOD, cart=replace(GOOD.cart, strength=1.0))

    of_all = judge(few, GOOD, WORSE, Gate(), quiet)
    of_carts = judge(few, GOOD, cart, Gate(), quiet)

    assert (of_all.too_little, "CART" in of_all.windows, of_all.passed) == (False, False, False)
    assert (of_carts.too_little, of_carts.passed) == (True, False)


def test_too_short_a_time_keeps_the_old_settings(served: Path) -> None:
    recent = habits().rows(habits().day >= DAYS - 20)

    card = train_gated(recent, WORSE, served, quiet, trained_at=AT, gate=Gate())

    assert (card.gate["verdict"], card.settings) == ("TOO_LITTLE", asdict(GOOD))


def test_an_open_gate_takes_anything(served: Path) -> None:
    card = trained(served, WORSE, gate=None)

    assert card.gate == {"verdict": "NOT_ASKED", "ownSettings": True}
    assert (card.settings, card.metrics) == (asdict(WORSE), {})


def test_own_settings_stay_until_others_are_stated(tmp_path: Path) -> None:
    trained(tmp_path, ALIKE, until=100, gate=None)

    kept = trained(tmp_path, None)
    back = trained(tmp_path, GOOD)
    default = trained(tmp_path, None)

    assert (kept.gate["verdict"], kept.settings) == ("SAME", asdict(ALIKE))
    assert (back.gate["verdict"], back.gate["ownSettings"]) == ("PASSED", False)
    assert (default.gate["verdict"], default.settings) == ("SAME", asdict(GOOD))


def test_a_model_of_an_older_format_is_none(served: Path) -> None:
    path = artifact.folder_of(served) / "card.json"
    path.write_text(path.read_text().replace(f'"format": {FORMAT}', f'"format": {FORMAT - 1}'))

    assert in_service(served) is None
    assert trained(served, WORSE).gate["verdict"] == "FIRST"


def test_a_model_in_service_that_was_changed_is_said(served: Path) -> None:
    path = artifact.folder_of(served) / "card.json"
    path.write_text(path.read_text().replace('"factors": 32', '"factors": 1'))

    with pytest.raises(BrokenArtifact, match="was changed"):
        trained(served, GOOD)

    assert trained(served, GOOD, gate=None).gate["verdict"] == "NOT_ASKED"


def test_settings_that_cannot_be_read_are_said(served: Path) -> None:
    card = artifact.read_card(artifact.folder_of(served))
    artifact.publish(
        served, replace(card, settings={**card.settings, "mood": 1}), {"one.row": np.arange(2)}
    )

    with pytest.raises(BadSettings, match=r"settings of model .* there is no setting mood"):
        trained(served, GOOD)


def test_members_are_drawn_alike_and_no_more_than_said() -> None:
    gate = Gate(members_min=10, members_max=20)

    first = judge(habits(), GOOD, ALIKE, gate, quiet)
    again = judge(habits(), GOOD, ALIKE, gate, quiet)

    assert first == again
    assert max(each.questions for each in first.windows.values()) == 20


def test_a_setting_is_judged_where_it_has_a_say() -> None:
    cart = replace(GOOD, cart=replace(GOOD.cart, strength=1.0))
    novel = replace(GOOD, for_you=replace(GOOD.for_you, strength=1.0))

    assert differing_windows(GOOD, ALIKE) == ()
    assert differing_windows(GOOD, cart) == ("CART",)
    assert differing_windows(GOOD, novel) == ("NEXT_VISIT", "FOR_YOU")
    assert differing_windows(GOOD, WORSE) == ("NEXT_VISIT", "FOR_YOU", "CART")


def measured(hits: NDArray[np.bool_]) -> Measured:
    """Answers of one product each, to households that wanted one."""
    wide = np.zeros((len(hits), 10), dtype=np.bool_)
    wide[:, 0] = hits
    ones = np.ones(len(hits), dtype=np.int64)
    return Measured(wide, ones, np.arange(len(hits)), ones)


@pytest.mark.parametrize(("questions", "passed"), [(200, False), (40_000, True)])
def test_few_questions_prove_nothing(questions: int, passed: bool) -> None:
    random = np.random.default_rng(3)
    old = random.random(questions) < 0.5
    # As good, and one answer in five differs: as many for the better as for the worse.
    new = old.copy()
    differs = random.permutation(questions)[: questions // 5]
    new[differs] = random.permutation(old[differs])

    found = compared(measured(old), measured(new), 0.02)

    assert found.difference.ndcg10.mean == pytest.approx(0.0)
    assert found.passed == passed


@pytest.mark.parametrize("margin", [-0.1, 1.0])
def test_a_margin_is_a_share(margin: float) -> None:
    with pytest.raises(BadSettings, match="margin must be 0 to 1"):
        Gate(margin=margin)
