"""Commands that share a unit do not share one another's trouble."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from loyalty.errors import Unavailable
from loyalty.services.books.desk import Booked, Command, Desk, Idempotent, Needs
from loyalty.services.books.door import APART_UNAVAILABLE_MAX, Door
from loyalty.services.books.loading import Known
from loyalty.services.members.members import Enrol, Profile

from .conftest import Shop

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Trouble:
    """A command that cannot be booked."""

    tenant_id: int
    problem: type[Exception]
    idempotent: Idempotent | None = None
    at: None = None

    def needs(self) -> Needs:
        return Needs()

    def decide(self, desk: Desk) -> dict[str, Any]:
        raise AssertionError


class TroubledDoor(Door):
    """Meets trouble wherever a unit has some in it, as a database would."""

    units: list[int]

    async def execute(
        self, tenant_id: int, commands: Sequence[Command], known: Known | None = None
    ) -> Booked:
        self.units.append(len(commands))
        for command in commands:
            if isinstance(command, Trouble):
                raise command.problem("others held the rows for too long")
        return await super().execute(tenant_id, commands, known)


@pytest.fixture
def door(shop: Shop) -> TroubledDoor:
    async def tell(changed: Sequence[object]) -> None:
        return None

    found = TroubledDoor(shop.database, shop.clock, shop.rulesets.known, tell, workers=1)
    found.units = []
    return found


def enrol(shop: Shop, name: str) -> Enrol:
    return Enrol(shop.tenant_id, None, name, Profile())


async def together(door: Door, commands: Sequence[Command]) -> list[str]:
    """Submit all before any is booked; "ok", or what each caller met."""
    verdicts = await asyncio.gather(*map(door.submit, commands), return_exceptions=True)
    return ["ok" if not isinstance(v, BaseException) else type(v).__name__ for v in verdicts]


@pytest.mark.parametrize("problem", [Unavailable, RuntimeError])
async def test_one_command_in_trouble_does_not_fail_its_neighbours(
    shop: Shop, door: TroubledDoor, problem: type[Exception]
) -> None:
    commands = [enrol(shop, "ann"), Trouble(shop.tenant_id, problem), enrol(shop, "bob")]

    assert await together(door, commands) == ["ok", problem.__name__, "ok"]

    assert (await shop.member("bob")).state == "ACTIVE"
    assert door.units == [3, 1, 1, 1]


async def test_a_database_that_is_away_is_not_asked_for_each(
    shop: Shop, door: TroubledDoor
) -> None:
    commands = [Trouble(shop.tenant_id, Unavailable) for _ in range(20)]

    assert await together(door, commands) == ["Unavailable"] * 20

    assert door.units == [20] + [1] * APART_UNAVAILABLE_MAX
