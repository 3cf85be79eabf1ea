"""Refusals that a caller can act on, as data.

Two kinds of refusal stay top-level errors: that this caller may not do this at all
(``NotAllowed``), and that nothing could be decided (``Unavailable``).
"""

from enum import Enum
from typing import Any

import strawberry
from strawberry import enum_value as value

from loyalty.domain import money as domain
from loyalty.domain.points import Points
from loyalty.errors import (
    BadInput,
    BadRuleset,
    LoyaltyError,
    NotAllowed,
    StoredRefusal,
    Unavailable,
)
from loyalty_graphql.money import Money


@strawberry.enum(description="What kind of refusal it is. Codes are stable; messages are not.")
class ErrorCode(Enum):
    BAD_USER_INPUT = value(
        "BAD_USER_INPUT", description="The request cannot be understood as it is."
    )
    BAD_MONEY = value("BAD_MONEY", description="An amount or a currency that is not one.")
    BAD_RULESET = value("BAD_RULESET", description="A ruleset that does not hold together.")
    FORBIDDEN = value(
        "FORBIDDEN", description="This caller may not do this at all; always a top-level error."
    )
    NOT_FOUND = value("NOT_FOUND", description="Nothing of that name exists for this caller.")
    CONFLICT = value("CONFLICT", description="The state found does not admit the step.")
    IDEMPOTENCY_KEY_REUSED = value(
        "IDEMPOTENCY_KEY_REUSED",
        description="The key was used before with another body; nothing was done.",
    )
    VERSION_CONFLICT = value(
        "VERSION_CONFLICT", description="The edit was based on a version no longer current."
    )
    ALREADY_EXISTS = value("ALREADY_EXISTS", description="Something of that name is there already.")
    MEMBER_NOT_ACTIVE = value(
        "MEMBER_NOT_ACTIVE", description="The member is not active, so no value moves for it."
    )
    INSUFFICIENT_POINTS = value(
        "INSUFFICIENT_POINTS", description="The account holds fewer points than asked for."
    )
    INSUFFICIENT_CREDIT = value(
        "INSUFFICIENT_CREDIT", description="The account holds less credit than asked for."
    )
    OUT_OF_STOCK = value("OUT_OF_STOCK", description="Fewer pieces are left than asked for.")
    QUOTE_EXPIRED = value("QUOTE_EXPIRED", description="The quote's `validUntil` has passed.")
    QUOTE_CHANGED = value(
        "QUOTE_CHANGED", description="What the quote relied on was used up or revoked since."
    )
    HOLD_EXPIRED = value(
        "HOLD_EXPIRED",
        description="The reservation timed out and its value could not be held again.",
    )
    TOTAL_MISMATCH = value(
        "TOTAL_MISMATCH", description="What was paid differs from what was quoted."
    )
    REFUND_TOO_LARGE = value(
        "REFUND_TOO_LARGE", description="More of a line than earlier refunds left of it."
    )
    TOO_MANY_ATTEMPTS = value(
        "TOO_MANY_ATTEMPTS",
        description="Too many codes were tried that nobody has; ask again later.",
    )
    UNAVAILABLE = value(
        "UNAVAILABLE",
        description="The database is busy or away: nothing is known to have happened, ask again "
        "with the same key; always a top-level error.",
    )


@strawberry.interface(description="A refusal that the caller can act on; nothing was changed.")
class UserError:
    code: ErrorCode = strawberry.field(description="What kind of refusal it is.")
    message: str = strawberry.field(
        description="In English, for developers: what was found and what was wanted."
    )
    field: list[str] | None = strawberry.field(
        description='Path of the argument at fault, such as `["input", "lines", "0", "quantity"]`; '
        "null when no single one is."
    )
    retryable: bool = strawberry.field(
        description="Whether the same request, with the same idempotency key, may succeed later. "
        "Otherwise the refusal is final: it is the outcome of its key, and another try needs "
        "another key."
    )


@strawberry.type(description="A refusal that has no further figures.")
class BasicError(UserError):
    pass


