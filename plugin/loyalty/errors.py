"""What can go wrong and be acted on by a caller.

    LoyaltyError
    ├── BadInput                      BAD_USER_INPUT     the request itself cannot be understood
    │   ├── BadMoney                  BAD_MONEY
    │   └── BadRuleset                BAD_RULESET        every problem, with its path
    ├── NotAllowed                    FORBIDDEN
    ├── NotFound                      NOT_FOUND          also what belongs to somebody else
    ├── Conflict                      CONFLICT           state does not admit the step
    │   ├── KeyReused                 IDEMPOTENCY_KEY_REUSED
    │   ├── VersionConflict           VERSION_CONFLICT
    │   └── AlreadyExists             ALREADY_EXISTS
    ├── MemberNotActive               MEMBER_NOT_ACTIVE
    ├── InsufficientPoints            INSUFFICIENT_POINTS
    ├── InsufficientCredit            INSUFFICIENT_CREDIT
    ├── OutOfStock                    OUT_OF_STOCK
    ├── QuoteExpired                  QUOTE_EXPIRED
    ├── QuoteChanged                  QUOTE_CHANGED      what the quote relied on was used up
    ├── HoldExpired                   HOLD_EXPIRED
    ├── TotalMismatch                 TOTAL_MISMATCH
    ├── TooManyAttempts               TOO_MANY_ATTEMPTS  codes guessed; wait and try again
    ├── RefundTooLarge                REFUND_TOO_LARGE   more than is left of a line
    ├── StoredRefusal                 (the first one's)  the refusal a key got before
    └── Unavailable                   UNAVAILABLE        try again; nothing happened

Every code has a heading in ``docs/reference/errors.md``. A bug is any other exception.
"""

from typing import ClassVar


class LoyaltyError(Exception):
    """Something the caller can act on. ``code`` is part of the public API.

    ``retryable``: the same request with the same idempotency key may succeed later. Such a
    refusal is never kept as the outcome of a key; every other is final for its key.
    """

    code: ClassVar[str] = "LOYALTY_ERROR"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, field: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    @property
    def data(self) -> dict[str, int | str]:
        """The numbers of the refusal, as JSON-able values. They reach the caller as fields."""
        return {}


class BadInput(LoyaltyError):
    """The request cannot be understood as it is. The message says what was found and wanted."""

    code = "BAD_USER_INPUT"


class BadMoney(BadInput):
    """An amount or a currency that is not one."""

    code = "BAD_MONEY"


class BadRuleset(BadInput):
    """A ruleset that does not hold together; ``problems`` lists each with its path."""

    code = "BAD_RULESET"

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class NotAllowed(LoyaltyError):
    """This caller may not do this at all."""

    code = "FORBIDDEN"


class NotFound(LoyaltyError):
    """Nothing of that name exists for this caller.

    Args:
        name: as the caller knows it; None for what it knows by an opaque id alone.
    """

    code = "NOT_FOUND"

    def __init__(self, kind: str, name: str | None = None, *, field: tuple[str, ...] = ()) -> None:
        super().__init__(f"no such {kind}" if name is None else f"no {kind} {name!r}", field=field)
        self.kind = kind


class Conflict(LoyaltyError):
    """The state found does not admit the step asked for."""

    code = "CONFLICT"


class KeyReused(Conflict):
    """The idempotency key was used before with another body."""

    code = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"idempotency key {key!r} was used before with another body; nothing was done",
            field=("input", "idempotencyKey"),
        )


class VersionConflict(Conflict):
    """An edit was based on a version that is no longer current."""

    code = "VERSION_CONFLICT"

    def __init__(self, expected: int, current: int) -> None:
        super().__init__(f"expected version {expected}, found {current}")
        self.current = current


class AlreadyExists(Conflict):
    """Something of that name is there already."""

    code = "ALREADY_EXISTS"


