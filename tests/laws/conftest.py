"""Places for the laws' own databases: many small ones, each a copy with the schema and no rows."""

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from loyalty.cli.embedded import PostgresServer


@pytest.fixture
def sqlite_urls(migrated_file: Path, tmp_path: Path) -> Callable[[], str]:
    """Makes another empty SQLite database with each call."""
    numbers = count(1)

    def make() -> str:
        path = tmp_path / f"laws-{next(numbers)}.sqlite3"
        shutil.copy(migrated_file, path)
        return f"sqlite://{path}"

    return make


@pytest.fixture
def postgres_urls(postgres_server: PostgresServer, migrated_name: str) -> Callable[[], str]:
    """Makes another empty PostgreSQL database with each call."""
    numbers = count(1)

    def make() -> str:
        return postgres_server.create_database(f"laws_{next(numbers)}", template=migrated_name)

    return make
