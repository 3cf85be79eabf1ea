"""``evaluate-offers`` from a shop's own files."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loyalty_recommender.__main__ import main
from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.offers.baselines import RANKERS
from loyalty_recommender.offers.campaigns import NEVER


def _write(path: Path, header: str, rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(header.split(","))
        lines.writerows(rows)


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY_S, UTC).date().isoformat()


@pytest.fixture(scope="module")
def folder(shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    bought, codes = shop.purchases, shop.shelves.codes
    members, products = bought.members.texts(), bought.products.texts()
    _write(
        root / "interactions.csv",
        "member,product,occurredAt",
        [
            (members[member], products[product], f"{_date(day)}T10:00:00")
            for member, product, day in zip(
                bought.member.tolist(), bought.product.tolist(), bought.day.tolist(), strict=True
            )
        ],
    )
    _write(
        root / "products.csv",
        "product,department,category,type,brand",
        [
            (each, "SHOP", f"c{codes['category'][at]}", f"t{codes['type'][at]}",
             f"b{codes['brand'][at]}")
            for at, each in enumerate(products)
        ],
    )  # fmt: skip
    campaigns = shop.campaigns
    _write(
        root / "campaign_dates.csv",
        "campaign,startsAt,endsAt,kind",
        [(each.id, _date(each.starts), _date(each.ends), each.kind) for each in campaigns],
    )
    _write(
        root / "campaigns.csv",
        "member,campaign",
        [(members[at], each.id) for each in campaigns for at in each.members.tolist()],
    )
    _write(
        root / "offers.csv",
        "offer,campaign,product",
        [
            (offer, each.id, products[at])
            for each in campaigns
            for offer, inside in zip(each.offers, each.sets, strict=True)
            for at in inside.tolist()
        ],
    )
    _write(
        root / "redemptions.csv",
        "member,offer,campaign,redeemedAt",
        [
            (members[member], each.offers[column], each.id, _date(int(each.redeemed[row, column])))
            for each in campaigns
            for row, member in enumerate(each.members.tolist())
            for column in range(len(each.offers))
            if each.redeemed[row, column] != NEVER
        ],
    )
    return root


def test_a_table_and_figures(
    shop, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report"

    assert (
        main(["evaluate-offers", "--data", str(folder), "--test-day", "110", "--out", str(out)])
        == 0
    )

    table = capsys.readouterr().out
    figures = json.loads((out / "offer-figures.json").read_text())
    (last,) = (each for each in shop.campaigns if each.id == "c3")
    assert figures["campaigns"] == [
        {
            "campaign": "c3",
            "kind": "leaflet",
            "day": 120,
            "members": len(last.members),
            "offers": 6,
            "redeemed": int((last.redeemed != NEVER).sum()),
        }
    ]
    assert list(figures["rankers"]) == [each.name for each in RANKERS]
    for name, found in figures["rankers"].items():
        assert name in table
        assert found["auc"]["low"] <= found["auc"]["mean"] <= found["auc"]["high"]


def test_the_campaigns_of_the_choice_start_before_the_test(
    shop, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report"
    options = ["--test-day", "110", "--choice", "--out", str(out)]

    # CHOICE_DAYS begin where the test begins in so short a year, so the shop has none.
    assert main(["evaluate-offers", "--data", str(folder), *options]) == 1
    assert main(["evaluate-offers", "--data", str(folder), "--test-day", "130", *options[2:]]) == 0

    figures = json.loads((out / "offer-figures.json").read_text())
    assert [each["campaign"] for each in figures["campaigns"]] == ["c3"]


def test_a_folder_without_campaigns_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("interactions", "products"):
        (tmp_path / f"{name}.csv").write_text((folder / f"{name}.csv").read_text())

    assert main(["evaluate-offers", "--data", str(tmp_path)]) == 1
    assert "campaign_dates.parquet or campaign_dates.csv" in capsys.readouterr().err
