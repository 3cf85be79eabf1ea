"""Migration operations whose SQL is a frozen file per database.

Tortoise knows single-column keys only and creates no CHECKs and no triggers, so its own
operations just follow the models, and the schema comes from the file.
"""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tortoise.migrations.operations import CreateModel, TortoiseOperation
from tortoise.migrations.schema_generator.state import ModelState, State

_ADDED_COLUMN = re.compile(r"ALTER TABLE (\w+) ADD COLUMN (\w+)")

Editor = Any
"""Tortoise's schema editor; untyped there."""


def described(
    name: str, table: str, /, *, unique_together: tuple[tuple[str, ...], ...] = (), **fields: Any
) -> CreateModel:
    """A model as it was when the migration was written."""
    options: dict[str, Any] = {"table": table, "app": "loyalty"}
    if unique_together:
        options["unique_together"] = unique_together
    return CreateModel(name, list(fields.items()), options)


class DescribedModels(TortoiseOperation):
    """Tells Tortoise's autodetector of new models; makes no tables.

    All at once, because Tortoise copies and renders every model known for each operation.
    """

    reversible = False

    def __init__(self, *models: CreateModel) -> None:
        self._models = models

    def describe(self) -> str:
        return f"Describe {', '.join(model.name for model in self._models)}"

    def state_forward(self, app_label: str, state: State) -> None:
        names = {(app_label, model.name) for model in self._models}
        for model in self._models:
            described = ModelState.make_from_model(app_label, model.model)
            state.models[(app_label, model.name)] = described
        state.reload_models(names)


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
                if not await _is_there(state_editor.client, statement):
                    await state_editor.client.execute_query(statement)
        else:
            await state_editor.client.execute_script(self._text("postgres"))

    def _text(self, dialect: str) -> str:
        return self._file.with_suffix(f".{dialect}.sql").read_text(encoding="utf-8")


async def _is_there(client: Any, statement: str) -> bool:
    """Whether a statement adds a column that is there: SQLite has no IF NOT EXISTS for it."""
    added = _ADDED_COLUMN.search(statement)
    if added is None:
        return False
    table, column = added.groups()
    _, rows = await client.execute_query(f"PRAGMA table_info({table})")
    return any(row["name"] == column for row in rows)


def statements(script: str) -> Iterator[str]:
    """The statements of an SQLite script, whose triggers hold semicolons of their own."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
