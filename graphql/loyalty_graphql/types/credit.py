"""Store credit: an account of money in one currency."""

from datetime import datetime

import strawberry

from loyalty.domain import money as domain
from loyalty.domain.books.lots import Balance
from loyalty.domain.units import currency_of
from loyalty_graphql.money import Money


@strawberry.type(description="Credit that expires together.")
class ExpiringCredit:
    amount: Money = strawberry.field(description="How much.")
    at: datetime = strawberry.field(description="When it expires.")


@strawberry.type(description="A member's account of store credit in one currency, now.")
class CreditAccount:
    currency_code: str = strawberry.field(description="The currency.")
    available: Money = strawberry.field(
        description="Credit that can be spent now; below zero only by a deficit."
    )
    pending: Money = strawberry.field(description="Credit that cannot be spent yet.")
    held: Money = strawberry.field(description="Credit that open checkouts hold.")
    deficit: Money = strawberry.field(description="Credit owed.")
    expiring_soon: list[ExpiringCredit] = strawberry.field(
        description="What expires within the program's notice, soonest first."
    )

    @classmethod
    def of(cls, balance: Balance) -> "CreditAccount":
        currency = currency_of(balance.unit)

        def money(minor: int) -> Money:
            return Money.of(domain.Money(minor, currency))

        return cls(
            currency_code=currency,
            available=money(balance.available),
            pending=money(balance.pending),
            held=money(balance.held),
            deficit=money(balance.deficit),
            expiring_soon=[
                ExpiringCredit(amount=money(item.points), at=item.at)
                for item in balance.expiring_soon
            ],
        )
