"""Purchases and products from CSV and Parquet files, a batch at a time."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from loyalty_recommender.arrays import AnyArray
from loyalty_recommender.attributes import Attributes, Products
from loyalty_recommender.errors import BadInteractions
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.vocabulary import Vocabulary

BATCH_ROWS = 131_072

ATTRIBUTES = ("department", "category", "type", "brand")

NO_GOODS = frozenset(
    {
        "CHARITABLE CONT",
        "CNTRL/STORE SUP",
        "COUPON",
        "FUEL",
        "GM MERCH EXP",
        "MISCELLANEOUS",
        "POSTAL CENTER",
        "PROD-WHS SALES",
    }
)
"""Departments of Complete Journey that hold no goods: fuel, coupons, stamps, donations."""


def read_interactions(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    products: Collection[str] | None = None,
    utc_offset_s: int = 0,
) -> Interactions:
    """Read purchase lines with ``member, product, occurredAt`` and, if there, ``quantity``.

    Args:
        path: ``.parquet``, else CSV with a header.
        columns: our name → the file's name, where they differ.
        products: the only products to keep; None keeps all.
        utc_offset_s: shop's time minus UTC in seconds; decides where a day ends. Times without
            a zone are taken as UTC.

    Lines whose quantity is not above zero, or that lack a value, are left out.

    Raises:
        BadInteractions: not such a file, or a column is missing or of the wrong type.
        OSError: the file cannot be read.
    """
    named = _named(columns, ("member", "product", "occurredAt", "quantity"))
    quantity = named["quantity"]
    kept = None if products is None else pa.array(sorted(products), pa.string())
    parts: list[list[AnyArray]] = []
    text = (named["member"], named["product"])
    # Of a CSV the header is line 1; of Parquet, rows count from 1.
    line = 1 if path.suffix == ".parquet" else 2
    for batch in _batches(path, list(named.values()), text=text, optional=(quantity,)):
        member, product = (batch.column(named[name]) for name in ("member", "product"))
        times = _epoch_seconds(batch.column(named["occurredAt"]), path, line)
        whole = pc.and_(pc.and_(pc.is_valid(member), pc.is_valid(product)), pc.is_valid(times))
        if quantity in batch.schema.names:
            whole = pc.and_(whole, _above_zero(batch.column(quantity), path, line))
        if kept is not None:
            whole = pc.and_(whole, pc.is_in(pc.cast(product, pa.string()), kept))
        # A comparison with a missing value is itself missing, and filters drop such lines.
        parts.append([_column(pc.filter(each, whole)) for each in (member, product, times)])
        line += batch.num_rows
    if not parts:
        raise BadInteractions(f"{path} holds no lines")
    members, bought, at = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Interactions.from_columns(members, bought, at, utc_offset_s=utc_offset_s)


def read_goods(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    no_goods: Collection[str] = NO_GOODS,
) -> set[str]:
    """Read ids of products whose ``department`` holds goods, from a file with ``product`` too.

    Raises:
        BadInteractions: not such a file, or a column is missing.
        OSError: the file cannot be read.
    """
    named = _named(columns, ("product", "department"))
    dropped = pa.array(sorted(no_goods), pa.string())
    goods: set[str] = set()
    for batch in _batches(path, list(named.values()), text=tuple(named.values())):
        ids = pc.cast(batch.column(named["product"]), pa.string())
        department = pc.cast(batch.column(named["department"]), pa.string())
        is_good = pc.and_(pc.is_valid(ids), pc.invert(pc.is_in(department, dropped)))
        goods.update(pc.filter(ids, is_good).to_pylist())
    return goods


def read_products(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    no_goods: Collection[str] = NO_GOODS,
) -> Products:
    """Read ``product, department`` and, if there, ``category, type, brand``.

    Of an id that occurs twice, the last line counts.

    Raises:
        BadInteractions: not such a file, or a column is missing.
        OSError: the file cannot be read.
    """
    named = _named(columns, ("product", *ATTRIBUTES))
    wanted = list(named.values())
    optional = tuple(named[name] for name in ("category", "type", "brand"))
    lines: dict[str, tuple[str | None, ...]] = {}
    for batch in _batches(path, wanted, text=tuple(wanted), optional=optional):
        texts = [_texts(batch, name) for name in wanted]
        for product, *attributes in zip(*texts, strict=True):
            if product is not None:
                lines[product] = tuple(attributes)
    if not lines:
        raise BadInteractions(f"{path} holds no products")
    # In the order of the vocabulary, which is that of the code points.
    ordered = sorted(lines.items())
    department, category, type_, brand = zip(*(each for _, each in ordered), strict=True)
    return Products(
        ids=Vocabulary.of(product for product, _ in ordered),
        attributes=Attributes.of_names(department, category, type_, brand),
        is_good=np.array([each not in no_goods for each in department], dtype=np.bool_),
        names=tuple(
            (each[2] or each[1] or each[0] or product).capitalize() for product, each in ordered
        ),
    )


def _texts(batch: pa.RecordBatch, column: str) -> list[str | None]:
    if column not in batch.schema.names:
        return [None] * batch.num_rows
    texts: list[str | None] = pc.cast(batch.column(column), pa.string()).to_pylist()
    return texts


def _named(columns: Mapping[str, str] | None, ours: tuple[str, ...]) -> dict[str, str]:
    """Our name → the file's name."""
    return {name: (columns or {}).get(name, name) for name in ours}


