"""Two members who turn out to be one person: what moves from one to the other, and back.

Both books are settled up to the moment, and the source holds nothing for a checkout.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import instant, micros
from loyalty.domain.rulesets.ruleset import Ruleset, TierPolicy
from loyalty.domain.tier_rules import moved
from loyalty.domain.tiers import Standing, TierChange, TierChangeReason


class Merged(NamedTuple):
    """What a merge moved, kept so that it can be undone.

    ``lots`` leads from the source's lots to their twins, ``owed`` says by unit which debts
    moved; the standings are those of before the merge, and the target's right after it.
    """

    at: datetime
    lots: Mapping[int, int]
    owed: Mapping[str, int]
    source: Standing
    target: Standing


def merge(source: Book, target: Book) -> Merged:
    """Move all lots and debts of one member to another."""
    at = max(source.at, target.at)
    lots = sorted(source.accounts.lots.values(), key=lambda lot: lot.id)
    owed = {unit: points for unit, points in source.accounts.deficits.items() if points}
    standings = source.accounts.standing, target.accounts.standing
    source.part_with(lots, owed, at)
    # What keeps a tier for a while has ended here; it goes on with the other member.
    source.accounts.standing = Standing(standings[0].tier, standings[0].since, None)
    return Merged(at, target.take_over(lots, owed, at), owed, *standings)


def unmerge(source: Book, target: Book, merged: Merged, stay: Collection[int]) -> None:
    """Move back what is still there of what a merge moved.

    A lot returns as its twin is now, so what was spent, reversed or expired in between is gone
    for both. A debt returns as far as it is still owed.

    Args:
        stay: twins that stay, because orders that stay name them.
    """
    at = max(source.at, target.at)
    back = {
        own: target.accounts.lots[twin] for own, twin in merged.lots.items() if twin not in stay
    }
    still = target.accounts.deficits
    owed = {
        unit: part
        for unit, points in merged.owed.items()
        if (part := min(points, still.get(unit, 0)))
    }
    target.part_with(list(back.values()), owed, at)
    source.take_back(back, owed, at)


def judged_again(book: Book, ruleset: Ruleset, before: Standing, merged_at: datetime) -> None:
    """The tier as it had become without the merge, from the standing before it.

    The history says in one step what changed; in it the merge's own step stays true.
    """
    policy, present = ruleset.tier_policy, book.accounts.standing
    found, _ = moved(ruleset, before, book.qualifying, min(merged_at, book.at), book.at)
    book.accounts.standing = found
    if found != present:
        change = TierChange(
            book.at,
            present.tier,
            found.tier,
            _why(policy, present, found),
            present.since,
            found.grace_until,
        )
        book.changes.tier_changes.append(change)


def _why(policy: TierPolicy, before: Standing, after: Standing) -> TierChangeReason:
    if before.tier == after.tier:
        kept = after.grace_until is not None
        return TierChangeReason.GRACE_STARTED if kept else TierChangeReason.RENEWED
    ranks = {tier.code: rank for rank, tier in enumerate(policy.tiers)}
    is_lower = ranks.get(after.tier, -1) < ranks.get(before.tier, -1)
    return TierChangeReason.DOWNGRADED if is_lower else TierChangeReason.QUALIFIED


def merged_to_dict(merged: Merged) -> dict[str, object]:
    """As JSON-able values; ``merged_from_dict`` reads it back."""
    return {
        "at": micros(merged.at),
        "lots": [list(pair) for pair in merged.lots.items()],
        "owed": dict(merged.owed),
        "source": _standing_to_list(merged.source),
        "target": _standing_to_list(merged.target),
    }


def merged_from_dict(value: Mapping[str, object]) -> Merged:
    at, lots, owed = value["at"], value["lots"], value["owed"]
    assert isinstance(at, int)
    assert isinstance(lots, list)
    assert isinstance(owed, dict)
    return Merged(
        instant(at),
        dict(lots),
        owed,
        _standing_from_list(value["source"]),
        _standing_from_list(value["target"]),
    )


def _standing_to_list(standing: Standing) -> list[object]:
    grace = standing.grace_until
    return [standing.tier, micros(standing.since), None if grace is None else micros(grace)]


def _standing_from_list(value: object) -> Standing:
    assert isinstance(value, list)
    tier, since, grace = value
    return Standing(tier, instant(since), None if grace is None else instant(grace))
