"""What a cart would get, and why: a pure function that moves nothing.

Same input, same ruleset and same state give the same quote and the same hash (law 11).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from loyalty.domain.cart import Cart
from loyalty.domain.earning import Earning, EarningLine, earned
from loyalty.domain.quote_basket import Taken, tender_limits
from loyalty.domain.quote_candidates import Examination, Examined
from loyalty.domain.quote_choice import Selection, chosen
from loyalty.domain.quote_codec import quote_hash
from loyalty.domain.quote_holdings import NO_HOLDINGS, Holdings
from loyalty.domain.quote_input import validated, validated_choice
from loyalty.domain.quote_margin import points_paid, report
from loyalty.domain.quote_tender import Payment, TenderLimits
from loyalty.domain.quote_terms import (
    ALL_POINTS,
    NO_POINTS,
    TENDER,
    Candidate,
    Choice,
    MarginReport,
    MemberFacts,
    Objective,
    Outcome,
    Part,
    PointsMode,
    PointsWanted,
    Quote,
    QuoteLine,
    TenderUsed,
    exactly,
)
from loyalty.domain.reasons import Gap, NearestChange, Reason
from loyalty.domain.ruleset import PointsTender, Ruleset

__all__ = [
    "ALL_POINTS",
    "NO_POINTS",
    "TENDER",
    "Candidate",
    "Choice",
    "MarginReport",
    "MemberFacts",
    "Objective",
    "Outcome",
    "Part",
    "PointsMode",
    "PointsWanted",
    "Quote",
    "QuoteLine",
    "TenderUsed",
    "exactly",
    "quote",
    "validated",
]


def quote(
    ruleset: Ruleset,
    member: MemberFacts | None,
    cart: Cart,
    choice: Choice,
    at: datetime,
    holdings: Holdings = NO_HOLDINGS,
) -> Quote:
    """What the cart gets by the best choice, with a reason for every candidate.

    Args:
        ruleset: the version in force.
        member: None for a guest, who gets nothing.
        cart: as the shop describes it.
        choice: what the shopper decided.
        at: the moment asked about; the quote stands from then for the ruleset's time.
        holdings: coupons, gift cards and credit, and what is left of what members share.

    Raises:
        BadInput: the cart or the choice is not one; says where and what was wanted.
    """
    validated(cart, ruleset)
    choice = validated_choice(choice)
    at = at.astimezone(UTC)
    examination = Examination(ruleset, member, cart, at)
    rewards = examination.rewards()
    selection = chosen(
        examination.basket,
        [item.entrant for item in rewards if not item.unmet and _is_wanted(item, choice)],
        choice,
    )
    paid = points_paid(examination.basket.guard, selection.left, selection.payment.minor)
    lines = _lines(cart, selection, paid)
    candidates = _candidates(examination, rewards, selection, choice)
    limited = any(candidate.reason is Reason.MARGIN_LIMIT for candidate in candidates)
    discount = sum(taken.given for taken in selection.taken)
    subtotal = cart.gross_minor
    total = subtotal - discount + cart.shipping_minor
    tender, payment = ruleset.tender, selection.payment
    unsigned = Quote(
        cart=cart,
        member=None if member is None else member.external_id,
        tier=examination.facts.tier,
        ruleset_code=ruleset.code,
        ruleset_version=ruleset.version,
        choice=choice,
        at=at,
        valid_until=at + timedelta(seconds=ruleset.holds.quote_ttl_s),
        lines=lines,
        candidates=candidates,
        tender=TenderUsed(tender.point_type, *payment) if tender and payment.points else None,
        earnings=_earnings(ruleset, member, cart, lines, payment.minor, at),
        subtotal_minor=subtotal,
        discount_minor=discount,
        shipping_minor=cart.shipping_minor,
        total_minor=total,
        payable_minor=total - payment.minor,
        margin=report(examination.basket.guard, selection.left, paid, limited=limited),
        proven=selection.proven,
    )
    return replace(unsigned, hash=quote_hash(unsigned))


def _is_wanted(item: Examined, choice: Choice) -> bool:
    code = item.reward.code
    if choice.objective is Objective.PINNED and code not in choice.pinned:
        return False
    return code not in choice.excluded


def _lines(cart: Cart, selection: Selection, paid: Sequence[int]) -> tuple[QuoteLine, ...]:
    parts: list[list[Part]] = [[] for _ in cart.lines]
    for taken in selection.taken:
        code = taken.entrant.reward.code
        for position, minor in zip(taken.entrant.covered, taken.parts, strict=True):
            if minor:
                parts[position].append(Part(code, minor))
    return tuple(
        QuoteLine(
            line.id,
            line.product,
            line.quantity,
            line.gross_minor,
            line.gross_minor - net,
            net,
            tender,
            tuple(own),
        )
        for line, net, tender, own in zip(cart.lines, selection.left, paid, parts, strict=True)
    )


def _earnings(
    ruleset: Ruleset,
    member: MemberFacts | None,
    cart: Cart,
    lines: Sequence[QuoteLine],
    points_used_minor: int,
    at: datetime,
) -> tuple[Earning, ...]:
    if member is None or not member.is_active:
        return ()
    return earned(
        ruleset,
        member.tier,
        [EarningLine(line, found.net_minor) for line, found in zip(cart.lines, lines, strict=True)],
        shipping_minor=cart.shipping_minor,
        points_used_minor=points_used_minor,
        at=at,
    )


def _candidates(
    examination: Examination, rewards: Sequence[Examined], selection: Selection, choice: Choice
) -> tuple[Candidate, ...]:
    """Every reward in the order in which they apply, the tender, and what is pinned in vain."""
    applied = {taken.entrant.reward.code: taken for taken in selection.taken}
    groups = {taken.entrant.reward.exclusive_group for taken in selection.taken} - {None}
    found = [_reward_candidate(examination, item, applied, groups, choice) for item in rewards]
    tender = examination.ruleset.tender
    if tender is not None:
        found.append(_tender_candidate(examination, tender, selection, choice))
    known = {candidate.code for candidate in found}
    found += [
        Candidate(
            code, code, "unknown", Outcome.REJECTED, Reason.NO_SUCH_REWARD, None, None, None, 0, 0
        )
        for code in choice.pinned
        if code not in known
    ]
    return tuple(found)


def _reward_candidate(
    examination: Examination,
    item: Examined,
    applied: Mapping[str, Taken],
    groups: set[str | None],
    choice: Choice,
) -> Candidate:
    reward = item.reward
    taken = applied.get(reward.code) or item.alone
    outcome, reason, gap, nearest = Outcome.REJECTED, None, None, None
    is_excluded = reward.code in choice.excluded
    if reward.code in applied:
        outcome = Outcome.APPLIED
        reason = Reason.MARGIN_LIMIT if taken is not None and taken.cut else None
    elif item.unmet:
        reason, gap = item.unmet[0].reason, item.unmet[0].gap
        # Two changes would be needed, and a nearest change is one.
        nearest = None if is_excluded else examination.nearest(item)
    elif is_excluded:
        reason, nearest = Reason.EXCLUDED_BY_SHOPPER, NearestChange("ALLOW")
    elif not _is_wanted(item, choice):
        reason, nearest = Reason.NOT_PINNED, NearestChange("PIN")
    else:
        outcome, nearest = Outcome.DOMINATED, NearestChange("PIN")
        reason = (
            Reason.EXCLUSIVE_WITH_ANOTHER
            if reward.exclusive_group in groups
            else Reason.ANOTHER_CHOICE_IS_BETTER
        )
    return Candidate(
        code=reward.code,
        name=reward.name,
        kind=reward.does.kind,
        outcome=outcome,
        reason=reason,
        gap=gap,
        nearest=nearest,
        point_type=reward.point_type,
        points=reward.points,
        discount_minor=item.would_minor if taken is None else taken.given,
        cut_minor=0 if taken is None else taken.cut,
    )


def _tender_candidate(
    examination: Examination, tender: PointsTender, selection: Selection, choice: Choice
) -> Candidate:
    name = examination.ruleset.point_type(tender.point_type).name

    def candidate(
        outcome: Outcome,
        reason: Reason | None,
        payment: Payment,
        gap: Gap | None = None,
        nearest: NearestChange | None = None,
        cut_minor: int = 0,
    ) -> Candidate:
        return Candidate(
            TENDER, name, "points_tender", outcome, reason, gap, nearest,
            tender.point_type, payment.points, payment.minor, cut_minor,
        )  # fmt: skip

    wanted = choice.points.points if choice.points.mode is PointsMode.EXACT else 0
    barred = examination.member_unmet()
    if barred:
        asked = Payment(wanted, wanted * tender.minor // tender.points)
        return candidate(Outcome.REJECTED, barred[0].reason, asked)
    beside, alone = _limits(examination, tender, selection)
    paid = selection.payment
    if paid.points:
        unguarded = replace(beside, margin_minor=None).most().minor
        kept_back = unguarded - paid.minor if choice.points.mode is PointsMode.ALL else 0
        reason = Reason.MARGIN_LIMIT if kept_back else None
        return candidate(Outcome.APPLIED, reason, paid, cut_minor=kept_back)
    possible = beside.most() if beside.most().points else alone.most()
    if not wanted and not possible.points:
        found = alone.unmet_at_all()
        return candidate(Outcome.REJECTED, found.reason, possible, found.gap)
    use = NearestChange("USE_POINTS", points=possible.points) if possible.points else None
    if choice.points.mode is PointsMode.NONE:
        return candidate(Outcome.REJECTED, Reason.NOT_ASKED_FOR, possible, nearest=use)
    refused = alone.unmet(wanted) if wanted else None
    if refused is not None:
        if refused.reason is Reason.TOO_FEW_POINTS and use is not None:
            use = NearestChange("USE_POINTS", points=alone.fewest)
        asked = Payment(wanted, alone.value(wanted))
        return candidate(Outcome.REJECTED, refused.reason, asked, refused.gap, use)
    asked = Payment(wanted, alone.value(wanted)) if wanted else possible
    better = Reason.ANOTHER_CHOICE_IS_BETTER
    return candidate(Outcome.DOMINATED, better, asked, nearest=NearestChange("PIN"))


def _limits(
    examination: Examination, tender: PointsTender, selection: Selection
) -> tuple[TenderLimits, TenderLimits]:
    """What bounds paying with points beside what was chosen, and all by itself."""
    basket = examination.basket
    spent = sum(
        taken.entrant.reward.points
        for taken in selection.taken
        if taken.entrant.reward.point_type == tender.point_type
    )
    return (
        tender_limits(basket, tender, selection.left, selection.room, spent),
        tender_limits(basket, tender, examination.gross, basket.guard.room, 0),
    )
