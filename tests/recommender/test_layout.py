"""Files are found and their columns recognised, or it is said what was wanted."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loyalty_recommender.errors import BadInteractions
from loyalty_recommender.layout import columns_of, ids_are_numbers, in_folder


def test_parquet_before_csv_and_either_name(tmp_path: Path) -> None:
    for name in ("products.csv", "transactions.csv", "transactions.parquet"):
        (tmp_path / name).touch()

    layout = in_folder(tmp_path)

    assert layout.interactions == tmp_path / "transactions.parquet"
    assert layout.products == tmp_path / "products.csv"


def test_what_is_missing_is_said_with_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "interactions.csv").touch()

    with pytest.raises(BadInteractions, match=r"products\.csv, found \['interactions\.csv'\]"):
        in_folder(tmp_path)
    with pytest.raises(BadInteractions, match="found no folder"):
        in_folder(tmp_path / "absent")


@pytest.mark.parametrize(
    ("header", "given", "columns"),
    [
        ("member,product,occurredAt", {}, {}),
        ("household_id,product,when", {}, {"member": "household_id"}),
        ("household_id,member,product_id", {}, {"product": "product_id"}),
        (
            "household_id,product_id",
            {"member": "customer"},
            {"member": "customer", "product": "product_id"},
        ),
    ],
)
def test_a_given_name_goes_before_ours_and_ours_before_a_known_one(
    tmp_path: Path, header: str, given: dict[str, str], columns: dict[str, str]
) -> None:
    path = tmp_path / "interactions.csv"
    path.write_text(f"{header}\n")

    assert columns_of(path, given) == columns


def test_only_parquet_says_that_ids_are_numbers(tmp_path: Path) -> None:
    numbers, texts, csv = (tmp_path / name for name in ("a.parquet", "b.parquet", "c.csv"))
    pq.write_table(pa.table({"product": [1]}), numbers)
    pq.write_table(pa.table({"product": ["1"]}), texts)
    csv.write_text("product\n1\n")

    assert [ids_are_numbers(path, "product") for path in (numbers, texts, csv)] == [
        True,
        False,
        False,
    ]
    assert not ids_are_numbers(numbers, "absent")


def test_what_is_no_table_is_said(tmp_path: Path) -> None:
    path = tmp_path / "interactions.parquet"
    path.write_bytes(b"nothing")

    with pytest.raises(BadInteractions, match="cannot be read as a table"):
        columns_of(path, {})
