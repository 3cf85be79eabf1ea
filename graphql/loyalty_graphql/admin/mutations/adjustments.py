"""Correct accounts; accept or decline what others proposed."""

from datetime import date
from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.domain.points import Points
from loyalty.errors import BadInput, BadMoney, LoyaltyError
from loyalty.services.checkout.checkout import Done
from loyalty.services.members.adjustments import Correction
from loyalty_graphql.admin.types.adjustments import Adjustment
from loyalty_graphql.context import Info
from loyalty_graphql.ids import decode_id
from loyalty_graphql.money import MoneyInput
from loyalty_graphql.scalars import ExternalId, IdempotencyKey
from loyalty_graphql.types.members import Member, loaded_member
from loyalty_graphql.types.note import note
from loyalty_graphql.user_errors import UserError, is_replay, user_errors, within

KEY = "A repeat with the same key gets the same answer and has no second effect."


@strawberry.input(
    description="A correction of one account: `points`, or `credit`, above zero to add and below "
    "zero to take."
)
class PointsAdjustInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    external_id: ExternalId = strawberry.field(description="The shop's own id of the member.")
    reason: str = strawberry.field(description="Why, for the record: 1 to 200 characters.")
    points: Points | None = strawberry.field(
        description="How many points; left out for credit.", default=UNSET
    )
    point_type: str | None = strawberry.field(
        description="Code of the point type; the spendable one by default.", default=UNSET
    )
    credit: MoneyInput | None = strawberry.field(
        description="How much credit, in any currency; left out for points.", default=UNSET
    )
    last_day: date | None = strawberry.field(
        description="The last day on which what is added can be spent, in the program's time "
        "zone; by default it lives as long as what is earned now.",
        default=UNSET,
    )
    allow_deficit: bool = strawberry.field(
        description="Whether taking more than there is leaves the account below zero, to be paid "
        "by what comes next; otherwise that is refused.",
        default=False,
    )


@strawberry.input(description="A proposal, to be decided.")
class AdjustmentDecisionInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    id: strawberry.ID = strawberry.field(description="The adjustment's `id`.")


@strawberry.type(description="A correction as it stands, or why there is none.")
class AdjustmentPayload:
    adjustment: Adjustment | None = strawberry.field(
        description="The correction: booked, or proposed to a second person; null when it was "
        "refused."
    )
    member: Member | None = strawberry.field(
        description="The member as it is now; null when it was refused."
    )
    replayed: bool = strawberry.field(description="The key had an outcome before: this is it.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing was done.")

    @classmethod
    async def of(cls, info: Info, done: Done) -> "AdjustmentPayload":
        context = info.context
        context.refresh()
        view = await context.services.adjustments.one(
            context.tenant_id, int(done.outcome["adjustment"])
        )
        return cls(
            adjustment=Adjustment.of(view),
            member=await loaded_member(context, int(done.outcome["member"])),
            replayed=done.replayed,
            user_errors=[],
        )

    @classmethod
    def refused(cls, refusal: LoyaltyError) -> "AdjustmentPayload":
        replayed, errors = is_replay(refusal), user_errors(refusal)
        return cls(adjustment=None, member=None, replayed=replayed, user_errors=errors)


DecisionInput = Annotated[
    AdjustmentDecisionInput, strawberry.argument(description="Which proposal.")
]


@strawberry.mutation(
    description="Correct a member's account of points or credit. Above the program's limit for "
    "one person, account and 24 hours it becomes a proposal that moves nothing until somebody with "
    "another key accepts it."
)
async def points_adjust(
    info: Info,
    input: Annotated[PointsAdjustInput, strawberry.argument(description="The correction.")],
) -> AdjustmentPayload:
    context = info.context
    try:
        done = await context.services.adjustments.adjust(
            context.viewer, input.idempotency_key, _correction(input)
        )
    except LoyaltyError as refusal:
        _as_asked(refusal, is_credit=bool(input.credit))
        return AdjustmentPayload.refused(refusal)
    return await AdjustmentPayload.of(info, done)


@strawberry.mutation(
    description="Accept a proposed correction and book it. Whoever proposed it cannot."
)
async def adjustment_approve(info: Info, input: DecisionInput) -> AdjustmentPayload:
    return await _decided(info, input, accepts=True)


@strawberry.mutation(
    description="Decline a proposed correction, or withdraw one's own; it moves nothing."
)
async def adjustment_decline(info: Info, input: DecisionInput) -> AdjustmentPayload:
    return await _decided(info, input, accepts=False)


async def _decided(
    info: Info, given: AdjustmentDecisionInput, *, accepts: bool
) -> AdjustmentPayload:
    context = info.context
    try:
        id = _row_id(given.id)
        done = await context.services.adjustments.decide(
            context.viewer, given.idempotency_key, id, accepts=accepts
        )
    except LoyaltyError as refusal:
        return AdjustmentPayload.refused(refusal)
    return await AdjustmentPayload.of(info, done)


def _row_id(id: str) -> int:
    try:
        return decode_id(id, "Adjustment")
    except BadInput as problem:
        raise within(problem, "input", "id") from problem


def _correction(given: PointsAdjustInput) -> Correction:
    """Raises BadInput unless there is one amount and a reason."""
    if bool(given.credit) == isinstance(given.points, int):
        raise BadInput("wanted points or credit, one of them", field=("input", "points"))
    reason = note(given.reason.strip(), "input", "reason")
    if reason is None:
        raise BadInput("found no reason, wanted one", field=("input", "reason"))
    amount, currency = 0, None
    if given.credit:
        try:
            money = given.credit.to_domain()
        except BadMoney as problem:
            raise within(problem, "input", "credit", "amount") from problem
        amount, currency = money.minor, money.currency
    elif isinstance(given.points, int):
        amount = given.points
    return Correction(
        member=given.external_id,
        amount=amount,
        reason=reason,
        point_type=given.point_type or None,
        currency=currency,
        last_day=given.last_day or None,
        allows_deficit=given.allow_deficit,
    )


def _as_asked(refusal: LoyaltyError, *, is_credit: bool) -> None:
    """Name the argument as the input does."""
    if refusal.field == ("input", "amount"):
        refusal.field = ("input", "credit", "amount") if is_credit else ("input", "points")
    elif refusal.field == ("input", "currency"):
        refusal.field = ("input", "credit", "currencyCode")
