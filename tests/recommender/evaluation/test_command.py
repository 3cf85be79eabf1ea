"""``python -m loyalty_recommender evaluate`` on a small shop's files."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loyalty_recommender.__main__ import main
from loyalty_recommender.arrays import DAY_S

Line = tuple[str, str, int]
SHOP = ("--models", "served,popularity,personal", "--cuts", "250,300")


@pytest.fixture(scope="module")
def data(purchases: list[Line], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop, with a large visit and something new for each at the end."""
    folder = tmp_path_factory.mktemp("data")
    last = max(at for _, _, at in purchases)
    tastes = {"tea": ["coffee-beans", "sugar"], "coffee": ["tea-green", "honey"]}
    lines = [*purchases]
    for number in range(16):
        taste = "tea" if number % 2 else "coffee"
        at = last - 25 * DAY_S + number * 60
        wanted = ["milk", *tastes[taste], "wafers", f"{taste}-white"]
        lines += [(f"{taste}-{number}", product, at) for product in wanted]
    with (folder / "interactions.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["member", "product", "occurredAt"])
        rows.writerows(
            [member, product, datetime.fromtimestamp(at, UTC).isoformat()]
            for member, product, at in lines
        )
    with (folder / "products.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["product", "department", "type"])
        rows.writerows(
            [each, "GROCERY", f"<{each}>"] for each in sorted({product for _, product, _ in lines})
        )
    return folder


@pytest.fixture(scope="module")
def out(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "new"
    assert main(["evaluate", "--data", str(data), *SHOP, "--out", str(folder)]) == 0
    return folder


def test_the_table_has_a_row_for_each_model_and_window(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["evaluate", "--data", str(data), *SHOP, "--left-out", "0"])

    assert status == 0
    printed = capsys.readouterr()
    rows = [line.split(" | ")[:2] for line in printed.out.splitlines()[2:]]
    assert ["| NEXT_VISIT", "served"] in rows
    assert ["| NEXT_VISIT", "popularity"] in rows
    assert ["| FOR_YOU", "personal"] not in rows
    assert "served, cut 250: learned in " in printed.err


def test_figures_hold_each_cut_and_all_of_them_with_intervals(out: Path) -> None:
    figures = json.loads((out / "figures.json").read_text())

    assert figures["about"]["cuts"] == [250, 300]
    next_visits = [row for row in figures["rows"] if row["window"] == "NEXT_VISIT"]
    assert {row["cut"] for row in next_visits} == {None, 250, 300}
    for row in next_visits:
        assert 0 <= row["recall"]["low"] <= row["recall"]["mean"] <= row["recall"]["high"] <= 1
    served = {row["cut"]: row for row in next_visits if row["model"] == "served"}
    assert served[250]["questions"] + served[300]["questions"] == served[None]["questions"]
    assert {each["other"] for each in figures["differences"]} == {"popularity", "personal"}
    assert figures["left_out"]
    assert set(figures["seconds"]) == {"served", "popularity", "personal"}


def test_the_page_tells_of_households_with_what_they_were_shown_and_why(out: Path) -> None:
    text = (out / "report.html").read_text(encoding="utf-8")

    stories = text.split("Households one can look at")[1]
    assert stories.count("<h3>Habits</h3>") == stories.count("<h3>Recommended</h3>") > 0
    assert "&lt;milk&gt; (milk)" in stories
    assert "bought 1" in stories
    assert "class=hit" in stories


def test_without_what_is_served_there_are_no_households_to_look_at(
    data: Path, tmp_path: Path
) -> None:
    options = ["--models", "popularity", "--cuts", "300", "--left-out", "0"]

    assert main(["evaluate", "--data", str(data), *options, "--out", str(tmp_path)]) == 0

    assert "Households one can look at" not in (tmp_path / "report.html").read_text()


def test_curves_never_fall_in_recall(out: Path) -> None:
    figures = json.loads((out / "figures.json").read_text())

    for curve in figures["curves"]:
        assert curve["recall"] == sorted(curve["recall"])


def test_households_left_out_are_compared_with_themselves(out: Path) -> None:
    """The personal counter learns nothing from others, so leaving out changes nothing."""
    left_out = json.loads((out / "figures.json").read_text())["left_out"]

    ratios = [each["ratio"]["mean"] for each in left_out if each["model"] == "personal"]

    assert ratios
    assert ratios == [1.0] * len(ratios)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--models", "served,magic"], "found magic"),
        (["--cuts", "9999"], "--cuts must lie in 1.."),
        (["--left-out", "6"], "--left-out must be 0 to 5, found 6"),
        (["--day-zero", "2030-01-01"], "--cuts must lie in 1.."),
    ],
)
def test_what_cannot_be_measured_is_said(
    data: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    assert main(["evaluate", "--data", str(data), *options]) == 1

    assert says in capsys.readouterr().err


def test_a_folder_without_the_files_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--data", str(tmp_path)]) == 1

    assert "should hold one of interactions.parquet, interactions.csv" in capsys.readouterr().err
