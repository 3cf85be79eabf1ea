"""A unit of work happens wholly, once, or not at all, whatever happens around it."""

from __future__ import annotations

import random
import threading
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import pytest

from loyalty.errors import NotFound, Unavailable
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.statements import Sql, Unit, together
from loyalty.storage.units import Collision

pytestmark = pytest.mark.anyio

LOCKED_VERSION = Sql("SELECT catalogue_version FROM tenant WHERE id = $1 FOR UPDATE")
VERSION = Sql("SELECT catalogue_version FROM tenant WHERE id = $1")


def one_more() -> Unit[int]:
    """Read under a lock, decide here, write: what the ledger does."""
    ((version,),) = yield LOCKED_VERSION(7)
    effects = Effects()
    effects.update("tenant", 7, catalogue_version=version + 1)
    yield effects
    return int(version) + 1


async def version(database: Database) -> int:
    ((found,),) = await database.read(VERSION(7))
    return int(found)


async def test_64_at_once_count_exactly(filled: Database) -> None:
    outcomes: list[int] = []

    async def one() -> None:
        outcomes.append(await filled.write(one_more))

    async with anyio.create_task_group() as group:
        for _ in range(64):
            group.start_soon(one)

    assert sorted(outcomes) == list(range(1, 65))
    assert await version(filled) == 64


async def test_a_refusal_undoes_the_unit_and_comes_out(filled: Database) -> None:
    refusal = NotFound("member", "nobody")

    def unit() -> Unit[None]:
        yield from one_more()
        raise refusal

    with pytest.raises(NotFound) as caught:
        await filled.write(unit)

    assert caught.value is refusal
    assert await version(filled) == 0


async def test_a_bug_undoes_the_unit_and_closes_it(filled: Database) -> None:
    closed = []

    def unit() -> Unit[None]:
        try:
            yield from one_more()
            yield Sql("SELECT x FROM nowhere")()
        finally:
            closed.append(True)

    with pytest.raises(Exception, match="nowhere"):
        await filled.write(unit)

    assert (closed, await version(filled)) == ([True], 0)
    assert await filled.write(one_more) == 1


async def test_a_unit_sees_what_it_wrote_and_others_do_not_until_the_end(filled: Database) -> None:
    seen_inside: list[int] = []
    halfway, go_on = anyio.Event(), threading.Event()
    loop_token = anyio.lowlevel.current_token()

    def unit() -> Unit[None]:
        yield from one_more()
        seen_inside.append((yield VERSION(7))[0][0])
        if filled.dialect == "sqlite":
            anyio.from_thread.run_sync(halfway.set, token=loop_token)
            go_on.wait(10)

    if filled.dialect == "postgres":
        await filled.write(unit)
    else:
        async with anyio.create_task_group() as group:
            group.start_soon(filled.write, unit)
            await halfway.wait()
            # The writer is in the middle of its unit: a reader neither waits nor sees it.
            assert await version(filled) == 0
            go_on.set()

    assert (seen_inside, await version(filled)) == ([1], 1)


async def test_reads_of_one_unit_see_one_moment_and_may_not_write(filled: Database) -> None:
    def reads() -> Unit[list[Any]]:
        return [(yield VERSION(7)), (yield VERSION(7))]

    assert await filled.read_unit(reads) == [[(0,)], [(0,)]]
    with pytest.raises(Exception, match=r"readonly|read-only"):
        await filled.read_unit(one_more)


@pytest.mark.parametrize("ids", [[7], [7, *range(1_000, 1_500)]])
async def test_reads_at_once_see_one_moment(filled: Database, ids: list[int]) -> None:
    """Few or many: one statement, or several of one snapshot. A writer in between is not seen."""
    statements = [
        Sql("SELECT catalogue_version FROM tenant WHERE id = ANY($1::bigint[])")(ids)
    ] * 12
    is_over = False

    async def write_on() -> None:
        while not is_over:
            await filled.write(one_more)

    async with anyio.create_task_group() as group:
        group.start_soon(write_on)
        seen = []
        with anyio.fail_after(60):
            while len({found[0][0][0] for found in seen}) < 10:
                seen.append(await filled.read_at_once(*statements))
        is_over = True

    assert all(rows == found[0] and len(rows) == 1 for found in seen for rows in found)


