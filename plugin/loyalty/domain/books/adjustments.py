"""A merchant's corrections of accounts: which account, on what terms, on whose word."""

from datetime import date, datetime, timedelta
from typing import Final

from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import LotTerms
from loyalty.domain.calendar import after_days, end_after_months, start_of_day
from loyalty.domain.money import AMOUNT_MINOR_MAX, Money, digits
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.domain.units import credit_unit, currency_of, is_money
from loyalty.errors import BadInput, BadMoney, Conflict

WINDOW: Final = timedelta(hours=24)
"""For how long a correction counts towards what one person may do alone."""


def account_unit(ruleset: Ruleset, point_type: str | None, currency: str | None) -> str:
    """The unit of the account meant: of a point type, or of credit in a currency.

    Raises:
        BadInput: both, or no such point type. BadMoney: no such currency.
    """
    if currency is not None:
        if point_type is not None:
            raise BadInput(
                "found a point type and a currency, wanted one of them", field=("input", "currency")
            )
        try:
            digits(currency)
        except BadMoney as problem:
            problem.field = ("input", "currency")
            raise
        return credit_unit(currency)
    known = [item.code for item in ruleset.point_types]
    code = ruleset.spendable.code if point_type is None else point_type
    if code not in known:
        raise BadInput(
            f"found point type {code[:40]!r}, wanted one of {', '.join(known)}",
            field=("input", "pointType"),
        )
    return code


def checked_amount(amount: int) -> int:
    """The signed amount. Raises BadInput for none, or one out of range."""
    if not amount or abs(amount) > AMOUNT_MINOR_MAX:
        raise BadInput(
            f"found an amount of {amount}, wanted one from 1 to {AMOUNT_MINOR_MAX}, or as far "
            "below zero",
            field=("input", "amount"),
        )
    return amount


def check_room(book: Book, unit: str, amount: int) -> None:
    """Whether the account can take a correction and still be read exactly.

    Args:
        amount: signed; below zero, what the account does not hold becomes a deficit.

    Raises:
        Conflict: its balance, or what it owes, would be more than one amount can be.
    """
    lots = [lot for lot in book.accounts.lots.values() if lot.unit == unit]
    if amount > 0:
        name, more = "balance", amount
        before = sum(lot.remaining for lot in lots) + book.held(unit)
    else:
        live = sum(lot.remaining for lot in lots if lot.is_live(book.at))
        name, more = "deficit", max(-amount - live, 0)
        before = book.accounts.deficits.get(unit, 0)
    if more and before + more > AMOUNT_MINOR_MAX:
        found, after, most = (
            _text(number, unit) for number in (before, before + more, AMOUNT_MINOR_MAX)
        )
        raise Conflict(f"found a {name} of {found}, which would be {after}, wanted at most {most}")


def _text(amount: int, unit: str) -> str:
    if not is_money(unit):
        return str(amount)
    money = Money(amount, currency_of(unit))
    return f"{money.text()} {money.currency}"


def needs_approval(ruleset: Ruleset, unit: str, amount: int, before: int) -> bool:
    """Whether a second person has to accept it.

    Args:
        before: what the same person moved on this account within ``WINDOW``, up and down added:
            many small corrections are one large one.
    """
    policy = ruleset.adjustments
    limit = policy.approval_above_minor if is_money(unit) else policy.approval_above
    return limit is not None and before + abs(amount) > limit


def ending(ruleset: Ruleset, unit: str, at: datetime, last_day: date | None) -> datetime | None:
    """When what is added expires: after ``last_day``, else as anything earned now; None: never.

    Raises:
        BadInput: that day is over already.
    """
    zone = ruleset.time_zone
    if last_day is not None:
        ends = after_days(start_of_day(last_day, zone), 1, zone)
        if ends <= at:
            raise BadInput(
                f"found {last_day.isoformat()}, wanted a day that is not over",
                field=("input", "lastDay"),
            )
        return ends
    if is_money(unit):
        months = ruleset.credit.expires_after_months if ruleset.credit else None
    else:
        months = ruleset.point_type(unit).expires_after_months
    return None if months is None else end_after_months(at, months, zone)


def terms(at: datetime, ends: datetime | None) -> LotTerms:
    """What is added can be spent at once."""
    return LotTerms(at, ends)


def is_counted_only(ruleset: Ruleset, unit: str) -> bool:
    """Whether the unit is never spent, only counted for tiers."""
    return not is_money(unit) and not ruleset.point_type(unit).is_spendable
