"""``loyalty train``: what it says of a model, and of the settings that it chose."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import CommandLine
from habits import products, visits

import loyalty.services.recommendations.training as training_module
from loyalty_recommender.judging import Gate


def table(path: Path, header: str, rows: list[list[str]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])
    return path


@pytest.fixture
def stocked(shop: CommandLine, tmp_path: Path) -> CommandLine:
    """With sixteen members' orders of twelve weeks."""
    now = datetime.now(UTC)
    goods = [[each.external_id, each.name] for each in products(now)]
    shop.ok("import", "products", str(table(tmp_path / "products.csv", "product,name", goods)))
    lines = [
        [visit.order, visit.member, product, "1", "1.00", visit.at.isoformat()]
        for visit in sorted(visits(now), key=lambda each: each.at)
        for product in visit.products
    ]
    header = "order,member,product,quantity,amount,occurredAt"
    shop.ok("import", "orders", str(table(tmp_path / "orders.csv", header, lines)))
    return shop


def test_settings_are_chosen_and_the_choice_is_told(
    stocked: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worse = tmp_path / "worse.toml"
    worse.write_text("member_visits_min = 1000\n")

    first = stocked.ok("train", "--json").json
    too_few = stocked.ok("train", "--settings", str(worse)).out
    monkeypatch.setattr(training_module, "GATE", Gate(members_min=5))
    measured = stocked.ok("train", "--no-gate").out
    refused = stocked.ok("train", "--settings", str(worse))
    shown = stocked.ok("model", "show").json
    taken = stocked.ok("train", "--settings", str(worse), "--no-gate").out
    kept = stocked.ok("train", "--json").json

    assert (first["gate"]["verdict"], first["metrics"]) == ("FIRST", {})
    assert first["counts"]["members"] == 16
    assert 50 < first["memoryPeakMb"] < 10_000
    assert "OLD ones: too few members" in too_few
    assert "were not compared" in measured
    assert "OLD ones: the new ones may be worse" in refused.out
    assert "by more than 2% of nDCG@10" in refused.out
    rows = {line.split()[0]: line.split() for line in refused.out.splitlines() if line.strip()}
    assert (rows["NEXT_VISIT"][1], rows["NEXT_VISIT"][-1]) == ("16", "no")
    assert "measured on " in refused.out
    assert "MB of memory were used" in refused.error
    assert shown["gate"]["verdict"] == "REFUSED"
    assert shown["settings"]["member_visits_min"] == 3
    assert "were not compared" in taken
    # What a shop stated itself stays until it states something else.
    assert (kept["gate"]["verdict"], kept["gate"]["ownSettings"]) == ("SAME", True)


def test_what_is_no_settings_file_is_said(shop: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[for_you]\nfactors = 8\n")

    strange = shop("train", "--settings", str(path))
    missing = shop("train", "--settings", str(tmp_path / "none.toml"))

    assert strange.status == 1
    assert "there is no setting for_you.factors; known are for_you.als" in strange.error
    assert missing.status == 2


def test_too_little_memory_is_said(stocked: CommandLine) -> None:
    done = stocked("train", "--memory-max", "50")

    assert done.status == 1
    assert "training with 16 members and 9 products takes at least" in done.error
    assert "there is no model in service" in done.error
