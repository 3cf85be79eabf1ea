"""The steps of a checkout through the API, for tests of what each answers."""

from typing import Any

from api_shop import Caller, eur, line

CART = {"cartId": "c", "lines": [line("1", "tea", 1, "50.00")]}
ERRORS = """userErrors {
  __typename code message field
  ... on InsufficientPointsError { requested available }
  ... on TotalMismatchError { expected { amount } found { amount } }
}"""
RESERVE = (
    "mutation($input:CheckoutReserveInput!){checkoutReserve(input:$input)"
    f"{{reservation{{id state expiresAt order{{id}}}} replayed {ERRORS}}}}}"
)
COMMIT = (
    "mutation($input:CheckoutCommitInput!){checkoutCommit(input:$input)"
    f"{{order{{externalId state}} replayed {ERRORS}}}}}"
)
QUOTE = (
    "query($input:CheckoutQuoteInput!){checkoutQuote(input:$input)"
    f"{{quote{{token hash tier{{code}}}} {ERRORS}}}}}"
)


async def quote(till: Caller, **more: Any) -> str:
    """Token of a quote for the one cart."""
    answer = await till.run("checkout_quote", input=CART | {"member": "ann"} | more)
    assert answer["userErrors"] == []
    return str(answer["quote"]["token"])


async def reserve(till: Caller, token: str, key: str = "r", **more: Any) -> dict[str, Any]:
    given = {"idempotencyKey": key, "quoteToken": token} | more
    answer: dict[str, Any] = (await till.data(RESERVE, {"input": given}))["checkoutReserve"]
    return answer


async def commit(till: Caller, reservation: str, paid: str, key: str = "c") -> dict[str, Any]:
    given = {
        "idempotencyKey": key,
        "reservationId": reservation,
        "orderExternalId": "o",
        "paid": eur(paid),
    }
    answer: dict[str, Any] = (await till.data(COMMIT, {"input": given}))["checkoutCommit"]
    return answer
