"""The demo itself, on a slice of its data, for the stories in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from demo_process import DemoProcess

# Enough for each tier to have members, and for products to be bought together.
HOUSEHOLDS = 60


@pytest.fixture(scope="session")
def demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running demo: ``http://127.0.0.1:PORT``."""
    folder = tmp_path_factory.mktemp("browser") / "demo"
    with DemoProcess(folder, households=HOUSEHOLDS).ready() as demo:
        yield demo.url
        demo.stop()
