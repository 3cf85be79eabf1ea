"""A shop to import into, on one database or on either."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from import_shop import Shop, opened_shop


@pytest.fixture
async def shop(migrated_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop on either database."""
    found = await opened_shop(migrated_url, tmp_path)
    yield found
    await found.database.close()


@pytest.fixture
async def sqlite_shop(
    migrated_file: Path, sqlite_path: Path, tmp_path: Path
) -> AsyncIterator[Shop]:
    """A shop where one database is enough."""
    shutil.copy(migrated_file, sqlite_path)
    found = await opened_shop(f"sqlite://{sqlite_path}", tmp_path)
    yield found
    await found.database.close()
