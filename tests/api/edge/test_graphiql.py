"""GraphiQL from our own files: what is served, and that it needs no other host."""

import re
from importlib.resources import files

import httpx2
import orjson
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from loyalty_graphql.graphiql import GraphiQL, Tab

TAB = Tab("</script><b>Who am I", "{ viewer }", "{}", '{"authorization": "Bearer ann"}')


async def tabs():
    return [TAB]


@pytest.fixture
async def client():
    app = Starlette(routes=[Mount("/graphiql", GraphiQL("/graphql", tabs))])
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://shop.test:8000") as client:
        yield client


@pytest.mark.anyio
async def test_the_page_carries_its_tabs_and_nothing_from_elsewhere(client):
    response = await client.get("/graphiql/")

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    page = response.text
    config = orjson.loads(re.search(r'type="application/json">(.*?)</script>', page)[1])
    assert config["endpoint"] == "/graphql"
    assert config["tabs"] == [
        {
            "title": TAB.title,
            "query": TAB.query,
            "variables": TAB.variables,
            "headers": TAB.headers,
        }
    ]
    assert "<b>" not in page
    assert "//" not in page
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "connect-src 'self' ws://shop.test:8000 wss://shop.test:8000;" in policy


@pytest.mark.anyio
async def test_every_file_of_the_page_is_served_and_revalidated(client):
    page = (await client.get("/graphiql/")).text
    addresses = re.findall(r'(?:src|href)="(/[^"]+)"', page)

    assert len(addresses) == 8
    for address in addresses:
        response = await client.get(address)
        assert response.status_code == 200, address
        kind = "text/javascript" if address.endswith(".js") else "text/css"
        assert response.headers["content-type"] == f"{kind}; charset=utf-8"
        again = await client.get(address, headers={"if-none-match": response.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/graphiql/vendor/../__init__.py", 404),
        ("GET", "/graphiql/__init__.py", 404),
        ("GET", "/graphiql/index.html", 404),
        ("GET", "/graphiql/vendor/", 404),
        ("GET", "/graphiql/vendor/%2e%2e/page.js", 404),
        ("POST", "/graphiql/", 405),
    ],
)
async def test_nothing_else_is_served(client, method, path, status):
    response = await client.request(method, path)

    assert response.status_code == status


@pytest.mark.anyio
async def test_a_forged_host_stays_out_of_the_policy(client):
    response = await client.get("/graphiql/", headers={"host": "x; script-src *"})

    assert "connect-src 'self';" in response.headers["content-security-policy"]


def test_every_vendored_file_is_listed_with_its_licence():
    vendor = files("loyalty_graphql.graphiql") / "vendor"
    listed = (vendor / "README.md").read_text()

    names = {entry.name for entry in vendor.iterdir()} - {"README.md"}
    assert {name for name in names if name not in listed} == set()
    assert {name for name in names if name.startswith("LICENSE")} == {
        "LICENSE.graphiql",
        "LICENSE.react",
    }
