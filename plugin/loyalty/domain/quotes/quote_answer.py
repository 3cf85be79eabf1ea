"""The answer for every reward, benefit and code: applied, rejected or dominated, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from loyalty.domain.quotes.quote_basket import Taken
from loyalty.domain.quotes.quote_candidates import Examination, Examined
from loyalty.domain.quotes.quote_choice import Selection
from loyalty.domain.quotes.quote_holdings import CouponFacts
from loyalty.domain.quotes.quote_nearest import nearest
from loyalty.domain.quotes.quote_terms import Candidate, Outcome
from loyalty.domain.reasons import Gap, NearestChange, Reason

_PIN = NearestChange("PIN")


@dataclass(frozen=True, slots=True)
class _Verdict:
    outcome: Outcome
    reason: Reason | None
    gap: Gap | None = None
    nearest: NearestChange | None = None


def reward_candidates(
    examination: Examination, items: Sequence[Examined], selection: Selection
) -> list[Candidate]:
    """Every reward and benefit in the order in which they apply, each with its codes."""
    applied = {taken.entrant.reward.code: taken for taken in selection.taken}
    groups = {taken.entrant.reward.exclusive_group for taken in selection.taken} - {None}
    found: list[Candidate] = []
    for item in items:
        taken = applied.get(item.reward.code)
        if taken is not None and taken.entrant.coupon != item.coupon:
            taken = None
        verdict = _verdict(examination, item, taken, groups)
        found.append(_candidate(item, taken, verdict, item.coupon))
        found += _spares(item, taken, verdict)
    return found


def code_candidates(examination: Examination) -> Iterator[Candidate]:
    """Codes that open nothing: nobody knows them, or their reward is no longer there."""
    holdings = examination.holdings
    rewards = {x.code for x in examination.ruleset.rewards if not x.needs_offer}
    known = {coupon.code for coupon in holdings.coupons}
    unknown = [*examination.choice.codes, *holdings.unknown_codes]
    for code in dict.fromkeys(code for code in unknown if code not in known):
        yield _unknown(code, Reason.NO_SUCH_CODE, code)
    for coupon in holdings.coupons:
        if coupon.reward not in rewards:
            gone = _unknown(coupon.reward, Reason.NO_SUCH_REWARD, coupon.code)
            yield replace(gone, coupon_id=coupon.coupon_id)


def pinned_in_vain(examination: Examination, found: Sequence[Candidate]) -> Iterator[Candidate]:
    """What is pinned and is no candidate at all."""
    known = {candidate.code for candidate in found}
    known |= {candidate.wish for candidate in found}
    for code in examination.choice.pinned:
        if code not in known:
            yield _unknown(code, Reason.NO_SUCH_REWARD, None)


def _unknown(code: str, reason: Reason, coupon_code: str | None) -> Candidate:
    return Candidate(
        code, code, "unknown", Outcome.REJECTED, reason, None, None, None, 0, 0,
        coupon_code=coupon_code,
    )  # fmt: skip


def _verdict(
    examination: Examination,
    item: Examined,
    taken: Taken | None,
    groups: set[str | None],
) -> _Verdict:
    if taken is not None:
        if taken.cut:
            return _Verdict(Outcome.APPLIED, Reason.MARGIN_LIMIT)
        return _Verdict(Outcome.APPLIED, Reason.DISCOUNT_CAP if taken.capped else None)
    is_excluded = examination.is_excluded(item)
    if item.unmet:
        # Two changes would be needed, and a nearest change is one.
        change = None if is_excluded else nearest(examination, item)
        return _Verdict(Outcome.REJECTED, item.unmet[0].reason, item.unmet[0].gap, change)
    if is_excluded:
        return _Verdict(
            Outcome.REJECTED, Reason.EXCLUDED_BY_SHOPPER, nearest=NearestChange("ALLOW")
        )
    if not examination.is_wanted(item):
        return _Verdict(Outcome.REJECTED, Reason.NOT_PINNED, nearest=_PIN)
    if item.reward.exclusive_group in groups:
        return _Verdict(Outcome.DOMINATED, Reason.EXCLUSIVE_WITH_ANOTHER, nearest=_PIN)
    return _Verdict(Outcome.DOMINATED, Reason.ANOTHER_CHOICE_IS_BETTER, nearest=_PIN)


def _spares(item: Examined, taken: Taken | None, verdict: _Verdict) -> Iterator[Candidate]:
    """Further codes for one reward: of them at most one is used."""
    if taken is not None:
        verdict = _Verdict(Outcome.DOMINATED, Reason.EXCLUSIVE_WITH_ANOTHER, nearest=_PIN)
    for coupon in item.spares:
        yield _candidate(item, None, verdict, coupon)


def _candidate(
    item: Examined, taken: Taken | None, verdict: _Verdict, coupon: CouponFacts | None
) -> Candidate:
    reward = item.reward
    seen = taken or item.alone
    return Candidate(
        code=reward.code,
        name=reward.name,
        kind=reward.does.kind,
        outcome=verdict.outcome,
        reason=verdict.reason,
        gap=verdict.gap,
        nearest=verdict.nearest,
        point_type=reward.point_type,
        points=reward.points,
        discount_minor=item.would_minor if seen is None else seen.given,
        cut_minor=0 if seen is None else seen.cut,
        capped_minor=0 if seen is None else seen.capped,
        coupon_code=None if coupon is None else coupon.code,
        coupon_id=None if coupon is None else coupon.coupon_id,
        tier=item.offer.tier,
        offer_id=None if item.offer.personal is None else item.offer.personal.offer_id,
        is_cost_shaped=item.shaped_by_cost if seen is None else seen.shaped or item.shaped_by_cost,
    )
