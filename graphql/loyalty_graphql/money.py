"""Money at the API: exact text outside, integer minor units inside."""

import strawberry

from loyalty.domain import money as domain
from loyalty_graphql.scalars import BigInt, CurrencyCode, DecimalText


@strawberry.type(description="An exact amount of money in one currency.")
class Money:
    amount: DecimalText = strawberry.field(
        description='The amount as exact decimal text with all the currency\'s digits: "12.30".'
    )
    currency_code: CurrencyCode = strawberry.field(description="The currency.")
    minor_units: BigInt = strawberry.field(
        description="The same amount in the currency's smallest unit: 1230."
    )

    @classmethod
    def of(cls, money: domain.Money) -> "Money":
        """The API's view of a domain amount."""
        return cls(
            amount=DecimalText(money.text()),
            currency_code=CurrencyCode(money.currency),
            minor_units=BigInt(money.minor),
        )


@strawberry.input(description="An exact amount of money in one currency.")
class MoneyInput:
    amount: DecimalText = strawberry.field(
        description='Exact decimal text, such as "12.30"; at most the currency\'s digits after '
        "the dot."
    )
    currency_code: CurrencyCode = strawberry.field(description="The currency.")

    def to_domain(self) -> domain.Money:
        """The amount in minor units.

        Raises:
            BadMoney: more decimals than the currency has, or out of range.
        """
        return domain.Money.parse(self.amount, self.currency_code)