def _batches(
    path: Path, wanted: list[str], *, text: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Iterator[pa.RecordBatch]:
    """The wanted columns, a batch at a time.

    Args:
        optional: columns that may be missing.
        text: columns of a CSV that stay text, so that "007" does not become 7.
    """
    try:
        if path.suffix == ".parquet":
            file = pq.ParquetFile(path)
            _check_columns(path, wanted, optional, file.schema_arrow.names)
            present = [name for name in wanted if name in file.schema_arrow.names]
            yield from file.iter_batches(BATCH_ROWS, columns=present)
            return
        options = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(text, pa.string()),
            # An id may well be "NA" or "null", which are missing values by default.
            null_values=[""],
            strings_can_be_null=True,
        )
        with pyarrow.csv.open_csv(path, convert_options=options) as reader:
            _check_columns(path, wanted, optional, reader.schema.names)
            yield from reader
    except pa.ArrowInvalid as error:
        raise BadInteractions(f"{path} cannot be read as a table: {error}") from error


def _check_columns(
    path: Path, wanted: list[str], optional: tuple[str, ...], found: list[str]
) -> None:
    missing = [name for name in wanted if name not in found and name not in optional]
    if missing:
        raise BadInteractions(
            f"{path} lacks {', '.join(missing)}; its columns are {', '.join(found)}"
        )


def _epoch_seconds(column: pa.Array, path: Path, line: int) -> pa.Array:
    """Whole seconds, from timestamps, ISO 8601 text or whole seconds.

    Args:
        line: of the file, where the column begins.
    """
    if pa.types.is_integer(column.type):
        return pc.cast(column, pa.int64())
    if not (pa.types.is_timestamp(column.type) or _is_text(column.type)):
        raise BadInteractions(f"{path}: occurredAt should be times, found {column.type}")
    kind = pa.timestamp("s", getattr(column.type, "tz", None))
    times = _cast(column, kind, path, line, "occurredAt: wanted an ISO 8601 time")
    return pc.cast(times, pa.int64())


def _above_zero(column: pa.Array, path: Path, line: int) -> pa.Array:
    kind = column.type
    if _is_text(kind) or pa.types.is_null(kind):
        column = _cast(column, pa.float64(), path, line, "quantity: wanted a number")
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise BadInteractions(f"{path}: quantity should be numbers, found {kind}")
    return pc.greater(column, 0)


def _cast(column: pa.Array, kind: pa.DataType, path: Path, line: int, wanted: str) -> pa.Array:
    """The column as another type.

    Raises:
        BadInteractions: names the first value that cannot be, and its line.
    """
    try:
        return pc.cast(column, kind, safe=False)
    except pa.ArrowInvalid:
        for at in range(len(column)):
            try:
                pc.cast(column.slice(at, 1), kind, safe=False)
            except pa.ArrowInvalid as error:
                found = column[at].as_py()
                raise BadInteractions(
                    f"{path}, line {line + at}: {wanted}, found {found!r}"
                ) from error
        raise


def _column(column: pa.Array) -> AnyArray:
    """Integers as they are, everything else as text."""
    if not (pa.types.is_integer(column.type) or _is_text(column.type)):
        raise BadInteractions(f"ids should be whole numbers or text, found {column.type}")
    values: AnyArray = column.to_numpy(zero_copy_only=False)
    return values


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
