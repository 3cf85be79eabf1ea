"""Files for the import, made of the demo's data: its products with prices, its households.

Only what can be worked out of the receipts is; costs and stock are invented, and every product
says so in its column ``invented``.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loyalty.connectors.mapping import Kind

NO_GOODS = frozenset(
    {
        "CHARITABLE CONT", "CNTRL/STORE SUP", "COUPON", "FUEL", "GM MERCH EXP", "MISCELLANEOUS",
        "POSTAL CENTER", "PROD-WHS SALES", "TRAVEL & LEISURE",
    }
)  # fmt: skip
"""Departments whose articles are no goods of a shop. They stay in the receipts as bought."""

COLUMNS = ["household_id", "product_id", "quantity", "sales_value", "transaction_timestamp"]
_WORD = re.compile(r"[A-Z]+(?:'[A-Z]+)?")


def demo_files(data: Path, folder: Path, households: int | None) -> dict[Kind, Path]:
    """The three files to import; made once, the same in every run.

    Args:
        data: the package's folder.
        folder: where they are kept.
        households: only the receipts of so many, the first to shop; None: all.
    """
    from loyalty.connectors.mapping import Kind

    mark = "" if households is None else f"-{households}"
    paths = {
        # Another name than before it had types: one that an earlier start left is written anew.
        Kind.PRODUCTS: folder / f"typed-products{mark}.parquet",
        Kind.MEMBERS: folder / f"members{mark}.csv",
        Kind.ORDERS: data / "transactions.parquet",
    }
    if households is not None:
        paths[Kind.ORDERS] = folder / f"orders{mark}.parquet"
    if not all(path.exists() for path in paths.values()):
        folder.mkdir(parents=True, exist_ok=True)
        _write(data, paths, households)
    return paths


def _write(data: Path, paths: dict[Kind, Path], households: int | None) -> None:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from loyalty.connectors.mapping import Kind

    source = data / "transactions.parquet"
    receipts = pq.read_table(source, columns=None if households is not None else COLUMNS)
    if households is not None:
        chosen = receipts["household_id"].unique().slice(0, households)
        receipts = receipts.filter(pc.is_in(receipts["household_id"], chosen))
        _replace(paths[Kind.ORDERS], lambda path: pq.write_table(receipts, path))
    _replace(paths[Kind.MEMBERS], lambda path: _write_members(receipts, path))
    products = pq.read_table(data / "products.parquet")
    _replace(
        paths[Kind.PRODUCTS], lambda path: pq.write_table(_catalogue(products, receipts), path)
    )


def _replace(path: Path, write: Any) -> None:
    """Write beside, then rename: a stop in between leaves no half file."""
    beside = path.with_name(f"{path.name}.new")
    write(beside)
    beside.replace(path)


def _write_members(receipts: Any, path: Path) -> None:
    import numpy as np

    households = receipts["household_id"].to_numpy()
    # The receipts are sorted by time, so the first row of each is its first.
    numbers, first = np.unique(households, return_index=True)
    times = receipts["transaction_timestamp"].take(first).cast("string").to_pylist()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["household_id", "label", "first_receipt", "profiling"])
        for number, time in zip(numbers.tolist(), times, strict=True):
            # No invented names: a household is called by its number. That it agreed to profiling
            # is invented, or nobody would see a personal recommendation; the notice says so.
            writer.writerow([number, f"Household {number}", time, "yes"])


def _catalogue(products: Any, receipts: Any) -> Any:
    """The products that were bought, each with what was last paid for a piece."""
    import pyarrow as pa

    prices = _prices(receipts)
    rows: dict[str, list[Any]] = {name: [] for name in _SCHEMA}
    for product in products.to_pylist():
        number = product["product_id"]
        if number not in prices:
            continue
        price = prices[number]
        is_sold = price is not None and product["department"] not in NO_GOODS
        rows["product_id"].append(number)
        rows["name"].append(_name(product))
        rows["product_category"].append(product["product_category"])
        rows["department"].append(product["department"])
        rows["product_type"].append(product["product_type"])
        rows["brand"].append(product["brand"])
        rows["price"].append(price)
        rows["cost"].append(_cost(number, price) if is_sold and price is not None else None)
        rows["stock"].append(_stock(number) if is_sold else None)
        rows["active"].append(is_sold)
        rows["invented"].append("cost stock" if is_sold else None)
    schema = pa.schema([(name, getattr(pa, type)()) for name, type in _SCHEMA.items()])
    return pa.table(rows, schema=schema)


_SCHEMA = {
    "product_id": "int64", "name": "string", "product_category": "string",
    "department": "string", "product_type": "string", "brand": "string", "price": "int64",
    "cost": "int64", "stock": "int64", "active": "bool_", "invented": "string",
}  # fmt: skip


def _prices(receipts: Any) -> dict[int, int | None]:
    """Cents last paid for one piece of each product bought; None where it was never whole cents.

    A line whose amount its pieces do not divide says no exact price.
    """
    import numpy as np

    products = receipts["product_id"].to_numpy()
    pieces = receipts["quantity"].to_numpy()
    cents = np.rint(receipts["sales_value"].to_numpy() * 100).astype("int64")
    prices: dict[int, int | None] = dict.fromkeys(np.unique(products).tolist())
    exact = np.flatnonzero((pieces > 0) & (cents > 0) & (cents % np.maximum(pieces, 1) == 0))
    # From old to new: the last one stays.
    paid = (cents[exact] // pieces[exact]).tolist()
    prices.update(zip(products[exact].tolist(), paid, strict=True))
    return prices


def _name(product: dict[str, Any]) -> str:
    """The product's own words, in an order that reads as a name."""
    kind = product["product_type"] or product["product_category"] or product["department"]
    name = _WORD.sub(lambda match: match[0].capitalize(), kind.strip())
    if product["package_size"]:
        name += f", {product['package_size'].strip().lower()}"
    return name if product["product_type"] else f"{name} {product['product_id']}"


def _cost(number: int, price: int) -> int:
    """Invented: 58 to 78 % of the price, always the same for the same product."""
    return price * (58 + number * 2_654_435_761 % 2**32 % 21) // 100


def _stock(number: int) -> int:
    """Invented: up to 179 pieces; one product in forty is sold out."""
    mixed = number * 2_654_435_761 % 2**32 >> 8
    return 0 if mixed % 40 == 0 else 1 + mixed // 40 % 179
