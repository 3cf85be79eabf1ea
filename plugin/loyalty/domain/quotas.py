"""Counters that several members share: how often something may still be taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Quota:
    """A counter as found under its lock; every change of it is a new value.

    ``used`` was taken for good, ``held`` is under open reservations by the clock.
    ``by_member`` has both together for the members concerned. A limit that is None does not
    limit. ``is_revoked``: of a coupon that may not be used any more.
    """

    id: int
    kind: str
    subject: str
    total_max: int | None
    member_max: int | None
    used: int
    held: int = 0
    by_member: Mapping[int, int] = field(default_factory=dict)
    is_revoked: bool = False

    @property
    def left_total(self) -> int | None:
        """What may still be taken; below zero where a limit was lowered since."""
        return None if self.total_max is None else self.total_max - self.used - self.held

    def left_of(self, member_id: int | None, member_max: int | None = None) -> int | None:
        """What one member may still take; None for no limit, and for a guest.

        Args:
            member_max: a limit that the ruleset sets beside the counter's own.
        """
        limits = [limit for limit in (self.member_max, member_max) if limit is not None]
        if member_id is None or not limits:
            return None
        return min(limits) - self.by_member.get(member_id, 0)

    def moved(self, member_id: int | None, *, held: int = 0, used: int = 0) -> "Quota":
        """With so many more held and used."""
        by_member = dict(self.by_member)
        if member_id is not None:
            by_member[member_id] = by_member.get(member_id, 0) + held + used
        return replace(
            self, held=self.held + held, used=max(self.used + used, 0), by_member=by_member
        )
