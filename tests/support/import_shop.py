"""A shop to import into, and the demo's receipts, some or all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from loyalty.cache.null import NullCache
from loyalty.cli.demo.data import data_folder
from loyalty.cli.imports import mapping_of
from loyalty.clock import FixedClock
from loyalty.connectors.mapping import Kind, Mapping
from loyalty.domain.registry import built_in
from loyalty.services.books.door import Door
from loyalty.services.catalogue import Catalogue
from loyalty.services.imports.imports import ImportFile, ImportReport, Imports
from loyalty.services.rulesets import Rulesets
from loyalty.services.tenants import Tenant, Tenants
from loyalty.storage.database import Database, open_database
from loyalty.storage.statements import Sql

EXAMPLES = Path(__file__).parents[2] / "examples"
NOW = datetime(2026, 12, 5, 12, tzinfo=UTC)
SHIFT_WEEKS = 463
"""The receipts of 2017 then end on 2026-11-16."""


@dataclass(frozen=True)
class Shop:
    """One tenant with the demo's program."""

    database: Database
    tenant: Tenant
    imports: Imports
    rulesets: Rulesets
    catalogue: Catalogue
    clock: FixedClock
    folder: Path

    async def take(
        self,
        path: Path,
        kind: Kind = Kind.ORDERS,
        mapping: Mapping | None = None,
        **settings: Any,
    ) -> ImportReport:
        rejects = self.folder / f"{path.name}.rejected.csv"
        file = ImportFile(kind, path, mapping or Mapping(), rejects, **settings)
        return await self.imports.take(self.tenant.id, file, lambda _: None)

    async def rows(self, text: str) -> list[tuple[Any, ...]]:
        return await self.database.read(Sql(text)())

    def rejected(self, path: Path) -> list[str]:
        """Lines of the rejects file after its header; none when there is no file."""
        rejects = self.folder / f"{path.name}.rejected.csv"
        return rejects.read_text().splitlines()[1:] if rejects.exists() else []


async def opened_shop(url: str, folder: Path) -> Shop:
    """A new database with one tenant. Close its database."""
    shop = await _shop(url, folder, is_new=True)
    program = (EXAMPLES / "grocery.toml").read_text()
    await shop.rulesets.publish(shop.tenant.id, program, "test")
    return shop


async def joined_shop(url: str, folder: Path) -> Shop:
    """The shop of a database that another process made."""
    return await _shop(url, folder, is_new=False)


async def _shop(url: str, folder: Path, *, is_new: bool) -> Shop:
    clock = FixedClock(NOW)
    database = await open_database(url, clock, migrate=is_new)
    rulesets = Rulesets(database, NullCache(), built_in(), clock)
    tenants = Tenants(database, clock)
    tenant = await (tenants.create("shop", "Shop") if is_new else tenants.named("shop"))
    catalogue = Catalogue(database, NullCache(), clock)
    door = Door(database, clock, rulesets.known, nobody)
    imports = Imports(database, clock, door, rulesets, catalogue)
    return Shop(database, tenant, imports, rulesets, catalogue, clock, folder)


async def nobody(_: object) -> None:
    """An import tells nobody."""


def receipts_of(households: int, path: Path) -> Path:
    """The rows of the first households to shop, as they are in the package's file."""
    table = pq.read_table(data_folder() / "transactions.parquet")
    chosen = table["household_id"].unique().slice(0, households)
    pq.write_table(table.filter(pc.is_in(table["household_id"], chosen)), path)
    return path


def demo_mapping(kind: Kind) -> Mapping:
    return mapping_of(EXAMPLES / "complete-journey" / f"{kind}.toml", kind)
