"""Which tier policy was in force when.

A new version of the rules holds from its publication on. What the clock did to a tier before that
is judged by the version in force then, whenever somebody looks: so no answer depends on whether a
background job has run in between.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from loyalty.domain.rulesets.ruleset import Ruleset, TierPolicy, TierRule
from loyalty.domain.tiers import CountedLot, Standing, TierChange, advanced

_TICK = timedelta(microseconds=1)
"""What instants are counted in, so that a stretch can end just before the next begins."""


class _Stretch(NamedTuple):
    """A standing judged at ``start`` is to be judged over ``(start, end]`` by this policy."""

    policy: TierPolicy
    time_zone: str
    start: datetime
    end: datetime


def with_past(
    ruleset: Ruleset, published_at: datetime, earlier: Sequence[tuple[Ruleset, datetime]]
) -> Ruleset:
    """The ruleset with the tier policies of the versions before it.

    Args:
        earlier: each version before it with the moment of its publication, the first one first.
    """
    rules: list[TierRule] = []
    for version, since in (*earlier, (ruleset, published_at)):
        rule = TierRule(since, version.tier_policy, version.time_zone)
        while len(rules) > 1 and rules[-1].since >= since:
            # Replaced at the moment of its own publication, or by a clock that was behind.
            rules.pop()
        if not rules or _says(rules[-1]) != _says(rule):
            rules.append(rule)
    # One that never changed needs no looking up.
    return replace(ruleset, tier_rules=tuple(rules) if len(rules) > 1 else ())


def is_own(ruleset: Ruleset, at: datetime) -> bool:
    """Whether the ruleset's own tier policy is the one in force at a moment."""
    return not ruleset.tier_rules or at >= ruleset.tier_rules[-1].since


def moved(
    ruleset: Ruleset,
    standing: Standing,
    counted: Callable[[str], Sequence[CountedLot]],
    start: datetime,
    at: datetime,
) -> tuple[Standing, tuple[TierChange, ...]]:
    """``tiers.advanced``, each stretch of ``(start, at]`` by the policy in force then.

    Args:
        counted: the lots of a point type.
    """
    changes: list[TierChange] = []
    for policy, zone, begins, ends in _stretches(ruleset, start, at):
        lots = counted(policy.point_type)
        standing, more = advanced(policy, standing, lots, begins, ends, zone)
        changes += more
    return standing, tuple(changes)


def _stretches(ruleset: Ruleset, start: datetime, at: datetime) -> Iterator[_Stretch]:
    """Before all publications the first policy is in force, and at its own each is already."""
    rules = ruleset.tier_rules
    if not rules:
        yield _Stretch(ruleset.tier_policy, ruleset.time_zone, start, at)
        return
    place = _place(rules, start)
    for following in rules[place + 1 :]:
        if following.since > at:
            break
        before, rule = following.since - _TICK, rules[place]
        if start <= before:
            yield _Stretch(rule.policy, rule.time_zone, start, before)
        yield _Stretch(following.policy, following.time_zone, before, following.since)
        start, place = following.since, place + 1
    yield _Stretch(rules[place].policy, rules[place].time_zone, start, at)


def next_publication(ruleset: Ruleset, settled_at: datetime) -> datetime | None:
    """When a standing settled up to a moment meets another policy, as far as that is known.

    It may be that very moment: what was published then may have come after what was booked then.
    """
    return next((rule.since for rule in ruleset.tier_rules[1:] if rule.since >= settled_at), None)


def _place(rules: Sequence[TierRule], at: datetime) -> int:
    """Of the policy in force just before a moment; the first was so from ever."""
    return sum(rule.since < at for rule in rules[1:])


def _says(rule: TierRule) -> tuple[object, ...]:
    """All that decides where a standing goes."""
    policy = rule.policy
    steps = tuple((tier.code, tier.threshold) for tier in policy.tiers)
    return policy.point_type, policy.grace_days, steps, rule.time_zone
