"""Coupon uses, stock and budgets at the desk: hold, use, release, restore. All under the quotas'
locks.
"""

from collections.abc import Iterable
from datetime import datetime

from loyalty.domain.books.ledger import instant
from loyalty.domain.quotas import Quota
from loyalty.domain.quotes.quote_terms import QuotaKind, QuotaUse
from loyalty.errors import OutOfStock, QuoteChanged
from loyalty.services.books.desk import Desk, Needs, Row
from loyalty.services.offers.offer_budgets import check_budget, load_offers, new_budget
from loyalty.storage import quotas as sql
from loyalty.storage.statements import Unit


def load_quotas(desk: Desk, needs: Needs) -> Unit[None]:
    """Lock and read the counters that commands want, and those of their reservations."""
    tenant, loaded = desk.tenant_id, desk.loaded
    counted = [id for id, row in loaded.reservations.items() if row["has_uses"]]
    if counted:
        # A hold that ran out of time is free again, whether or not anybody released it.
        for found in (yield sql.USES(tenant, counted)):
            row = dict(zip(sql.USE_COLUMNS, found, strict=True))
            is_live = row["state"] == "HELD" and instant(row["expires_at"]) > desk.now
            row["is_counted"] = is_live
            loaded.quota_uses[row["reservation_id"], row["quota_id"]] = row
    wanted = {quota_id for _, quota_id in loaded.quota_uses}
    wanted |= {use.coupon_id for use in needs.uses if use.coupon_id is not None}
    if needs.coupons:
        for found in (yield sql.COUPONS(tenant, list(needs.coupons))):
            row = dict(zip(sql.COUPON_COLUMNS, found, strict=True))
            loaded.coupons[row["code"]] = row
            wanted.add(row["id"])
    for kind in (QuotaKind.STOCK, QuotaKind.BUDGET):
        shared = [use.subject for use in needs.uses if use.kind is kind and not use.coupon_id]
        if shared:
            wanted |= {row[0] for row in (yield sql.IDS(tenant, kind, shared))}
    yield from load_offers(desk, needs)
    if not wanted:
        return
    ids = sorted(wanted)
    rows = yield sql.LOCK(tenant, ids)
    held: dict[int, int] = {}
    for quota_id, live, over in (yield sql.HELD_BY_CLOCK(tenant, ids, desk.now)):
        held[quota_id] = int(live)
        if over:
            loaded.quota_uses_over[quota_id] = []
    if loaded.quota_uses_over:
        timed_out = yield sql.OVER(tenant, sorted(loaded.quota_uses_over), desk.now)
        for id, quota_id in timed_out:
            loaded.quota_uses_over[quota_id].append(id)
    by_member: dict[int, dict[int, int]] = {}
    for quota_id, member_id, count in (
        yield sql.OF_MEMBERS(tenant, ids, desk.now, sorted(desk.members), 0)
    ):
        by_member.setdefault(quota_id, {})[member_id] = int(count)
    for id, kind, subject, total_max, member_max, used, coupon_state in rows:
        loaded.quotas[kind, subject] = Quota(
            id, kind, subject, total_max, member_max, used, int(held.get(id, 0)),
            by_member.get(id, {}), is_revoked=coupon_state == "REVOKED",
        )  # fmt: skip


def hold_uses(
    desk: Desk,
    uses: Iterable[QuotaUse],
    member_id: int | None,
    reservation_id: int,
    expires_at: datetime,
) -> None:
    """Hold coupon uses and stock for a reservation; one that held them before holds them again.

    Raises:
        QuoteChanged: a coupon was revoked, or used up by others or the member. OutOfStock: the
            stock of a reward is. Nothing is written for a refused command.
    """
    for use in uses:
        quota = _found(desk, use)
        before = desk.loaded.quota_uses.get((reservation_id, quota.id))
        if before is not None and before["is_counted"]:
            quota = quota.moved(before["member_id"], held=-before["quantity"])
        _check(desk, quota, use, member_id)
        values: Row = {
            "quota_id": quota.id,
            "member_id": member_id,
            "reservation_id": reservation_id,
            "quantity": use.quantity,
            "state": "HELD",
            "expires_at": expires_at,
        }
        if before is None:
            id = desk.insert("quota_use", **values)
        else:
            id = before["id"]
            desk.update("quota_use", id, state="HELD", expires_at=expires_at)
        seen = {"id": id, "is_counted": True} | values
        desk.see(desk.loaded.quota_uses, (reservation_id, quota.id), seen)
        _put(desk, quota.moved(member_id, held=use.quantity))
        _end_over(desk, quota.id, id)


def has_all_uses(desk: Desk, reservation_id: int) -> bool:
    """Whether nothing that a reservation held was given to others since."""
    return all(row["state"] != "RELEASED" for row, _ in _of(desk, reservation_id))


def spend_uses(desk: Desk, reservation_id: int) -> None:
    """Turn what a reservation holds into uses.

    Raises:
        QuoteChanged: a coupon was revoked meanwhile.
    """
    for row, quota in _of(desk, reservation_id):
        if row["state"] != "HELD":
            continue
        if quota.is_revoked:
            raise QuoteChanged(f"{_what(quota)} was revoked since it was quoted")
        held = row["quantity"] if row["is_counted"] else 0
        after = quota.moved(row["member_id"], held=-held, used=row["quantity"])
        _put(desk, after)
        desk.update("quota", quota.id, used=after.used)
        _set(desk, row, state="USED")


