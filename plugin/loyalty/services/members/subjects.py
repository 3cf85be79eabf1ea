"""By what the rows of repeatable calls and deliveries are found again when a member is erased."""

import hashlib

from loyalty.services.books.desk import Desk, Needs

NOBODY = 0
"""Subject of a call that concerns no member."""


def subject_of(tenant_id: int, external_id: str) -> int:
    """Digest of a member's external id, for ``idempotency`` and ``inbox``.

    Those rows may be of somebody who is no member yet, so they cannot name a row. Erasing deletes
    the rows with the digest, so it is never left behind. A signed 64-bit number.
    """
    digest = hashlib.sha256(f"{tenant_id}\n{external_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], signed=True)


def subject_of_order(tenant_id: int, external_id: str) -> int:
    """Subject of what is told of an order that is nobody's yet, or not there."""
    return subject_of(tenant_id, f"\x1forder:{external_id}")


def subject_of_command(desk: Desk, needs: Needs) -> int:
    """The subject of what a command leaves behind; NOBODY for one that concerns no member."""
    for name in needs.members:
        member_id = desk.names.get(name)
        if member_id is not None and desk.members[member_id]["state"] == "ERASED":
            return NOBODY
        return subject_of(desk.tenant_id, name)
    loaded = desk.loaded
    found = [loaded.reservations.get(id) for id in needs.reservations]
    found += [loaded.orders.get(name) for name in needs.orders]
    ids = [row["member_id"] for row in found if row is not None]
    for member_id in (*ids, *needs.holders):
        member = desk.members.get(member_id)
        if member is not None and member["kind"] == "MEMBER" and member["state"] != "ERASED":
            return subject_of(desk.tenant_id, member["external_id"])
    for name in needs.orders:
        order = loaded.orders.get(name)
        if order is None or order["member_id"] is None:
            # Whose it is may be known later.
            return subject_of_order(desk.tenant_id, name)
    return NOBODY
