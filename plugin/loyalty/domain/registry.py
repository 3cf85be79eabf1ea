"""Where kinds of condition and reward are found by name.

Our own kinds and those of other distributions stand side by side: another distribution
names its class in the entry point group ``loyalty.conditions`` or ``loyalty.rewards``, and a
ruleset may then say ``kind = "<that name>"``. A registry is a value that ``create_app`` makes
once; nothing registers itself by being imported.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from loyalty.domain.conditions import BUILT_IN as CONDITIONS
from loyalty.domain.conditions import Condition
from loyalty.domain.rewards import BUILT_IN as REWARDS
from loyalty.domain.rewards import RewardKind

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Kinds(Generic[K]):
    """Kinds of one policy by name."""

    what: str
    by_name: Mapping[str, type[K]]

    def names(self) -> str:
        return ", ".join(sorted(self.by_name))


@dataclass(frozen=True, slots=True)
class Registry:
    """All kinds a ruleset may name."""

    conditions: Kinds[Condition]
    rewards: Kinds[RewardKind]


def built_in() -> Registry:
    """Only the kinds that are part of this distribution."""
    return _registry({}, {})


def installed(
    find: Callable[[str], Iterable[EntryPoint]] = lambda group: entry_points(group=group),
) -> Registry:
    """The built-in kinds and those that installed distributions offer.

    Raises:
        ValueError: two distributions claim one name, or a class is not of the wanted form.
    """
    return _registry(
        _loaded(find("loyalty.conditions"), ("covers", "unmet")),
        _loaded(find("loyalty.rewards"), ("offer",)),
    )


def _registry(
    conditions: Mapping[str, type[Condition]], rewards: Mapping[str, type[RewardKind]]
) -> Registry:
    return Registry(
        Kinds("condition", _joined(CONDITIONS, conditions)),
        Kinds("reward", _joined(REWARDS, rewards)),
    )


def _joined(ours: Iterable[type[K]], theirs: Mapping[str, type[K]]) -> dict[str, type[K]]:
    kinds = {str(cls.kind): cls for cls in ours}  # type: ignore[attr-defined]
    for name, cls in theirs.items():
        if name in kinds:
            raise ValueError(f"kind {name!r} is there already, from {kinds[name].__module__}")
        kinds[name] = cls
    return kinds


def _loaded(points: Iterable[EntryPoint], methods: tuple[str, ...]) -> dict[str, type]:
    kinds: dict[str, type] = {}
    for point in points:
        cls = point.load()
        missing = [name for name in ("kind", *methods) if not hasattr(cls, name)]
        is_fitting = isinstance(cls, type) and is_dataclass(cls)
        if missing or cls.kind != point.name or not is_fitting:
            raise ValueError(
                f"entry point {point.name!r} found {cls!r}, wanted a dataclass with "
                f"kind = {point.name!r} and {', '.join(methods)}"
            )
        if point.name in kinds:
            raise ValueError(f"kind {point.name!r} is claimed by two distributions")
        kinds[point.name] = cls
    return kinds