async def test_a_list_is_a_parameter_on_both(filled: Database) -> None:
    statement = Sql(
        "SELECT id FROM member WHERE tenant_id = $1 AND id = ANY($2::bigint[])"
        " AND external_id = ANY($3::text[]) ORDER BY id FOR NO KEY UPDATE"
    )

    assert await filled.read(statement(7, [10, 11, 2**62], ["anna", "x', 'y"])) == [(10,)]
    assert await filled.read(statement(7, [], [])) == []


@pytest.mark.parametrize("ids", [[7], [7, *range(1_000, 1_500)]])
async def test_statements_asked_together_answer_as_if_asked_apart(
    filled: Database, ids: list[int]
) -> None:
    """Few or many: PostgreSQL's driver asks them in one round trip or in several."""
    statements = (
        Sql("SELECT id, hash, name, consent_email, email FROM member WHERE tenant_id = ANY($1)")(
            ids
        ),
        Sql("SELECT id FROM member WHERE tenant_id = $1 AND external_id = ANY($2)")(8, ["anna"]),
        Sql("SELECT id, code AS name, code AS name FROM tenant WHERE $1 = ANY($2::bigint[])")(
            7, ids
        ),
    )

    def apart() -> Unit[list[Any]]:
        found = []
        for statement in statements:
            found.append((yield statement))
        return found

    def in_one_go() -> Unit[list[Any]]:
        return list((yield from together(*statements)))

    found = await filled.write(in_one_go)

    assert found == await filled.read_unit(apart) == await filled.read_unit(in_one_go)
    assert found == list(await filled.read_at_once(*statements))
    assert (found[0][0][2], found[1], found[2]) == ("Анна ✿", [], [(7, "demo", "demo")])


async def test_a_cancelled_caller_waits_until_its_unit_is_done(filled: Database) -> None:
    begun = anyio.Event()

    async def caller() -> None:
        begun.set()
        await filled.write(one_more)

    async with anyio.create_task_group() as group:
        group.start_soon(caller)
        await begun.wait()
        group.cancel_scope.cancel()

    assert await version(filled) == 1


async def test_80_rounds_of_cancelled_callers_never_get_stuck(filled: Database) -> None:
    dice = random.Random(80)
    finished: list[int] = []
    begun = 0

    async def caller(read: bool) -> None:
        nonlocal begun
        begun += 1
        if read:
            await filled.read(VERSION(7))
        else:
            finished.append(await filled.write(one_more))

    with anyio.fail_after(60):
        for round in range(80):
            async with anyio.create_task_group() as group:
                for _ in range(8):
                    group.start_soon(caller, dice.random() < 0.3)
                for _ in range(dice.randrange(12)):
                    await anyio.lowlevel.checkpoint()
                if round % 2:
                    await filled.ping()
                group.cancel_scope.cancel()
        async with anyio.create_task_group() as group:
            for _ in range(32):
                group.start_soon(filled.write, one_more)

    # Whoever was cancelled was booked whole or not at all, and nobody's lock is left.
    assert begun == 640
    assert len(finished) + 32 <= await version(filled) <= 640 + 32
    assert await filled.write(one_more) == await version(filled)


@pytest.mark.parametrize("collisions", [1, 2])
async def test_a_retry_starts_from_a_fresh_generator(filled: Database, collisions: int) -> None:
    """Whatever the cause of the collision, the unit before it left nothing behind."""
    tries = []

    def unit() -> Unit[int]:
        tries.append(1)
        result = yield from one_more()
        if len(tries) <= collisions:
            raise Collision("somebody else was first")
        return result

    assert await filled.write(unit) == 1
    assert (len(tries), await version(filled)) == (collisions + 1, 1)


async def test_after_the_last_try_the_caller_may_try_again(filled: Database) -> None:
    def unit() -> Unit[None]:
        yield from one_more()
        raise Collision("somebody else was first")

    with pytest.raises(Unavailable, match="nothing happened, try again") as caught:
        await filled.write(unit)

    assert caught.value.retryable
    assert await version(filled) == 0
