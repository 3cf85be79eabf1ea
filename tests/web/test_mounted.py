"""The application inside a host's, as ``examples/mounted`` shows it, below any prefix."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from senders import Sender, customer
from starlette.testclient import TestClient

from loyalty.app import opened
from loyalty.settings import Settings

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "mounted"
RULES = (ROOT / "examples" / "minimal.toml").read_text(encoding="utf-8")


def example(name: str) -> ModuleType:
    spec = spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def mounted(make_settings, sqlite_path, migrated_file) -> tuple[Settings, str]:
    """Settings of a database with one tenant, and its webhook secret."""
    shutil.copy(migrated_file, sqlite_path)
    settings = make_settings(f"sqlite://{sqlite_path}")

    async def prepare() -> str:
        async with opened(settings) as services:
            tenant = await services.tenants.create("minimal", "Minimal")
            await services.rulesets.publish(tenant.id, RULES, "test")
            return (await services.webhook_sources.create(tenant.id, "north")).secret_text

    return settings, asyncio.run(prepare())


@pytest.fixture(params=["starlette_host", "fastapi_host"])
def host(request: pytest.FixtureRequest, mounted) -> Iterator[tuple[TestClient, str]]:
    """A client of each host; the prefix has two parts, which is the harder case."""
    prefix = "/shop/loyalty"
    with TestClient(example(request.param).create_host(mounted[0], prefix)) as client:
        yield client, prefix


def test_the_host_keeps_its_own_pages_and_reaches_the_use_cases(host) -> None:
    client, prefix = host

    response = client.get("/basket/minimal")

    assert response.json() == {"program": "Our points", "api": f"{prefix}/graphql"}


def test_both_schemas_answer_below_the_prefix(host) -> None:
    client, prefix = host
    question = {"query": "{ program { name } }"}

    storefront = client.post(
        f"{prefix}/graphql", json=question, headers={"x-loyalty-program": "minimal"}
    )
    admin = client.post(f"{prefix}/admin/graphql", json=question)

    assert storefront.json() == {"data": {"program": {"name": "Our points"}}}
    assert (admin.status_code, admin.json()["errors"][0]["extensions"]["code"]) == (
        401,
        "UNAUTHENTICATED",
    )


@pytest.mark.parametrize("page", ["/graphiql", "/admin/graphiql"])
def test_graphiql_finds_its_files_and_its_endpoint(host, page: str) -> None:
    client, prefix = host

    opened_page = client.get(f"{prefix}{page}")
    names = re.findall(r'(?:src|href)="(/[^"]+)"', opened_page.text)
    files = [client.get(name).status_code for name in names]

    assert (opened_page.status_code, opened_page.url.path) == (200, f"{prefix}{page}/")
    assert files == [200] * 8
    assert '"endpoint":"../graphql"' in opened_page.text
    assert opened_page.url.join("../graphql").path == f"{prefix}{page.removesuffix('iql')}ql"


def test_sockets_open_below_the_prefix(host) -> None:
    client, prefix = host

    with client.websocket_connect(
        f"{prefix}/graphql",
        subprotocols=["graphql-transport-ws"],
        headers={"x-loyalty-program": "minimal"},
    ) as socket:
        socket.send_json({"type": "connection_init"})
        acknowledged = socket.receive_json()
        socket.send_json(
            {"type": "subscribe", "id": "1", "payload": {"query": "{ program { name } }"}}
        )
        answer = socket.receive_json()

    assert acknowledged == {"type": "connection_ack"}
    assert answer["payload"] == {"data": {"program": {"name": "Our points"}}}


def test_webhooks_health_and_metrics_work_below_the_prefix(host, mounted) -> None:
    client, prefix = host
    now = datetime.now(UTC)
    body = json.dumps({"type": "customer.changed", "data": customer("c-1", now)})
    headers = Sender(None, "north", mounted[1], now).headers(body, "d-1")

    taken = client.post(f"{prefix}/webhooks/generic/north", content=body, headers=headers)
    ready = client.get(f"{prefix}/health/ready")
    client.get(f"{prefix}/nowhere")
    metrics = client.get(f"{prefix}/metrics").text

    assert taken.json() == {"result": "TAKEN"}
    assert ready.json()["status"] == "ready"
    assert 'route="/webhooks/generic/{sourceId}",status="200"} 1.0' in metrics
    assert 'route="unmatched",status="404"} 1.0' in metrics


@pytest.mark.parametrize("name", ["starlette_host", "fastapi_host"])
def test_a_host_that_forgets_the_lifespan_is_told(name: str, mounted) -> None:
    client = TestClient(example(name).create_host(mounted[0]))

    response = client.post("/loyalty/graphql", json={"query": "{ program { name } }"})

    assert response.status_code == 503
    assert "lifespan_context(app)" in response.json()["error"]["message"]
