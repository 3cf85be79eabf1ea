"""The answer for paying with points."""

from dataclasses import replace

from loyalty.domain.quotes.quote_candidates import Examination
from loyalty.domain.quotes.quote_choice import Selection
from loyalty.domain.quotes.quote_tender import Payment, TenderLimits, points_shares, tender_limits
from loyalty.domain.quotes.quote_terms import TENDER, Candidate, Outcome, PointsMode
from loyalty.domain.reasons import Gap, NearestChange, Reason
from loyalty.domain.rulesets.ruleset import PointsTender


def points_candidate(
    examination: Examination, tender: PointsTender, selection: Selection, *, shaped: bool
) -> Candidate:
    """The candidate "pay with points".

    Args:
        shaped: the margin had a say in which lines they pay.
    """
    choice = examination.choice
    name = examination.ruleset.point_type(tender.point_type).name
    wanted = choice.points.points if choice.points.mode is PointsMode.EXACT else 0
    barred = examination.member_unmet()

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
            tender.point_type, payment.points, payment.minor, cut_minor, is_cost_shaped=shaped,
        )  # fmt: skip

    if barred:
        asked = Payment(wanted, wanted * tender.minor // tender.points)
        return candidate(Outcome.REJECTED, barred[0].reason, asked)
    beside, alone = _limits(examination, tender, selection)
    # The margin has a say in whatever it limits, and the shopper is not to learn how much.
    shaped = shaped or any(_is_limited(limits) for limits in (beside, alone))
    paid = selection.payment
    if paid.points:
        unguarded = replace(beside, margin_minor=None).most().minor
        kept_back = unguarded - paid.minor if choice.points.mode is PointsMode.ALL else 0
        reason = Reason.MARGIN_LIMIT if kept_back else None
        return candidate(Outcome.APPLIED, reason, paid, cut_minor=kept_back)
    possible, is_shaped = _possible(examination, selection, beside, alone)
    if not wanted and not possible.points:
        found = alone.unmet_at_all()
        return candidate(Outcome.REJECTED, found.reason, possible, found.gap)
    use = NearestChange("USE_POINTS", possible.points, None, is_shaped) if possible.points else None
    if choice.points.mode is PointsMode.NONE:
        return candidate(Outcome.REJECTED, Reason.NOT_ASKED_FOR, possible, nearest=use)
    refused = alone.unmet(wanted) if wanted else None
    if refused is not None:
        if refused.reason is Reason.TOO_FEW_POINTS and use is not None:
            use = NearestChange("USE_POINTS", alone.fewest, None, is_shaped)
        asked = Payment(wanted, alone.value(wanted))
        return candidate(Outcome.REJECTED, refused.reason, asked, refused.gap, use)
    asked = Payment(wanted, alone.value(wanted)) if wanted else possible
    better = Reason.ANOTHER_CHOICE_IS_BETTER
    return candidate(Outcome.DOMINATED, better, asked, nearest=NearestChange("PIN"))


def _possible(
    examination: Examination, selection: Selection, beside: TenderLimits, alone: TenderLimits
) -> tuple[Payment, bool]:
    """The most that points could pay beside what was chosen, else all by itself, and whether the
    margin would have a say in which lines they pay.
    """
    basket, most = examination.basket, beside.most()
    if most.points:
        return most, points_shares(basket, selection.left, selection.room, most.minor)[1]
    most = alone.most()
    return most, points_shares(basket, basket.gross, basket.guard.room, most.minor)[1]


def _is_limited(limits: TenderLimits) -> bool:
    return limits.margin_minor is not None and (
        limits.most() != replace(limits, margin_minor=None).most()
    )


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
    reserved = selection.credit_reserved
    return (
        tender_limits(basket, tender, selection.left, selection.room, spent, reserved),
        tender_limits(basket, tender, basket.gross, basket.guard.room, 0),
    )
