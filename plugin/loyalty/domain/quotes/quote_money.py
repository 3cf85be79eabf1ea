"""Paying with gift cards and credit, once rewards and points are chosen."""

from dataclasses import dataclass

from loyalty.domain.quotes.quote_candidates import Examination
from loyalty.domain.quotes.quote_choice import Selection
from loyalty.domain.quotes.quote_holdings import GiftCardFacts
from loyalty.domain.quotes.quote_terms import (
    CREDIT,
    GIFT_CARD,
    Candidate,
    CreditMode,
    GiftUsed,
    Outcome,
)
from loyalty.domain.reasons import Gap, NearestChange, Reason

_UNIT_BP = 10_000


@dataclass(frozen=True, slots=True)
class MoneyTender:
    """What gift cards and credit pay, and a candidate for each of them."""

    gifts: tuple[GiftUsed, ...]
    credit_minor: int
    candidates: tuple[Candidate, ...]

    @property
    def gift_minor(self) -> int:
        return sum(gift.minor for gift in self.gifts)


def money_tender(examination: Examination, selection: Selection) -> MoneyTender:
    """Gift cards pay what points left, in their sequence; credit pays what they left.

    What an exact wish for credit sets aside is left to it.
    """
    total = examination.basket.total(selection.left)
    rest = total - selection.payment.minor
    open_minor = rest - selection.credit_reserved
    gifts: list[GiftUsed] = []
    candidates: list[Candidate] = []
    seen: set[int] = set()
    for place, card in enumerate(examination.holdings.gift_cards, 1):
        if card.holder_id in seen:
            continue
        seen.add(card.holder_id)
        reason = _card_reason(examination, card)
        used = 0
        if reason is None:
            used = min(card.available_minor, open_minor)
            reason = None if used else Reason.NOTHING_LEFT_TO_PAY
        if used:
            gifts.append(GiftUsed(card.holder_id, card.label, used))
            open_minor -= used
        outcome = Outcome.APPLIED if used else Outcome.REJECTED
        code = f"{GIFT_CARD}:{place}"
        candidates.append(
            Candidate(code, card.label, "gift_card", outcome, reason, None, None, None, 0, used)
        )
    rest -= sum(gift.minor for gift in gifts)
    credit = _credit(examination, selection, total, rest)
    paid = credit.discount_minor if credit and credit.outcome is Outcome.APPLIED else 0
    return MoneyTender(tuple(gifts), paid, (*candidates, *([credit] if credit else [])))


def _card_reason(examination: Examination, card: GiftCardFacts) -> Reason | None:
    """Why a gift card cannot pay at all."""
    if card.is_blocked:
        return Reason.GIFT_CARD_BLOCKED
    if card.expires_at is not None and card.expires_at <= examination.at:
        return Reason.GIFT_CARD_EXPIRED
    if card.currency != examination.facts.cart.currency or card.available_minor < 1:
        return Reason.GIFT_CARD_EMPTY
    return None


def _credit(
    examination: Examination, selection: Selection, total_minor: int, rest_minor: int
) -> Candidate | None:
    """The candidate "pay with credit"; None where there is none and nobody asked for it."""
    wanted, policy = examination.choice.credit, examination.ruleset.credit
    if wanted.mode is CreditMode.NONE and (policy is None or not policy.enabled):
        return None
    basket = examination.basket
    asked = wanted.minor if wanted.mode is CreditMode.EXACT else 0
    barred = examination.member_unmet()
    if barred:
        return _made(Outcome.REJECTED, barred[0].reason, asked)
    available = basket.credit_minor
    share = total_minor * basket.credit_share_bp // _UNIT_BP
    most = min(available, share, rest_minor)
    use = NearestChange("USE_CREDIT", money_minor=most) if most else None
    if asked and selection.credit_reserved:
        return _made(Outcome.APPLIED, None, asked)
    if asked > available:
        gap = Gap(money_minor=asked - available)
        return _made(Outcome.REJECTED, Reason.INSUFFICIENT_CREDIT, asked, gap, use)
    if not asked and not most:
        return _none_at_all(available, rest_minor)
    if wanted.mode is CreditMode.NONE:
        return _made(Outcome.REJECTED, Reason.NOT_ASKED_FOR, most, None, use)
    if wanted.mode is CreditMode.ALL:
        return _made(Outcome.APPLIED, None, most)
    # Before any discount the order can take most.
    alone = basket.total(basket.gross) * basket.credit_share_bp // _UNIT_BP
    if asked > alone:
        gap = Gap(money_minor=asked - alone)
        return _made(Outcome.REJECTED, Reason.TENDER_LIMIT, asked, gap, use)
    pin = NearestChange("PIN")
    return _made(Outcome.DOMINATED, Reason.ANOTHER_CHOICE_IS_BETTER, asked, None, pin)


def _none_at_all(available: int, rest_minor: int) -> Candidate:
    if available < 1:
        gap = Gap(money_minor=1)
        return _made(Outcome.REJECTED, Reason.INSUFFICIENT_CREDIT, 0, gap)
    if rest_minor < 1:
        return _made(Outcome.REJECTED, Reason.NOTHING_LEFT_TO_PAY, 0)
    return _made(Outcome.REJECTED, Reason.TENDER_LIMIT, 0, Gap(money_minor=1))


def _made(
    outcome: Outcome,
    reason: Reason | None,
    minor: int,
    gap: Gap | None = None,
    nearest: NearestChange | None = None,
) -> Candidate:
    return Candidate(CREDIT, "Credit", "credit", outcome, reason, gap, nearest, None, 0, minor)
