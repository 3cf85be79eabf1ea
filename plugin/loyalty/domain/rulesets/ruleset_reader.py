"""Reads parsed TOML into dataclasses by their annotations and notes every problem.

The dataclass is the schema: a field's annotation says what the file may hold, a field without
a default must be there, a key that is no field is refused. So a kind of condition or reward
that another distribution brings needs no reading code of its own.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from enum import StrEnum
from types import NoneType, UnionType
from typing import (
    Any,
    Protocol,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

from loyalty.domain.conditions import Condition
from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.domain.registry import Kinds, Registry
from loyalty.domain.rewards import RewardKind
from loyalty.domain.rulesets.ruleset_problems import (
    PROBLEMS_MAX,
    Decimals,
    Problems,
    joined,
    printable,
    shown,
)

T = TypeVar("T")
K = TypeVar("K")

TEXT_MAX = 200
"""Longest text of a name or setting, in characters."""

LIST_MAX = 5_000
"""Longest list, where none is named."""

_READABLE = "settings of int, str, bool, StrEnum, dataclass or condition, or tuples of them"
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
_WANTED_CODE = "a code: 1 to 64 of a-z, 0-9, - and _, the first a letter or digit"
_WANTED_TEXT = f"text of 1 to {TEXT_MAX} characters on one line"


@runtime_checkable
class Validated(Protocol):
    """A kind that checks its own settings.

    ``validate`` yields one line for each problem: the setting's name, a colon, what was found
    and what was wanted, as in ``rate_bp: found 0, wanted a whole number from 1 to 10000``.
    """

    def validate(self) -> Iterable[str]: ...


class Reader:
    """Reads tables of one file.

    Args:
        registry: the kinds that may be named.
        ranges: smallest and largest whole number, or length of a list, by class and field.
        codes: fields that hold a code, in every class but the kinds.
    """

    def __init__(
        self,
        registry: Registry,
        ranges: Mapping[tuple[type, str], tuple[int, int]],
        codes: Collection[str],
    ) -> None:
        self.problems = Problems()
        self._registry = registry
        self._ranges = ranges
        self._codes = codes
        self._read: list[tuple[str, Any]] = []

    def of(self, cls: type[T]) -> Iterator[tuple[str, T]]:
        """Everything read so far of one class, with its path. What a problem was noted for
        holds None.
        """
        return ((path, made) for path, made in self._read if type(made) is cls)

    def record(self, cls: type[T], raw: object, path: str) -> T | None:
        """A table as one of our own dataclasses; None, and a problem, if it is no table."""
        if not isinstance(raw, dict):
            self.problems.unwanted(path, raw, "a table")
            return None
        made = cls(**self._settings(cls, raw, path))
        self._read.append((path, made))
        return made

    def kind(self, kinds: Kinds[K], raw: object, path: str) -> K | None:
        """A table with ``kind`` and that kind's settings; None if there is a problem."""
        if not isinstance(raw, dict):
            self.problems.unwanted(path, raw, "a table with kind and its settings")
            return None
        name = raw.get("kind")
        if not isinstance(name, str) or name not in kinds.by_name:
            found = f"found {shown(name)}" if "kind" in raw else "missing"
            self.problems.add(joined(path, "kind"), f"{found}, wanted one of {kinds.names()}")
            return None
        cls: type[Any] = kinds.by_name[name]
        unreadable = _unreadable(cls)
        if unreadable:
            found = f"found {shown(name)}, {unreadable}"
            self.problems.add(joined(path, "kind"), f"{found}; wanted {_READABLE}")
            return None
        before = len(self.problems)
        rest = {key: value for key, value in raw.items() if key != "kind"}
        settings = self._settings(cls, rest, path)
        if len(self.problems) > before:
            return None
        try:
            made: K = cls(**settings)
        except ValueError as error:
            self.problems.add(path, str(error))
            return None
        if isinstance(made, Validated):
            for line in made.validate():
                setting, colon, text = line.partition(": ")
                self.problems.add(f"{path}.{setting}" if colon else path, text or line)
        self._read.append((path, made))
        return made

    def _settings(self, cls: type[Any], raw: Mapping[str, object], path: str) -> dict[str, Any]:
        settings: dict[str, Any] = {}
        hints = _hints(cls)
        for field in fields(cls):
            if not field.init:
                continue
            hint, at = hints[field.name], joined(path, field.name)
            if field.name in raw:
                settings[field.name] = self._value(hint, raw[field.name], at, (cls, field.name))
            elif field.default is MISSING and field.default_factory is MISSING:
                settings[field.name] = None
                if _without_none(hint) is hint:
                    wanted = self._wanted(hint, (cls, field.name))
                    self.problems.add(at, f"missing, wanted {wanted}")
        self._refuse_unknown(raw, path, hints)
        return settings

    def _refuse_unknown(self, raw: Mapping[str, object], path: str, known: Collection[str]) -> None:
        for key in raw:
            if key in known:
                continue
            at = joined(path, key)
            # Looking for likely names is slow, and a hostile file has thousands of bad keys.
            is_told = len(self.problems) < PROBLEMS_MAX
            close = get_close_matches(key[:64], known, 1) if is_told else []
            if close:
                self.problems.add(at, f"unknown key, did you mean {close[0]}?")
            else:
                wanted = f"wanted one of {', '.join(known)}" if known else "wanted none"
                self.problems.add(at, f"unknown key, {wanted}")

    def _value(self, hint: Any, raw: object, path: str, field: tuple[type, str]) -> Any:
        """The value as annotated; None, and a problem, if it is another."""
        hint = _without_none(hint)
        if hint is Condition:
            return self.kind(self._registry.conditions, raw, path)
        if hint is RewardKind:
            return self.kind(self._registry.rewards, raw, path)
        if get_origin(hint) is tuple and get_args(hint)[1:] == (Ellipsis,):
            return self._items(get_args(hint)[0], raw, path, field)
        if isinstance(hint, type) and is_dataclass(hint):
            return self.record(hint, raw, path)
        if self._fits(hint, raw, field):
            return hint(raw) if issubclass(hint, StrEnum) else raw
        wanted = self._wanted(hint, field)
        if isinstance(raw, Decimals):
            wanted += "; no decimals: money is in minor units, rates are in basis points"
        self.problems.unwanted(path, raw, wanted)
        return None

    def _items(self, hint: Any, raw: object, path: str, field: tuple[type, str]) -> tuple[Any, ...]:
        low, high = self._ranges.get(field, (0, LIST_MAX))
        if not isinstance(raw, list) or not low <= len(raw) <= high:
            self.problems.unwanted(path, raw, self._wanted(tuple[hint, ...], field))
            return ()
        items = (self._value(hint, item, f"{path}[{n}]", field) for n, item in enumerate(raw))
        return tuple(item for item in items if item is not None)

    def _fits(self, hint: Any, raw: object, field: tuple[type, str]) -> bool:
        if hint is bool:
            return type(raw) is bool
        if hint is int:
            low, high = self._range(field)
            return type(raw) is int and low <= raw <= high
        if hint is str and isinstance(raw, str):
            if self._is_code(field):
                return _CODE.fullmatch(raw) is not None
            return len(raw) <= TEXT_MAX and bool(raw.strip()) and printable(raw) == raw
        return (
            isinstance(hint, type) and issubclass(hint, StrEnum) and raw in [str(v) for v in hint]
        )

    def _wanted(self, hint: Any, field: tuple[type, str]) -> str:
        hint = _without_none(hint)
        if hint is int:
            low, high = self._range(field)
            return f"a whole number from {low} to {high}"
        if hint is bool:
            return "true or false"
        if hint is str:
            return _WANTED_CODE if self._is_code(field) else _WANTED_TEXT
        if hint is RewardKind:
            return "a table with kind and its settings"
        if get_origin(hint) is tuple:
            low, high = self._ranges.get(field, (0, LIST_MAX))
            return f"a list of {low} to {high}"
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            return f"one of {', '.join(hint)}"
        return "a table"

    def _range(self, field: tuple[type, str]) -> tuple[int, int]:
        return self._ranges.get(field, (-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX))

    def _is_code(self, field: tuple[type, str]) -> bool:
        return field[1] in self._codes and not hasattr(field[0], "kind")


def _without_none(hint: Any) -> Any:
    """``X`` for ``X | None``, anything else as it is."""
    if get_origin(hint) not in (Union, UnionType):
        return hint
    arms = [arm for arm in get_args(hint) if arm is not NoneType]
    return arms[0] if len(arms) == 1 else hint


def _unreadable(cls: type[Any]) -> str:
    """What about a kind's settings no ruleset can hold, "" for a sound one."""
    try:
        hints = _hints(cls)
    except NameError as error:
        return f"a kind with an annotation that cannot be resolved ({error})"
    odd = [setting for setting, hint in hints.items() if not _is_readable(hint)]
    return f"a kind with settings that no ruleset can hold ({', '.join(odd)})" if odd else ""


def _is_readable(hint: Any) -> bool:
    hint = _without_none(hint)
    if get_origin(hint) is tuple:
        inner, *rest = get_args(hint)
        return rest == [Ellipsis] and _is_readable(inner)
    if hint in (int, str, bool, Condition, RewardKind) or is_dataclass(hint):
        return True
    return isinstance(hint, type) and issubclass(hint, StrEnum)


def _hints(cls: type[Any]) -> dict[str, Any]:
    """Annotations of the fields that a file may set."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls) if field.init}
