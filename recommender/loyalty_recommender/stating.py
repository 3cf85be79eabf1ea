"""Settings as they are stated: in a file for a shop of its own, in the card of a model."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from loyalty_recommender.errors import BadSettings
from loyalty_recommender.training import Settings


def read_settings(path: Path) -> Settings:
    """Settings from a TOML file; what it does not state is left as it is by default.

    Raises:
        BadSettings: not TOML, an unknown name, a value of another type or out of range.
        OSError: the file cannot be read.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path} is not TOML: {error}") from error
    return stated(table)


def stated(table: Mapping[str, Any], *, whole: bool = False) -> Settings:
    """Settings from nested names and values.

    Args:
        whole: every setting must be there, as in a card.

    Raises:
        BadSettings: an unknown or missing name, a value of another type or out of range.
    """
    found: Settings = _changed(Settings(), table, "", whole)
    return found


def _changed(base: Any, table: Mapping[str, Any], path: str, whole: bool) -> Any:
    names = [each.name for each in fields(base)]
    strange = sorted(set(table) - set(names))
    if strange:
        raise BadSettings(
            f"there is no setting {path}{strange[0]}; known are "
            f"{', '.join(f'{path}{name}' for name in names)}"
        )
    missing = [name for name in names if name not in table]
    if whole and missing:
        raise BadSettings(f"the setting {path}{missing[0]} is missing")
    hints = get_type_hints(type(base))
    changes = {
        name: _value(getattr(base, name), hints[name], value, f"{path}{name}", whole)
        for name, value in table.items()
    }
    try:
        return replace(base, **changes)
    except BadSettings as error:
        raise BadSettings(f"{path.rstrip('.')}: {error}" if path else f"{error}") from error


def _value(base: Any, wanted: Any, value: Any, path: str, whole: bool) -> Any:
    kinds = get_args(wanted) if get_origin(wanted) is UnionType else (wanted,)
    if is_dataclass(base):
        if not isinstance(value, Mapping):
            raise BadSettings(f"{path} must be a table of settings, found {value!r}")
        return _changed(_kind(base, kinds, value), value, f"{path}.", whole)
    for kind in kinds:
        if kind is NoneType and value is None:
            return None
        if get_origin(kind) is Literal and value in get_args(kind):
            return value
        # True is an int to Python, and no number to anybody else.
        if kind is int and type(value) is int:
            return value
        if kind is float and type(value) in (int, float) and math.isfinite(value):
            return float(value)
    raise BadSettings(f"{path} must be {_wording(kinds)}, found {value!r}")


def _kind(base: Any, kinds: tuple[Any, ...], table: Mapping[str, Any]) -> Any:
    """The settings that a table changes: those of the first kind of model that has its names."""
    for kind in (type(base), *kinds):
        if set(table) <= {each.name for each in fields(kind)}:
            return base if isinstance(base, kind) else kind()
    return base


def _wording(kinds: tuple[Any, ...]) -> str:
    words = []
    for kind in kinds:
        if get_origin(kind) is Literal:
            words += [repr(each) for each in get_args(kind)]
        else:
            words.append({int: "a whole number", float: "a number", NoneType: "nothing"}[kind])
    return " or ".join(words)
