"""How the storefront's files are served."""

import re

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from loyalty.web.pages import FOLDER, storefront_routes


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(Starlette(routes=storefront_routes()), follow_redirects=False)


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/shop/", "text/html; charset=utf-8"),
        ("/shop/css/tokens.css", "text/css; charset=utf-8"),
        ("/shop/js/views/cart.js", "text/javascript; charset=utf-8"),
        ("/shop/icon.svg", "image/svg+xml"),
    ],
)
def test_files_come_with_strict_headers(client: TestClient, path: str, media_type: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_known_tag_needs_no_body(client: TestClient) -> None:
    tag = client.get("/shop/").headers["etag"]

    for wanted in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = client.get("/shop/", headers={"if-none-match": wanted})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert client.get("/shop/", headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/shop/../pages.py",
        "/shop/%2e%2e/pages.py",
        "/shop/..%2fpages.py",
        "/shop//etc/passwd",
        "/shop/js",
        "/shop/js/",
        "/shop/%00",
        "/shop/%ff",
    ],
)
def test_nothing_but_the_files_exists(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_address_without_slash_leads_to_the_page_also_below_a_prefix() -> None:
    mounted = Starlette(routes=[Mount("/loyalty", routes=list(storefront_routes()))])
    answer = TestClient(mounted, base_url="http://shop.test").get("/loyalty/shop")

    assert answer.url == "http://shop.test/loyalty/shop/"
    assert answer.status_code == 200


def test_page_asks_for_nothing_from_elsewhere_and_for_no_missing_file() -> None:
    sources = {
        file.relative_to(FOLDER).as_posix(): file.read_text(encoding="utf-8")
        for file in FOLDER.rglob("*.*")
    }
    # The one address in them names SVG's elements; nothing is fetched from it.
    everything = "".join(sources.values()).replace("http://www.w3.org/2000/svg", "")
    imported = {
        ((FOLDER / name).parent / target).resolve()
        for name, text in sources.items()
        for target in re.findall(r'from "(\.[^"]+)"', text)
    }
    linked = {
        (FOLDER / target).resolve()
        for target in re.findall(r'(?:href|src)="([^"#]+)"', sources["index.html"])
    }

    assert re.findall(r"https?://|//[a-z]+\.", everything) == []
    assert [path for path in imported | linked if not path.is_file()] == []


def test_modules_are_short() -> None:
    lines = {
        file.name: len(file.read_text(encoding="utf-8").splitlines())
        for file in FOLDER.rglob("*.*")
    }

    assert [name for name, count in lines.items() if count > 250] == []
