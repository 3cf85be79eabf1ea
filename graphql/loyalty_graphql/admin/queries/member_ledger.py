"""A member's ledger as it was booked."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import NotFound
from loyalty.services.proof.member_ledger import LAST, LedgerPage
from loyalty_graphql.admin.types.member_ledger import MemberLedgerTransaction
from loyalty_graphql.context import Info
from loyalty_graphql.pagination import Connection, page
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.types.members import After, First


@strawberry.field(
    description="A member's transactions in the order in which they were booked; null when there "
    "is no such member."
)
async def member_ledger(
    info: Info,
    external_id: Annotated[
        ExternalId, strawberry.argument(description="The shop's own id of the member.")
    ],
    first: First = 20,
    after: After = UNSET,
    account: Annotated[
        str | None,
        strawberry.argument(
            description='Only what moved this account: code of a point type, or "credit:EUR".'
        ),
    ] = UNSET,
    newest_first: Annotated[
        bool, strawberry.argument(description="The latest booking first.")
    ] = False,
) -> Connection[MemberLedgerTransaction] | None:
    context = info.context
    order = "ledger-newest" if newest_first else "ledger"
    wanted = page(order, first, after or None, (int,))
    after_seq = None if wanted.after is None else min(int(wanted.after[0]), LAST)
    which = LedgerPage(wanted.limit, after_seq, newest_first, account or None)
    try:
        lines = await context.services.member_ledger.page(context.tenant_id, external_id, which)
    except NotFound:
        return None
    return wanted.connection(lines, MemberLedgerTransaction.of, lambda line: (line.seq,))
