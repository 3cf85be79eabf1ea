"""Pages of other sites: only listed ones."""

import httpx2
import pytest

from loyalty_graphql.transport import Origins, with_cors

SHOP = "https://shop.example"


@pytest.fixture
async def client(edge):
    app = with_cors(edge.endpoint, Origins([SHOP]))
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://edge"
    ) as client:
        yield client


@pytest.mark.anyio
async def test_a_listed_page_may_ask_with_a_token(client):
    preflight = await client.options(
        "/",
        headers={
            "origin": SHOP,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, content-type",
        },
    )
    answer = await client.post("/", json={"query": "{ hello }"}, headers={"origin": SHOP})

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == SHOP
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in preflight.headers
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "Origin" in answer.headers["vary"]


@pytest.mark.anyio
@pytest.mark.parametrize("origin", ["https://evil.example", SHOP + ".evil.example", "null"])
async def test_another_page_may_not(client, origin):
    preflight = await client.options(
        "/", headers={"origin": origin, "access-control-request-method": "POST"}
    )
    answer = await client.post("/", json={"query": "{ hello }"}, headers={"origin": origin})

    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("entry", ["*", "shop.example", SHOP + "/", "https://Shop.example", "null"])
def test_an_entry_that_is_no_origin_is_refused(entry):
    with pytest.raises(ValueError, match="wanted scheme and host"):
        Origins([entry])


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "api.example", True),
        (SHOP, "api.example", True),
        ("https://api.example", "api.example", True),
        ("http://localhost:8000", "localhost:8000", True),
        ("http://localhost:8001", "localhost:8000", False),
        ("https://evil.example", "api.example", False),
        ("https://evil.example", None, False),
        ("null", "api.example", False),
    ],
)
def test_sockets_follow_the_same_list(origin, host, allowed):
    assert Origins([SHOP]).allows(origin, host) is allowed
