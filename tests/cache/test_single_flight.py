"""Callers that ask the same share one answer."""

import asyncio

import pytest

from loyalty.cache import SingleFlight

pytestmark = pytest.mark.anyio


class Work:
    """Counts its runs and ends when told to."""

    def __init__(self) -> None:
        self.runs = 0
        self.cancelled = 0
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.runs += 1
        run = self.runs
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return run


async def begun(flight: SingleFlight[int], work: Work, count: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(flight.run("k", work)) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_two_hundred_callers_cause_one_run():
    flight, work = SingleFlight[int](), Work()
    tasks = await begun(flight, work, 200)

    work.gate.set()

    assert await asyncio.gather(*tasks) == [1] * 200
    assert work.runs == 1
    assert len(flight) == 0


async def test_keys_do_not_wait_for_each_other():
    flight, slow, quick = SingleFlight[int](), Work(), Work()
    tasks = await begun(flight, slow, 1)
    quick.gate.set()

    assert await flight.run("other", quick) == 1

    slow.gate.set()
    assert await tasks[0] == 1


async def test_the_next_caller_after_an_answer_asks_anew():
    flight, work = SingleFlight[int](), Work()
    work.gate.set()

    assert [await flight.run("k", work), await flight.run("k", work)] == [1, 2]


async def test_an_error_reaches_every_waiter_and_is_not_remembered():
    flight, work = SingleFlight[int](), Work()
    tasks = await begun(flight, work, 3)
    work.error = LookupError("gone")
    work.gate.set()

    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    work.error = None

    assert [type(outcome) for outcome in outcomes] == [LookupError] * 3
    assert await flight.run("k", work) == 2


@pytest.mark.parametrize("leaver", [0, 1, 2])
async def test_a_waiter_that_leaves_leaves_alone(leaver: int):
    flight, work = SingleFlight[int](), Work()
    tasks = await begun(flight, work, 3)

    tasks[leaver].cancel()
    await asyncio.sleep(0)
    work.gate.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes].count(asyncio.CancelledError) == 1
    assert [outcome for outcome in outcomes if outcome == 1] == [1, 1]
    assert (work.runs, work.cancelled) == (1, 0)


async def test_work_that_nobody_waits_for_is_cancelled():
    flight, work = SingleFlight[int](), Work()
    tasks = await begun(flight, work, 2)

    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)

    assert (work.runs, work.cancelled) == (1, 1)
    work.gate.set()
    assert await flight.run("k", work) == 2
