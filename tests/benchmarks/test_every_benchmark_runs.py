"""A benchmark that nobody ran since a change is a claim that nobody can check."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
SHORTEST = {
    "cache": ["--rounds", "1", "--calls", "20"],
    "checkout": ["--rounds", "1", "--members", "64"],
    "collector": ["--rounds", "1", "--commits", "64"],
    "guests": ["--cuts", "225", "--questions", "20"],
    "home_query": ["--rounds", "1", "--calls", "2"],
    "import_orders": ["--orders", "600"],
    "recommender": ["--requests", "20", "--products", "2000"],
    "without_redis": ["--rounds", "1", "--calls", "5"],
}
"""Arguments with which each does least."""


def test_each_benchmark_has_a_shortest_form() -> None:
    assert sorted(SHORTEST) == sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("name", SHORTEST)
def test_it_runs_and_shows_figures(name: str) -> None:
    command = [sys.executable, str(FOLDER / f"{name}.py"), *SHORTEST[name]]

    ran = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)

    assert ran.returncode == 0, ran.stderr
    assert len(re.findall(r"\d+\.\d+|\b\d{2,}\b", ran.stdout)) >= 3, ran.stdout