@strawberry.type(description="The account holds fewer points than asked for.")
class InsufficientPointsError(UserError):
    requested: Points = strawberry.field(description="Points that were asked for.")
    available: Points = strawberry.field(description="Points that can be spent now.")


@strawberry.type(description="The account holds less credit than asked for.")
class InsufficientCreditError(UserError):
    requested: Money | None = strawberry.field(description="Credit that was asked for.")
    available: Money | None = strawberry.field(description="Credit that can be spent now.")


@strawberry.type(description="What was paid differs from what was quoted.")
class TotalMismatchError(UserError):
    expected: Money | None = strawberry.field(description="What the quote asks to be paid.")
    found: Money | None = strawberry.field(description="What was said to be paid.")


@strawberry.type(description="More of a line than earlier refunds left of it.")
class RefundTooLargeError(UserError):
    line: str = strawberry.field(description="Id of the line; empty for shipping.")
    left_quantity: int = strawberry.field(description="Whole pieces that are left.")
    left: Money | None = strawberry.field(description="What is left of what it cost.")


@strawberry.type(description="Too many codes were tried that nobody has.")
class TooManyAttemptsError(UserError):
    retry_after_seconds: int = strawberry.field(description="When to ask again, in seconds.")


CONCRETE_ERRORS = (
    BasicError,
    InsufficientPointsError,
    InsufficientCreditError,
    TotalMismatchError,
    RefundTooLargeError,
    TooManyAttemptsError,
)
"""Every type behind ``UserError``; a schema is told of them because no field names them."""


def user_errors(refusal: LoyaltyError) -> list[UserError]:
    """A refusal as the payload's ``userErrors``.

    Raises:
        NotAllowed, Unavailable: the refusal itself, where it belongs at the top.
    """
    if isinstance(refusal, NotAllowed | Unavailable):
        raise refusal
    if isinstance(refusal, BadRuleset):
        return [_basic(refusal, problem) for problem in refusal.problems]
    code, data = ErrorCode[refusal.code], refusal.data
    common = _common(refusal, refusal.message)
    if code is ErrorCode.INSUFFICIENT_POINTS and data:
        requested, available = Points(int(data["requested"])), Points(int(data["available"]))
        return [InsufficientPointsError(**common, requested=requested, available=available)]
    if code is ErrorCode.INSUFFICIENT_CREDIT and data:
        wanted, left = _money(data["requested"]), _money(data["available"])
        return [InsufficientCreditError(**common, requested=wanted, available=left)]
    if code is ErrorCode.TOTAL_MISMATCH and data:
        expected, found = _money(data["expected"]), _money(data["found"])
        return [TotalMismatchError(**common, expected=expected, found=found)]
    if code is ErrorCode.REFUND_TOO_LARGE and data:
        pieces, rest = int(data["leftQuantity"]), _money(data["left"])
        line = str(data["line"])
        return [RefundTooLargeError(**common, line=line, left_quantity=pieces, left=rest)]
    if code is ErrorCode.TOO_MANY_ATTEMPTS:
        return [TooManyAttemptsError(**common, retry_after_seconds=int(data["retry_after_s"]))]
    return [_basic(refusal, refusal.message)]


def is_replay(refusal: LoyaltyError) -> bool:
    """Whether the refusal was the first outcome of the caller's key, given again."""
    return isinstance(refusal, StoredRefusal)


def within(refusal: BadInput, *path: str) -> BadInput:
    """The same refusal, of the argument at ``path``."""
    refusal.field = path
    return refusal


def _basic(refusal: LoyaltyError, message: str) -> BasicError:
    return BasicError(**_common(refusal, message))


def _common(refusal: LoyaltyError, message: str) -> dict[str, Any]:
    """What every refusal has."""
    return {
        "code": ErrorCode[refusal.code],
        "message": message,
        "field": list(refusal.field) or None,
        "retryable": refusal.retryable,
    }


def _money(text: int | str) -> Money | None:
    """An amount that an error carries as ``12.34 EUR``."""
    amount, _, currency = str(text).partition(" ")
    return Money.of(domain.Money.parse(amount, currency)) if currency else None
