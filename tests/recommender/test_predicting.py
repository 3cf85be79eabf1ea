"""Answers to a file of questions, from files alone."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loyalty_recommender.__main__ import main
from loyalty_recommender.arrays import DAY_S

Line = tuple[str, str, int]
Predict = Callable[..., list[dict[str, Any]]]


def iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()


@pytest.fixture(scope="module")
def after_s(purchases: list[Line]) -> int:
    """Midnight after the last purchase."""
    return (max(at for _, _, at in purchases) // DAY_S + 1) * DAY_S


class Files:
    """A shop's export, and the command that answers questions about it."""

    def __init__(self, folder: Path, purchases: list[Line]) -> None:
        self.folder = folder
        self.out = folder / "answers.jsonl"
        self.requests = folder / "requests.jsonl"
        self.write(purchases)
        products = sorted({product for _, product, _ in purchases})
        with (folder / "products.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["product", "department", "category", "type", "brand"])
            for each in products:
                department = "FUEL" if each == "sugar" else "GROCERY"
                rows.writerow([each, department, "", each.split("-")[0], ""])

    def write(self, purchases: list[Line]) -> None:
        with (self.folder / "interactions.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["member", "product", "basket", "quantity", "amount", "occurredAt"])
            for number, (member, product, at) in enumerate(purchases):
                rows.writerow([member, product, f"b{number}", 1, "2.50", iso(at)])

    def run(
        self, at_s: int, window: str, *requests: Any, first: int = 5, more: Any = (), **files: Path
    ) -> int:
        lines = [each if isinstance(each, str) else json.dumps(each) for each in requests]
        self.requests.write_text("\n".join(lines) + "\n")
        interactions = files.get("interactions", self.folder / "interactions.csv")
        products = files.get("products", self.folder / "products.csv")
        return main(
            [
                "predict",
                *("--interactions", str(interactions), "--products", str(products)),
                *("--at", iso(at_s), "--window", window, "--requests", str(self.requests)),
                *("--first", str(first), "--out", str(files.get("out", self.out))),
                *more,
            ]
        )

    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.read_text().splitlines()]


@pytest.fixture
def files(tmp_path: Path, purchases: list[Line]) -> Files:
    return Files(tmp_path, purchases)


def test_each_request_has_its_answer_in_sequence(files: Files, after_s: int) -> None:
    asked = [{"member": each, "at": iso(after_s)} for each in ("tea-1", "nobody", "coffee-2")]

    status = files.run(after_s, "NEXT_VISIT", *asked, {"member": None}, first=3)

    assert status == 0
    answers = files.answers()
    assert [set(each) for each in answers] == [{"member", "items", "strategy"}] * 4
    assert [each["member"] for each in answers] == ["tea-1", "nobody", "coffee-2", None]
    assert all(len(each["items"]) == len(set(each["items"])) == 3 for each in answers)
    assert [each["strategy"] == "popularity" for each in answers] == [False, True, False, True]
    assert answers[1]["items"] == answers[3]["items"]


def test_a_cart_is_completed_and_never_answered(files: Files, after_s: int) -> None:
    cart = ["milk", "tea-green", "not known"]

    assert files.run(after_s, "CART", {"member": "tea-1", "at": iso(after_s), "cart": cart}) == 0

    (answer,) = files.answers()
    assert answer["items"]
    assert not set(cart) & set(answer["items"])


def test_a_guest_is_answered_from_what_it_looked_at(files: Files, after_s: int) -> None:
    looked = {"member": None, "viewed": ["tea-green", "not known"]}

    assert files.run(after_s, "FOR_YOU", looked, {"member": None}) == 0

    from_views, popular = files.answers()
    assert (from_views["strategy"], popular["strategy"]) == ("viewed", "popularity")
    assert "tea-green" not in from_views["items"]
    assert len(from_views["items"]) > 1


def test_boosted_trees_may_put_habits_in_order(files: Files, after_s: int) -> None:
    pytest.importorskip("lightgbm")

    status = files.run(after_s, "BUY_AGAIN", {"member": "tea-1"}, more=["--boosted"])

    assert status == 0
    assert files.answers()[0]["strategy"] == "boosted"


def test_what_is_no_good_is_never_answered(files: Files, after_s: int) -> None:
    assert files.run(after_s, "TRENDING", {"member": None}, first=50) == 0

    items = files.answers()[0]["items"]
    assert "milk" in items
    assert "sugar" not in items


@pytest.mark.parametrize("window", ["NEXT_VISIT", "FOR_YOU", "BUY_AGAIN", "CART", "TRENDING"])
def test_nothing_at_or_after_the_instant_is_learned_from(
    files: Files, purchases: list[Line], after_s: int, window: str
) -> None:
    middle = after_s - 150 * DAY_S
    asked = [
        {"member": each, "at": iso(middle), "cart": ["milk"]} for each in ("tea-1", "coffee-2")
    ]
    files.write([each for each in purchases if each[2] < middle])
    files.run(middle, window, *asked)
    without = files.out.read_bytes()
    files.write([*purchases, *(("tea-1", "new-thing", middle + day) for day in range(90))])

    assert files.run(middle, window, *asked) == 0

    assert files.out.read_bytes() == without


def test_what_a_member_bought_since_counts_until_the_question_and_not_from_it_on(
    files: Files, purchases: list[Line], after_s: int
) -> None:
    bought_s = after_s + 5 * DAY_S
    files.write([*purchases, ("tea-1", "coffee-beans", bought_s)])
    asked = [{"member": "tea-1", "at": iso(bought_s + later)} for later in (0, 1)]

    assert files.run(after_s, "BUY_AGAIN", *asked, first=50) == 0

    before, since = files.answers()
    assert set(since["items"]) - set(before["items"]) == {"coffee-beans"}


def test_product_pages_name_their_product(files: Files, after_s: int) -> None:
    status = files.run(after_s, "BOUGHT_TOGETHER", {"member": None, "product": "tea-green"})

    assert status == 0
    assert "tea-green" not in files.answers()[0]["items"]
    assert files.answers()[0]["strategy"] == "item-item"


def test_ids_that_are_numbers_in_the_file_are_numbers_in_the_answer(
    files: Files, purchases: list[Line], after_s: int, tmp_path: Path
) -> None:
    members = sorted({member for member, _, _ in purchases})
    products = sorted({product for _, product, _ in purchases})
    table = {
        "household_id": [members.index(member) for member, _, _ in purchases],
        "product_id": [products.index(product) for _, product, _ in purchases],
        "quantity": [1] * len(purchases),
        "transaction_timestamp": pa.array([at for *_, at in purchases], pa.timestamp("s")),
    }
    sold, known = tmp_path / "transactions.parquet", tmp_path / "products.parquet"
    pq.write_table(pa.table(table), sold)
    pq.write_table(
        pa.table({"product_id": range(len(products)), "department": ["GROCERY"] * len(products)}),
        known,
    )
    cart = [products.index("milk")]

    status = files.run(
        after_s, "CART", {"member": 3, "cart": cart}, interactions=sold, products=known
    )

    assert status == 0
    (answer,) = files.answers()
    assert answer["member"] == 3
    assert {type(each) for each in answer["items"]} == {int}
    assert cart[0] not in answer["items"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2: wanted a JSON object, found {: Expecting property name"),
        ("[1]", "line 2: wanted a JSON object, found [1]"),
        ("{}", 'line 2: member: wanted an id or null, such as "m-1", found no member'),
        ('{"member": ""}', "line 2: member: wanted an id or null"),
        ('{"member": 1.5}', "found 1.5"),
        ('{"member": true}', "found True"),
        ('{"member": "a", "at": "soon"}', "at: wanted an ISO 8601 time, found 'soon'"),
        ('{"member": "a", "at": 5}', "at: wanted an ISO 8601 time, found 5"),
        ('{"member": "a", "at": "2020-01-01"}', "or later, because the model learns"),
        ('{"member": "a", "cart": "milk"}', "cart: wanted a list of product ids, found 'milk'"),
        ('{"member": "a", "cart": [[]]}', "cart: wanted a list of product ids, found [[]]"),
        ('{"member": null, "viewed": 7}', "viewed: wanted a list of product ids, found 7"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_written(
    files: Files, after_s: int, capsys: pytest.CaptureFixture[str], line: str, says: str
) -> None:
    files.out.write_text("what was there\n")
    before = sorted(files.folder.iterdir())

    status = files.run(after_s, "CART", {"member": "tea-1"}, line)

    assert status == 1
    refusal = capsys.readouterr().err
    assert f"{files.requests}, {says}" in refusal or says in refusal
    assert str(files.requests) in refusal
    assert files.out.read_text() == "what was there\n"
    assert sorted(files.folder.iterdir()) == sorted([*before, files.requests])


@pytest.mark.parametrize(
    ("window", "line", "options", "says"),
    [
        ("SOMEDAY", {"member": None}, {}, "--window must be one of FOR_YOU, BUY_AGAIN"),
        ("SIMILAR", {"member": None}, {}, "line 1: product: wanted a product id for SIMILAR"),
        ("CART", {"member": None}, {"first": 0}, "--first must be at least 1, found 0"),
        ("CART", "", {}, "requests.jsonl holds no requests"),
        ("CART", {"member": None}, {"out": Path("nowhere/answers")}, "in a folder that is there"),
        ("CART", {"member": None}, {"products": Path("absent.csv")}, "absent.csv"),
    ],
)
def test_what_cannot_be_answered_is_said(
    files: Files,
    after_s: int,
    capsys: pytest.CaptureFixture[str],
    window: str,
    line: Any,
    options: dict[str, Any],
    says: str,
) -> None:
    assert files.run(after_s, window, line, **options) == 1

    assert says in capsys.readouterr().err
    assert not files.out.exists()


def test_an_instant_before_everything_leaves_nothing_to_learn_from(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    assert files.run(0, "CART", {"member": None}) == 1

    assert "no product was bought in 5 visits or more" in capsys.readouterr().err
    assert not files.out.exists()


def test_a_time_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["predict", "--at", "soon"])

    assert "wanted an ISO 8601 time, found 'soon'" in capsys.readouterr().err
