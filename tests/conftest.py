"""Real servers and fresh databases for every test that names them.

Nothing has to run before: PostgreSQL and Valkey come from wheels, one of each for every pytest
process that needs it, and end with it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from loyalty.cli.embedded import PostgresServer, ValkeyServer, embedded_postgres, embedded_valkey
from loyalty.clock import SystemClock
from loyalty.storage.database import open_database

MEMORY = Path("/dev/shm")
MEMORY_FREE_MIN = 2 * 2**30

_numbers = itertools.count(1)

# Whoever shares the machine must not decide what passes. The rest is as Hypothesis has it: in CI
# the same cases at each run, elsewhere others.
_AS_FOUND = settings.get_profile(settings.get_current_profile_name())
settings.register_profile("without-deadline", parent=_AS_FOUND, deadline=None)
settings.load_profile("without-deadline")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In a soak, whatever has a full-length form belongs to the slow tests that it runs."""
    if os.environ.get("LOYALTY_SOAK") == "1":
        for item in items:
            if "is_soak" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def is_soak() -> bool:
    """Whether to run full-length counts (``scripts/soak``) instead of their shorter form."""
    return os.environ.get("LOYALTY_SOAK") == "1"


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Debian's chromium; its absence fails a test in CI and skips it elsewhere."""
    if path := shutil.which("chromium"):
        return path
    reason = "chromium is missing, so the browser story was not run: apt-get install chromium"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """A short path that another user may be let into, which pytest's own is not.

    In memory where there is room: a database of PostgreSQL is four hundred files, and ext4 takes
    ten times as long to make them anew while as many have just been deleted.
    """
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_FREE_MIN
    folder = Path(tempfile.mkdtemp(prefix="loyalty-test-", dir=MEMORY if has_room else None))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def valkey_url(servers_folder: Path) -> Iterator[str]:
    """A Valkey that all tests of this process share: empty it or use keys of your own."""
    with embedded_valkey(servers_folder / "valkey") as url:
        yield url


@pytest.fixture
def valkey_server(servers_folder: Path) -> Iterator[ValkeyServer]:
    """A Valkey of the test's own, running, to be stopped, killed and started again."""
    with ValkeyServer(servers_folder / f"valkey-{next(_numbers)}") as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server(servers_folder: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL that all tests of this process share: take a database of your own from it."""
    with embedded_postgres(servers_folder / "postgres") as server:
        yield server


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[str]:
    """Url of an empty PostgreSQL database for one test."""
    name = f"test_{next(_numbers)}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    """Where one test may put an SQLite file; nothing is there yet."""
    return tmp_path / "loyalty.sqlite3"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Url of an empty database for one test, which runs once on each of both engines."""
    if request.param == "sqlite":
        return f"sqlite://{request.getfixturevalue('sqlite_path')}"
    return str(request.getfixturevalue("postgres_database"))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the schema, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "loyalty.sqlite3"
    asyncio.run(_migrated(f"sqlite://{path}"))
    return path


@pytest.fixture(scope="session")
def migrated_name(postgres_server: PostgresServer) -> str:
    """Name of a PostgreSQL database with the schema, to be copied."""
    asyncio.run(_migrated(postgres_server.create_database("migrated")))
    return "migrated"


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Url of a database with the schema and no rows, for one test, once on each engine.

    A copy takes a tenth of the time that migrating takes.
    """
    if request.param == "sqlite":
        path: Path = request.getfixturevalue("sqlite_path")
        shutil.copy(request.getfixturevalue("migrated_file"), path)
        yield f"sqlite://{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"copy_{next(_numbers)}"
    yield server.create_database(name, template=request.getfixturevalue("migrated_name"))
    server.drop_database(name)


async def _migrated(url: str) -> None:
    database = await open_database(url, SystemClock(), migrate=True)
    await database.close()
