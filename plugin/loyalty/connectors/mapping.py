"""A mapping file: how a shop's own columns and habits become the documented ones.

``docs/reference/import.md`` is the reference for whoever writes one.
"""

import hashlib
import tomllib
from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from loyalty.connectors.cells import AmountForm
from loyalty.connectors.rows import RowFile
from loyalty.domain.calendar import time_zone
from loyalty.domain.money import digits
from loyalty.errors import BadInput

SIZE_MAX = 65_536
"""Largest mapping file, in bytes."""
FLOAT_TOLERANCE_MINOR = Decimal("0.000001")
"""How far a binary floating point amount may be from whole minor units without a mapping."""

E = TypeVar("E", bound=StrEnum)


class Kind(StrEnum):
    """What a file holds."""

    ORDERS = "orders"
    MEMBERS = "members"
    PRODUCTS = "products"


class Written(StrEnum):
    """How amounts are written: as decimals of the currency, or as whole minor units."""

    DECIMAL = "decimal"
    MINOR = "minor"


class Zero(StrEnum):
    """What becomes of a line with quantity 0."""

    REJECT = "reject"
    KEEP = "keep"


class Excess(StrEnum):
    """What becomes of a line whose discount is above its amount."""

    REJECT = "reject"
    CAP = "cap"


@dataclass(frozen=True, slots=True)
class Mapping:
    """How to read a file. Without a mapping file everything is as documented.

    Args:
        columns: the file's column for each of ours that is called otherwise.
        constants: text of a column of ours that the file does not have.
        currency: of the amounts; None: the program's.
        zone: of times without an offset; None: the program's.
        tolerance_minor: see ``cells.AmountForm``; None: none for text,
            ``FLOAT_TOLERANCE_MINOR`` for columns of binary floating point.
    """

    columns: Table[str, str] = field(default_factory=dict)
    constants: Table[str, str] = field(default_factory=dict)
    currency: str | None = None
    zone: str | None = None
    written: Written = Written.DECIMAL
    decimal_comma: bool = False
    tolerance_minor: Decimal | None = None
    delimiter: str = ","
    zero_quantity: Zero = Zero.REJECT
    discount_above_amount: Excess = Excess.REJECT
    digest: str = ""

    def amount_form(self, currency: str, inexact: bool) -> AmountForm:
        """How a column's amounts are read.

        Args:
            currency: the program's, where the mapping names none.
            inexact: whether the column holds binary floating point.
        """
        tolerance = self.tolerance_minor
        if tolerance is None and inexact:
            tolerance = FLOAT_TOLERANCE_MINOR
        is_decimal = self.written is Written.DECIMAL
        places = digits(self.currency or currency) if is_decimal else 0
        return AmountForm(places, self.decimal_comma, tolerance)

    def places(self, file: RowFile, known: Table[str, bool], path: Path) -> dict[str, str]:
        """The file's column for each of ours that it has.

        Args:
            known: our columns; whether each is required.

        Raises:
            BadInput: a required column is missing, or one that the mapping names.
        """
        names = set(file.names)
        found = {
            ours: self.columns.get(ours, ours)
            for ours in known
            if ours not in self.constants and self.columns.get(ours, ours) in names
        }
        for ours, theirs in self.columns.items():
            if theirs not in names:
                raise BadInput(
                    f"{path}: found no column {theirs!r}, which the mapping names for {ours}; "
                    f"it has {_listed(file.names)}"
                )
        missing = [
            ours
            for ours, is_required in known.items()
            if is_required and ours not in found and ours not in self.constants
        ]
        if missing:
            raise BadInput(
                f"{path}: found no column {', '.join(missing)}, wanted it in the file or mapped "
                f"to one of its columns {_listed(file.names)}"
            )
        return found


def read_mapping(path: Path, kind: Kind, known: Table[str, bool]) -> Mapping:
    """The mapping in a TOML file.

    Args:
        known: our columns for this kind of file.

    Raises:
        BadInput: what is wrong with it, with the path of the setting.
    """
    try:
        raw = path.read_bytes()
        if len(raw) > SIZE_MAX:
            raise BadInput(f"{path}: found {len(raw)} bytes, wanted at most {SIZE_MAX}")
        table = tomllib.loads(raw.decode())
    except OSError as problem:
        raise BadInput(f"cannot read {path}: {problem.strerror}") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadInput(f"{path}: found no TOML: {problem}") from problem
    try:
        return _mapping(table, kind, known, hashlib.sha256(raw).hexdigest())
    except BadInput as problem:
        raise BadInput(f"{path}: {problem.message}") from problem


