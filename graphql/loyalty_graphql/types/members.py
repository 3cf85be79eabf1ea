"""Members: profile, balances, tier, history, orders."""

from dataclasses import replace
from datetime import date, datetime
from enum import Enum
from typing import Annotated

import strawberry
from strawberry import UNSET
from strawberry import enum_value as value

from loyalty.domain.books import lots
from loyalty.domain.points import Points
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.domain.units import is_credit
from loyalty.errors import BadInput
from loyalty.services.checkout import views
from loyalty.services.members import summary
from loyalty_graphql.context import Context, Info
from loyalty_graphql.ids import encode_id
from loyalty_graphql.money import Money
from loyalty_graphql.pagination import Connection, Page, page
from loyalty_graphql.scalars import BigInt, ExternalId
from loyalty_graphql.types.as_of import AsOf, AsOfArgument, figures_then, moment
from loyalty_graphql.types.credit import CreditAccount
from loyalty_graphql.types.ledger import LedgerEntry
from loyalty_graphql.types.node import Node
from loyalty_graphql.types.orders import Order
from loyalty_graphql.types.rulesets import worth
from loyalty_graphql.types.tiers import TierStatus

PointTypeArgument = Annotated[
    str | None,
    strawberry.argument(
        name="pointType", description="Code of a point type; the spendable one by default."
    ),
]
First = Annotated[int | None, strawberry.argument(description="How many nodes: 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="Cursor of the node to go on after.")]


@strawberry.enum(description="Where a membership stands.")
class MemberState(Enum):
    PROSPECT = value("PROSPECT", description="Known by an order, not yet enrolled.")
    ACTIVE = value("ACTIVE", description="Enrolled: earns and redeems.")
    SUSPENDED = value("SUSPENDED", description="Set aside by the merchant: no value moves.")
    CLOSED = value("CLOSED", description="Ended for good.")
    ERASED = value("ERASED", description="Ended, and all personal data gone.")


@strawberry.type(description="What a member agreed to.")
class Consents:
    email: bool = strawberry.field(description="To be written to by email.")
    sms: bool = strawberry.field(description="To be written to by text message.")
    profiling: bool = strawberry.field(description="To recommendations by what was bought.")


@strawberry.type(description="Points of one account that expire together.")
class ExpiringPoints:
    points: Points = strawberry.field(description="How many.")
    at: datetime = strawberry.field(description="When they expire.")


@strawberry.type(description="A member's account of one point type, now.")
class Balance:
    point_type: str = strawberry.field(description="Code of the point type.")
    name: str = strawberry.field(description="The point type's name for members.")
    available: Points = strawberry.field(
        description="Points that can be spent now; below zero only by a deficit."
    )
    pending: Points = strawberry.field(description="Points earned that cannot be spent yet.")
    held: Points = strawberry.field(description="Points that open checkouts hold.")
    deficit: Points = strawberry.field(
        description="Points owed since a refund took back more than was left."
    )
    expiring_soon: list[ExpiringPoints] = strawberry.field(
        description="What expires within the program's notice (60 days by default), soonest first."
    )
    next_pending_at: datetime | None = strawberry.field(
        description="When the first pending points can be spent; null when none are pending."
    )
    value: Money | None = strawberry.field(
        description="What the available points pay at checkout; null where they do not pay."
    )

    @classmethod
    def of(cls, balance: lots.Balance, rules: Ruleset) -> "Balance":
        return cls(
            point_type=balance.unit,
            name=rules.point_type(balance.unit).name,
            available=Points(balance.available),
            pending=Points(balance.pending),
            held=Points(balance.held),
            deficit=Points(balance.deficit),
            expiring_soon=[
                ExpiringPoints(points=Points(item.points), at=item.at)
                for item in balance.expiring_soon
            ],
            next_pending_at=balance.next_pending_at,
            value=worth(rules, balance.unit, balance.available),
        )


@strawberry.type(description="A shopper in the program.")
class Member(Node):
    external_id: ExternalId = strawberry.field(description="The shop's own id of the shopper.")
    state: MemberState = strawberry.field(description="Where the membership stands.")
    name: str | None = strawberry.field(description="What the member is called.")
    email: str | None = strawberry.field(description="Email address.")
    locale: str | None = strawberry.field(description='Language and region: "hu-HU".')
    birthday: date | None = strawberry.field(description="Date of birth.")
    joined_at: datetime | None = strawberry.field(description="When the membership began.")
    consents: Consents = strawberry.field(description="What the member agreed to.")
    version: BigInt = strawberry.field(
        description="Rises with every change; hand it in as `expectedVersion` of an edit."
    )
    source: strawberry.Private[summary.Member]
    rules: strawberry.Private[Ruleset]

    @strawberry.field(description="The account of one point type.")
    async def balance(
        self,
        info: Info,
        point_type: PointTypeArgument = UNSET,
        as_of: AsOfArgument = UNSET,
    ) -> Balance:
        unit = self._unit(point_type)
        if not as_of:
            return Balance.of(self.source.balance(unit), self.rules)
        then, rules = await self._then(info, as_of)
        for item in then.balances:
            if item.unit == unit:
                return Balance.of(item, rules)
        raise BadInput(f"the program had no point type {unit} then", field=("pointType",))

    @strawberry.field(description="All accounts, in the program's order of point types.")
    async def balances(self, info: Info, as_of: AsOfArgument = UNSET) -> list[Balance]:
        if not as_of:
            return [Balance.of(balance, self.rules) for balance in self.source.balances]
        then, rules = await self._then(info, as_of)
        return [Balance.of(balance, rules) for balance in then.balances]

    @strawberry.field(description="Accounts of store credit, one for each currency.")
    async def credit_accounts(self, info: Info, as_of: AsOfArgument = UNSET) -> list[CreditAccount]:
        if not as_of:
            return [CreditAccount.of(balance) for balance in self.source.credits]
        then, _ = await self._then(info, as_of)
        return [CreditAccount.of(balance) for balance in then.moneys if is_credit(balance.unit)]

    @strawberry.field(description="The tier, and the way to the next.")
    async def tier(self, info: Info, as_of: AsOfArgument = UNSET) -> TierStatus:
        if not as_of:
            return TierStatus.of(self.source, self.rules)
        then, rules = await self._then(info, as_of)
        member = replace(self.source, tier=then.tier, at=then.at)
        return TierStatus.of(member, rules, moment(info.context, as_of))

    @strawberry.field(description="What moved an account, the newest booking first.")
    async def history(
        self,
        info: Info,
        first: First = 20,
        after: After = UNSET,
        point_type: PointTypeArgument = UNSET,
        as_of: AsOfArgument = UNSET,
    ) -> Connection[LedgerEntry]:
        unit = self._unit(point_type)
        wanted = page("history", first, after or None, (int,))
        lines = await info.context.services.views.history(
            info.context.tenant_id,
            self.source.id,
            unit,
            wanted.limit,
            place(wanted),
            moment(info.context, as_of) if as_of else None,
        )
        return wanted.connection(lines, LedgerEntry.of, lambda line: (line.seq,))

    @strawberry.field(description="The member's orders, newest first.")
    async def orders(
        self, info: Info, first: First = 10, after: After = UNSET
    ) -> Connection[Order]:
        wanted = page("orders", 10 if first is None else first, after or None, (int,))
        found = await info.context.services.views.orders_of(
            info.context.tenant_id, self.source.id, wanted.limit, place(wanted)
        )
        return wanted.connection(found, Order.of, lambda order: (order.id,))

    @classmethod
    def of(cls, member: summary.Member, rules: Ruleset) -> "Member":
        consents = member.consents
        return cls(
            id=strawberry.ID(encode_id("Member", member.id)),
            external_id=ExternalId(member.external_id),
            state=MemberState[member.state],
            name=member.name,
            email=member.email,
            locale=member.locale,
            birthday=None if member.birthday is None else date.fromisoformat(member.birthday),
            joined_at=member.joined_at,
            consents=Consents(email=consents.email, sms=consents.sms, profiling=consents.profiling),
            version=BigInt(member.version),
            source=member,
            rules=rules,
        )

    async def _then(self, info: Info, as_of: AsOf) -> tuple[summary.Figures, Ruleset]:
        context = info.context
        return await figures_then(context, self.source.id, moment(context, as_of))

    def _unit(self, point_type: str | None) -> str:
        if not point_type:
            return self.rules.spendable.code
        known = [item.code for item in self.rules.point_types]
        if point_type not in known:
            raise BadInput(
                f"found point type {point_type[:40]!r}, wanted one of {', '.join(known)}",
                field=("pointType",),
            )
        return point_type


def place(wanted: Page) -> int:
    """Where a newest-first list goes on; a cursor that nobody gave may be out of range."""
    return views.LAST if wanted.after is None else min(int(wanted.after[0]), views.LAST)


async def loaded_member(context: Context, member_id: int) -> Member:
    """A member by our own id, as it is now: for payloads, after something was booked."""
    rules = await context.loaders.ruleset()
    member = await context.services.summaries.by_id(context.tenant_id, member_id, rules)
    return Member.of(member, rules)
