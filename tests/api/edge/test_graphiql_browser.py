"""GraphiQL in a real browser: no other host, no errors, a query, a subscription."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
import uvicorn
from playwright.async_api import TimeoutError, async_playwright
from starlette.applications import Starlette
from starlette.routing import Mount, Route, WebSocketRoute

from loyalty_graphql.graphiql import GraphiQL, Tab

HEADERS = '{"authorization": "Bearer ann"}'

pytestmark = [pytest.mark.browser, pytest.mark.anyio]


async def tabs():
    return [
        Tab("Who am I", "query Me { viewer }", "{}", HEADERS),
        Tab("Count", "subscription Count { count(to: 2) }", "{}", HEADERS),
    ]


@asynccontextmanager
async def serving(edge):
    app = Starlette(
        routes=[
            Route("/graphql", edge.endpoint),
            WebSocketRoute("/graphql", edge.endpoint),
            Mount("/graphiql", GraphiQL("/graphql", tabs)),
        ]
    )
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


@asynccontextmanager
async def browsing(chromium):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            yield await browser.new_page()
        finally:
            await browser.close()


async def executed(page, answer):
    """Execute the tab and wait for its answer.

    For half a second after a change of tabs GraphiQL still names the other tab's operation, so an
    execution that misses is made again.
    """
    result = page.locator(".result-window", has_text=answer)
    for _ in range(5):
        await page.get_by_role("button", name="Execute query").click()
        try:
            return await result.wait_for(timeout=2_000)
        except TimeoutError:
            continue
    raise AssertionError(f"{answer} did not appear")


async def test_ready_tabs_run_without_another_host(edge, chromium):
    problems: list[str] = []
    hosts: set[str] = set()
    async with serving(edge) as address, browsing(chromium) as page:
        page.on("console", lambda said: said.type == "error" and problems.append(said.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))

        await page.goto(f"{address}/graphiql/")
        await executed(page, '"viewer": "ann"')
        await page.get_by_role("tab", name="Count").click()
        await executed(page, '"count": 1')
        await page.get_by_role("button", name="Show Documentation Explorer").click()
        await page.get_by_role("link", name="Mutation").wait_for()

    # An execution that missed is answered 400, which the console reports.
    assert [said for said in problems if "400 (Bad Request)" not in said] == []
    assert {host for host in hosts if host} == {address.removeprefix("http://")}
