"""The demo shop's stand-in: what it forwards, what it refuses, and that it believes no price."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from loyalty.errors import NotFound, Unavailable
from loyalty.web.demo_shop import BODY_BYTES_MAX, LINES_MAX, SHIPPING, demo_shop_routes

Json = dict[str, Any]

PATH = "/demo/checkout/graphql"
PRICES: Json = {"milk": {"amount": "2.49", "currencyCode": "USD"}}


class ShopOfOneProduct:
    """A working shop that sells milk and keeps what it was asked to run."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Json]] = []
        self.is_busy = False

    async def session(self, member: str | None) -> Json:
        if member not in {None, "7"}:
            raise NotFound("member", str(member))
        return {"member": {"externalId": member or "7"}}

    async def execute(self, operation_name: str, variables: Json) -> Json:
        if self.is_busy:
            raise Unavailable("the database is away")
        if operation_name == "ShopProduct":
            price = PRICES.get(variables["externalId"])
            product = price and {"price": price, "category": "MILK", "inStock": True}
            return {"data": {"product": product}}
        self.asked.append((operation_name, variables))
        return {"data": {"answer": operation_name}}


@pytest.fixture
def shop() -> ShopOfOneProduct:
    return ShopOfOneProduct()


@pytest.fixture
def client(shop: ShopOfOneProduct) -> TestClient:
    return TestClient(Starlette(routes=demo_shop_routes(shop)))


def test_session_signs_in_the_proposed_member_or_the_one_asked_for(client: TestClient) -> None:
    assert client.get("/demo/session").json() == {"member": {"externalId": "7"}}
    assert client.post("/demo/session?member=7").json() == {"member": {"externalId": "7"}}


@pytest.mark.parametrize(
    ("member", "status", "code"),
    [
        ("8", 404, "NOT_FOUND"),
        ("", 400, "BAD_USER_INPUT"),
        ("x" * 129, 400, "BAD_USER_INPUT"),
        ("%00", 400, "BAD_USER_INPUT"),
    ],
)
def test_session_of_nobody_is_refused(
    client: TestClient, member: str, status: int, code: str
) -> None:
    answer = client.post(f"/demo/session?member={member}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    "name", ["CheckoutReserve", "CheckoutCommit", "CheckoutRelease", "OrderRefund"]
)
def test_steps_that_move_value_are_forwarded_as_they_are(
    client: TestClient, shop: ShopOfOneProduct, name: str
) -> None:
    body = {"operationName": name, "variables": {"input": {"idempotencyKey": "k"}, "more": 1}}

    answer = client.post(PATH, json=body)

    assert answer.json() == {"data": {"answer": name}}
    assert shop.asked == [(name, {"input": {"idempotencyKey": "k"}})]


def test_quote_is_made_with_the_shops_own_price(client: TestClient, shop: ShopOfOneProduct) -> None:
    free = {"amount": "0.01", "currencyCode": "USD"}
    line = {"id": "a", "product": "milk", "quantity": 2, "unitPrice": free, "unitCost": free}
    wanted = {"cartId": "c", "lines": [line]}

    client.post(PATH, json={"operationName": "CheckoutQuote", "variables": {"input": wanted}})

    ours = {
        "id": "a",
        "product": "milk",
        "quantity": 2,
        "unitPrice": PRICES["milk"],
        "category": "MILK",
    }
    priced = {"cartId": "c", "lines": [ours], "shipping": SHIPPING}
    assert shop.asked == [("CheckoutQuote", {"input": priced})]


def quote_of(lines: object) -> Json:
    return {"operationName": "CheckoutQuote", "variables": {"input": {"lines": lines}}}


@pytest.mark.parametrize(
    ("case", "body", "status"),
    [
        ("nothing", b"", 400),
        ("not JSON", b"{", 400),
        ("no UTF-8", b'{"a": "\xff"}', 400),
        ("too deep", b"[" * 50_000, 400),
        ("too long", b" " * (BODY_BYTES_MAX + 1), 413),
        ("a list", [], 400),
        ("no operation", {}, 400),
        ("operation of another type", {"operationName": 3}, 400),
        ("the shop's own operation", {"operationName": "ShopProduct", "variables": {}}, 400),
        ("unknown operation", {"operationName": "memberEnrol", "variables": {"input": {}}}, 400),
        ("no variables", {"operationName": "OrderRefund"}, 400),
        ("no input", {"operationName": "OrderRefund", "variables": {"input": None}}, 400),
        ("no lines", quote_of([]), 400),
        ("too many lines", quote_of([{"product": "milk"}] * (LINES_MAX + 1)), 400),
        ("a line of another type", quote_of([1]), 400),
        ("a line without product", quote_of([{}]), 400),
        ("a product of another type", quote_of([{"product": ["milk"]}]), 400),
        ("a product with a control character", quote_of([{"product": "\0"}]), 400),
        ("a product that is not sold", quote_of([{"product": "gold"}]), 404),
    ],
)
def test_bad_request_is_refused_and_moves_nothing(
    client: TestClient, shop: ShopOfOneProduct, case: str, body: object, status: int
) -> None:
    headers = {"content-type": "application/json"}
    if isinstance(body, bytes):
        answer = client.post(PATH, content=body, headers=headers)
    else:
        answer = client.post(PATH, json=body)

    assert answer.status_code == status, case
    assert answer.json()["errors"][0]["message"]
    assert shop.asked == []


def test_form_of_another_site_is_refused(client: TestClient, shop: ShopOfOneProduct) -> None:
    answer = client.post(PATH, content=b"{}", headers={"content-type": "text/plain"})

    assert answer.status_code == 415
    assert shop.asked == []


def test_busy_shop_says_try_again(client: TestClient, shop: ShopOfOneProduct) -> None:
    shop.is_busy = True

    body = {"operationName": "OrderRefund", "variables": {"input": {}}}
    answer = client.post(PATH, json=body)

    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"] == {"code": "UNAVAILABLE"}


def test_qr_code_is_a_picture_of_any_name(client: TestClient) -> None:
    for member in ("7", "Győr 12", "😀" * 128):
        answer = client.get(f"/demo/qr/{member}.svg")

        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.text.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert client.get(f"/demo/qr/{'x' * 129}.svg").status_code == 404
    assert client.get("/demo/qr/%01.svg").status_code == 404
