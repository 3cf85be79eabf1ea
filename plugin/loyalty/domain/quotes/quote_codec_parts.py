"""A quote's cart, lines, candidates and earnings as JSON-able values and back."""

from datetime import UTC, datetime
from typing import Any

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.earning import Earning
from loyalty.domain.quotes.quote_terms import Candidate, Outcome, Part, QuoteLine
from loyalty.domain.reasons import Gap, NearestChange, Reason


def cart_to_dict(cart: Cart) -> dict[str, Any]:
    made = {
        "id": cart.id,
        "currency": cart.currency,
        "shipping": cart.shipping_minor,
        "lines": [
            {
                "id": line.id,
                "product": line.product,
                "quantity": line.quantity,
                "unit": line.unit_minor,
                "cost": line.cost_minor,
                "category": line.category,
                "department": line.department,
                "brand": line.brand,
            }
            | _some(taxBp=line.tax_bp)
            for line in cart.lines
        ],
    }
    return made | _some(taxAdded=not cart.tax_included, shippingTaxBp=cart.shipping_tax_bp)


def _some(**values: Any) -> dict[str, Any]:
    """Those of the values that say something."""
    return {key: value for key, value in values.items() if value}


def cart_of(value: dict[str, Any]) -> Cart:
    return Cart(
        value["id"],
        value["currency"],
        tuple(
            CartLine(
                line["id"],
                line["product"],
                line["quantity"],
                line["unit"],
                line["cost"],
                line["category"],
                line["department"],
                line["brand"],
                tax_bp=line.get("taxBp", 0),
            )
            for line in value["lines"]
        ),
        value["shipping"],
        not value.get("taxAdded", False),
        value.get("shippingTaxBp", 0),
    )


def line_to_dict(line: QuoteLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "product": line.product,
        "quantity": line.quantity,
        "gross": line.gross_minor,
        "discount": line.discount_minor,
        "net": line.net_minor,
        "tender": line.tender_minor,
        "parts": [[part.code, part.minor] for part in line.parts],
    } | _some(tax=line.tax_minor, credit=line.credit_minor, gift=line.gift_minor)


def line_of(value: dict[str, Any]) -> QuoteLine:
    return QuoteLine(
        value["id"],
        value["product"],
        value["quantity"],
        value["gross"],
        value["discount"],
        value["net"],
        value["tender"],
        tuple(Part(code, minor) for code, minor in value["parts"]),
        value.get("tax", 0),
        value.get("credit", 0),
        value.get("gift", 0),
    )


def candidate_to_dict(candidate: Candidate) -> dict[str, Any]:
    gap, nearest = candidate.gap, candidate.nearest
    return {
        "code": candidate.code,
        "name": candidate.name,
        "kind": candidate.kind,
        "outcome": candidate.outcome.value,
        "reason": candidate.reason and candidate.reason.value,
        "gap": gap and [gap.points, gap.money_minor, gap.tier],
        "nearest": nearest and [nearest.kind, nearest.points, nearest.money_minor],
        "pointType": candidate.point_type,
        "points": candidate.points,
        "discount": candidate.discount_minor,
        "cut": candidate.cut_minor,
    } | _some(
        capped=candidate.capped_minor,
        couponCode=candidate.coupon_code,
        couponId=candidate.coupon_id,
        tier=candidate.tier,
        costShaped=candidate.is_cost_shaped,
        offerId=candidate.offer_id,
    )


def candidate_of(value: dict[str, Any]) -> Candidate:
    reason, gap, nearest = value["reason"], value["gap"], value["nearest"]
    return Candidate(
        value["code"],
        value["name"],
        value["kind"],
        Outcome(value["outcome"]),
        None if reason is None else Reason(reason),
        None if gap is None else Gap(*gap),
        None if nearest is None else NearestChange(*nearest),
        value["pointType"],
        value["points"],
        value["discount"],
        value["cut"],
        value.get("capped", 0),
        value.get("couponCode"),
        value.get("couponId"),
        value.get("tier"),
        value.get("costShaped", False),
        value.get("offerId"),
    )


def earning_to_dict(earning: Earning) -> dict[str, Any]:
    return {
        "pointType": earning.point_type,
        "points": earning.points,
        "byLine": list(earning.by_line),
        "availableAt": text_of(earning.available_at),
        "expiresAt": earning.expires_at and text_of(earning.expires_at),
    }


def earning_of(value: dict[str, Any]) -> Earning:
    expires = value["expiresAt"]
    return Earning(
        value["pointType"],
        value["points"],
        tuple(value["byLine"]),
        instant_of(value["availableAt"]),
        None if expires is None else instant_of(expires),
    )


def text_of(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def instant_of(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"found the time {text!r} without its offset")
    return at.astimezone(UTC)
