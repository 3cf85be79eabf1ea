"""Units of value: what an account, a lot or an entry counts.

A unit is the code of a point type, or money: ``credit:EUR`` is a member's store credit in
euro cents, ``gift:EUR`` the money on a gift card. Codes of point types hold no colon.
"""

_CREDIT, _GIFT = "credit:", "gift:"


def credit_unit(currency: str) -> str:
    """The unit of store credit and cashback in a currency."""
    return _CREDIT + currency


def gift_unit(currency: str) -> str:
    """The unit of gift cards in a currency."""
    return _GIFT + currency


def is_money(unit: str) -> bool:
    """Whether amounts of the unit are minor units of a currency; else they are points."""
    return unit.startswith((_CREDIT, _GIFT))


def is_credit(unit: str) -> bool:
    return unit.startswith(_CREDIT)


def is_gift(unit: str) -> bool:
    return unit.startswith(_GIFT)


def currency_of(unit: str) -> str:
    """The currency of a unit of money.

    Raises:
        ValueError: a unit of points.
    """
    kind, colon, currency = unit.partition(":")
    if not colon or f"{kind}:" not in (_CREDIT, _GIFT):
        raise ValueError(f"found unit {unit!r}, wanted one of money")
    return currency
