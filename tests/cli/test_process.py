"""The command as a process: how fast it starts, what it loads, how it ends."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from command_line import CommandLine


def test_a_command_in_a_process_of_its_own(bare: CommandLine) -> None:
    assert bare.process("migrate").out.endswith("loyalty.sqlite3 is at 0007_product_types\n")
    bare.process("tenant", "create", "demo", "--name", "Demo")

    done = bare.process("tenant", "create", "demo", "--name", "Demo")

    assert (done.status, done.out) == (1, "")
    assert done.error == "error: there is a tenant 'demo' already\n"


@pytest.mark.parametrize(
    ("imports", "unwanted"),
    [
        ("loyalty.cli", {"typer", "rich", "loyalty.errors"}),
        (
            "loyalty.cli.root",
            {"rich", "pydantic", "tortoise", "strawberry", "numpy", "implicit", "structlog"},
        ),
        # Of what the recommender learns with, serving needs numpy alone.
        (
            "loyalty.app, loyalty.cli.serve",
            {"scipy", "implicit", "threadpoolctl", "pandas", "pyarrow", "typer"},
        ),
    ],
)
def test_nobody_waits_for_what_they_do_not_use(imports: str, unwanted: set[str]) -> None:
    program = f"import sys, {imports}; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert set(done.stdout.split()) & unwanted == set()


@pytest.mark.parametrize(("wished", "found"), [(None, "1"), ("2", "2")])
def test_small_matrices_are_multiplied_in_one_thread_unless_wished_otherwise(
    wished: str | None, found: str
) -> None:
    program = (
        "from loyalty.cli import main\ntry: main()\nfinally: import os; print(os.environ['{}'])"
    )
    name = "OPENBLAS_NUM_THREADS"
    environment = {key: value for key, value in os.environ.items() if key != name}
    done = subprocess.run(
        [sys.executable, "-c", program.format(name), "--help"],
        capture_output=True,
        text=True,
        env=environment | ({name: wished} if wished else {}),
        check=False,
    )

    assert done.stdout.split()[-1] == found


def test_a_closed_pipe_is_no_traceback(bare: CommandLine) -> None:
    """As in ``loyalty schema storefront | head -1``."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "loyalty.cli", "schema", "storefront"],
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            env=bare.environment,
            check=False,
        )
    finally:
        os.close(write)

    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_ctrl_c_is_130(bare: CommandLine) -> None:
    program = """
import asyncio, contextlib, os, signal
from loyalty.cli import main, tenant

@contextlib.asynccontextmanager
async def interrupted(settings):
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(30)
    yield

tenant.opened = interrupted
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program, "tenant", "list"],
        capture_output=True,
        text=True,
        env=bare.environment,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
