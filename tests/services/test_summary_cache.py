"""A cached summary that cannot be read is a miss: the member is shown from the database."""

import pytest

from loyalty.services.members.summary import Summaries

from .conftest import Shop

pytestmark = pytest.mark.anyio


class OneValue:
    """Keeps one value, whatever is asked for."""

    value: bytes | None = None

    async def get(self, tenant_id: int, member_id: int) -> bytes | None:
        return self.value

    async def put(self, tenant_id: int, member_id: int, version: int, value: bytes) -> None:
        self.value = value


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\xff",
        b"null",
        b"[1,2]",
        b'["a",[],[],[]]',
        b'[{"hash":null},[],[],[]]',
        b'[{"hash":"00"},[],[],[]]',
    ],
)
async def test_a_broken_copy_is_a_miss(shop: Shop, broken: bytes) -> None:
    await shop.rich_member("ann", 300)
    cache = OneValue()
    summaries = Summaries(shop.database, shop.clock, shop.rulesets, cache)
    first = await summaries.shown(shop.tenant_id, "ann")

    cache.value = broken
    again = await summaries.shown(shop.tenant_id, "ann")

    assert again == first
    assert cache.value != broken


async def test_half_a_copy_is_a_miss(shop: Shop) -> None:
    await shop.rich_member("ann", 300)
    cache = OneValue()
    summaries = Summaries(shop.database, shop.clock, shop.rulesets, cache)
    first = await summaries.shown(shop.tenant_id, "ann")
    assert cache.value is not None

    cache.value = cache.value[: len(cache.value) // 2]

    assert await summaries.shown(shop.tenant_id, "ann") == first
