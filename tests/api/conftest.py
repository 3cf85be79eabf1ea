"""A shop behind the endpoints, on both databases."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_shop import ApiShop, Program, api_shop


@pytest.fixture
async def shop(migrated_url: str, tmp_path: Path) -> AsyncIterator[ApiShop]:
    """Two programs on one server."""
    async with api_shop(migrated_url, tmp_path / "data") as made:
        yield made


@pytest.fixture
def program(shop: ApiShop) -> Program:
    return shop.programs[0]


@pytest.fixture
def other_program(shop: ApiShop) -> Program:
    return shop.programs[1]


@pytest.fixture
async def sqlite_shop(
    migrated_file: Path, sqlite_path: Path, tmp_path: Path
) -> AsyncIterator[ApiShop]:
    """The same on SQLite alone, where the database makes no difference."""
    shutil.copy(migrated_file, sqlite_path)
    async with api_shop(f"sqlite://{sqlite_path}", tmp_path / "data") as made:
        yield made
