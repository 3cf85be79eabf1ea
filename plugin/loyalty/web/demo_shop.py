"""The demo shop's own backend: it signs shoppers in and holds the key of the checkout service.

A shopper's browser may read and quote; whatever moves value belongs to the shop. So the demo's
page talks to this stand-in, which sends five fixed operations with the shop's service key and
nothing else. It believes no price that a browser names. A real shop has this in its own
checkout; here no money is taken.
"""

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import orjson
import segno
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from loyalty.errors import LoyaltyError, NotFound, Unavailable

Json: TypeAlias = dict[str, Any]

BODY_BYTES_MAX = 64 * 1024
LINES_MAX = 50
NAME_LENGTH_MAX = 128

SHIPPING: Json = {"amount": "4.90", "currencyCode": "USD"}
"""What the shop takes for shipping, whatever is in the cart; its ruleset may waive it."""

_AMOUNT = "fragment Amount on Money { amount currencyCode }"

_QUOTE = """fragment Quoted on Quote {
  token hash binding validUntil
  subtotal { ...Amount }
  discount { ...Amount }
  shipping { ...Amount }
  total { ...Amount }
  payable { ...Amount }
  tender { points value { ...Amount } }
  giftCards { label amount { ...Amount } }
  credit { ...Amount }
  earnings { pointType points availableAt expiresAt }
}"""

_ORDER = """fragment Booked on Order {
  id externalId state occurredAt pointsEarned pointsRedeemed mismatch
  total { ...Amount }
  discount { ...Amount }
  tender { points value { ...Amount } }
}"""

_BALANCE = "fragment Purse on Member { externalId version balance { available pending held } }"

_ERRORS = "userErrors { code message field }"

DOCUMENTS: Mapping[str, str] = {
    "CheckoutQuote": f"""query CheckoutQuote($input: CheckoutQuoteInput!) {{
  checkoutQuote(input: $input) {{ quote {{ ...Quoted }} {_ERRORS} }}
}}
{_QUOTE}
{_AMOUNT}""",
    "CheckoutReserve": f"""mutation CheckoutReserve($input: CheckoutReserveInput!) {{
  checkoutReserve(input: $input) {{
    reservation {{ id state expiresAt points uses {{ kind code }} quote {{ ...Quoted }} }}
    replayed
    {_ERRORS}
  }}
}}
{_QUOTE}
{_AMOUNT}""",
    "CheckoutCommit": f"""mutation CheckoutCommit($input: CheckoutCommitInput!) {{
  checkoutCommit(input: $input) {{
    order {{ ...Booked }}
    member {{ ...Purse }}
    replayed
    {_ERRORS}
  }}
}}
{_ORDER}
{_BALANCE}
{_AMOUNT}""",
    "CheckoutRelease": f"""mutation CheckoutRelease($input: CheckoutReleaseInput!) {{
  checkoutRelease(input: $input) {{ reservation {{ id state }} replayed {_ERRORS} }}
}}""",
    "OrderRefund": f"""mutation OrderRefund($input: OrderRefundInput!) {{
  orderRefund(input: $input) {{
    refund {{
      id externalId pointsReturned pointsReversed shortfall
      money {{ ...Amount }}
    }}
    order {{ ...Booked }}
    member {{ ...Purse }}
    replayed
    {_ERRORS}
  }}
}}
{_ORDER}
{_BALANCE}
{_AMOUNT}""",
    "ShopProduct": f"""query ShopProduct($externalId: ExternalId!) {{
  product(externalId: $externalId) {{ externalId category inStock price {{ ...Amount }} }}
}}
{_AMOUNT}""",
}

# What a browser may ask for; ShopProduct is the shop's own.
FOR_THE_PAGE = frozenset(DOCUMENTS) - {"ShopProduct"}


class DemoShop(Protocol):
    """What the demo's page needs of the server behind it."""

    async def session(self, member: str | None) -> Json:
        """Sign a member in, the one proposed to newcomers for None.

        Returns ``{endpoint, webSocket, program, members: [{externalId, label}], member:
        {externalId, token, expiresAt}, checkoutProxy, shipping, codes: [{code, label}]}``.

        Raises:
            NotFound: no such member, or not one of the demo's.
        """

    async def execute(self, operation_name: str, variables: Json) -> Json:
        """Run ``DOCUMENTS[operation_name]`` with the shop's service key.

        Returns the GraphQL response: ``data``, ``errors``.
        """


