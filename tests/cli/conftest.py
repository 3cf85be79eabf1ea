"""The command in folders and on databases of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command_line import SECRET, CommandLine, clean_environment, made_shop


@pytest.fixture
def bare(tmp_path: Path) -> CommandLine:
    """No setting but the secret key; the SQLite file is where it is by default."""
    return CommandLine(tmp_path, clean_environment(LOYALTY_SECRET_KEY=SECRET))


@pytest.fixture
def loyalty(tmp_path: Path, migrated_url: str) -> CommandLine:
    """On a database of each kind that has its tables."""
    environment = clean_environment(
        LOYALTY_SECRET_KEY=SECRET, LOYALTY_DATABASE_URL=migrated_url, LOYALTY_DATA_DIR=str(tmp_path)
    )
    return CommandLine(tmp_path, environment)


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop to be copied."""
    return made_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop(bare: CommandLine, shop_folder: Path) -> CommandLine:
    """On SQLite, with one tenant that has published the grocer's program."""
    shutil.copytree(shop_folder, bare.folder, dirs_exist_ok=True)
    return bare
