"""Who may ask for what: one table for the storefront schema.

The admin schema needs none: its contexts are made for merchants alone (``context.py``).
A rule says who may ask at all. Whose data the answer holds is narrower: a shopper sees itself, and
another's is answered as what does not exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from loyalty.errors import NotAllowed
from loyalty.services.access import Scope, Viewer, ViewerKind
from loyalty_graphql.context import Info


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may ask for a field. A merchant may ask for every one.

    ``scopes``: a service needs one of them; None: any service.
    """

    anonymous: bool = False
    shopper: bool = False
    scopes: tuple[Scope, ...] | None = None

    def admits(self, viewer: Viewer) -> bool:
        if viewer.kind is ViewerKind.ANONYMOUS:
            return self.anonymous
        if viewer.kind is ViewerKind.SHOPPER:
            return self.shopper
        return self.scopes is None or any(viewer.may(scope) for scope in self.scopes)

    def wanted(self) -> str:
        """Who is admitted, for a refusal."""
        kinds = ["a shopper"] if self.shopper else []
        if self.scopes:
            kinds.append(f"a service with the scope {' or '.join(self.scopes)}")
        return " or ".join(kinds)


_ANYBODY = Rule(anonymous=True, shopper=True)
_CATALOGUE = Rule(anonymous=True, shopper=True, scopes=(Scope.CATALOGUE_READ,))
_READ_MEMBER = Rule(shopper=True, scopes=(Scope.MEMBERS_READ,))
_WRITE_MEMBER = Rule(shopper=True, scopes=(Scope.MEMBERS_WRITE,))
_CHECKOUT = Rule(scopes=(Scope.CHECKOUT_WRITE,))

RULES: Mapping[str, Rule] = {
    "Query.program": _ANYBODY,
    "Query.viewer": _ANYBODY,
    "Query.member": _READ_MEMBER,
    "Query.product": _CATALOGUE,
    "Query.products": _CATALOGUE,
    "Query.recommendations": _CATALOGUE,
    "Query.offers": _READ_MEMBER,
    "Query.rankProducts": _CATALOGUE,
    "Query.checkoutQuote": Rule(shopper=True, scopes=(Scope.CHECKOUT_QUOTE,)),
    "Query.reservation": _CHECKOUT,
    "Query.order": Rule(shopper=True, scopes=(Scope.MEMBERS_READ, Scope.CHECKOUT_WRITE)),
    "Query.orderRefundPreview": _CHECKOUT,
    "Mutation.recommendationEvents": Rule(
        anonymous=True, shopper=True, scopes=(Scope.CATALOGUE_READ, Scope.EVENTS_WRITE)
    ),
    "Mutation.productViews": Rule(
        anonymous=True, shopper=True, scopes=(Scope.CATALOGUE_READ, Scope.EVENTS_WRITE)
    ),
    "Mutation.memberEnrol": _WRITE_MEMBER,
    "Mutation.memberUpdate": _WRITE_MEMBER,
    "Mutation.memberMerge": Rule(scopes=(Scope.MEMBERS_WRITE,)),
    "Mutation.memberUnmerge": Rule(scopes=(Scope.MEMBERS_WRITE,)),
    "Mutation.offerActivate": _WRITE_MEMBER,
    "Mutation.checkoutReserve": _CHECKOUT,
    "Mutation.checkoutExtend": _CHECKOUT,
    "Mutation.checkoutCommit": _CHECKOUT,
    "Mutation.checkoutRelease": _CHECKOUT,
    "Mutation.orderRefund": _CHECKOUT,
    "Mutation.orderCancel": _CHECKOUT,
    "Mutation.orderEdit": _CHECKOUT,
    "Subscription.memberChanged": _READ_MEMBER,
}
"""Every field at the top of the storefront schema."""


def permitted(info: Info) -> Viewer:
    """The caller, once it may ask for the field being resolved.

    Raises:
        NotAllowed: it may not, whatever it asks for.
    """
    viewer = info.context.viewer
    raw = info._raw_info
    rule = RULES[f"{raw.parent_type.name}.{raw.field_name}"]
    if not rule.admits(viewer):
        raise NotAllowed(f"found {described(viewer)}, wanted {rule.wanted()}")
    return viewer


def described(viewer: Viewer) -> str:
    """A caller in words, without its name."""
    if viewer.kind is ViewerKind.SERVICE:
        return f"a service with the scopes {', '.join(sorted(viewer.scopes)) or 'none'}"
    return {
        ViewerKind.ANONYMOUS: "an anonymous caller",
        ViewerKind.SHOPPER: "a shopper",
        ViewerKind.MERCHANT: "a merchant",
    }[viewer.kind]
