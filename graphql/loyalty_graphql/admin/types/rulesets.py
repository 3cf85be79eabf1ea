"""Rulesets as they are kept: source text and who published it."""

from datetime import datetime

import strawberry

from loyalty.services.rulesets import Published
from loyalty_graphql.types.rulesets import Program


@strawberry.type(description="One published version of the program's rules; it never changes.")
class Ruleset:
    version: int = strawberry.field(description="Its number, from 1.")
    hash: str = strawberry.field(description="Identifies the text.")
    source: str = strawberry.field(description="The text, TOML.")
    published_at: datetime = strawberry.field(description="When it was published.")
    published_by: str = strawberry.field(description="Who published it.")
    current: bool = strawberry.field(description="Whether it is in force now.")

    @classmethod
    def of(cls, published: Published, current: int) -> "Ruleset":
        return cls(
            version=published.version,
            hash=published.hash,
            source=published.source,
            published_at=published.published_at,
            published_by=published.published_by,
            current=published.version == current,
        )


@strawberry.type(description="What a ruleset's text says, before it is published.")
class RulesetCheck:
    valid: bool = strawberry.field(description="Whether it can be published.")
    problems: list[str] = strawberry.field(
        description="Everything that does not fit: path, what was found, what was wanted."
    )
    program: Program | None = strawberry.field(
        description="The program as members would see it; null when it is not valid."
    )
