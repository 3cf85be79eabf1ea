"""Issue and block gift cards."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import BadInput, BadMoney, LoyaltyError
from loyalty.services.checkout.checkout import idempotent
from loyalty_graphql.admin.types.gift_cards import GiftCard
from loyalty_graphql.context import Info
from loyalty_graphql.ids import decode_id
from loyalty_graphql.money import MoneyInput
from loyalty_graphql.scalars import IdempotencyKey
from loyalty_graphql.user_errors import UserError, is_replay, user_errors, within


@strawberry.input(description="A new gift card.")
class GiftCardIssueInput:
    idempotency_key: IdempotencyKey = strawberry.field(
        description="A repeat with the same key gets the same card and code."
    )
    amount: MoneyInput = strawberry.field(
        description="What is put on it, in the program's currency."
    )
    expires_at: datetime | None = strawberry.field(
        description="When it expires; never by default.", default=UNSET
    )


@strawberry.input(description="Which gift card.")
class GiftCardInput:
    id: strawberry.ID = strawberry.field(description="The card's `id`.")


@strawberry.type(description="A gift card that was issued, or why not.")
class GiftCardIssuePayload:
    gift_card: GiftCard | None = strawberry.field(description="The card; null when it was refused.")
    code: str | None = strawberry.field(
        description="Its code. Only a repeat with the same key tells it again: it is stored "
        "nowhere."
    )
    replayed: bool = strawberry.field(description="The key had an outcome before: this is it.")
    user_errors: list[UserError] = strawberry.field(description="Why no card was issued.")


@strawberry.type(description="A gift card that was changed, or why not.")
class GiftCardPayload:
    gift_card: GiftCard | None = strawberry.field(
        description="The card as it is now; null when it was refused."
    )
    user_errors: list[UserError] = strawberry.field(description="Why nothing was done.")


@strawberry.mutation(description="Put money on a new gift card.")
async def gift_card_issue(
    info: Info,
    input: Annotated[GiftCardIssueInput, strawberry.argument(description="The new card.")],
) -> GiftCardIssuePayload:
    context = info.context
    try:
        amount = input.amount.to_domain()
        expires_at = input.expires_at or None
        body = [amount.minor, amount.currency, expires_at]
        once = idempotent(context.viewer, "giftCardIssue", input.idempotency_key, body)
        issued = await context.services.gift_cards.issue(
            context.tenant_id, once, amount, expires_at, context.viewer.client
        )
    except LoyaltyError as refusal:
        if isinstance(refusal, BadMoney) and not refusal.field:
            within(refusal, "input", "amount", "amount")
        replayed, errors = is_replay(refusal), user_errors(refusal)
        return GiftCardIssuePayload(
            gift_card=None, code=None, replayed=replayed, user_errors=errors
        )
    return GiftCardIssuePayload(
        gift_card=GiftCard.of(issued.card),
        code=issued.code,
        replayed=issued.replayed,
        user_errors=[],
    )


WhichCard = Annotated[GiftCardInput, strawberry.argument(description="Which card.")]


@strawberry.mutation(
    description="Let a gift card pay nothing; a checkout that holds some of it is refused its "
    "commit."
)
async def gift_card_block(info: Info, input: WhichCard) -> GiftCardPayload:
    return await _set(info, input, "BLOCKED")


@strawberry.mutation(description="Let a blocked gift card pay again.")
async def gift_card_unblock(info: Info, input: WhichCard) -> GiftCardPayload:
    return await _set(info, input, "ACTIVE")


async def _set(info: Info, given: GiftCardInput, state: str) -> GiftCardPayload:
    context = info.context
    try:
        card = await context.services.gift_cards.set_state(
            context.tenant_id, None, _row_id(given.id), state, context.viewer.client
        )
    except LoyaltyError as refusal:
        return GiftCardPayload(gift_card=None, user_errors=user_errors(refusal))
    return GiftCardPayload(gift_card=GiftCard.of(card), user_errors=[])


def _row_id(id: str) -> int:
    try:
        return decode_id(id, "GiftCard")
    except BadInput as problem:
        raise within(problem, "input", "id") from problem
