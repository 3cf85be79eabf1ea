"""Files of purchases, as shops export them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loyalty_recommender.errors import BadInteractions
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.reading import read_goods, read_interactions

CSV = """\
member,product,basket,quantity,amount,occurredAt
007,milk,b1,1,1.50,2024-03-01T10:00:00Z
007,tea,b1,2,4.00,2024-03-01T10:00:00Z
bob,tea,b2,0,0.00,2024-03-02T10:00:00Z
bob,milk,b2,,1.50,2024-03-02T10:00:00Z
bob,fuel,b2,9,60.00,2024-03-02T10:00:00Z
,milk,b3,1,1.50,2024-03-03T10:00:00Z
"""


def rows(found: Interactions) -> list[tuple[str, str, int]]:
    members, products = found.members.texts(), found.products.texts()
    return [
        (members[member], products[product], int(at))
        for member, product, at in zip(found.member, found.product, found.time, strict=True)
    ]


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "purchases.csv"
    path.write_text(CSV)
    return path


def test_lines_without_quantity_or_member_are_left_out_and_ids_stay_text(csv: Path) -> None:
    ten = 1_709_287_200

    assert rows(read_interactions(csv)) == [
        ("007", "milk", ten),
        ("007", "tea", ten),
        ("bob", "fuel", ten + 86_400),
    ]


def test_only_goods(csv: Path, tmp_path: Path) -> None:
    products = tmp_path / "products.csv"
    products.write_text("product,department\nmilk,DAIRY\nfuel,FUEL\ntea,\n")

    goods = read_goods(products)

    assert goods == {"milk", "tea"}
    assert {product for _, product, _ in rows(read_interactions(csv, products=goods))} == goods


@pytest.mark.parametrize(
    ("case", "times"),
    [
        ("seconds", pa.array([86_400, 90_000], pa.int64())),
        ("timestamps", pa.array([86_400_000_000_999, 90_000_000_000_000], pa.timestamp("ns"))),
        ("in a zone", pa.array([86_400_000, 90_000_000], pa.timestamp("ms", "Europe/Budapest"))),
        ("text", pa.array(["1970-01-02T00:00:00", "1970-01-02T01:00:00"])),
    ],
)
def test_parquet_with_other_names_and_any_kind_of_time(
    tmp_path: Path, case: str, times: pa.Array
) -> None:
    path = tmp_path / "purchases.parquet"
    pq.write_table(pa.table({"who": [5, 6], "sku": ["a", "b"], "at": times}), path)

    found = read_interactions(path, columns={"member": "who", "product": "sku", "occurredAt": "at"})

    assert rows(found) == [("5", "a", 86_400), ("6", "b", 90_000)]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"member,product\n1,2\n", "lacks occurredAt; its columns are member, product"),
        ("a.csv", b"", "cannot be read as a table"),
        ("a.csv", b"member,product,occurredAt\n", "holds no lines"),
        (
            "a.csv",
            b"member,product,occurredAt\n1,2,soon\n",
            "line 2: occurredAt: wanted an ISO 8601 time, found 'soon'",
        ),
        ("a.csv", b"member,product,occurredAt\n1,2,1.5\n", "should be times, found double"),
        ("a.csv", b"member,product,occurredAt\n1,2,3\n1,2\n", "Expected 3 columns, got 2"),
        (
            "a.csv",
            b"member,product,quantity,occurredAt\n1,2,1,3\n1,2,many,3\n",
            "line 3: quantity: wanted a n",
        ),
        ("a.parquet", b"PAR1 but no more", "cannot be read as a table"),
    ],
)
def test_what_is_no_such_file_is_said(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(BadInteractions, match=says):
        read_interactions(path)
