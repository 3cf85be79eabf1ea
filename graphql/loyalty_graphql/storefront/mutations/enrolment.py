"""Enrol a member, edit a profile."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Protocol

import strawberry
from strawberry import UNSET

from loyalty.errors import BadInput, LoyaltyError
from loyalty.services.access import Viewer, ViewerKind
from loyalty.services.checkout.checkout import Done
from loyalty.services.members.members import Profile
from loyalty_graphql.context import Info
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import BigInt, ExternalId, IdempotencyKey
from loyalty_graphql.types.members import Member, loaded_member
from loyalty_graphql.user_errors import UserError, is_replay, user_errors


@strawberry.input(description="What a member agrees to; what is left out stays as it is.")
class ConsentsInput:
    email: bool | None = strawberry.field(description="To be written to by email.", default=UNSET)
    sms: bool | None = strawberry.field(
        description="To be written to by text message.", default=UNSET
    )
    profiling: bool | None = strawberry.field(
        description="To recommendations by what was bought.", default=UNSET
    )


@strawberry.input(description="A new member.")
class MemberEnrolInput:
    idempotency_key: IdempotencyKey = strawberry.field(
        description="A repeat with the same key gets the same answer and has no second effect."
    )
    external_id: ExternalId = strawberry.field(
        description="The shop's own id of the shopper; a shopper enrols itself alone."
    )
    name: str | None = strawberry.field(
        description="What the member is called: at most 200 characters.", default=UNSET
    )
    email: str | None = strawberry.field(description="Email address.", default=UNSET)
    locale: str | None = strawberry.field(
        description='Language and region: "hu-HU".', default=UNSET
    )
    birthday: date | None = strawberry.field(description="Date of birth.", default=UNSET)
    consents: ConsentsInput | None = strawberry.field(
        description="What the member agrees to; nothing by default.", default=UNSET
    )


@strawberry.input(
    description="An edit of a profile: what is left out stays as it is, null takes it away."
)
class MemberUpdateInput:
    external_id: ExternalId | None = strawberry.field(
        description="Whose profile. Shoppers leave it out; services name a member.", default=UNSET
    )
    name: str | None = strawberry.field(
        description="What the member is called: at most 200 characters.", default=UNSET
    )
    email: str | None = strawberry.field(description="Email address.", default=UNSET)
    locale: str | None = strawberry.field(
        description='Language and region: "hu-HU".', default=UNSET
    )
    birthday: date | None = strawberry.field(description="Date of birth.", default=UNSET)
    consents: ConsentsInput | None = strawberry.field(
        description="What changes of what the member agreed to.", default=UNSET
    )
    expected_version: BigInt | None = strawberry.field(
        description="The member's `version` that the edit is based on; refused when it has moved.",
        default=UNSET,
    )


@strawberry.type(description="A member that was enrolled or edited, or why not.")
class MemberPayload:
    member: Member | None = strawberry.field(
        description="The member as it is now; null when it was refused."
    )
    replayed: bool = strawberry.field(description="The key had an outcome before: this is it.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing was done.")

    @classmethod
    async def of(cls, info: Info, done: Done) -> "MemberPayload":
        info.context.refresh()
        member = await loaded_member(info.context, done.outcome["member"])
        return cls(member=member, replayed=done.replayed, user_errors=[])

    @classmethod
    def refused(cls, refusal: LoyaltyError) -> "MemberPayload":
        return cls(member=None, replayed=is_replay(refusal), user_errors=user_errors(refusal))


class ProfileInput(Protocol):
    """The fields that both inputs share."""

    @property
    def name(self) -> str | None: ...
    @property
    def email(self) -> str | None: ...
    @property
    def locale(self) -> str | None: ...
    @property
    def birthday(self) -> date | None: ...
    @property
    def consents(self) -> ConsentsInput | None: ...


@strawberry.mutation(
    description="Make a shopper a member. For shoppers: themselves. For services with the scope "
    "members:write."
)
async def member_enrol(
    info: Info,
    input: Annotated[MemberEnrolInput, strawberry.argument(description="The new member.")],
) -> MemberPayload:
    viewer = permitted(info)
    enrolment = info.context.services.enrolment
    try:
        done = await enrolment.enrol(
            viewer, input.idempotency_key, input.external_id, profile_of(input)
        )
    except LoyaltyError as refusal:
        return MemberPayload.refused(refusal)
    return await MemberPayload.of(info, done)


@strawberry.mutation(
    description="Edit a member's profile and consents. For shoppers: their own. For services with "
    "the scope members:write."
)
async def member_update(
    info: Info,
    input: Annotated[MemberUpdateInput, strawberry.argument(description="The edit.")],
) -> MemberPayload:
    return await updated_member(info, permitted(info), input)


async def updated_member(info: Info, viewer: Viewer, given: MemberUpdateInput) -> MemberPayload:
    """Edit a profile for a caller that may; both schemas do."""
    name = given.external_id or None
    try:
        if name is None and viewer.kind is not ViewerKind.SHOPPER:
            raise BadInput("found no member, wanted one's id", field=("input", "externalId"))
        done = await info.context.services.enrolment.update(
            viewer, name, profile_of(given), _number(given.expected_version)
        )
    except LoyaltyError as refusal:
        return MemberPayload.refused(refusal)
    return await MemberPayload.of(info, done)


def profile_of(given: ProfileInput) -> Profile:
    """The fields that were given, null among them."""
    texts: dict[str, str | None] = {}
    for name in ("name", "email", "locale"):
        text = getattr(given, name)
        if text is not UNSET:
            texts[name] = text
    if given.birthday is not UNSET:
        texts["birthday"] = None if given.birthday is None else given.birthday.isoformat()
    return Profile(texts, _consents(given.consents))


def _consents(given: ConsentsInput | None) -> Mapping[str, bool]:
    if not given:
        return {}
    named = {"email": given.email, "sms": given.sms, "profiling": given.profiling}
    # Consent is given or taken back in so many words; null says neither.
    return {name: choice for name, choice in named.items() if isinstance(choice, bool)}


def _number(value: BigInt | None) -> int | None:
    return None if value is UNSET else value
