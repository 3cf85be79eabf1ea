"""Why a candidate was not applied, and what would change that, in sentences."""

from collections.abc import Mapping
from dataclasses import dataclass

from loyalty.domain.money import Money
from loyalty.domain.offers.offer_states import WhyOffered
from loyalty.domain.quotes.quote_terms import CREDIT, Candidate, Outcome
from loyalty.domain.reasons import Gap, NearestChange, Reason
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.wording.figures import Figures
from loyalty.wording.language import Language, Text


@dataclass(frozen=True, slots=True)
class Words:
    """What is said to one reader."""

    language: Language
    figures: Figures

    def reason(
        self, candidate: Candidate, rules: Ruleset, *, with_figures: bool = True
    ) -> str | None:
        """A candidate's reason with the figures of its gap; None without a reason.

        A sentence about the margin has no figure in any language: shoppers read it too.

        Args:
            with_figures: whether the reader may know the gap.
        """
        if candidate.reason is None:
            return None
        texts = self.language.reasons[candidate.reason]
        gap = (candidate.gap if with_figures else None) or Gap()
        if candidate.outcome is Outcome.APPLIED and "applied" in texts:
            capped = candidate.capped_minor if with_figures else 0
            if candidate.reason is Reason.DISCOUNT_CAP and capped:
                return self._said(texts, "applied_money", money=Money(capped, rules.currency))
            return self._said(texts, "applied")
        if candidate.code == CREDIT and not candidate.discount_minor:
            # No amount was asked for, so the gap, one cent at least, is short of nothing.
            return self._said(texts, "none" if "none" in texts else "says")
        if gap.tier is not None and "tier" in texts:
            return self._said(texts, "tier", tier=_tier_name(gap.tier, rules))
        if gap.money_minor is not None and "money" in texts:
            return self._said(texts, "money", money=Money(gap.money_minor, rules.currency))
        if gap.points is not None and "points" in texts:
            return self._said(texts, "points", points=gap.points)
        return self._said(texts, "says")

    def change(self, nearest: NearestChange, currency: str) -> str | None:
        """The nearest change; None for a kind that is not ours."""
        texts = self.language.changes.get(nearest.kind)
        if texts is None:
            return None
        if "money" in texts:
            return self._said(texts, "money", money=Money(nearest.money_minor or 0, currency))
        if "points" in texts:
            return self._said(texts, "points", points=nearest.points or 0)
        return self._said(texts, "says")

    def offered(self, why: WhyOffered, target: str) -> str:
        """Why a member got an offer.

        Args:
            target: what the offer is for, as members read it.
        """
        return self._said(self.language.offered[why], "target", target=target)

    def _said(
        self,
        texts: Mapping[str, Text],
        kind: str,
        *,
        money: Money | None = None,
        points: int | None = None,
        tier: str = "",
        target: str = "",
    ) -> str:
        text = texts[kind]
        if not isinstance(text, str):
            forms = text
            # The words are the language's, so its rule says which form; the region's may differ.
            plural = self.language.locale.plural_form(points or 0)
            text = forms[plural] if plural in forms else forms["other"]
        shown = {
            "money": "" if money is None else self.figures.money(money),
            "points": "" if points is None else self.figures.count(points),
            "tier": tier,
            "target": target,
        }
        # One pass: a tier's name that holds braces is no placeholder.
        return text.format_map(shown)


def _tier_name(code: str, rules: Ruleset) -> str:
    return next((tier.name for tier in rules.tier_policy.tiers if tier.code == code), code)
