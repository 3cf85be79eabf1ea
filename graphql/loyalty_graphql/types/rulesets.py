"""The program as shoppers see it: what is counted, tiers, rewards."""

import strawberry

from loyalty.domain import money
from loyalty.domain.conditions import TierAtLeast
from loyalty.domain.points import Points
from loyalty.domain.rulesets import ruleset
from loyalty_graphql.money import Money
from loyalty_graphql.scalars import CurrencyCode, DecimalText
from loyalty_graphql.types.exact_text import factor, percent


@strawberry.type(description="Something that is counted for members.")
class PointType:
    code: str = strawberry.field(description="Its short name, which never changes.")
    name: str = strawberry.field(description="What members read.")
    spendable: bool = strawberry.field(description="Whether members can spend it.")
    qualifying: bool = strawberry.field(description="Whether it decides the tier.")


@strawberry.type(description="What a tier brings beside more points.")
class Benefit:
    code: str = strawberry.field(description="Its short name, which never changes.")
    name: str = strawberry.field(description="What members read.")

    @classmethod
    def of(cls, benefit: ruleset.Benefit) -> "Benefit":
        return cls(code=benefit.code, name=benefit.name)


@strawberry.type(description="A rank of the program.")
class Tier:
    code: str = strawberry.field(description="Its short name, which never changes.")
    name: str = strawberry.field(description="What members read.")
    threshold: Points = strawberry.field(description="Qualifying points that reach it.")
    multiplier: DecimalText = strawberry.field(
        description='How many times the points a purchase earns: "1.25".'
    )
    benefits: list[Benefit] = strawberry.field(description="What else it brings.")

    @classmethod
    def of(cls, tier: ruleset.Tier) -> "Tier":
        return cls(
            code=tier.code,
            name=tier.name,
            threshold=Points(tier.threshold),
            multiplier=factor(tier.multiplier_bp),
            benefits=[Benefit.of(benefit) for benefit in tier.benefits],
        )


@strawberry.type(description="Something that points or a tier buy at checkout.")
class Reward:
    code: str = strawberry.field(description="Its short name, which never changes.")
    name: str = strawberry.field(description="What members read.")
    kind: str = strawberry.field(
        description="What it does, such as `money_off` or `percentage_off`; programs may add kinds."
    )
    points: Points | None = strawberry.field(
        description="Its price in points; null where it costs none."
    )
    value: Money | None = strawberry.field(
        description="What it takes off at most; null where that depends on the cart."
    )
    percent: DecimalText | None = strawberry.field(
        description='The percentage it takes off: "5"; null for other kinds.'
    )
    tiers: list[str] = strawberry.field(
        description="Codes of the tiers that may take it, lowest first."
    )
    needs_coupon: bool = strawberry.field(
        description="Whether it is for those alone who hand in the code of a coupon."
    )

    @classmethod
    def of(cls, reward: ruleset.Reward, rules: ruleset.Ruleset) -> "Reward":
        minor, bp = reward.does.value_minor, reward.does.percent_bp
        return cls(
            code=reward.code,
            name=reward.name,
            kind=reward.does.kind,
            points=Points(reward.points) if reward.points else None,
            value=None if minor is None else Money.of(money.Money(minor, rules.currency)),
            percent=None if bp is None else percent(bp),
            tiers=_tiers_of(reward, rules.tier_policy.ranks),
            needs_coupon=reward.needs_coupon,
        )


@strawberry.type(description="A loyalty program, by the ruleset in force.")
class Program:
    code: str = strawberry.field(description="Its short name, which never changes.")
    name: str = strawberry.field(description="What members read.")
    currency_code: CurrencyCode = strawberry.field(description="The one currency of its amounts.")
    time_zone: str = strawberry.field(
        description='Where its days begin and end: a name of the IANA database, "Europe/Budapest".'
    )
    ruleset_version: int = strawberry.field(description="Version of the ruleset in force.")
    point_types: list[PointType] = strawberry.field(description="What is counted.")
    tiers: list[Tier] = strawberry.field(description="The tiers, lowest first.")
    rewards: list[Reward] = strawberry.field(
        description="The rewards, in the program's order, without those of personal offers alone."
    )
    point_value: Money | None = strawberry.field(
        description="What 100 points pay at checkout, rounded down; null where points do not pay."
    )

    @classmethod
    def of(cls, rules: ruleset.Ruleset) -> "Program":
        qualifying = rules.tier_policy.point_type
        tender = rules.tender
        return cls(
            code=rules.code,
            name=rules.name,
            currency_code=CurrencyCode(rules.currency),
            time_zone=rules.time_zone,
            ruleset_version=rules.version,
            point_types=[
                PointType(
                    code=item.code,
                    name=item.name,
                    spendable=item.is_spendable,
                    qualifying=item.code == qualifying,
                )
                for item in rules.point_types
            ],
            tiers=[Tier.of(tier) for tier in rules.tier_policy.tiers],
            rewards=[
                Reward.of(reward, rules) for reward in rules.rewards if not reward.needs_offer
            ],
            point_value=worth(rules, tender.point_type, 100) if tender else None,
        )


def worth(rules: ruleset.Ruleset, point_type: str, points: int) -> Money | None:
    """What points pay at checkout, rounded down; None where those points do not pay."""
    tender = rules.tender
    if tender is None or tender.point_type != point_type:
        return None
    return Money.of(money.Money(max(points, 0) * tender.minor // tender.points, rules.currency))


def tier_named(rules: ruleset.Ruleset, code: str | None) -> Tier | None:
    """A tier by its code; None where this ruleset has none of it."""
    for tier in rules.tier_policy.tiers:
        if tier.code == code:
            return Tier.of(tier)
    return None


def _tiers_of(reward: ruleset.Reward, ranks: tuple[str, ...]) -> list[str]:
    lowest = [
        ranks.index(condition.tier)
        for condition in reward.conditions
        if isinstance(condition, TierAtLeast)
    ]
    return list(ranks[max(lowest, default=0) :])
