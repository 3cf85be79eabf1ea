"""How the parts of a ruleset file must go together: what no single value shows."""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain, pairwise
from typing import Protocol
from zoneinfo import available_timezones

from loyalty.domain.conditions import TierAtLeast
from loyalty.domain.money import digits
from loyalty.domain.offers.offers import OfferTarget, PoolOffer
from loyalty.domain.recommendations.boosts import Boost, boost_problems
from loyalty.domain.rulesets.ruleset import (
    Benefit,
    EarningRule,
    HoldPolicy,
    MarginPolicy,
    PointsTender,
    PointType,
    Reward,
    Tier,
    UnknownCost,
)
from loyalty.domain.rulesets.ruleset_offer_checks import check_offers
from loyalty.domain.rulesets.ruleset_problems import Problems
from loyalty.domain.rulesets.ruleset_reader import Reader
from loyalty.domain.rulesets.ruleset_shape import RulesetFile, TierPolicyTable
from loyalty.errors import BadMoney


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


_SPENDABLE = "the spendable point types: "


def check(reader: Reader, file: RulesetFile) -> None:
    """Note what no single value shows: how the parts of the file go together."""
    _check_place(reader.problems, file)
    _check_unique(reader)
    _check_references(reader)
    _check_point_types(reader)
    _check_tiers(reader)
    _check_benefits(reader)
    _check_money_rules(reader)
    check_offers(reader)
    _check_boosts(reader)


def _check_place(problems: Problems, file: RulesetFile) -> None:
    if not problems.at("currency"):
        try:
            digits(file.currency)
        except BadMoney:
            problems.unwanted("currency", file.currency, "an ISO 4217 code such as EUR")
    if not problems.at("time_zone") and file.time_zone not in _zones():
        problems.unwanted("time_zone", file.time_zone, "a name of the IANA time zone database")


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    # Two names of the database are no places: the server's own zone, and "not set up yet".
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def _check_unique(reader: Reader) -> None:
    coded: tuple[Iterable[tuple[str, _Coded]], ...] = (
        reader.of(PointType),
        reader.of(EarningRule),
        reader.of(Tier),
        reader.of(Benefit),
        reader.of(Reward),
        reader.of(PoolOffer),
        reader.of(OfferTarget),
        reader.of(Boost),
    )
    first: dict[tuple[str, str], str] = {}
    for path, item in chain.from_iterable(coded):
        at = f"{path}.code"
        if reader.problems.at(at):
            continue
        # Codes are told apart within their list: benefits within their tier.
        before = first.setdefault((path.rpartition("[")[0], item.code), path)
        if before != path:
            wanted = f"another code than {before} has"
            reader.problems.unwanted(at, item.code, wanted)


def _check_references(reader: Reader) -> None:
    types = _codes(reader, PointType, "point_types")
    for path, rule in reader.of(EarningRule):
        _check_named(reader, f"{path}.point_type", rule.point_type, types)
    for path, policy in reader.of(TierPolicyTable):
        _check_named(reader, f"{path}.point_type", policy.point_type, types)
    tiers = _codes(reader, Tier, "tiers")
    for path, condition in reader.of(TierAtLeast):
        _check_named(reader, f"{path}.tier", condition.tier, tiers)
    spendable = _spendable(reader) if types is not None else None
    for path, tender in reader.of(PointsTender):
        _check_named(reader, f"{path}.point_type", tender.point_type, spendable, _SPENDABLE)
    for path, reward in reader.of(Reward):
        at = f"{path}.point_type"
        if reader.problems.at(f"{path}.points") or reader.problems.at(at):
            continue
        if reward.point_type is None:
            if reward.points:
                reader.problems.add(at, "missing, wanted one, because the reward costs points")
        elif reward.points:
            _check_named(reader, at, reward.point_type, spendable, _SPENDABLE)
        else:
            wanted = "none, because the reward costs 0 points"
            reader.problems.unwanted(at, reward.point_type, wanted)


def _codes(reader: Reader, cls: type[PointType] | type[Tier], path: str) -> list[str] | None:
    """The codes that may be referred to; None if a problem hides one of them."""
    item = re.compile(re.escape(path) + r"(\[[0-9]+\](\.code)?)?")
    if any(item.fullmatch(noted) for noted in reader.problems.paths):
        return None
    return [made.code for _, made in reader.of(cls)]


