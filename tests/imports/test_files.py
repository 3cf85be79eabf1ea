"""CSV and Parquet files of every shape: what is taken in, what is refused, and why."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loyalty.connectors.mapping import Excess, Kind, Mapping, Written, Zero, read_mapping
from loyalty.connectors.orders import ORDER_COLUMNS, OrderReading, ReadOrder
from loyalty.connectors.piece import Block, Reject
from loyalty.errors import BadInput

HEAD = "order,member,product,quantity,amount,occurredAt,discount,category,shipping\n"
AT = "2026-03-01T10:00:00Z"
AT_MICROS = 1_772_359_200_000_000
LAST = datetime(2026, 12, 5, tzinfo=UTC)


def read(path: Path, mapping: Mapping | None = None, skip: int = 0, most: int = 500) -> list[Block]:
    reading = OrderReading(path, mapping or Mapping(), "EUR", "Europe/Budapest", 0, LAST, most)
    return list(reading.blocks(skip))


def one(path: Path, mapping: Mapping | None = None) -> tuple[list[ReadOrder], list[Reject]]:
    blocks = read(path, mapping)
    return [o for b in blocks for o in b.items], [r for b in blocks for r in b.rejects]


def csv_file(tmp_path: Path, text: str, head: str = HEAD) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(head + text, encoding="utf-8")
    return path


def test_the_documented_columns_need_no_mapping(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        f'o1,anna,tea,2,7.00,{AT},0.50,"drinks, hot",4.90\n'
        f"o1,anna,cup,1,3,{AT},,,\n"
        f"o2,,tea,1,3.50,{AT},,,\n",
    )

    assert one(path) == (
        [
            ReadOrder(
                "o1", "anna", AT_MICROS, 490,
                (("tea", 2, 700, 50, "drinks, hot"), ("cup", 1, 300, 0, None)), 0, 2, 3,
            ),
            ReadOrder("o2", None, AT_MICROS, 0, (("tea", 1, 350, 0, None),), 2, 4, 4),
        ],
        [],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (f",anna,tea,1,1,{AT},,,", "order_missing"),
        (f"o1,anna,,1,1,{AT},,,", "product_missing"),
        (f"o1,anna,tea,,1,{AT},,,", "quantity_missing"),
        (f"o1,anna,tea,0,1,{AT},,,", "quantity_zero"),
        (f"o1,anna,tea,-1,1,{AT},,,", "quantity_unusable"),
        (f"o1,anna,tea,1,,{AT},,,", "amount_missing"),
        (f"o1,anna,tea,1,abc,{AT},,,", "amount_unusable"),
        (f"o1,anna,tea,1,1.234,{AT},,,", "amount_unusable"),
        (f"o1,anna,tea,1,-1,{AT},,,", "amount_negative"),
        ("o1,anna,tea,1,1,,,,", "occurredAt_missing"),
        ("o1,anna,tea,1,1,soon,,,", "occurredAt_unusable"),
        ("o1,anna,tea,1,1,2030-01-01,,,", "occurredAt_out_of_range"),
        (f"o1,anna,tea,1,1,{AT},2,,", "discount_above_amount"),
        (f"o1,anna,tea,1,1,{AT},x,,", "discount_unusable"),
        (f"o1,anna,tea,1,1,{AT},,,-1", "shipping_negative"),
        (f"o1,anna,tea,1,1,{AT},,{'c' * 201},", "category_unusable"),
        (f"o1,an\tna,tea,1,1,{AT},,,", "member_unusable"),
        (f"o1,anna,tea,1,1,{AT},,", "broken_row"),
        (f"o1,anna,tea,1,1,{AT},,,,", "broken_row"),
        (f'o1,"an"na,tea,1,1,{AT},,,', "broken_row"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_the_others_stay(
    tmp_path: Path, row: str, code: str
) -> None:
    path = csv_file(tmp_path, f"o0,anna,tea,1,1,{AT},,,\n{row}\no2,anna,tea,1,1,{AT},,,\n")

    orders, rejects = one(path)

    assert [order.external_id for order in orders] == ["o0", "o2"]
    assert [(reject.row, reject.line, reject.code) for reject in rejects] == [(1, "3", code)]


def test_a_bad_row_does_not_take_its_order_with_it(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        f"o1,anna,tea,1,1,{AT},,,\n"
        f"o1,anna,cup,x,1,{AT},,,\n"
        f"o1,berta,cup,1,1,{AT},,,\n"
        f"o1,anna,cup,1,1,2026-03-01T10:00:01Z,,,\n"
        f"o1,anna,cup,1,1,{AT},,,3.00\n"
        f"o1,anna,spoon,1,1,{AT},,,\n",
    )

    orders, rejects = one(path)

    assert [[line[0] for line in order.lines] for order in orders] == [["tea", "spoon"]]
    assert [(reject.line, reject.code) for reject in rejects] == [
        ("3", "quantity_unusable"),
        ("4", "member_differs"),
        ("5", "occurredAt_differs"),
        ("6", "shipping_differs"),
    ]
    assert rejects[1].reason == "found member 'berta', wanted 'anna' as in line 2 of the order"
    assert rejects[1].cells == ("o1", "berta", "cup", "1", "1", AT, "", "", "")


def test_bytes_that_are_no_text_spoil_their_own_row(tmp_path: Path) -> None:
    path = csv_file(tmp_path, f"o1,anna,tea,1,1,{AT},,,\n")
    path.write_bytes(path.read_bytes() + f"o2,ann\xe9,tea,1,1,{AT},,,\n".encode("latin-1"))

    orders, rejects = one(path)

    assert [order.external_id for order in orders] == ["o1"]
    assert [(reject.line, reject.code) for reject in rejects] == [("3", "member_unusable")]


def test_a_quote_that_is_never_closed_is_reported_where_it_ends(tmp_path: Path) -> None:
    path = csv_file(tmp_path, f'o1,anna,tea,1,1,{AT},,,\no2,"anna,tea,1,1,{AT},,,\n')

    orders, rejects = one(path)

    assert [order.external_id for order in orders] == ["o1"]
    assert [reject.code for reject in rejects] == ["broken_row"]


def test_a_mark_of_byte_order_blank_lines_and_another_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    text = "order;product;quantity;amount;occurredAt\n\no1;tea;1;1.234,50;2026-03-01 10:00:00\n\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("1.234,50", "1234,50").encode())

    orders, rejects = one(path, Mapping(delimiter=";", decimal_comma=True))

    assert (orders[0].lines, rejects) == ((("tea", 1, 123_450, 0, None),), [])
    assert orders[0].occurred_micros == AT_MICROS - 3_600_000_000
    assert orders[0].first_line == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found no header line"),
        (b"\n\n", "found no header line"),
        (b"a,b,a\n1,2,3\n", "found the column a twice"),
        (b"order,product\n", "found no column quantity, amount, occurredAt, wanted it"),
        (b"PAR1 and nothing more", "found a broken Parquet file"),
        (b"\x00\x01\x02\x03", "no CSV|no column"),
    ],
)
def test_a_file_that_is_none_is_refused_with_a_sentence(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(content)

    with pytest.raises(BadInput, match=message):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read .*nowhere\.csv: No such file"):
        read(tmp_path / "nowhere.csv")


def parquet(tmp_path: Path, columns: dict[str, Any], **settings: Any) -> Path:
    path = tmp_path / "orders.parquet"
    pq.write_table(pa.table(columns), path, **settings)
    return path


def test_parquet_columns_of_any_plain_type(tmp_path: Path) -> None:
    at = datetime(2026, 3, 1, 10, tzinfo=UTC)
    path = parquet(
        tmp_path,
        {
            "order": pa.array([7, 7, 8, None], pa.int64()),
            "member": pa.array(["anna", "anna", None, "x"]).dictionary_encode(),
            "product": pa.array(["tea", "cup", "tea", "x"], pa.large_string()),
            "quantity": pa.array([1, 2, 3, 1], pa.int16()),
            "amount": pa.array([0.1 + 0.2, 3.5, 1e-15, 1.0]),
            "discount": pa.array([None, Decimal("1.50"), None, None], pa.decimal128(9, 2)),
            "occurredAt": pa.array([at] * 4, pa.timestamp("ms", "America/New_York")),
        },
        row_group_size=3,
    )

    blocks = read(path)

    assert [(o.external_id, o.member, o.occurred_micros, o.lines) for o in blocks[0].items] == [
        ("7", "anna", AT_MICROS, (("tea", 1, 30, 0, None), ("cup", 2, 350, 150, None))),
        ("8", None, AT_MICROS, (("tea", 3, 0, 0, None),)),
    ]
    assert [(reject.line, reject.code) for reject in blocks[0].rejects] == [("4", "order_missing")]
    assert blocks[0].inexact == 2


def test_a_parquet_column_of_lists_is_refused(tmp_path: Path) -> None:
    columns: dict[str, Any] = {name: ["1"] for name, needed in ORDER_COLUMNS.items() if needed}
    path = parquet(tmp_path, columns | {"product": [["tea", "cup"]]})

    with pytest.raises(BadInput, match="column product holds list"):
        read(path)


def test_a_float_that_is_no_amount_is_refused(tmp_path: Path) -> None:
    columns: dict[str, Any] = {"order": ["o1"], "product": ["tea"], "quantity": [1]}
    path = parquet(tmp_path, columns | {"amount": [1.234], "occurredAt": [AT]})

    assert [reject.code for reject in one(path)[1]] == ["amount_unusable"]


@pytest.mark.parametrize("skip_order", [0, 1, 2, 3])
def test_reading_goes_on_after_any_block(tmp_path: Path, skip_order: int) -> None:
    text = "".join(
        f"o{order},anna,p{line},{'x' if (order, line) == (2, 1) else 1},1,{AT},,,\n"
        for order in range(4)
        for line in range(3)
    )
    path = csv_file(tmp_path, text)
    whole = read(path, most=1)
    done = 0 if skip_order == 0 else whole[skip_order - 1].rows_done

    rest = read(path, skip=done, most=1)

    assert [block.rows_done for block in whole] == [3, 6, 9, 12]
    assert [block.items for block in rest] == [block.items for block in whole[skip_order:]]
    assert [block.rejects for block in rest] == [block.rejects for block in whole[skip_order:]]


def test_a_mapping_names_columns_constants_and_habits(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        """
        kind = "orders"
        [columns]
        order = "receipt"
        amount = "cents"
        [constants]
        quantity = "1"
        category = "all"
        [amounts]
        currency = "EUR"
        written = "minor"
        [times]
        zone = "UTC"
        [orders]
        zero_quantity = "keep"
        discount_above_amount = "cap"
        """
    )
    path = csv_file(
        tmp_path,
        "r1,tea,350,400,2026-03-01 10:00:00\n",
        head="receipt,product,cents,discount,occurredAt\n",
    )

    found = read_mapping(mapping, Kind.ORDERS, ORDER_COLUMNS)

    assert (found.written, found.zero_quantity) == (Written.MINOR, Zero.KEEP)
    assert found.discount_above_amount is Excess.CAP
    blocks = read(path, found)
    assert blocks[0].items == [
        ReadOrder("r1", None, AT_MICROS, 0, (("tea", 1, 350, 350, "all"),), 0, 2, 2)
    ]
    assert blocks[0].capped == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind = 'members'", "kind: found a mapping for members, wanted one for orders"),
        ("kind = 7", "kind: found 7, wanted 'orders' or 'members' or 'products'"),
        ("columns = 3", "columns: found 3, wanted a table"),
        ("[columns]\nprice = 'x'", "columns.price: no such column, wanted one of order, member"),
        ("[columns]\norder = 7", "columns.order: found 7, wanted text"),
        ("[columns]\norder = 'a'\n[constants]\norder = 'b'", "constants.order: found it in col"),
        ("[amounts]\ncurrency = 'EURO'", "found currency 'EURO'"),
        ("[amounts]\ncurrency = 7", "amounts.currency: found 7, wanted text"),
        ("[amounts]\ntolerance_minor = '0.5'", "amounts.tolerance_minor: found '0.5', wanted"),
        ("[amounts]\ntolerance_minor = 'x'", "amounts.tolerance_minor: found 'x', wanted"),
        ("[times]\nzone = 'Mars/Base'", "found time zone 'Mars/Base'"),
        ("[orders]\nzero_quantity = 'maybe'", "orders.zero_quantity: found 'maybe', wanted"),
        ("[file]\ndelimiter = 'ab'", "file.delimiter: found 'ab', wanted one character"),
        ("[file]\nencoding = 'latin-1'", "file.encoding: no such setting"),
        ("surprise = 1", "surprise: no such setting"),
        ("[surprise]\na = 1", "surprise.a: no such setting"),
        ("orders = 1", "orders: found 1, wanted a table"),
        ("= broken", "found no TOML"),
    ],
)
def test_a_mapping_that_is_wrong_is_refused_with_the_setting(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(text)

    with pytest.raises(BadInput) as refused:
        read_mapping(path, Kind.ORDERS, ORDER_COLUMNS)

    assert message in refused.value.message
    assert str(path) in refused.value.message


def test_a_column_that_the_mapping_names_and_the_file_lacks_is_named(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "")

    with pytest.raises(BadInput, match="found no column 'receipt', which the mapping names for"):
        read(path, Mapping(columns={"order": "receipt"}))


def test_what_was_refused_can_be_put_right_and_imported(tmp_path: Path) -> None:
    path = csv_file(tmp_path, f"o1,anna,tea,x,1,{AT},,,\n")
    (reject,) = one(path)[1]
    fixed = tmp_path / "fixed.csv"
    with fixed.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["rejected_line", *HEAD.strip().split(",")])
        writer.writerow([reject.line, *(cell.replace("x", "1") for cell in reject.cells)])

    assert [order.external_id for order in one(fixed)[0]] == ["o1"]