class MemberNotActive(LoyaltyError):
    """The member is not active, so no value moves for it."""

    code = "MEMBER_NOT_ACTIVE"

    def __init__(self, state: str) -> None:
        super().__init__(f"the member is {state.lower()}, wanted active")
        self.state = state


class InsufficientPoints(LoyaltyError):
    """The account holds fewer points than asked for."""

    code = "INSUFFICIENT_POINTS"

    def __init__(self, requested: int, available: int) -> None:
        super().__init__(f"{requested} points requested, {available} available")
        self.requested = requested
        self.available = available

    @property
    def data(self) -> dict[str, int | str]:
        return {"requested": self.requested, "available": self.available}


class InsufficientCredit(LoyaltyError):
    """The account holds less credit than asked for. Amounts are exact decimal text."""

    code = "INSUFFICIENT_CREDIT"

    def __init__(self, requested: str, available: str, currency: str) -> None:
        super().__init__(f"{requested} {currency} requested, {available} {currency} available")
        self.requested = f"{requested} {currency}"
        self.available = f"{available} {currency}"

    @property
    def data(self) -> dict[str, int | str]:
        return {"requested": self.requested, "available": self.available}


class OutOfStock(LoyaltyError):
    """Fewer pieces are left than asked for."""

    code = "OUT_OF_STOCK"


class QuoteExpired(LoyaltyError):
    """The quote's ``validUntil`` has passed."""

    code = "QUOTE_EXPIRED"


class QuoteChanged(LoyaltyError):
    """What the quote relied on has been used up or revoked since."""

    code = "QUOTE_CHANGED"


class HoldExpired(LoyaltyError):
    """The reservation timed out and its value could not be held again."""

    code = "HOLD_EXPIRED"


class TotalMismatch(LoyaltyError):
    """The amounts of the order differ from those of the quote."""

    code = "TOTAL_MISMATCH"

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"found total {found}, wanted {expected} as quoted")
        self.expected = expected
        self.found = found

    @property
    def data(self) -> dict[str, int | str]:
        return {"expected": self.expected, "found": self.found}


class TooManyAttempts(LoyaltyError):
    """The caller tried too many codes that nobody has.

    Args:
        retry_after_s: when it is heard again, in seconds from now, >= 1.
    """

    code = "TOO_MANY_ATTEMPTS"
    retryable = True

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many unknown codes were tried; try again in {retry_after_s} seconds")
        self.retry_after_s = retry_after_s

    @property
    def data(self) -> dict[str, int | str]:
        return {"retry_after_s": self.retry_after_s}


class RefundTooLarge(LoyaltyError):
    """A refund asks for more of a line than earlier refunds left of it.

    Args:
        found: what was asked for, in words.
        line: the line's id; empty for shipping.
        left_quantity: whole pieces that are left.
        left: the money that is left, with its currency.
    """

    code = "REFUND_TOO_LARGE"

    def __init__(
        self, found: str, line: str, left_quantity: int, left: str, *, field: tuple[str, ...] = ()
    ) -> None:
        name = f"line {line!r}" if line else "shipping"
        pieces = f"{left_quantity} pieces or " if line else ""
        super().__init__(
            f"found {found} of {name}, wanted at most what is left: {pieces}{left}", field=field
        )
        self.line = line
        self.left_quantity = left_quantity
        self.left = left

    @property
    def data(self) -> dict[str, int | str]:
        return {"line": self.line, "leftQuantity": self.left_quantity, "left": self.left}


class StoredRefusal(LoyaltyError):
    """A refusal that was the first outcome of an idempotency key, given again."""

    def __init__(
        self, code: str, message: str, field: tuple[str, ...], data: dict[str, int | str]
    ) -> None:
        super().__init__(message, field=field)
        self.code = code  # type: ignore[misc]  # the class's code of the first refusal
        self._data = data

    @property
    def data(self) -> dict[str, int | str]:
        return self._data


class Unavailable(LoyaltyError):
    """The database is busy or away; nothing happened, try again."""

    code = "UNAVAILABLE"
    retryable = True
