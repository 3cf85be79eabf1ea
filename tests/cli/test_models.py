"""``loyalty model``, on models with cards alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from command_line import CommandLine

from loyalty_recommender import artifact
from loyalty_recommender.card import Card


def published(root: Path, minute: int) -> str:
    at = datetime(2026, 3, 1, 12, minute, tzinfo=UTC)
    card = Card(
        trained_at=at, data_from=at, data_to=at, counts={"visits": 1_234}, parts={}, seconds={},
        settings={"factors": 4}, versions={"numpy": "2"}, utc_offset_s=0, files={},
    )  # fmt: skip
    return artifact.publish(root, card, {"one.matrix": np.arange(3)}).model_id


@pytest.fixture
def ids(loyalty: CommandLine) -> list[str]:
    """Three models of one tenant, the oldest first."""
    loyalty.ok("tenant", "create", "corner", "--name", "Corner")
    root = loyalty.folder / "models" / "1"
    return [published(root, minute) for minute in range(3)]


def states(loyalty: CommandLine) -> dict[str, tuple[bool, bool]]:
    """Whether each model is in service and on trial."""
    listed = loyalty.ok("model", "list", "--json").json
    return {model["id"]: (model["inService"], model["onTrial"]) for model in listed}


def test_models_are_listed_shown_and_rolled_back(loyalty: CommandLine, ids: list[str]) -> None:
    listed = loyalty.ok("model", "list").out
    shown = loyalty.ok("model", "show").json
    back = [loyalty.ok("model", "rollback").out, loyalty.ok("model", "rollback", ids[2]).out]
    loyalty.ok("model", "rollback")

    assert [listed.index(id) for id in reversed(ids)] == sorted(listed.index(id) for id in ids)
    assert (shown["modelId"], shown["settings"]) == (ids[2], {"factors": 4})
    assert back == [f"model {id} is in service\n" for id in (ids[1], ids[2])]
    assert [id for id, (in_service, _) in states(loyalty).items() if in_service] == [ids[1]]
    assert loyalty.ok("model", "show", ids[0]).json["state"] is None
    trail = loyalty.ok("audit", "--action", "modelRollback", "--json").json
    assert [event["subjectId"] for event in trail] == [ids[1], ids[2], ids[1]]


def test_an_experiment_is_started_listed_and_stopped(loyalty: CommandLine, ids: list[str]) -> None:
    start = ("model", "experiment", "start", "--candidate")
    started = loyalty.ok(*start, ids[0], "--share", "20").out
    states_then = states(loyalty)
    again = loyalty(*start, ids[1])
    rolled = loyalty("model", "rollback")
    shown = loyalty.ok("model", "experiment", "list", "--json").json
    stopped = loyalty.ok("model", "experiment", "stop").out
    told = loyalty.ok("model", "experiment", "list").out

    assert started == f"model {ids[0]} answers 20 % of the members, {ids[2]} the others\n"
    assert states_then == {ids[2]: (True, True), ids[1]: (False, False), ids[0]: (False, True)}
    for refused in (again, rolled):
        assert (refused.status, "stop it first" in refused.error) == (1, True)
    assert shown[0]["candidate"] == {"model": ids[0], "members": 0, "buyers": 0, "salesMinor": 0}
    assert (shown[0]["shareBp"], shown[0]["running"]) == (2_000, True)
    assert f"the experiment of {ids[0]} has ended" in stopped
    assert "nobody was shown anything by one of the two yet" in stopped
    assert f"{ids[0]} (20 %) against {ids[2]}" in told
    assert states(loyalty)[ids[0]] == (False, False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rollback", "x"], "no model 'x'"),
        (["show", "x"], "no model 'x'"),
        (["experiment", "stop"], "no such running experiment"),
        (["experiment", "start", "--candidate", "x"], "no model 'x'"),
    ],
)
def test_what_is_not_there_is_said(
    loyalty: CommandLine, ids: list[str], arguments: list[str], sentence: str
) -> None:
    done = loyalty("model", *arguments)

    assert (done.status, done.out) == (1, "")
    assert sentence in done.error


def test_without_a_model_there_is_no_way_back(loyalty: CommandLine) -> None:
    loyalty.ok("tenant", "create", "corner", "--name", "Corner")

    assert loyalty.ok("model", "list", "--json").json == []
    assert "no such model before the one in service" in loyalty("model", "rollback").error
    assert "no such model in service" in loyalty("model", "show").error


def test_sales_are_attributed_once_from_here(loyalty: CommandLine) -> None:
    loyalty.ok("tenant", "create", "corner", "--name", "Corner")

    assert loyalty.ok("jobs", "run", "attribute").out == "corner: 0 sales attributed\n"
