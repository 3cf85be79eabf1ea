"""PostgreSQL's own benchmark, calling one function that does what a commit does."""

import os
import re
import subprocess
from pathlib import Path

import asyncpg

from loyalty.cli.embedded import PostgresServer
from loyalty.storage.postgres_driver import SESSION

FUNCTION = Path(__file__).with_name("commit_function.sql")
SCRIPT = (
    "\\set i :i + 1\n\\set n :first + :client_id * :each + :i\nSELECT bench_commit(:tenant, :n);\n"
)
THREADS = 2
_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_DONE = re.compile(r"number of transactions actually processed: (\d+)/")


class PgBench:
    """Commits reservations of a tenant that are made in SQL, as many as are wanted.

    Args:
        tenant_id: one whose members have no reservation yet but one each, which is the pattern.
    """

    def __init__(self, server: PostgresServer, url: str, tenant_id: int, folder: Path) -> None:
        self._server = server
        self._url = url
        self.tenant_id = tenant_id
        self._script = folder / "commit.pgbench"
        self._script.write_text(SCRIPT)
        self._first = 0

    async def prepare(self) -> None:
        connection = await asyncpg.connect(self._url)
        await connection.execute(FUNCTION.read_text(encoding="utf-8"))
        await connection.close()

    async def ready(self, count: int) -> None:
        """Make ``count`` reservations, the members in turn."""
        connection = await asyncpg.connect(self._url)
        await connection.execute(_COPIES.format(t=self.tenant_id, a=self._first + 1, n=count))
        await connection.close()

    def per_second(self, clients: int, count: int) -> float:
        """Commits per second, of ``count`` reservations that are ready."""
        each = count // clients
        session = SESSION | {"statement_timeout": "0"}
        given = {"i": 0, "tenant": self.tenant_id, "first": self._first, "each": each}
        command = [
            self._server.program("pgbench"), "--no-vacuum", "--protocol=prepared",
            f"--client={clients}", f"--jobs={min(clients, THREADS)}", f"--transactions={each}",
            f"--file={self._script}", self._url,
            *(f"--define={name}={value}" for name, value in given.items()),
        ]  # fmt: skip
        options = " ".join(f"-c {name}={value}" for name, value in session.items())
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=os.environ | {"PGOPTIONS": options},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        self._first += count
        found = _DONE.search(done.stdout)
        assert found is not None, done.stdout
        assert int(found.group(1)) == each * clients, done.stdout + done.stderr
        rate = _RATE.search(done.stdout)
        assert rate is not None, done.stdout
        return float(rate.group(1))


_COPIES = """
WITH members AS (
    SELECT m.id, l.id AS lot_id, row_number() OVER (ORDER BY m.id) - 1 AS place,
           count(*) OVER () AS members
      FROM member m JOIN lot l ON l.tenant_id = m.tenant_id AND l.member_id = m.id
     WHERE m.tenant_id = {t} AND l.unit = 'points' AND l.order_id IN (
        SELECT id FROM shop_order WHERE tenant_id = {t} AND external_id LIKE 'seed-%')
), pattern AS (
    SELECT * FROM reservation WHERE tenant_id <> {t} AND state = 'HELD' LIMIT 1
), made AS (
    INSERT INTO reservation (id, tenant_id, member_id, cart_id, state, quote, created_at,
           expires_at, extended_until_max)
    SELECT nextval('bench_ids'), {t}, m.id, 'p-' || n, 'HELD', p.quote, p.created_at,
           p.expires_at, p.extended_until_max
      FROM generate_series({a}::bigint, {a}::bigint + {n} - 1) AS n, members m, pattern p
     WHERE m.place = n % m.members
    RETURNING id, member_id
)
INSERT INTO draw (id, tenant_id, reservation_id, lot_id, holder_id, unit, amount, returned, state)
SELECT nextval('bench_ids'), {t}, made.id, m.lot_id, m.id, 'points', 6000, 0, 'HELD'
  FROM made JOIN members m ON m.id = made.member_id
"""
