"""kill -9 of the server in the middle of 200 commits: what was acknowledged is there, once."""

from __future__ import annotations

from time import monotonic

import httpx2
import pytest
from checkout_client import Checkout, Gone, paid
from server_process import ServerProcess
from survivors import POINTS_OF_AN_ORDER, booked, enrolled, is_whole, points, until_ready

pytestmark = pytest.mark.anyio

MEMBERS = 8
COMMITS = 200
READY_S_MAX = 5
"""How soon after a kill everything answers again, on a machine that does nothing else."""


async def test_what_was_acknowledged_is_there_once(
    settings, prepared, tmp_path, is_soak: bool
) -> None:
    names = await enrolled(settings, MEMBERS)
    server = ServerProcess(prepared.settings, tmp_path / "log")
    rounds = 50 if is_soak else 1
    ready_s: list[float] = []
    for number in range(rounds):
        orders = {f"o-{number}-{place}": names[place % MEMBERS] for place in range(COMMITS)}
        steps: dict[str, dict[str, str]] = {}
        kill_at = COMMITS // 4 + number * COMMITS // (2 * rounds)

        with server:
            async with httpx2.AsyncClient(base_url=server.url, timeout=20) as http:
                checkout = Checkout(http, prepared.service_key, steps)
                acknowledged = await hammered(server, checkout, orders, kill_at)

        survived = await booked(settings.database_url)
        assert kill_at <= len(acknowledged) < COMMITS
        assert acknowledged <= survived.keys()
        assert set(survived.values()) == {1}

        # Every call again with its own key, as a shop does that got no answer.
        since = monotonic()
        with server:
            async with httpx2.AsyncClient(base_url=server.url, timeout=20) as http:
                ready_s.append(await until_ready(http, since))
                checkout = Checkout(http, prepared.service_key, steps)
                repeats = await paid(checkout, orders, MEMBERS)
            assert server.stop() == 0

        assert repeats == {name: name in survived for name in orders}
        everything = await booked(settings.database_url)
        assert len(everything) == (number + 1) * COMMITS
        assert set(everything.values()) == {1}
        assert await points(settings, names) == (number + 1) * COMMITS * POINTS_OF_AN_ORDER
    assert await is_whole(settings)
    middle_s = sorted(ready_s)[rounds // 2]
    print(f"ready again after {middle_s:.2f} s in the middle, {max(ready_s):.2f} s at most")
    assert not is_soak or middle_s < READY_S_MAX, ready_s


async def hammered(
    server: ServerProcess, checkout: Checkout, orders: dict[str, str], kill_at: int
) -> set[str]:
    """Pay, and kill the server at one of the acknowledgements; all of them."""
    acknowledged: set[str] = set()

    def note(order: str) -> None:
        acknowledged.add(order)
        if len(acknowledged) == kill_at:
            server.kill()

    with pytest.raises(ExceptionGroup) as ends:
        await paid(checkout, orders, MEMBERS, note)
    assert [end for end in ends.value.exceptions if not isinstance(end, Gone)] == []
    return acknowledged
