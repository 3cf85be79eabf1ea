"""What comes back of recommendations, and what is made of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from loyalty.clock import Clock
from loyalty.domain.recommendations.attribution import AttributionTerms
from loyalty.services.checkout.views import Views
from loyalty.services.recommendations.attribution import Attribution
from loyalty.services.recommendations.experiments import Experiments
from loyalty.services.recommendations.models import Models
from loyalty.services.recommendations.recommendation_events import RecommendationEvents
from loyalty.services.recommendations.recommendation_figures import RecommendationFigures
from loyalty.services.recommendations.recommendation_id import RecommendationIds
from loyalty.services.rulesets import Rulesets
from loyalty.settings import Settings
from loyalty.storage.database import Database


@dataclass(frozen=True, slots=True)
class Feedback:
    """The use cases around events of recommendations."""

    events: RecommendationEvents
    attribution: Attribution
    figures: RecommendationFigures
    models: Models
    experiments: Experiments

    @classmethod
    def wired(
        cls,
        settings: Settings,
        database: Database,
        clock: Clock,
        rulesets: Rulesets,
        views: Views,
        ids: RecommendationIds,
    ) -> Self:
        terms = AttributionTerms(
            acted=timedelta(days=settings.attribution_days),
            seen=timedelta(days=settings.attribution_seen_days),
        )
        models = Models(database, clock, settings.data_dir / "models")
        return cls(
            events=RecommendationEvents(database, rulesets, clock, ids),
            attribution=Attribution(database, views, rulesets, clock, terms),
            figures=RecommendationFigures(database),
            models=models,
            experiments=Experiments(database, clock, rulesets, models),
        )