def _mapping(table: dict[str, Any], kind: Kind, known: Table[str, bool], digest: str) -> Mapping:
    settings = _Settings(table)
    settings.choice("kind", Kind, kind)
    if table.get("kind", kind) != kind:
        raise BadInput(f"kind: found a mapping for {table['kind']}, wanted one for {kind}")
    columns = settings.texts("columns", known)
    constants = settings.texts("constants", known)
    for ours in columns.keys() & constants.keys():
        raise BadInput(f"constants.{ours}: found it in columns too, wanted it in one of them")
    mapping = Mapping(
        columns=columns,
        constants=constants,
        currency=settings.text("amounts.currency"),
        zone=settings.text("times.zone"),
        written=settings.choice("amounts.written", Written, Written.DECIMAL),
        decimal_comma=settings.choice("amounts.decimal_point", _Point, _Point.POINT)
        is _Point.COMMA,
        tolerance_minor=settings.decimal("amounts.tolerance_minor"),
        delimiter=settings.text("file.delimiter") or ",",
        zero_quantity=settings.choice("orders.zero_quantity", Zero, Zero.REJECT),
        discount_above_amount=settings.choice(
            "orders.discount_above_amount", Excess, Excess.REJECT
        ),
        digest=digest,
    )
    settings.nothing_left()
    if len(mapping.delimiter) != 1 or mapping.delimiter in '"\r\n\0':
        raise BadInput(f"file.delimiter: found {mapping.delimiter!r}, wanted one character")
    if mapping.zone is not None:
        time_zone(mapping.zone)
    if mapping.currency is not None:
        digits(mapping.currency)
    return mapping


class _Point(StrEnum):
    POINT = "."
    COMMA = ","


class _Settings:
    """The tables of a mapping file; remembers what was asked for."""

    def __init__(self, table: dict[str, Any]) -> None:
        self._table = table
        self._asked: set[str] = set()

    def text(self, path: str) -> str | None:
        found = self._found(path)
        if found is not None and not isinstance(found, str):
            raise BadInput(f"{path}: found {found!r}, wanted text")
        return found

    def choice(self, path: str, kinds: type[E], default: E) -> E:
        found = self._found(path)
        if found is None:
            return default
        try:
            return kinds(found)
        except ValueError:
            raise BadInput(
                f"{path}: found {found!r}, wanted {' or '.join(repr(k.value) for k in kinds)}"
            ) from None

    def decimal(self, path: str) -> Decimal | None:
        found = self.text(path)
        if found is None:
            return None
        try:
            value = Decimal(found)
        except InvalidOperation:
            value = Decimal(-1)
        # Half a unit and more would make a rounded amount a guess.
        if not Decimal(0) <= value < Decimal("0.5"):
            raise BadInput(f'{path}: found {found!r}, wanted text such as "0.000001", below 0.5')
        return value

    def texts(self, path: str, known: Table[str, bool]) -> dict[str, str]:
        found = self._found(path) or {}
        if not isinstance(found, dict):
            raise BadInput(f"{path}: found {found!r}, wanted a table")
        for ours, value in found.items():
            if ours not in known:
                raise BadInput(f"{path}.{ours}: no such column, wanted one of {', '.join(known)}")
            if not isinstance(value, str) or not value:
                raise BadInput(f"{path}.{ours}: found {value!r}, wanted text")
        return found

    def nothing_left(self) -> None:
        """Raises BadInput for a setting that nobody asked for: it would do nothing."""
        groups = {path.partition(".")[0] for path in self._asked if "." in path}
        for name, value in self._table.items():
            inside = [f"{name}.{key}" for key in value] if isinstance(value, dict) else []
            left = [path for path in inside if path not in self._asked]
            if name not in self._asked and (name not in groups or left or not inside):
                raise BadInput(f"{(left or [name])[0]}: no such setting")

    def _found(self, path: str) -> Any:
        self._asked.add(path)
        group, _, key = path.rpartition(".")
        table = self._table.get(group, {}) if group else self._table
        if not isinstance(table, dict):
            raise BadInput(f"{group}: found {table!r}, wanted a table")
        return table.get(key)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:20])
    return f"{shown}, …" if len(names) > 20 else shown
