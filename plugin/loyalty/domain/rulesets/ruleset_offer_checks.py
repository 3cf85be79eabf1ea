"""How the pool of offers goes together with the rewards: what no single value shows."""

from loyalty.domain.offers.offers import OfferTarget, PoolOffer, offer_name
from loyalty.domain.rulesets.ruleset import Reward
from loyalty.domain.rulesets.ruleset_problems import Problems
from loyalty.domain.rulesets.ruleset_reader import Reader

NAME_MAX = 64
"""Longest name of an offer and its target together, in characters."""

_DIMENSIONS = ("products", "categories", "departments", "brands")


def check_offers(reader: Reader) -> None:
    """Note what of the offers does not go together with the rest of the file."""
    problems = reader.problems
    offers = dict(reader.of(PoolOffer))
    for path, target in reader.of(OfferTarget):
        _check_target(problems, path, target)
        of = path.rpartition(".targets[")[0]
        if of in offers and not problems.at(f"{of}.code"):
            _check_name(problems, f"{path}.code", offers[of], target)
    for path, each in reader.of(Reward):
        if each.needs_offer:
            _check_reward(problems, path, each)
    rewards = {reward.code: reward for _, reward in reader.of(Reward)}
    hidden = any(noted.startswith("rewards") for noted in problems.paths)
    for path, offer in offers.items():
        _check_points(problems, path, offer)
        at = f"{path}.reward"
        if problems.at(at) or hidden:
            continue
        reward = rewards.get(offer.reward)
        known = ", ".join(code for code, each in rewards.items() if each.needs_offer) or "none"
        if reward is None:
            problems.unwanted(at, offer.reward, f"one of the rewards with needs_offer: {known}")
        elif not reward.needs_offer:
            problems.unwanted(at, offer.reward, "a reward with needs_offer = true")


def _check_target(problems: Problems, path: str, target: OfferTarget) -> None:
    if any(problems.at(f"{path}.{name}") for name in _DIMENSIONS):
        return
    given = [name for name in _DIMENSIONS if getattr(target, name)]
    if len(given) != 1:
        found = f"found {' and '.join(given)}" if given else "found none"
        problems.add(path, f"{found}, wanted one of {', '.join(_DIMENSIONS)}")


def _check_reward(problems: Problems, path: str, reward: Reward) -> None:
    """What opens and counts it is the offer, so nothing else may."""
    for name, is_given in (
        ("needs_coupon", reward.needs_coupon),
        ("stocked", reward.stocked),
        ("uses_per_member_max", reward.uses_per_member_max is not None),
    ):
        if is_given and not problems.at(f"{path}.{name}"):
            problems.add(f"{path}.{name}", "found it with needs_offer, wanted one of the two")


def _check_name(problems: Problems, at: str, offer: PoolOffer, target: OfferTarget) -> None:
    if problems.at(at):
        return
    if len(offer_name(offer.code, target.code)) > NAME_MAX:
        wanted = f"a code that makes at most {NAME_MAX} characters with the offer's"
        problems.unwanted(at, target.code, wanted)


def _check_points(problems: Problems, path: str, offer: PoolOffer) -> None:
    at = f"{path}.budget_points"
    if problems.at(at) or problems.at(f"{path}.bonus_points") or offer.budget_points is None:
        return
    if not offer.bonus_points:
        wanted = "none, because the offer brings 0 bonus_points"
        problems.unwanted(at, offer.budget_points, wanted)
