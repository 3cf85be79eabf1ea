"""Whether the database itself still refuses to change what was booked.

The migration sets the guards; a copy made by hand, or an administrator, can lose them.
"""

from typing import Final

from loyalty.storage.database import Database
from loyalty.storage.schema import APPEND_ONLY
from loyalty.storage.statements import Sql

# PostgreSQL's tgtype: 2 before, 8 delete, 16 update, 32 truncate. 'A': fires in a replica too.
_GUARDS: Final = Sql(
    """SELECT t.tgname::text FROM pg_trigger t
         JOIN pg_class c ON c.oid = t.tgrelid
         JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND NOT t.tgisinternal
          AND t.tgenabled = 'A' AND (t.tgtype & 58) = 58""",
    sqlite="SELECT name FROM sqlite_master WHERE type = 'trigger'",
)


async def guards_missing(database: Database) -> list[str]:
    """Append-only tables that could be changed now, in order of their names."""
    found = {name for (name,) in await database.read(_GUARDS())}
    if database.dialect == "postgres":
        endings: tuple[str, ...] = ("append_only",)
    else:
        endings = ("no_update", "no_delete", "no_replace_by_key")
    return sorted(
        table
        for table in APPEND_ONLY
        if any(f"{table}_{ending}" not in found for ending in endings)
    )
