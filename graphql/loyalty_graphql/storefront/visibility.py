"""What a caller may see of members and products: the rest answers as what does not exist."""

from loyalty.errors import BadInput
from loyalty.services.access import Viewer, ViewerKind
from loyalty.services.catalogue import Product
from loyalty.services.members.summary import Member
from loyalty_graphql.context import Info


async def visible_member(info: Info, viewer: Viewer, name: str | None) -> Member | None:
    """The member a caller asks for by ``name``; a shopper sees itself, with or without naming it.

    Raises:
        BadInput: a service names nobody.
    """
    own = viewer.member_external_id
    if viewer.kind is ViewerKind.SHOPPER:
        if own is None or name not in (None, own):
            return None
        return await info.context.loaders.members.load(own)
    if name is None:
        raise BadInput("found no externalId, wanted a member's", field=("externalId",))
    return await info.context.loaders.members.load(name)


async def tier_of(info: Info, viewer: Viewer) -> str | None:
    """The tier by which a shopper sees products; None for anybody who is no member."""
    if viewer.kind is not ViewerKind.SHOPPER:
        return None
    member = await visible_member(info, viewer, None)
    return None if member is None else member.tier.current.code


def sees_everything(viewer: Viewer) -> bool:
    """Whether products for certain tiers are shown whatever the tier: to the shop itself."""
    return viewer.kind in (ViewerKind.SERVICE, ViewerKind.MERCHANT)


def is_visible(product: Product, viewer: Viewer, tier: str | None) -> bool:
    """Whether a caller may see a product."""
    return sees_everything(viewer) or product.visible_to(tier)