def _spendable(reader: Reader) -> list[str] | None:
    """Codes of the spendable point types; None if a problem hides one of them."""
    found = list(reader.of(PointType))
    if any(reader.problems.at(f"{path}.is_spendable") for path, _ in found):
        return None
    return [item.code for _, item in found if item.is_spendable]


def _check_named(
    reader: Reader, path: str, code: str, known: list[str] | None, what: str = ""
) -> None:
    if known is None or code in known or reader.problems.at(path):
        return
    among = ", ".join(known) or "none"
    reader.problems.unwanted(path, code, f"one of {what}{among}")


def _check_point_types(reader: Reader) -> None:
    if _spendable(reader) == [] and not reader.problems.at("point_types"):
        reader.problems.add(
            "point_types", "found none that is spendable, wanted is_spendable = true for one"
        )
    for path, item in reader.of(PointType):
        months = item.expires_after_months
        at = f"{path}.pending_days"
        if months is None or reader.problems.at(at):
            continue
        # Both count from the day of earning; 28 days are the shortest month.
        if item.pending_days >= months * 28:
            wanted = f"fewer than {months * 28}: the points would expire before they are active"
            reader.problems.unwanted(at, item.pending_days, wanted)


def _check_tiers(reader: Reader) -> None:
    before = -1
    for number, (path, tier) in enumerate(reader.of(Tier)):
        at = f"{path}.threshold"
        if reader.problems.at(at):
            return
        if number == 0 and tier.threshold != 0:
            reader.problems.unwanted(at, tier.threshold, "0: the first tier is everybody's")
        elif tier.threshold <= before:
            wanted = f"more than {before}, the threshold of the tier before it"
            reader.problems.unwanted(at, tier.threshold, wanted)
        before = tier.threshold


def _check_benefits(reader: Reader) -> None:
    """What a benefit does at checkout stands beside the rewards, so it has a code of its own."""
    rewards = {reward.code: path for path, reward in reader.of(Reward)}
    for path, benefit in reader.of(Benefit):
        if benefit.does is not None:
            at = f"{path}.code"
            if benefit.code in rewards and not reader.problems.at(at):
                wanted = f"another code than {rewards[benefit.code]} has"
                reader.problems.unwanted(at, benefit.code, wanted)
            continue
        if reader.problems.at(f"{path}.does"):
            continue
        for name, is_given in (
            ("conditions", bool(benefit.conditions)),
            ("exclusive_group", benefit.exclusive_group is not None),
        ):
            if is_given and not reader.problems.at(f"{path}.{name}"):
                reader.problems.add(f"{path}.{name}", "found it without does, wanted both or none")


def _check_money_rules(reader: Reader) -> None:
    problems = reader.problems
    for path, margin in reader.of(MarginPolicy):
        at = f"{path}.unknown_cap_bp"
        if problems.at(at) or problems.at(f"{path}.unknown_cost"):
            continue
        caps = margin.unknown_cost is UnknownCost.CAP
        if caps and not margin.unknown_cap_bp:
            problems.unwanted(at, 0, 'from 1 to 10000, because unknown_cost is "cap"')
        elif margin.unknown_cap_bp and not caps:
            problems.unwanted(at, margin.unknown_cap_bp, 'it only with unknown_cost = "cap"')
    for path, holds in reader.of(HoldPolicy):
        limits = [
            (name, getattr(holds, name)) for name in ("ttl_s", "ttl_s_max", "extended_ttl_s_max")
        ]
        for (low_name, low), (high_name, high) in pairwise(limits):
            known = not any(problems.at(f"{path}.{name}") for name in (low_name, high_name))
            if known and low > high:
                problems.unwanted(f"{path}.{low_name}", low, f"at most {high_name}, {high}")


def _check_boosts(reader: Reader) -> None:
    problems = reader.problems
    for path, boost in reader.of(Boost):
        if any(noted.startswith(path) for noted in problems.paths):
            # What could not be read may be what it lacks.
            continue
        for name, text in boost_problems(boost):
            problems.add(f"{path}.{name}", text)