class _BadRequest(Exception):
    """The request cannot be understood; the message says what was found and what was wanted."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def demo_shop_routes(shop: DemoShop) -> list[Route]:
    """Routes below ``/demo``: the session, the shop's checkout service, and members' QR codes."""

    async def session(request: Request) -> Response:
        member = request.query_params.get("member")
        if member is not None and not _is_name(member):
            return _refusal(400, "BAD_USER_INPUT", _wanted_name("member", member))
        try:
            return _json(200, await shop.session(member))
        except LoyaltyError as error:
            return _failure(error)

    async def checkout(request: Request) -> Response:
        try:
            name, variables = _operation(await _body(request))
            if name == "CheckoutQuote":
                variables = await _priced(shop, variables)
        except _BadRequest as error:
            return _refusal(error.status, "BAD_USER_INPUT", str(error))
        except ClientDisconnect:
            return Response(status_code=400)
        except LoyaltyError as error:
            return _failure(error)
        try:
            return _json(200, await shop.execute(name, variables))
        except LoyaltyError as error:
            return _failure(error)

    async def qr(request: Request) -> Response:
        member = request.path_params["member"]
        if not _is_name(member):
            return _refusal(404, "NOT_FOUND", _wanted_name("member", member))
        picture = await run_in_threadpool(_qr_svg, member)
        headers = {
            "cache-control": "private, max-age=3600",
            "content-security-policy": "default-src 'none'",
            "x-content-type-options": "nosniff",
        }
        return Response(picture, media_type="image/svg+xml", headers=headers)

    return [
        Route("/demo/session", session, methods=["GET", "POST"], name="demo-session"),
        Route("/demo/checkout/graphql", checkout, methods=["POST"], name="demo-checkout"),
        Route("/demo/qr/{member}.svg", qr, methods=["GET"], name="demo-qr"),
    ]


async def _body(request: Request) -> bytes:
    """The request's body, at most ``BODY_BYTES_MAX`` of it ever in memory.

    A JSON media type is required: a form on another site can send the others unasked.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise _BadRequest(f"found content type {media_type!r}, wanted application/json", 415)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise _BadRequest(f"the body is over {BODY_BYTES_MAX} bytes", 413)
    return bytes(body)


def _operation(body: bytes) -> tuple[str, Json]:
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _BadRequest(f"the body is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise _BadRequest('wanted an object {"operationName", "variables"}')
    name = request.get("operationName")
    if not isinstance(name, str) or name not in FOR_THE_PAGE:
        raise _BadRequest(f"found operation {name!r:.80}, wanted one of {sorted(FOR_THE_PAGE)}")
    variables = request.get("variables")
    if not isinstance(variables, dict) or not isinstance(variables.get("input"), dict):
        raise _BadRequest('wanted variables {"input": {...}}')
    return name, {"input": variables["input"]}


async def _priced(shop: DemoShop, variables: Json) -> Json:
    """The same cart with the shop's own prices and shipping: what a browser says is not believed.

    A product that the shop does not have, or has no price for, is left for the quote to refuse.
    """
    lines = variables["input"].get("lines")
    if not isinstance(lines, list) or not 1 <= len(lines) <= LINES_MAX:
        raise _BadRequest(f"wanted 1 to {LINES_MAX} cart lines")
    priced: list[Json] = []
    for line in lines:
        name = line.get("product") if isinstance(line, dict) else None
        if not isinstance(name, str) or not _is_name(name):
            raise _BadRequest(_wanted_name("product", name))
        answer = await shop.execute("ShopProduct", {"externalId": name})
        product = (answer.get("data") or {}).get("product")
        if not product or not product["price"]:
            raise NotFound("product on sale", name)
        priced.append(
            {
                "id": line.get("id"),
                "product": name,
                "quantity": line.get("quantity"),
                "unitPrice": product["price"],
                "category": product["category"],
            }
        )
    return {"input": {**variables["input"], "lines": priced, "shipping": SHIPPING}}


def _is_name(text: str) -> bool:
    return 1 <= len(text) <= NAME_LENGTH_MAX and text.isprintable()


def _wanted_name(what: str, found: object) -> str:
    return f"found {what} {found!r:.80}, wanted 1 to {NAME_LENGTH_MAX} printable characters"


def _qr_svg(member: str) -> str:
    """The member's external id as a QR code that fills whatever box it is put in.

    Raises:
        ValueError: never for names ``_is_name`` admits; they fit the largest symbol.
    """
    symbol = segno.make(member, error="m", micro=False)
    return str(symbol.svg_inline(border=2, omitsize=True, dark="#10231c", light="#ffffff")).replace(
        "<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1
    )


def _json(status: int, body: Json) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(orjson.dumps(body), status, headers, "application/json")


def _refusal(status: int, code: str, message: str) -> Response:
    """One shape that both kinds of reader here understand."""
    error = {"code": code, "message": message}
    graphql_error = {"message": message, "extensions": {"code": code}}
    return _json(status, {"error": error, "errors": [graphql_error]})


def _failure(error: LoyaltyError) -> Response:
    status = 503 if isinstance(error, Unavailable) else 404 if isinstance(error, NotFound) else 400
    return _refusal(status, error.code, error.message)
