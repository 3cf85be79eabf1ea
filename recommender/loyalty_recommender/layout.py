"""Where purchases and products lie in a folder, and what their columns are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from loyalty_recommender.errors import BadInteractions

COMPLETE_JOURNEY = {
    "member": "household_id",
    "product": "product_id",
    "basket": "basket_id",
    "amount": "sales_value",
    "occurredAt": "transaction_timestamp",
    "category": "product_category",
    "type": "product_type",
}
"""Our name → the name in the published files, where they differ."""

INTERACTIONS = ("interactions", "transactions")
PRODUCTS = ("products",)
SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True, slots=True)
class Layout:
    """Two files, each with the names of its columns."""

    interactions: Path
    products: Path


def in_folder(folder: Path) -> Layout:
    """Find ``interactions`` (or ``transactions``) and ``products``, each ``.parquet`` or ``.csv``.

    Raises:
        BadInteractions: one of them is missing.
    """
    return Layout(_one_of(folder, INTERACTIONS), _one_of(folder, PRODUCTS))


def columns_of(path: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Names of columns: as given, else ours, else those of Complete Journey if the file has them.

    Args:
        given: our name → the file's name, where they differ.

    Raises:
        BadInteractions: the file is no table.
        OSError: it cannot be read.
    """
    found = set(_schema(path).names)
    known = {
        ours: theirs
        for ours, theirs in COMPLETE_JOURNEY.items()
        if ours not in found and theirs in found
    }
    return {**known, **given}


def ids_are_numbers(path: Path, column: str) -> bool:
    """Whether a column of ids holds whole numbers; those of a CSV are always text."""
    schema = _schema(path)
    at = schema.get_field_index(column)
    return (
        path.suffix == ".parquet" and at >= 0 and bool(pa.types.is_integer(schema.field(at).type))
    )


def _schema(path: Path) -> pa.Schema:
    try:
        if path.suffix == ".parquet":
            return pq.read_schema(path)
        with pyarrow.csv.open_csv(path) as reader:
            return reader.schema
    except pa.ArrowInvalid as error:
        raise BadInteractions(f"{path} cannot be read as a table: {error}") from error


def _one_of(folder: Path, names: tuple[str, ...]) -> Path:
    wanted = [f"{name}{suffix}" for name in names for suffix in SUFFIXES]
    for name in wanted:
        if (folder / name).is_file():
            return folder / name
    found = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else "no folder"
    raise BadInteractions(f"{folder} should hold one of {', '.join(wanted)}, found {found}")
