"""What personal offers may still take, at the desk: each its own uses, all of them their budget."""

from loyalty.domain.offers.offers import budget_of_subject
from loyalty.domain.quotas import Quota
from loyalty.domain.quotes.quote_terms import QuotaKind, QuotaUse
from loyalty.errors import QuoteChanged
from loyalty.services.books.desk import Desk, Needs
from loyalty.storage import offers as sql
from loyalty.storage.statements import Unit

USED_UP = "the offer was used up since it was quoted"
"""Without a figure: what is left of a budget is the merchant's to know."""


def load_offers(desk: Desk, needs: Needs) -> Unit[None]:
    """Read the members' own offers that commands name. Whoever has one is locked already."""
    named = [use.coupon_id for use in needs.uses if use.kind is QuotaKind.BUDGET]
    ids = sorted({*needs.offers, *(id for id in named if id is not None)})
    if ids:
        for found in (yield sql.BY_ID(desk.tenant_id, ids)):
            row = dict(zip(sql.OFFER_COLUMNS, found, strict=True))
            desk.loaded.offers[row["id"]] = row


def new_budget(desk: Desk, use: QuotaUse) -> Quota:
    """The counter of what is taken for the first time: of an offer's own uses, or of a budget.

    Raises:
        QuoteChanged: there is no such offer any more.
    """
    if use.coupon_id is None:
        limit = budget_of_subject(desk.ruleset.offers, use.subject)
        made = Quota(desk.ids.next(), use.kind, use.subject, limit, None, 0)
    else:
        offer = desk.loaded.offers.get(use.coupon_id)
        if offer is None:
            raise QuoteChanged("there is no such offer any more")
        is_revoked = "WITHDRAWN" in (offer["state"], offer["plan_state"])
        made = Quota(
            use.coupon_id, use.kind, use.subject, offer["uses_max"], None, 0, is_revoked=is_revoked
        )
    desk.insert("quota", id=made.id, kind=made.kind, subject=made.subject, total_max=made.total_max)
    return made


def check_budget(desk: Desk, quota: Quota, use: QuotaUse) -> None:
    """Raises QuoteChanged unless so much may still be taken.

    A budget is what the ruleset in force says; of an offer that it no longer has, what it was.
    """
    left = quota.left_total
    if use.coupon_id is None:
        limit = budget_of_subject(desk.ruleset.offers, use.subject, quota.total_max)
        left = None if limit is None else limit - quota.used - quota.held
    if left is not None and left < use.quantity:
        raise QuoteChanged(USED_UP)
