"""A quote as JSON-able values and back, exactly, and the hash over them.

The dictionary form is what is signed, stored and hashed, so its keys are a format: a change
raises ``FORMAT``. What is zero or empty in most quotes is left out of it.
"""

import json
from hashlib import sha256
from typing import Any

from loyalty.domain.quotes.quote_codec_parts import (
    candidate_of,
    candidate_to_dict,
    cart_of,
    cart_to_dict,
    earning_of,
    earning_to_dict,
    instant_of,
    line_of,
    line_to_dict,
    text_of,
)
from loyalty.domain.quotes.quote_terms import (
    Choice,
    CreditMode,
    CreditUsed,
    CreditWanted,
    GiftUsed,
    MarginReport,
    Objective,
    Outcome,
    PointsMode,
    PointsWanted,
    QuotaKind,
    QuotaUse,
    Quote,
    QuoteLine,
    TenderUsed,
)
from loyalty.errors import BadInput

FORMAT = 2

READABLE = (1, 2)
"""Format 1 knows no tax, codes, credit, gift cards nor caps; reservations made by it are read."""

_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, check_circular=False
)


def quote_hash(quote: Quote) -> str:
    """Lower-case hex sha256 over the canonical JSON of the quote without its hash.

    Canonical: keys sorted, no spaces, everything outside ASCII escaped.
    """
    return sha256(canonical(_without_hash(quote))).hexdigest()


def canonical(value: dict[str, Any]) -> bytes:
    return _ENCODER.encode(value).encode()


def to_dict(quote: Quote) -> dict[str, Any]:
    """The quote as JSON-able values; ``from_dict`` reads it back."""
    return _without_hash(quote) | {"hash": quote.hash}


def from_dict(value: dict[str, Any]) -> Quote:
    """The quote that ``to_dict`` was given.

    Raises:
        BadInput: another format, or not a quote at all. Whether it is the quote we gave is
            for its signature to say.
    """
    return _read(value, is_whole=True)


def promised_from_dict(value: dict[str, Any]) -> Quote:
    """The quote that ``to_dict`` was given, without the candidates that it did not apply.

    They explain a quote and promise nothing, and are most of it, so to book it they are not read.

    Raises:
        BadInput: see ``from_dict``.
    """
    return _read(value, is_whole=False)


def _read(value: dict[str, Any], *, is_whole: bool) -> Quote:
    found = value.get("format") if isinstance(value, dict) else None
    if found not in READABLE:
        raise BadInput(f"found a quote of format {str(found)[:20]!r}, wanted {FORMAT}")
    try:
        return _quote(value, is_whole)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"found a quote that cannot be read ({error!r:.100})") from None


def _without_hash(quote: Quote) -> dict[str, Any]:
    tender, margin = quote.tender, quote.margin
    return {
        "format": FORMAT,
        "cart": cart_to_dict(quote.cart),
        "member": quote.member,
        "tier": quote.tier,
        "ruleset": [quote.ruleset_code, quote.ruleset_version],
        "choice": {
            "points": [quote.choice.points.mode.value, quote.choice.points.points],
            "pinned": list(quote.choice.pinned),
            "excluded": list(quote.choice.excluded),
            "objective": quote.choice.objective.value,
            "codes": list(quote.choice.codes),
            "credit": [quote.choice.credit.mode.value, quote.choice.credit.minor],
        },
        "at": text_of(quote.at),
        "validUntil": text_of(quote.valid_until),
        "lines": [line_to_dict(line) for line in quote.lines],
        "candidates": [candidate_to_dict(candidate) for candidate in quote.candidates],
        "tender": tender and [tender.point_type, tender.points, tender.value_minor],
        "earnings": [earning_to_dict(earning) for earning in quote.earnings],
        "subtotal": quote.subtotal_minor,
        "discount": quote.discount_minor,
        "shipping": quote.shipping_minor,
        "total": quote.total_minor,
        "payable": quote.payable_minor,
        "margin": margin
        and [
            margin.limited,
            margin.floor_bp,
            margin.actual_bp,
            margin.unknown_cost,
            margin.line_floor_bp,
        ],
        "proven": quote.proven,
        "gap": quote.gap_minor,
        "tax": quote.tax_minor,
        "shippingLine": line_to_dict(quote.shipping_line),
        "uses": [[use.kind.value, use.subject, use.coupon_id, use.quantity] for use in quote.uses],
        "credit": quote.credit and quote.credit.minor,
        "giftCards": [[gift.holder_id, gift.label, gift.minor] for gift in quote.gift_cards],
    }


def _quote(value: dict[str, Any], is_whole: bool) -> Quote:
    choice, tender, margin = value["choice"], value["tender"], value["margin"]
    mode, points = choice["points"]
    credit_mode, credit_minor = choice.get("credit", ("NONE", 0))
    code, version = value["ruleset"]
    credit = value.get("credit")
    return Quote(
        cart=cart_of(value["cart"]),
        member=value["member"],
        tier=value["tier"],
        ruleset_code=code,
        ruleset_version=version,
        choice=Choice(
            PointsWanted(PointsMode(mode), points),
            tuple(choice["pinned"]),
            tuple(choice["excluded"]),
            Objective(choice["objective"]),
            tuple(choice.get("codes", ())),
            CreditWanted(CreditMode(credit_mode), credit_minor),
        ),
        at=instant_of(value["at"]),
        valid_until=instant_of(value["validUntil"]),
        lines=tuple(line_of(line) for line in value["lines"]),
        candidates=tuple(
            candidate_of(candidate)
            for candidate in value["candidates"]
            if is_whole or candidate["outcome"] == Outcome.APPLIED
        ),
        tender=None if tender is None else TenderUsed(*tender),
        earnings=tuple(earning_of(earning) for earning in value["earnings"]),
        subtotal_minor=value["subtotal"],
        discount_minor=value["discount"],
        shipping_minor=value["shipping"],
        total_minor=value["total"],
        payable_minor=value["payable"],
        margin=None if margin is None else MarginReport(*margin),
        proven=value["proven"],
        hash=value["hash"],
        shipping_line=_shipping(value),
        uses=tuple(
            QuotaUse(QuotaKind(kind), subject, coupon_id, quantity)
            for kind, subject, coupon_id, quantity in value.get("uses", ())
        ),
        credit=None if credit is None else CreditUsed(credit),
        gift_cards=tuple(GiftUsed(*gift) for gift in value.get("giftCards", ())),
        tax_minor=value.get("tax", 0),
        gap_minor=value.get("gap", 0),
    )


def _shipping(value: dict[str, Any]) -> QuoteLine:
    if "shippingLine" in value:
        return line_of(value["shippingLine"])
    # Of format 1: points paid shipping with what the lines did not take.
    shipping = value["shipping"]
    paid = value["tender"][2] if value["tender"] else 0
    on_lines = sum(line["tender"] for line in value["lines"])
    return QuoteLine("", "", 1, shipping, 0, shipping, paid - on_lines, ())
