"""Who is calling, and what that caller may do."""

from dataclasses import dataclass
from enum import StrEnum

from loyalty.errors import NotAllowed


class ViewerKind(StrEnum):
    """Kinds of caller."""

    ANONYMOUS = "ANONYMOUS"
    SHOPPER = "SHOPPER"
    SERVICE = "SERVICE"
    MERCHANT = "MERCHANT"


class Scope(StrEnum):
    """What a key may do. ``admin`` is the merchant's and includes the rest."""

    CATALOGUE_READ = "catalogue:read"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    CHECKOUT_QUOTE = "checkout:quote"
    CHECKOUT_WRITE = "checkout:write"
    EVENTS_WRITE = "events:write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A verified caller. ``client`` names it for idempotency keys and the audit trail.

    ``client`` does not change when a key is rotated, so that a retry with the new key still
    finds the first outcome.
    """

    tenant_id: int
    kind: ViewerKind
    member_external_id: str | None
    scopes: frozenset[str]
    client: str

    def may(self, scope: Scope) -> bool:
        return self.kind is ViewerKind.MERCHANT or scope in self.scopes

    def require(self, scope: Scope) -> None:
        """Raises NotAllowed unless the caller has the scope."""
        if not self.may(scope):
            raise NotAllowed(f"found a {self.kind.lower()} caller, wanted the scope {scope}")
