"""Which addresses there are in which environment, and who may call them from a browser."""

from __future__ import annotations

from dataclasses import replace

import httpx2
import pytest
from structlog.testing import capture_logs

from loyalty.app import create_app
from loyalty.services.access import Scope

pytestmark = pytest.mark.anyio

SCHEMA = {"query": "{ __schema { queryType { name } } }"}
PROGRAM = {"x-loyalty-program": "north"}


@pytest.fixture(params=["production", "development"])
async def client(request: pytest.FixtureRequest, local_shop):
    """The application again, in one environment, over the same use cases."""
    more = {"environment": request.param, "cors_origins": ("https://shop.example",)}
    settings = local_shop.services.settings.model_copy(update=more)
    services = local_shop.services
    app = create_app(settings, services=replace(services, settings=settings))
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://shop.test") as http,
    ):
        yield request.param, http


async def test_graphiql_and_introspection_are_closed_to_strangers_in_production(
    client, local_shop
) -> None:
    environment, http = client
    is_open = environment == "development"
    tenant = await local_shop.services.tenants.named("north")
    key = await local_shop.services.credentials.create_key(tenant.id, "k", [Scope.CATALOGUE_READ])

    page = await http.get("/graphiql/")
    stranger = (await http.post("/graphql", json=SCHEMA, headers=PROGRAM)).json()
    known = (
        await http.post("/graphql", json=SCHEMA, headers={"authorization": f"Bearer {key.text}"})
    ).json()

    assert page.status_code == (200 if is_open else 404)
    assert ("data" in stranger) is is_open
    if not is_open:
        assert stranger["errors"][0]["extensions"]["code"] == "INTROSPECTION_DISABLED"
    assert known == {"data": {"__schema": {"queryType": {"name": "Query"}}}}


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://shop.example", True), ("https://evil.example", False)]
)
async def test_pages_of_listed_origins_may_call(client, origin: str, allowed: bool) -> None:
    _, http = client
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }

    preflight = await http.options("/graphql", headers=asked)
    call = await http.post(
        "/graphql", json={"query": "{ program { name } }"}, headers={**PROGRAM, "origin": origin}
    )

    assert (preflight.status_code == 200) is allowed
    found = call.headers.get("access-control-allow-origin")
    assert found == (origin if allowed else None)
    assert "x-request-id" in call.headers


@pytest.mark.parametrize("program", [None, "north"])
async def test_the_log_tells_the_kind_of_caller(local_shop, program: str | None) -> None:
    tenant = await local_shop.services.tenants.named("north")
    key = await local_shop.services.credentials.create_key(tenant.id, "k", [Scope.ADMIN])
    headers = {"authorization": f"Bearer {key.text}"} if program is None else PROGRAM

    with capture_logs() as logs:
        await local_shop.http.post(
            "/graphql", json={"query": "{ program { name } }"}, headers=headers
        )

    kinds = [(line["route"], line["viewer"]) for line in logs if line["event"] == "request"]
    assert kinds == [("/graphql", "merchant" if program is None else "anonymous")]


async def test_a_body_over_the_limit_of_the_settings_is_refused(local_shop) -> None:
    most = local_shop.services.settings.body_bytes_max

    response = await local_shop.http.post(
        "/graphql",
        content=b'{"query": "{ program { name } }", "x": "' + b"x" * most + b'"}',
        headers={**PROGRAM, "content-type": "application/json"},
    )

    assert response.status_code == 413
    assert response.json()["errors"][0]["extensions"]["code"] == "LIMIT_BODY"
