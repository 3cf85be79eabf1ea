"""What one process does, another sees."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from loyalty.cache import Cache, Message, keys, open_cache

pytestmark = pytest.mark.anyio

# Does what is asked on each line of its input and says when it is done.
OTHER_PROCESS = """
import asyncio, sys
from loyalty.cache import keys, open_cache

async def main():
    cache = open_cache(sys.argv[1], deadline_s=10)
    for line in sys.stdin:
        verb, version = line.split()
        if verb == "put":
            done = await cache.put_versioned(keys.summary(1, 5), int(version), b"theirs", 60)
        elif verb == "invalidate":
            done = await cache.invalidate(keys.summary(1, 5), int(version), 60)
        elif verb == "publish":
            done = await cache.publish(keys.changes(1, 5), version.encode())
        else:
            done = await cache.put(keys.catalogue(1, 3, "a9f0"), version.encode(), 60)
        print(done, flush=True)
    await cache.close()

asyncio.run(main())
"""


async def _is(seen: Callable[[], Awaitable[bytes | None]], expected: bytes) -> bool:
    return await seen() == expected


async def test_versions_messages_and_copies_cross_processes(
    valkey_url: str, redis_cache: Cache, eventually
):
    other = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        OTHER_PROCESS,
        valkey_url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert other.stdin is not None
    assert other.stdout is not None
    stdin, stdout = other.stdin, other.stdout

    async def ask(verb: str, version: int) -> bool:
        stdin.write(f"{verb} {version}\n".encode())
        return (await stdout.readline()).strip() == b"True"

    cache = open_cache(valkey_url, deadline_s=10)
    key, channel = keys.summary(1, 5), keys.changes(1, 5)
    try:
        async with asyncio.timeout(30), cache.subscribe(channel) as events:
            assert await cache.put_versioned(key, 1, b"ours", 60)
            assert await ask("invalidate", 2)
            assert await cache.get_versioned(key) is None
            assert not await cache.put_versioned(key, 1, b"ours", 60)
            assert await ask("put", 2)
            assert await cache.get_versioned(key) == (2, b"theirs")

            assert await ask("publish", 3)
            assert await anext(events) == Message(channel, b"3")

            for listing in range(5):
                assert await ask("list", listing)
                seen = partial(cache.get, keys.catalogue(1, 3, "a9f0"))
                await eventually(partial(_is, seen, b"%d" % listing))
    finally:
        await cache.close()
        stdin.close()
        await other.wait()
