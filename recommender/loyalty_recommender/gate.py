"""New settings replace those in service only if they are not worse.

Both are fitted on what was bought before the latest four weeks and asked what a part of the
members bought in these. The new ones pass if, in every window, the 95 % interval of the difference
of nDCG@10 on the same questions (paired bootstrap over members) lies above minus a margin. Then
they, else the old ones, are fitted on everything.

A claim that something is not worse needs a margin and enough questions; without a significant
difference alone, few questions would let anything pass.

Source: Piaggio et al., "Reporting of Noninferiority and Equivalence Randomized Trials", JAMA
308(24), 2012.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from loyalty_recommender import artifact
from loyalty_recommender.card import Card
from loyalty_recommender.errors import ArtifactError, BadSettings, NoModel, OlderFormat
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.judging import Gate, Judged, judge, measure_alone
from loyalty_recommender.offers import part as offers
from loyalty_recommender.stating import stated
from loyalty_recommender.training import SHARES, Report, Settings, learn

FINAL_SHARE = 0.4
"""Of the time, where settings are measured before: what the last fit and the writing take."""


class Verdict(StrEnum):
    """Why a model has the settings that it has."""

    FIRST = "FIRST"
    """There was no model to compare with."""
    SAME = "SAME"
    """They are those that were in service."""
    PASSED = "PASSED"
    """They are new, and not worse."""
    REFUSED = "REFUSED"
    """They are the old ones: the new ones may be worse by more than the margin."""
    TOO_LITTLE = "TOO_LITTLE"
    """They are the old ones: too few members bought enough to judge new ones by."""
    NOT_ASKED = "NOT_ASKED"
    """The gate was left open on purpose."""


@dataclass(frozen=True, slots=True)
class InService:
    """What is known of the settings in service."""

    card: Card
    settings: Settings
    own: bool
    """Whether the shop stated them itself; others follow this version's defaults."""


def in_service(root: Path) -> InService | None:
    """The settings in service; None without a model, or with one of an older format.

    Raises:
        BrokenArtifact: the card is not what was published.
        BadSettings: it states settings that this version does not know, or not all.
    """
    try:
        folder = artifact.folder_of(root)
        card = artifact.read_card(folder)
    except (NoModel, OlderFormat):
        return None
    try:
        settings = stated(card.settings, whole=True)
    except BadSettings as error:
        raise BadSettings(
            f"the settings of model {card.model_id} cannot be read, so that no others can be "
            f"compared with them: {error}"
        ) from error
    return InService(card, settings, bool(card.gate.get("ownSettings", False)))


@dataclass(frozen=True, slots=True)
class _Choice:
    """With what to train, and what the card says of it."""

    settings: Settings
    verdict: Verdict
    own: bool
    metrics: Mapping[str, Any]
    told: Mapping[str, Any]


def train_gated(
    interactions: Interactions,
    settings: Settings | None,
    out_dir: Path,
    progress: Report,
    *,
    trained_at: datetime,
    gate: Gate | None,
    left_out: Mapping[str, int] | None = None,
    keep: int = 3,
) -> Card:
    """Choose between the settings in service and new ones, train and put into service.

    Args:
        settings: the shop's own; None for those it stated before, or this version's defaults.
        gate: how to choose; None takes the new settings unseen.
        left_out: more counts for the card, of what was not read.

    Raises:
        BadSettings: the settings in service cannot be read, so that nothing can be compared.
        BrokenArtifact: the model in service is broken.
        FitFailed: too little data; the model in service stays.
        OSError: the disk is full or may not be written; the model in service stays.
    """
    choice = _choice(interactions, settings, out_dir, progress, trained_at, gate)
    start = 0.0 if choice.verdict in UNMEASURED else 1.0 - FINAL_SHARE
    final = partial(_within, progress, start, 1.0 - start)
    # First, so that what it needs is free again when the largest part is learned.
    final("offers", 0.0)
    of_offers, offer_arrays = offers.learned(interactions, trained_at)
    learned = learn(interactions, choice.settings, final, trained_at=trained_at)
    final("writing", sum(SHARES.values()))
    told = {"verdict": choice.verdict.value, "ownSettings": choice.own, **choice.told}
    card = replace(
        learned.card,
        counts={**learned.card.counts, **(left_out or {})},
        metrics=choice.metrics,
        gate=told,
        offers=of_offers,
    )
    arrays = learned.arrays | offer_arrays
    published = artifact.publish(out_dir, card, arrays, keep=keep)
    progress("done", 1.0)
    return published


UNMEASURED = (Verdict.SAME, Verdict.NOT_ASKED)


def _choice(
    interactions: Interactions,
    settings: Settings | None,
    out_dir: Path,
    progress: Report,
    trained_at: datetime,
    gate: Gate | None,
) -> _Choice:
    own = settings is not None and settings != Settings()
    if gate is None:
        try:
            served = in_service(out_dir)
        except (ArtifactError, BadSettings):
            # Going on whatever is in service is what an open gate is for.
            served = None
        chosen, own = _proposed(settings, served, own)
        return _Choice(chosen, Verdict.NOT_ASKED, own, {}, {})
    served = in_service(out_dir)
    new, own = _proposed(settings, served, own)
    judging = partial(_within, progress, 0.0, 1.0 - FINAL_SHARE)
    if served is None:
        found = measure_alone(interactions, new, gate, judging)
        first = {} if found is None else {"measuredAt": _text(trained_at), **found}
        return _Choice(new, Verdict.FIRST, own, first, {})
    if new == served.settings:
        return _Choice(new, Verdict.SAME, own, served.card.metrics, {})
    judged = judge(interactions, served.settings, new, gate, judging)
    told = {"against": served.card.model_id, **judged.content()}
    if judged.passed:
        passed = {"measuredAt": _text(trained_at), **judged.metrics(of_new=True)}
        return _Choice(new, Verdict.PASSED, own, passed, told)
    verdict = Verdict.TOO_LITTLE if judged.too_little else Verdict.REFUSED
    kept = _metrics_of_old(served, judged, trained_at)
    return _Choice(served.settings, verdict, served.own, kept, told)


def _metrics_of_old(served: InService, judged: Judged, at: datetime) -> Mapping[str, Any]:
    found = judged.metrics(of_new=False)
    return {"measuredAt": _text(at), **found} if found else served.card.metrics


def _proposed(
    settings: Settings | None, served: InService | None, own: bool
) -> tuple[Settings, bool]:
    if settings is not None:
        return settings, own
    if served is not None and served.own:
        return served.settings, True
    return Settings(), False


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _within(progress: Report, start: float, share: float, doing: str, of_part: float) -> None:
    progress(doing, start + share * of_part)
