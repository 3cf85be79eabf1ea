"""Who changed what."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import NotFound
from loyalty.services.audit import LAST, Wanted
from loyalty_graphql.admin.types.audit import AuditEvent, AuditSubject
from loyalty_graphql.context import Info
from loyalty_graphql.pagination import Connection, page
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.types.members import After, First


@strawberry.input(description="Which acts; what is left out is not asked for.")
class AuditFilter:
    actor: str | None = strawberry.field(description="Only this one's.", default=UNSET)
    action: str | None = strawberry.field(
        description='Only these, such as "memberClose".', default=UNSET
    )
    subject_kind: AuditSubject | None = strawberry.field(
        description="Only on this kind of thing.", default=UNSET
    )
    subject_id: str | None = strawberry.field(
        description="Only on things of this id; with `subjectKind`.", default=UNSET
    )
    member: ExternalId | None = strawberry.field(
        description="Only on this member, by the shop's own id; instead of a subject.",
        default=UNSET,
    )
    since: datetime | None = strawberry.field(description="Only from then on.", default=UNSET)
    until: datetime | None = strawberry.field(description="Only before then.", default=UNSET)


@strawberry.field(description="Who changed what, the newest first.")
async def audit_events(
    info: Info,
    first: First = 20,
    after: After = UNSET,
    filter: Annotated[AuditFilter | None, strawberry.argument(description="Which acts.")] = UNSET,
) -> Connection[AuditEvent]:
    context = info.context
    wanted = page("audit", first, after or None, (int,))
    before = LAST if wanted.after is None else min(int(wanted.after[0]), LAST)
    which = filter or AuditFilter()
    kind, subject = which.subject_kind, which.subject_id or None
    kind_name = kind.name if isinstance(kind, AuditSubject) else None
    if which.member:
        kind_name = AuditSubject.MEMBER.name
        try:
            member = await context.services.summaries.exact(context.tenant_id, which.member)
        except NotFound:
            return wanted.connection([], AuditEvent.of, lambda each: (each.id,))
        subject = str(member.id)
    found = await context.services.audit.events(
        context.tenant_id,
        Wanted(
            which.actor or None, which.action or None, kind_name, subject,
            which.since or None, which.until or None,
        ),
        wanted.limit,
        before,
    )  # fmt: skip
    return wanted.connection(found, AuditEvent.of, lambda each: (each.id,))
