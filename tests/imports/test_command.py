"""``loyalty import`` as a merchant types it, and the demo's data through it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command_line import SECRET, CommandLine, clean_environment, made_shop
from import_shop import receipts_of

from loyalty.cli.demo.data import NOTICE, data_folder
from loyalty.cli.demo.files import demo_files
from loyalty.cli.import_progress import worded
from loyalty.connectors.mapping import Kind
from loyalty.services.imports.imports import ImportStep

HEAD = "order,member,product,quantity,amount,occurredAt\n"
GOOD = "o1,anna,tea,1,3.50,2026-01-01T10:00:00Z\n"


@pytest.fixture(scope="module")
def shop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop to be copied."""
    return made_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def loyalty(tmp_path: Path, shop_folder: Path) -> CommandLine:
    """The command in a folder with a migrated database and a shop with a program."""
    shutil.copytree(shop_folder, tmp_path, dirs_exist_ok=True)
    return CommandLine(tmp_path, clean_environment(LOYALTY_SECRET_KEY=SECRET))


def test_an_import_says_what_it_did_and_what_it_refused(
    loyalty: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"{HEAD}{GOOD}o2,anna,tea,0,3.50,2026-01-01T10:00:00Z\n")

    done = loyalty.process("import", "orders", path)

    assert (done.status, done.error) == (0, "")
    assert done.lines == [
        "orders.csv: 1 orders taken in from 1 rows.",
        f"1 rows were refused; they are in {path}.rejected.csv:",
        "          1  quantity_zero",
    ]
    assert Path(f"{path}.rejected.csv").read_text() == (
        "rejected_line,rejected_code,rejected_reason,rejected_row,"
        "order,member,product,quantity,amount,occurredAt\n"
        '3,quantity_zero,"found quantity 0, wanted 1 or more",1,'
        "o2,anna,tea,0,3.50,2026-01-01T10:00:00Z\n"
    )
    assert loyalty.process("import", "orders", path).lines == [
        "orders.csv was imported before, all 2 rows of it; nothing was done."
    ]


def test_an_import_answers_scripts_in_json(loyalty: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(HEAD + GOOD)

    done = loyalty("import", "orders", path, "--json", "--shift-weeks", "2", "--tenant", "demo")

    assert done.json == {
        "wasComplete": False, "rows": 1, "rowsAccepted": 1, "rowsRejected": 0, "taken": 1,
        "known": 0, "amountsRounded": 0, "discountsCut": 0, "shiftedWeeks": 2, "rejectedBy": {},
        "rejects": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("orders", "nowhere.csv"), "cannot read"),
        (("orders", "orders.csv", "--mapping", "nowhere.toml"), "cannot read nowhere.toml"),
        (("members", "orders.csv"), "" ),
        (("products", "orders.csv"), "found no column name"),
        (("orders", "orders.csv", "--tenant", "other"), "no tenant 'other'"),
        (("orders", "orders.csv", "--rejects", "no/such/folder.csv"), "cannot write rejected rows"),
        (("orders", "orders.csv", "--rejects", "orders.csv"), "holds no rejected rows"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_a_sentence(
    loyalty: CommandLine, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "orders.csv").write_text(HEAD + GOOD)

    done = loyalty("import", *arguments)

    assert done.status == (1 if sentence else 0)
    assert sentence in done.error
    assert len(done.error.splitlines()) == (1 if sentence else 0)


def test_the_demo_s_files_are_the_receipts_own(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    paths = demo_files(data_folder(), tmp_path, 4)

    whole = pq.read_table(receipts_of(4, tmp_path / "receipts.parquet"))
    assert pq.read_table(paths[Kind.ORDERS]).equals(whole)
    products = pq.read_table(paths[Kind.PRODUCTS]).to_pylist()
    bought = set(whole["product_id"].to_pylist())
    assert {product["product_id"] for product in products} <= bought
    published = pq.read_table(data_folder() / "products.parquet").to_pylist()
    types = {product["product_id"]: product["product_type"] for product in published}
    assert all(product["product_type"] == types[product["product_id"]] for product in products)
    assert sum(product["product_type"] is not None for product in products) > len(products) // 2
    last: dict[int, int] = {}
    for product, quantity, paid in zip(
        *(whole[name].to_pylist() for name in ("product_id", "quantity", "sales_value")),
        strict=True,
    ):
        cents = round(paid * 100)
        if quantity and cents and cents % quantity == 0:
            last[product] = cents // quantity
    assert {p["product_id"]: p["price"] for p in products if p["price"] is not None} == {
        number: price
        for number, price in last.items()
        if number in {p["product_id"] for p in products}
    }
    for product in products:
        # Nothing invented without saying so, and nothing of it where there are no goods.
        made_up = product["cost"] is not None or product["stock"] is not None
        assert (product["invented"] == "cost stock") == made_up == product["active"]
    assert "84.51°" in NOTICE


def test_progress_in_words() -> None:
    assert worded("orders", ImportStep(5_000, 1_000, 9_000, 600), 2) == (
        "600 orders, 300 per second, 2 s to go"
    )
    assert worded("members", ImportStep(10, 0, None, 10), 2) == "10 members, 5 per second"
