"""What happens around every request: its id, its headers, and an answer where a bug raised."""

from __future__ import annotations

import json
import re

import httpx2
import pytest
import structlog
from senders import customer, order
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from loyalty.app import create_app
from loyalty.services.services import Services

pytestmark = pytest.mark.anyio


async def broken(request: Request) -> Response:
    raise KeyError(request.path_params["name"])


async def broken_halfway(request: Request) -> Response:
    async def answer(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError("ann@example.com")

    return answer  # type: ignore[return-value]  # an ASGI application, as every Response is one


@pytest.fixture
async def http(local_shop):
    """A client of an application with two pages that fail."""
    services: Services = local_shop.services
    routes = [Route("/broken/{name}", broken), Route("/halfway", broken_halfway)]
    app = create_app(services.settings, services=services, extra_routes=routes)
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://shop.test") as client,
    ):
        yield client


async def test_a_request_gets_an_id_of_its_own(http) -> None:
    first, second = [(await http.get("/health/live")).headers["x-request-id"] for _ in range(2)]

    assert re.fullmatch("[0-9a-f]{24}", first)
    assert first != second


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("trace-2026.11_a", True),
        ("short", False),
        ("x" * 65, False),
        ("ann@example.com", False),
        ('"},{"a":"', False),
        ("два слова".encode(), False),
    ],
)
async def test_the_callers_id_is_kept_when_it_is_a_sane_one(http, sent, kept: bool) -> None:
    response = await http.get("/health/live", headers={"x-request-id": sent})

    assert (response.headers["x-request-id"] == sent) is kept


async def test_every_answer_has_its_security_headers_once(http) -> None:
    for path in ("/health/live", "/nowhere", "/broken/x", "/metrics", "/graphiql/"):
        headers = (await http.get(path)).headers
        assert headers.get_list("x-content-type-options") == ["nosniff"], path
        assert headers.get_list("referrer-policy") == ["no-referrer"], path


async def test_a_bug_is_answered_with_the_request_and_logged_with_its_traceback(http) -> None:
    with capture_logs() as logs:
        response = await http.get("/broken/ann", headers={"x-request-id": "request-1"})

    assert response.status_code == 500
    assert response.json() == {
        "error": {
            "code": "INTERNAL_ERROR",
            "message": "Something went wrong on our side; quote request request-1 when you "
            "report it.",
        }
    }
    failed, line = logs
    assert failed["event"] == "request_failed"
    assert failed["route"] == "/broken/{name}"
    assert failed["exc_info"] is True
    assert {key: line[key] for key in ("event", "method", "route", "status", "viewer")} == {
        "event": "request",
        "method": "GET",
        "route": "/broken/{name}",
        "status": 500,
        "viewer": "none",
    }


async def test_a_bug_halfway_through_an_answer_cuts_it_off(http) -> None:
    with capture_logs() as logs, pytest.raises(AssertionError):
        # The test's transport insists on a complete answer; a server closes the connection.
        await http.get("/halfway")

    assert [line["event"] for line in logs] == ["request_failed", "request"]


async def test_addresses_and_methods_that_are_none_are_refused_in_json(http) -> None:
    nowhere = await http.get("/members/ann@example.com")
    method = await http.get("/webhooks/generic/north")

    assert (nowhere.status_code, nowhere.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert (method.status_code, method.json()) == (
        405,
        {"error": {"code": "METHOD_NOT_ALLOWED", "message": "found GET, wanted POST"}},
    )
    assert method.headers["allow"] == "POST"


async def test_the_log_names_routes_and_kinds_of_callers_never_ids(local_shop) -> None:
    with capture_logs() as logs:
        await local_shop.north.send("customer.changed", customer("ann", local_shop.clock.now()))
        await local_shop.http.get("/members/ann@example.com")
        await local_shop.http.get("/health/ready")

    kept = [
        {key: line[key] for key in ("log_level", "method", "route", "status", "viewer")}
        for line in logs
        if line["event"] == "request"
    ]
    assert kept == [
        {
            "log_level": "info",
            "method": "POST",
            "route": "/webhooks/generic/{sourceId}",
            "status": 200,
            "viewer": "webhook",
        },
        {
            "log_level": "info",
            "method": "GET",
            "route": "unmatched",
            "status": 404,
            "viewer": "none",
        },
        {
            "log_level": "debug",
            "method": "GET",
            "route": "/health/ready",
            "status": 200,
            "viewer": "none",
        },
    ]


async def test_lines_of_one_request_share_its_id(local_shop) -> None:
    seen: list[str] = []

    def keep(logger, name, event):
        seen.append(event.get("request_id", ""))
        raise structlog.DropEvent

    processors = [structlog.contextvars.merge_contextvars, keep]
    before = structlog.get_config()["processors"]
    structlog.configure(processors=processors)
    try:
        await local_shop.http.get("/nowhere", headers={"x-request-id": "request-1"})
        await local_shop.http.get("/nowhere", headers={"x-request-id": "request-2"})
    finally:
        structlog.configure(processors=before)

    assert seen == ["request-1", "request-2"]


async def test_requests_are_counted_by_route(local_shop) -> None:
    now = local_shop.clock.now()
    await local_shop.north.send("order.paid", order("o-1", "ann", "3.00", now))
    await local_shop.http.get("/members/ann")
    await local_shop.http.request("PROPFIND", "/members/ann")

    text = (await local_shop.http.get("/metrics")).text

    for labels in (
        'method="POST",route="/webhooks/generic/{sourceId}",status="200"',
        'method="GET",route="unmatched",status="404"',
        'method="OTHER",route="unmatched",status="404"',
    ):
        assert f"loyalty_http_requests_total{{{labels}}} 1.0" in text
    assert 'loyalty_http_request_seconds_count{route="/webhooks/generic/{sourceId}"} 1.0' in text
    assert "loyalty_door_waiting 0.0" in text
    assert "loyalty_cache_up 1.0" in text
    assert "loyalty_cache_operations_total" in text
    assert 'loyalty_graphql_documents_total{outcome="hit",schema="storefront"} 0.0' in text
    assert "ann" not in text
    assert json.dumps(text)


async def test_a_caller_that_leaves_is_counted_as_gone(local_shop) -> None:
    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    headers = local_shop.north.headers("{}", "d-1")
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/webhooks/generic/north",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("shop.test", 80),
    }
    with capture_logs() as logs:
        await local_shop.app(scope, receive, send)

    assert [line["status"] for line in logs if line["event"] == "request"] == [499]
