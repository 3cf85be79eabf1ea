"""What an unreachable store has still to be told."""

from dataclasses import dataclass
from typing import Final

# Beyond this the oldest is forgotten, and the lifetime of what it concerned is the only limit.
DEBTS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Debt:
    """Forget a key, leave a tombstone in it, or both in that order.

    Attributes:
        version: of the tombstone; None for no tombstone.
        ttl_s: of the tombstone.
    """

    is_drop: bool
    version: int | None = None
    ttl_s: int = 0

    def then(self, later: "Debt") -> "Debt":
        """Both, as one."""
        if later.is_drop or self.version is None:
            return Debt(self.is_drop or later.is_drop, later.version, later.ttl_s)
        if later.version is None:
            return self
        return Debt(self.is_drop, max(self.version, later.version), max(self.ttl_s, later.ttl_s))


class Debts:
    """Debts by key, bounded, oldest first."""

    def __init__(self, debts_max: int = DEBTS_MAX) -> None:
        self._debts_max = debts_max
        self._by_key: dict[str, Debt] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def __contains__(self, key: str) -> bool:
        return key in self._by_key

    def owe(self, key: str, debt: Debt) -> None:
        held = self._by_key.pop(key, None)
        self._by_key[key] = debt if held is None else held.then(debt)
        if len(self._by_key) > self._debts_max:
            del self._by_key[next(iter(self._by_key))]

    def oldest(self, count: int) -> list[tuple[str, Debt]]:
        return list(self._by_key.items())[:count]

    def paid(self, key: str, debt: Debt) -> None:
        """Strike a debt off, unless more was owed for the key in the meantime."""
        if self._by_key.get(key) is debt:
            del self._by_key[key]
