"""``python -m loyalty_recommender`` from a shop's own files."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loyalty_recommender import artifact
from loyalty_recommender.__main__ import main
from loyalty_recommender.serving import Recommender


@pytest.fixture
def export(tmp_path: Path, purchases: list[tuple[str, str, int]]) -> Path:
    path = tmp_path / "purchases.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["household", "product", "occurredAt"])
        for member, product, at in purchases:
            rows.writerow([member, product, datetime.fromtimestamp(at, UTC).isoformat()])
    return path


def test_train_publishes_what_show_prints(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    products = tmp_path / "products.csv"
    products.write_text("product,department\nmilk,DAIRY\nhoney,GROCERY\nwafers,MISCELLANEOUS\n")
    out = tmp_path / "models"
    files = ["--interactions", str(export), "--products", str(products), "--out", str(out)]

    trained = main(["train", *files, "--columns", "member=household"])
    printed = capsys.readouterr()
    shown = main(["show", str(out)])

    assert (trained, shown) == (0, 0)
    assert capsys.readouterr().out == printed.out
    assert json.loads(printed.out)["modelId"] == artifact.current_id(out)
    assert printed.err.startswith("  0% reading\n")
    assert printed.err.endswith("100% done\n")
    assert Recommender.load(out).products == ("honey", "milk")


@pytest.mark.parametrize(
    ("case", "arguments", "says"),
    [
        ("no file", ["train", "--interactions", "absent.csv", "--out", "x"], "absent.csv"),
        ("no model", ["show", "absent"], "no model has been published in absent"),
    ],
)
def test_a_refusal_is_one_sentence(
    case: str, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1

    refusal = capsys.readouterr().err.splitlines()[-1]
    assert refusal.startswith("loyalty_recommender: ")
    assert says in refusal


def test_columns_that_are_no_pairs_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--interactions", "a", "--out", "b", "--columns", "member"])

    assert "wanted OURS=THEIRS,…, found 'member'" in capsys.readouterr().err
