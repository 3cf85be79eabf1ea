"""Two models that share traffic, and their difference."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.domain import money
from loyalty.domain.recommendations import experiments as domain
from loyalty.services.recommendations import experiments
from loyalty_graphql.context import Info
from loyalty_graphql.ids import encode_id
from loyalty_graphql.money import Money
from loyalty_graphql.scalars import BigInt, DecimalText


@strawberry.enum(description="What may be said of a difference.")
class ExperimentVerdict(Enum):
    TOO_FEW = value(
        "TOO_FEW", description="Nothing: there are fewer members or buyers than it takes."
    )
    NO_DIFFERENCE = value("NO_DIFFERENCE", description="None is seen: the interval holds zero.")
    CANDIDATE_HIGHER = value("CANDIDATE_HIGHER", description="The candidate's is higher.")
    CONTROL_HIGHER = value("CONTROL_HIGHER", description="The control's is higher.")


@strawberry.type(description="Candidate minus control, with its 95 % interval.")
class ExperimentDifference:
    difference: DecimalText | None = strawberry.field(
        description="The difference; null while nobody is in one of the variants."
    )
    low: DecimalText | None = strawberry.field(description="Where the interval begins.")
    high: DecimalText | None = strawberry.field(description="Where it ends.")
    verdict: ExperimentVerdict = strawberry.field(description="What may be said of it.")

    @classmethod
    def of(cls, found: domain.Difference, digits: int) -> "ExperimentDifference":
        return cls(
            difference=_text(found.value, digits),
            low=_text(found.low, digits),
            high=_text(found.high, digits),
            verdict=ExperimentVerdict[found.verdict],
        )


@strawberry.type(description="What one variant came to.")
class ExperimentArm:
    members: BigInt = strawberry.field(
        description="Members who were shown something by it: what the figures are per."
    )
    buyers: BigInt = strawberry.field(description="Of these who bought what was recommended.")
    purchase_rate: DecimalText = strawberry.field(description="Buyers by members.")
    sales: Money | None = strawberry.field(
        description="Attributed sales after refunds, in the program's currency."
    )
    sales_per_member: DecimalText = strawberry.field(description="The same by member, minor units.")

    @classmethod
    def of(cls, arm: domain.Arm, currency: str | None) -> "ExperimentArm":
        sales = None if currency is None else Money.of(money.Money(arm.spent, currency))
        return cls(
            members=BigInt(arm.members),
            buyers=BigInt(arm.buyers),
            purchase_rate=DecimalText(f"{arm.rate:.6f}"),
            sales=sales,
            sales_per_member=DecimalText(f"{arm.mean:.2f}"),
        )


@strawberry.type(
    description="Two models compared by members. The intervals hold for one look at a time that "
    "was chosen before; whoever looks daily and stops at the first difference sees too many."
)
class ExperimentComparison:
    control: ExperimentArm = strawberry.field(description="The model that was in service.")
    candidate: ExperimentArm = strawberry.field(description="The model on trial.")
    purchase_rate: ExperimentDifference = strawberry.field(
        description="Of the purchase rates, as parts of one: Newcombe's interval."
    )
    sales_per_member: ExperimentDifference = strawberry.field(
        description="Of the sales per member, in minor units: Welch's interval."
    )
    members_min: int = strawberry.field(
        description="Members of each variant below which nothing is said."
    )
    buyers_min: int = strawberry.field(
        description="Buyers of each variant below which nothing is said."
    )
    traffic_as_declared: bool = strawberry.field(
        description="Whether the candidate got its share of members, up to a chance of one in a "
        "thousand. If not, something else than the share decided, and no difference counts."
    )

    @classmethod
    def of(cls, found: experiments.Comparison) -> "ExperimentComparison":
        return cls(
            control=ExperimentArm.of(found.control, found.currency),
            candidate=ExperimentArm.of(found.candidate, found.currency),
            purchase_rate=ExperimentDifference.of(found.purchase_rate, 6),
            sales_per_member=ExperimentDifference.of(found.sales_per_member, 2),
            members_min=domain.MEMBERS_MIN,
            buyers_min=domain.BUYERS_MIN,
            traffic_as_declared=found.is_traffic_as_declared,
        )


@strawberry.type(description="Two models that share traffic, by a hash of the member.")
class Experiment:
    id: strawberry.ID = strawberry.field(description="Opaque id.")
    control_model_id: str = strawberry.field(description="The model that was in service.")
    candidate_model_id: str = strawberry.field(description="The model on trial.")
    share_bp: int = strawberry.field(
        description="The candidate's part of all members, in basis points."
    )
    running: bool = strawberry.field(description="Whether it runs; one does at a time.")
    started_at: datetime = strawberry.field(description="Since when.")
    ended_at: datetime | None = strawberry.field(description="Until when; null while it runs.")
    started_by: str = strawberry.field(description="Who started it.")
    found: strawberry.Private[experiments.Experiment]

    @classmethod
    def of(cls, found: experiments.Experiment) -> "Experiment":
        return cls(
            id=strawberry.ID(encode_id("Experiment", found.id)),
            control_model_id=found.control,
            candidate_model_id=found.candidate,
            share_bp=found.share_bp,
            running=found.is_running,
            started_at=found.started_at,
            ended_at=found.ended_at,
            started_by=found.started_by,
            found=found,
        )

    @strawberry.field(
        description="What it shows, from the sales that were found up to now; those of the last "
        "days may still come."
    )
    async def comparison(self, info: Info) -> ExperimentComparison:
        return ExperimentComparison.of(await info.context.loaders.comparisons.load(self.found))


def _text(number: object, digits: int) -> DecimalText | None:
    """A figure as exact text; what rounds to nothing has no sign."""
    if number is None:
        return None
    text = f"{number:.{digits}f}"
    return DecimalText(text if text.strip("-0.") else text.removeprefix("-"))
