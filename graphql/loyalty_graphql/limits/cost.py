"""The cost of a selection set as a small expression over an operation's variables.

A document is measured once and answered many times with other variables, so its cost is kept as a
constant and the products that depend on a variable.
"""

from collections.abc import Mapping

from graphql.language import IntValueNode, ListValueNode, ValueNode

from loyalty_graphql.limits.settings import Limits

COUNT_MAX = 10**12
"""Counts stop here: expanded fragments would make them numbers of hundreds of digits."""

Factor = int | str
"""A number of items, or the name of the variable that says it."""


def bounded(count: int) -> int:
    """A count that stops growing at ``COUNT_MAX``."""
    return min(count, COUNT_MAX)


class Cost:
    """``constant`` plus, for each of ``products``, a factor times another cost."""

    __slots__ = ("constant", "products")

    def __init__(self) -> None:
        self.constant = 0
        self.products: list[tuple[Factor, Cost]] = []

    def add_constant(self, count: int) -> None:
        """Count ``count`` more values."""
        self.constant = bounded(self.constant + count)

    def add(self, other: "Cost") -> None:
        """Count what another selection set costs."""
        self.add_times(1, other)

    def add_times(self, factor: Factor, other: "Cost") -> None:
        """Count what another selection set costs for each of ``factor`` items."""
        if isinstance(factor, int) and not other.products:
            self.add_constant(factor * other.constant)
        else:
            self.products.append((factor, other))

    def value(
        self, variables: Mapping[str, object], defaults: Mapping[str, ValueNode], limits: Limits
    ) -> int:
        """The cost with these variables; linear, because a shared part is worked out once."""
        return self._value(variables, defaults, limits, {})

    def _value(
        self,
        variables: Mapping[str, object],
        defaults: Mapping[str, ValueNode],
        limits: Limits,
        known: dict[int, int],
    ) -> int:
        if not self.products:
            return self.constant
        if id(self) not in known:
            total = self.constant
            for factor, part in self.products:
                items = (
                    factor
                    if isinstance(factor, int)
                    else _items(factor, variables, defaults, limits)
                )
                total += items * part._value(variables, defaults, limits, known)
            known[id(self)] = bounded(total)
        return known[id(self)]


def _items(
    name: str, variables: Mapping[str, object], defaults: Mapping[str, ValueNode], limits: Limits
) -> int:
    """Items that a variable asks for, or names; what is neither a number nor a list is left for
    coercion to refuse.
    """
    value = variables.get(name)
    if isinstance(value, list):
        return max(len(value), 1)
    if value is None:
        default = defaults.get(name)
        if isinstance(default, ListValueNode):
            return max(len(default.values), 1)
        if isinstance(default, IntValueNode):
            value = int(default.value) if len(default.value) <= 9 else COUNT_MAX
    if isinstance(value, bool) or not isinstance(value, int):
        return limits.page_default
    return bounded(max(value, 1))
