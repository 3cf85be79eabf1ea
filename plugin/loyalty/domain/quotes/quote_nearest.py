"""The nearest change: one change of the cart after which a rejected reward applies when pinned.

What is proposed has been tried. A reward that would still be rejected for another reason, such
as points that are short, gets no proposal.
"""

from dataclasses import replace

from loyalty.domain.cart import CartLine
from loyalty.domain.conditions import BrandIs, CategoryIs, DepartmentIs, ProductIs
from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.domain.quotes.quote_candidates import Examination, Examined
from loyalty.domain.quotes.quote_holdings import CouponFacts
from loyalty.domain.reasons import NearestChange, Reason
from loyalty.domain.rulesets.ruleset import Reward

_UNIT_BP = 10_000
_LINES_MISSING = (Reason.NO_MATCHING_LINES, Reason.NOTHING_LEFT_TO_DISCOUNT, Reason.DISCOUNT_CAP)


def nearest(examination: Examination, examined: Examined) -> NearestChange | None:
    """The change after which a rejected reward applies when pinned; None if none is known."""
    reward, unmet = examined.reward, examined.unmet
    if [found.reason for found in unmet] == [Reason.NEEDS_COUPON]:
        return _with_a_code(examination, examined)
    if [found.reason for found in unmet] == [Reason.OFFER_NOT_ACTIVE]:
        return _once_active(examination, examined)
    money = 0
    for found in unmet:
        if found.reason in _LINES_MISSING:
            continue
        change = found.nearest
        if change is None:
            return None
        if change.kind != "ADD_TO_CART" or change.money_minor is None:
            # A change that only the condition's own kind understands cannot be tried.
            return change if len(unmet) == 1 else None
        money = max(money, change.money_minor)
    if unmet[-1].reason is Reason.DISCOUNT_CAP:
        money = max(money, _to_lift_the_cap(examination, examined))
    if money:
        applied = _applied(examination, examined, CartLine("", "", 1, money))
        if applied is not None:
            return NearestChange("ADD_TO_CART", None, money, applied.shaped_by_cost)
    if getattr(reward.does, "on_shipping", False) and not money and examined.entrant.covered:
        return None
    matching = _matching(reward, max(money, _least(reward)))
    applied = None if matching is None else _applied(examination, examined, matching)
    if matching is None or applied is None:
        return None
    return NearestChange("ADD_MATCHING", None, matching.unit_minor, applied.shaped_by_cost)


def _with_a_code(examination: Examination, examined: Examined) -> NearestChange | None:
    coupon = CouponFacts(0, "", examined.reward.code)
    opened = examination.examined(examined.offer, coupon)
    return None if opened.unmet else NearestChange("ADD_CODE", None, None, opened.shaped_by_cost)


def _once_active(examination: Examination, examined: Examined) -> NearestChange | None:
    offer = examined.offer
    assert offer.personal is not None
    active = replace(offer, personal=replace(offer.personal, is_active=True))
    opened = examination.examined(active)
    if opened.unmet:
        return None
    return NearestChange("ACTIVATE_OFFER", None, None, opened.shaped_by_cost)


def _to_lift_the_cap(examination: Examination, examined: Examined) -> int:
    """How much more the lines must come to for the order's cap to let all of it through."""
    cap_bp = examination.ruleset.caps.order_bp_max
    if cap_bp is None:
        return 0
    needed = -(-examined.would_minor * _UNIT_BP // cap_bp)
    return max(needed - examination.facts.cart.gross_minor, 0)


def _applied(examination: Examination, examined: Examined, added: CartLine) -> Examined | None:
    """The reward with one more line in the cart; None when it still does not apply."""
    cart = examination.facts.cart
    if cart.gross_minor + added.unit_minor > AMOUNT_MINOR_MAX:
        return None
    changed = Examination(
        examination.ruleset,
        examination.member,
        replace(cart, lines=(*cart.lines, added)),
        examination.at,
        examination.choice,
        examination.holdings,
    )
    found = changed.examined(examined.offer, examined.coupon)
    return None if found.unmet else found


def _least(reward: Reward) -> int:
    """The least price of which the reward takes off at least one minor unit."""
    rate_bp = reward.does.percent_bp
    return -(-_UNIT_BP // rate_bp) if rate_bp else 1


def _matching(reward: Reward, minor: int) -> CartLine | None:
    """A line of that price that the reward covers; None where its conditions do not tell one."""
    # These kinds are named like the field of the line they look at.
    named = {
        condition.kind: condition.any_of[0]
        for condition in reward.conditions
        if isinstance(condition, ProductIs | CategoryIs | DepartmentIs | BrandIs)
    }
    products = getattr(reward.does, "products", None)
    if products is not None:
        named.setdefault("product", products[0])
    line = CartLine(
        "",
        named.get("product", ""),
        1,
        minor,
        category=named.get("category"),
        department=named.get("department"),
        brand=named.get("brand"),
    )
    covers = all(item.covers(line) for item in reward.conditions)
    return line if covers and (products is None or line.product in products) else None
