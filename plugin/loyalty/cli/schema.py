"""``loyalty schema``: the published contracts, as GraphQL's own description."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Schema(StrEnum):
    """Schemas by name."""

    STOREFRONT = "storefront"
    ADMIN = "admin"


def command(
    schema: Annotated[
        Schema, typer.Argument(help="storefront: shoppers and checkouts; admin: the merchant.")
    ],
) -> None:
    """Print a schema as SDL, for code generators and tools."""
    from importlib import import_module

    print(import_module(f"loyalty_graphql.{schema}.schema").schema.as_str())
