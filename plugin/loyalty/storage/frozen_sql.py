"""Migration operations whose SQL is a frozen file per database.

Tortoise knows single-column keys only and creates no CHECKs and no triggers, so its own
operations just follow the models, and the schema comes from the file.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tortoise.migrations.operations import CreateModel, TortoiseOperation

Editor = Any
"""Tortoise's schema editor; untyped there."""


class DescribeModel(CreateModel):
    """Tells Tortoise's autodetector of a model; makes no table."""

    def describe(self) -> str:
        return f"Describe model {self.name}"

    async def database_forward(
        self, app_label: str, old_state: Any, new_state: Any, state_editor: Editor = None
    ) -> None:
        return None

    async def database_backward(
        self, app_label: str, old_state: Any, new_state: Any, state_editor: Editor = None
    ) -> None:
        return None


class FrozenSql(TortoiseOperation):
    """Runs ``<name>.postgres.sql`` or ``<name>.sqlite.sql``, found beside the migration.

    Each statement can be run again: a migration that ended between its last statement and
    the record of it is simply repeated.
    """

    reversible = False

    def __init__(self, migration_file: str) -> None:
        self._file = Path(migration_file)

    def describe(self) -> str:
        return f"Run {self._file.stem}.<database>.sql"

    async def database_forward(
        self, app_label: str, old_state: Any, new_state: Any, state_editor: Editor = None
    ) -> None:
        if state_editor is None:
            return
        if state_editor.collect_sql:
            await state_editor._run_sql(self._text(state_editor.DIALECT))
        elif state_editor.DIALECT == "sqlite":
            # One by one: a script would first commit the migration's transaction.
            for statement in statements(self._text("sqlite")):
                await state_editor.client.execute_query(statement)
        else:
            await state_editor.client.execute_script(self._text("postgres"))

    def _text(self, dialect: str) -> str:
        return self._file.with_suffix(f".{dialect}.sql").read_text(encoding="utf-8")


def statements(script: str) -> Iterator[str]:
    """The statements of an SQLite script, whose triggers hold semicolons of their own."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
