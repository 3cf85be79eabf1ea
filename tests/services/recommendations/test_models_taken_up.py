"""Which model answers: the newest that can be read."""

import asyncio
import shutil
from datetime import timedelta

import pytest

from loyalty.services.recommendations import served_model

from .conftest import TEA, Windows

pytestmark = pytest.mark.anyio


async def test_a_new_model_is_taken_up_while_the_old_one_answers(untrained: Windows) -> None:
    strategies = [(await untrained.ask("FOR_YOU", TEA)).strategy]
    first = await untrained.train()
    await _until(untrained, first.model_id)
    strategies.append((await untrained.ask("FOR_YOU", TEA)).strategy)
    untrained.shop.clock.advance(timedelta(hours=1))
    second = await untrained.train()
    await _until(untrained, second.model_id)

    assert strategies == ["popularity", "novel"]
    shutil.rmtree(untrained.models / str(untrained.shop.tenant_id))
    await _until(untrained, None)
    assert (await untrained.ask("FOR_YOU", TEA)).strategy == "popularity"


async def test_a_broken_model_leaves_the_one_before(windows: Windows) -> None:
    before = await windows.ask("FOR_YOU", TEA)
    windows.shop.clock.advance(timedelta(hours=1))
    after = await windows.train()
    folder = windows.models / str(windows.shop.tenant_id) / "models" / after.model_id
    for array in folder.glob("*.npy"):
        array.write_bytes(b"broken")

    for _ in range(5):
        await asyncio.sleep(0.02)
        assert await windows.ask("FOR_YOU", TEA) == before


async def test_a_model_whose_files_come_late_is_taken_up_all_the_same(
    windows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_model, "BROKEN_REST_S", 0)
    before = await windows.ask("TRENDING")
    windows.shop.clock.advance(timedelta(hours=1))
    after = await windows.train()
    folder = windows.models / str(windows.shop.tenant_id) / "models" / after.model_id
    folder.rename(folder.with_name("late"))
    for _ in range(5):
        await asyncio.sleep(0.02)
        assert (await windows.ask("TRENDING")).model_id == before.model_id

    folder.with_name("late").rename(folder)

    await _until(windows, after.model_id)


async def _until(windows: Windows, model_id: str | None) -> None:
    async with asyncio.timeout(10):
        while True:
            if (await windows.ask("TRENDING")).model_id == model_id:
                return
            await asyncio.sleep(0.01)