def release_uses(desk: Desk, reservation_id: int) -> None:
    """Give back what a reservation holds."""
    for row, quota in _of(desk, reservation_id):
        if row["state"] == "HELD":
            if row["is_counted"]:
                _put(desk, quota.moved(row["member_id"], held=-row["quantity"]))
            _set(desk, row, state="RELEASED")


def extend_uses(desk: Desk, reservation_id: int, expires_at: datetime) -> None:
    """Hold for longer."""
    for row, _ in _of(desk, reservation_id):
        if row["state"] == "HELD":
            _set(desk, row, expires_at=expires_at)


def restore_uses(desk: Desk, reservation_id: int, subjects: Iterable[tuple[str, str]]) -> None:
    """Give back uses that a refund undid; what is restored already stays so.

    Args:
        subjects: pairs of quota kind and subject.
    """
    wanted = set(subjects)
    for row, quota in _of(desk, reservation_id):
        if row["state"] == "USED" and (quota.kind, quota.subject) in wanted:
            after = quota.moved(row["member_id"], used=-row["quantity"])
            _put(desk, after)
            desk.update("quota", quota.id, used=after.used)
            _set(desk, row, state="RESTORED")


def _end_over(desk: Desk, quota_id: int, but: int) -> None:
    """Mark what timed out, now that somebody else may have it.

    By another clock, one stepped back or that of another server, it may still look held: its own
    commit must find that it has to be taken again.
    """
    rows = {row["id"]: row for row in desk.loaded.quota_uses.values()}
    for id in desk.loaded.quota_uses_over.get(quota_id, ()):
        row = rows.get(id)
        if id == but:
            continue
        if row is None:
            desk.update("quota_use", id, state="RELEASED")
        elif row["state"] == "HELD" and not row["is_counted"]:
            _set(desk, row, state="RELEASED")
    desk.see(desk.loaded.quota_uses_over, quota_id, [])


def _found(desk: Desk, use: QuotaUse) -> Quota:
    quota = desk.loaded.quotas.get((use.kind, use.subject))
    if quota is not None:
        return quota
    if use.kind is QuotaKind.COUPON:
        raise QuoteChanged(f"there is no coupon {use.subject} any more")
    if use.kind is QuotaKind.BUDGET:
        return _put(desk, new_budget(desk, use))
    # A reward that is counted for each member only has its counter made when it is first taken.
    made = Quota(desk.ids.next(), use.kind, use.subject, None, None, 0)
    if _is_stocked(desk, use.subject):
        raise OutOfStock(f"no stock is set for the reward {use.subject!r}")
    desk.insert("quota", id=made.id, kind=made.kind, subject=made.subject)
    return _put(desk, made)


def _check(desk: Desk, quota: Quota, use: QuotaUse, member_id: int | None) -> None:
    """Raises unless so many may still be taken; says what is wanted and what is left."""
    if quota.is_revoked:
        raise QuoteChanged(f"{_what(quota)} was revoked since it was quoted")
    if use.kind is QuotaKind.BUDGET:
        check_budget(desk, quota, use)
        return
    what, left = _what(quota), quota.left_total
    if left is not None and left < use.quantity:
        text = f"{use.quantity} of {what} wanted, {max(left, 0)} left"
        raise QuoteChanged(text) if use.kind is QuotaKind.COUPON else OutOfStock(text)
    member_max = None if use.kind is QuotaKind.COUPON else _member_max(desk, use.subject)
    own = quota.left_of(member_id, member_max)
    if own is not None and own < use.quantity:
        raise QuoteChanged(f"{use.quantity} of {what} wanted, {max(own, 0)} left for this member")


def _what(quota: Quota) -> str:
    if quota.kind == QuotaKind.BUDGET:
        return "the offer"
    return f"the {'coupon' if quota.kind == QuotaKind.COUPON else 'reward'} {quota.subject}"


def _member_max(desk: Desk, code: str) -> int | None:
    for reward in desk.ruleset.rewards:
        if reward.code == code:
            return reward.uses_per_member_max
    return None


def _is_stocked(desk: Desk, code: str) -> bool:
    return any(reward.code == code and reward.stocked for reward in desk.ruleset.rewards)


def _of(desk: Desk, reservation_id: int) -> list[tuple[Row, Quota]]:
    by_id = {quota.id: quota for quota in desk.loaded.quotas.values()}
    return [
        (row, by_id[quota_id])
        for (reservation, quota_id), row in list(desk.loaded.quota_uses.items())
        if reservation == reservation_id
    ]


def _put(desk: Desk, quota: Quota) -> Quota:
    desk.see(desk.loaded.quotas, (quota.kind, quota.subject), quota)
    return quota


def _set(desk: Desk, row: Row, **values: object) -> None:
    desk.update("quota_use", row["id"], **values)
    key = row["reservation_id"], row["quota_id"]
    # ``is_counted``: whether its quota's ``held`` has it in; by the clock, not by its state.
    after = row | values | {"is_counted": row["is_counted"] and "state" not in values}
    desk.see(desk.loaded.quota_uses, key, after)
