"""The command in folders and on databases of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import GROCERY, SECRET, CommandLine, clean_environment


@pytest.fixture
def bare(tmp_path: Path) -> CommandLine:
    """No setting but the secret key; the SQLite file is where it is by default."""
    return CommandLine(tmp_path, clean_environment(LOYALTY_SECRET_KEY=SECRET))


@pytest.fixture
def loyalty(tmp_path: Path, database_url: str) -> CommandLine:
    """On a database of each kind that has its tables."""
    environment = clean_environment(
        LOYALTY_SECRET_KEY=SECRET, LOYALTY_DATABASE_URL=database_url, LOYALTY_DATA_DIR=str(tmp_path)
    )
    command = CommandLine(tmp_path, environment)
    command.ok("migrate")
    return command


@pytest.fixture
def shop(bare: CommandLine) -> CommandLine:
    """On SQLite, with one tenant that has published the grocer's program."""
    bare.ok("migrate")
    bare.ok("tenant", "create", "demo", "--name", "Demo shop")
    bare.ok("program", "publish", GROCERY)
    return bare
