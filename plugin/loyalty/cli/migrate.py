"""``loyalty migrate``: bring the database's schema to this version."""

from __future__ import annotations

from loyalty.cli.context import Folder, opened, run, settings_of


def command(folder: Folder = None) -> None:
    """Bring the database up to this version; safe to repeat, and to run in several places."""
    from loyalty.storage.database import sqlite_path
    from loyalty.storage.migrate import known_migrations

    async def work() -> str:
        settings = settings_of(folder)
        if settings.database_url.startswith("sqlite:"):
            settings.data_dir.mkdir(parents=True, exist_ok=True)
            place = str(sqlite_path(settings.database_url))
        else:
            place = "the PostgreSQL database"
        async with opened(settings, migrate=True):
            return place

    place = run(work())
    print(f"{place} is at {max(known_migrations())}")
