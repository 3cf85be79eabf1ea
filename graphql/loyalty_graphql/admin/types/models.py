"""The models behind the recommendations, as their cards tell."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson
import strawberry

from loyalty.services.recommendations import models
from loyalty_graphql.scalars import BigInt


@strawberry.type(description="How many of something.")
class Count:
    name: str = strawberry.field(description="Of what.")
    count: BigInt = strawberry.field(description="How many.")


@strawberry.type(description="One part of the model, which answers some of the windows.")
class ModelPart:
    name: str = strawberry.field(description="What it is for.")
    strategy: str = strawberry.field(description="What kind of model it is.")


@strawberry.type(description="A setting, a measure or a version that a model's card tells.")
class ModelFact:
    name: str = strawberry.field(
        description='What it is, parts with dots between: "for_you.alpha".'
    )
    value: str = strawberry.field(description="What was found, as JSON writes it.")


@strawberry.type(description="A model of the recommender.")
class Model:
    id: str = strawberry.field(description="Its name; recommendations carry it as `modelId`.")
    trained_at: datetime = strawberry.field(description="When it was trained.")
    data_from: datetime = strawberry.field(description="The first purchase it learned from.")
    data_to: datetime = strawberry.field(description="The last one.")
    strategy: list[ModelPart] = strawberry.field(description="Its parts.")
    counts: list[Count] = strawberry.field(description="What it learned from.")
    settings: list[ModelFact] = strawberry.field(description="What it was trained with.")
    metrics: list[ModelFact] = strawberry.field(
        description="How well it did on the latest purchases before it was trained on everything; "
        "empty where that was not measured."
    )
    gate: list[ModelFact] = strawberry.field(
        description="Whether its settings were judged against those in service before them, how, "
        "and what came of it; see `verdict`. Empty in a model from before there was a gate."
    )
    versions: list[ModelFact] = strawberry.field(description="Libraries it was trained with.")

    @classmethod
    def of(cls, card: models.ModelCard) -> "Model":
        return cls(
            id=card.model_id,
            trained_at=card.trained_at,
            data_from=card.data_from,
            data_to=card.data_to,
            strategy=[ModelPart(name=name, strategy=kind) for name, kind in card.parts.items()],
            counts=[Count(name=name, count=BigInt(number)) for name, number in card.counts.items()],
            settings=facts(card.settings),
            metrics=facts(card.content().get("metrics") or {}),
            gate=facts(card.content().get("gate") or {}),
            versions=facts(card.versions),
        )


@strawberry.type(description="A model that was published and is still there.")
class PublishedModel:
    id: str = strawberry.field(description="Its name.")
    in_service: bool = strawberry.field(description="Whether it answers.")
    on_trial: bool = strawberry.field(description="Whether an experiment that runs has it.")
    model: Model | None = strawberry.field(description="Its card; null where it cannot be read.")

    @classmethod
    def of(cls, found: models.PublishedModel) -> "PublishedModel":
        return cls(
            id=found.id,
            in_service=found.is_in_service,
            on_trial=found.is_on_trial,
            model=None if found.card is None else Model.of(found.card),
        )


def facts(told: Mapping[str, Any]) -> list[ModelFact]:
    """Nested values as a list of names and texts."""
    return [ModelFact(name=name, value=value) for name, value in _flat(told, ())]


def _flat(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, (*path, str(name)))
    else:
        yield ".".join(path), orjson.dumps(value).decode()
