"""A long check of the ledger, and the other answers that a server gives meanwhile."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from api_shop import Program, document

from loyalty.connectors.mapping import Kind, Mapping
from loyalty.services.imports.imports import ImportFile, Imports
from loyalty.storage import verify as sql

pytestmark = pytest.mark.anyio
ORDERS = 4_000
ASKED = 10
"""Statements of others, at least, that a server answers while it checks one page."""


async def busy(program: Program, folder: Path) -> None:
    """A member with a long history, which is a page of the check alone."""
    services = program.shop.services
    start = services.clock.now() - timedelta(days=300)
    path = folder / "orders.csv"
    with path.open("w") as file:
        file.write("order,member,occurredAt,product,quantity,amount\n")
        for n in range(ORDERS):
            at = (start + timedelta(hours=n)).isoformat()
            file.write(f"i-{n},m,{at},tea,1,{n % 50 + 1}.00\n")
    imports = Imports(
        services.database, services.clock, services.door, services.rulesets, services.catalogue
    )
    rejects = folder / "orders.rejected.csv"
    report = await imports.take(
        program.tenant_id, ImportFile(Kind.ORDERS, path, Mapping(), rejects), lambda _: None
    )
    assert report.taken == ORDERS


async def test_others_are_answered_while_the_ledger_is_verified(
    program: Program, tmp_path: Path
) -> None:
    await busy(program, tmp_path)
    await program.enrol("ann")
    shopper = await program.shopper("ann")
    asked = program.shop.database.texts
    asked.clear()
    verifying = asyncio.create_task(program.merchant.data(document("ledger_verify", "admin")))

    while not verifying.done():
        assert (await shopper.run("member_card"))["externalId"] == "ann"

    found = (await verifying)["ledgerVerify"]
    assert found["ok"]
    assert found["transactions"] >= ORDERS
    # What was read between a page's last statement and the next page's first, which is asked
    # for once the page is checked.
    of_page, next_page = (
        [n for n, text in enumerate(asked) if text == str(statement.sql)[:120]]
        for statement in (sql.RELATIVES(0, []), sql.MEMBERS(0, 0, 1))
    )
    meanwhile = asked[of_page[0] + 1 : next_page[1]]
    assert len(meanwhile) >= ASKED
