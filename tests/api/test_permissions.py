"""Who may ask for what: every field at the top of both schemas, for every kind of caller."""

from typing import Any

import pytest
from api_shop import ApiShop, Caller, Program, eur, line
from starlette.requests import HTTPConnection

from loyalty.services.access import Scope
from loyalty_graphql.admin.schema import schema as admin
from loyalty_graphql.context import context_factory
from loyalty_graphql.engine import Params
from loyalty_graphql.errors import Refused
from loyalty_graphql.ids import encode_id
from loyalty_graphql.permissions import RULES
from loyalty_graphql.storefront.schema import schema as storefront

SCOPES = [scope for scope in Scope if scope is not Scope.ADMIN]
EVERYBODY = {"anonymous", "shopper", "merchant", *SCOPES}
KEY = {"idempotencyKey": "k"}
RESERVATION = {"reservationId": encode_id("Reservation", 1)}

# field: what is asked, with which variables, who may ask.
TABLE: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "Query.program": ("{program{code}}", {}, EVERYBODY),
    "Query.viewer": ("{viewer{kind}}", {}, EVERYBODY),
    "Query.member": (
        '{member(externalId:"ann"){externalId}}',
        {},
        {"shopper", Scope.MEMBERS_READ, "merchant"},
    ),
    "Query.product": (
        '{product(externalId:"tea"){name}}',
        {},
        {"anonymous", "shopper", Scope.CATALOGUE_READ, "merchant"},
    ),
    "Query.products": (
        "{products{nodes{name}}}",
        {},
        {"anonymous", "shopper", Scope.CATALOGUE_READ, "merchant"},
    ),
    "Query.recommendations": (
        "{recommendations(window:FOR_YOU){strategy}}",
        {},
        {"anonymous", "shopper", Scope.CATALOGUE_READ, "merchant"},
    ),
    "Query.rankProducts": (
        '{rankProducts(ids:["tea"]){strategy}}',
        {},
        {"anonymous", "shopper", Scope.CATALOGUE_READ, "merchant"},
    ),
    "Query.checkoutQuote": (
        "query($input:CheckoutQuoteInput!){checkoutQuote(input:$input){quote{hash}}}",
        {"input": {"cartId": "c", "lines": [line("1", "tea", 1, "1.00")]}},
        {"shopper", Scope.CHECKOUT_QUOTE, "merchant"},
    ),
    "Query.reservation": (
        "query($id:ID!){reservation(id:$id){id}}",
        {"id": encode_id("Reservation", 1)},
        {Scope.CHECKOUT_WRITE, "merchant"},
    ),
    "Query.order": (
        '{order(externalId:"o-1"){id}}',
        {},
        {"shopper", Scope.MEMBERS_READ, Scope.CHECKOUT_WRITE, "merchant"},
    ),
    "Mutation.recommendationEvents": (
        "mutation($input:RecommendationEventsInput!){recommendationEvents(input:$input){recorded}}",
        {"input": {"events": [{"recommendationId": "x", "type": "CLICK", "product": "tea"}]}},
        {"anonymous", "shopper", Scope.CATALOGUE_READ, Scope.EVENTS_WRITE, "merchant"},
    ),
    "Mutation.productViews": (
        "mutation($input:ProductViewsInput!){productViews(input:$input){remembered}}",
        {"input": {"session": "0123456789abcdef", "products": ["tea"]}},
        {"anonymous", "shopper", Scope.CATALOGUE_READ, Scope.EVENTS_WRITE, "merchant"},
    ),
    "Mutation.memberEnrol": (
        "mutation($input:MemberEnrolInput!){memberEnrol(input:$input){replayed}}",
        {"input": {**KEY, "externalId": "ann"}},
        {"shopper", Scope.MEMBERS_WRITE, "merchant"},
    ),
    "Mutation.memberUpdate": (
        "mutation($input:MemberUpdateInput!){memberUpdate(input:$input){replayed}}",
        {"input": {"externalId": "ann"}},
        {"shopper", Scope.MEMBERS_WRITE, "merchant"},
    ),
    "Mutation.memberMerge": (
        "mutation($input:MemberMergeInput!){memberMerge(input:$input){replayed}}",
        {"input": {**KEY, "source": "guest", "target": "ann"}},
        {Scope.MEMBERS_WRITE, "merchant"},
    ),
    "Mutation.memberUnmerge": (
        "mutation($input:MemberUnmergeInput!){memberUnmerge(input:$input){replayed}}",
        {"input": {**KEY, "source": "guest"}},
        {Scope.MEMBERS_WRITE, "merchant"},
    ),
    "Query.offers": (
        '{offers(member:"ann"){code}}',
        {},
        {"shopper", Scope.MEMBERS_READ, "merchant"},
    ),
    "Mutation.offerActivate": (
        "mutation($input:OfferActivateInput!){offerActivate(input:$input){replayed}}",
        {"input": {**KEY, "offerId": encode_id("Offer", 1), "member": "ann"}},
        {"shopper", Scope.MEMBERS_WRITE, "merchant"},
    ),
    "Mutation.checkoutReserve": (
        "mutation($input:CheckoutReserveInput!){checkoutReserve(input:$input){replayed}}",
        {"input": {**KEY, "quoteToken": "x"}},
        {Scope.CHECKOUT_WRITE, "merchant"},
    ),
    "Mutation.checkoutExtend": (
        "mutation($input:CheckoutExtendInput!){checkoutExtend(input:$input){replayed}}",
        {"input": {**KEY, **RESERVATION, "ttlSeconds": 60}},
        {Scope.CHECKOUT_WRITE, "merchant"},
    ),
    "Mutation.checkoutCommit": (
        "mutation($input:CheckoutCommitInput!){checkoutCommit(input:$input){replayed}}",
        {"input": {**KEY, **RESERVATION, "orderExternalId": "o", "paid": eur("1.00")}},
        {Scope.CHECKOUT_WRITE, "merchant"},
    ),
    "Mutation.checkoutRelease": (
        "mutation($input:CheckoutReleaseInput!){checkoutRelease(input:$input){replayed}}",
        {"input": {**KEY, **RESERVATION}},
        {Scope.CHECKOUT_WRITE, "merchant"},
    ),
    "Mutation.orderRefund": (
        "mutation($input:OrderRefundInput!){orderRefund(input:$input){replayed}}",
        {"input": {**KEY, "orderExternalId": "o", "refundExternalId": "r"}},
        {Scope.CHECKOUT_WRITE, "merchant"},
    ),
    "Mutation.orderCancel": (
        "mutation($input:OrderCancelInput!){orderCancel(input:$input){replayed}}",
        {"input": {**KEY, "orderExternalId": "o"}},
        {Scope.CHECKOUT_WRITE, "merchant"},
    ),
    "Mutation.orderEdit": (
        "mutation($input:OrderEditInput!){orderEdit(input:$input){replayed}}",
        {
            "input": {
                **KEY,
                "orderExternalId": "o",
                "editExternalId": "e",
                "lines": [
                    {"id": "1", "product": "tea", "quantity": 1, "amount": eur("1.00")},
                ],
            }
        },
        {Scope.CHECKOUT_WRITE, "merchant"},
    ),
    "Query.orderRefundPreview": (
        "query($input:OrderRefundPreviewInput!)"
        "{orderRefundPreview(input:$input){userErrors{code}}}",
        {"input": {"orderExternalId": "o"}},
        {Scope.CHECKOUT_WRITE, "merchant"},
    ),
    "Subscription.memberChanged": (
        # Of nobody, so that whoever may ask is answered too.
        'subscription{memberChanged(externalId:"nobody"){reason}}',
        {},
        {"shopper", Scope.MEMBERS_READ, "merchant"},
    ),
}

ADMIN_TABLE: dict[str, str] = {
    "Query.viewer": "{viewer{kind}}",
    "Query.program": "{program{code}}",
    "Query.ruleset": "{ruleset{version}}",
    "Query.rulesets": "{rulesets{version}}",
    "Query.rulesetValidate": '{rulesetValidate(source:"x"){valid}}',
    "Query.member": '{member(externalId:"ann"){id}}',
    "Query.members": "{members{nodes{id}}}",
    "Query.memberExport": '{memberExport(externalId:"nobody")}',
    "Query.product": '{product(externalId:"tea"){id}}',
    "Query.products": "{products{nodes{id cost{amount}}}}",
    "Query.model": "{model{id}}",
    "Query.models": "{models{id}}",
    "Query.experiments": "{experiments{nodes{id}}}",
    "Query.recommendationFigures": (
        '{recommendationFigures(from:"2026-01-01",until:"2026-02-01"){nodes{window}}}'
    ),
    "Query.memberLedger": '{memberLedger(externalId:"ann"){nodes{seq}}}',
    "Query.adjustments": "{adjustments{nodes{id}}}",
    "Query.coupon": '{coupon(code:"x"){code}}',
    "Query.coupons": "{coupons{nodes{code}}}",
    "Query.rewardStocks": "{rewardStocks{reward}}",
    "Query.giftCard": '{giftCard(code:"x"){id}}',
    "Query.giftCards": "{giftCards{nodes{id}}}",
    "Query.offerPlans": "{offerPlans{nodes{number}}}",
    "Query.offerPlan": '{offerPlan(id:"T2ZmZXJQbGFuOjE"){number}}',
    "Query.offerEffect": '{offerEffect(id:"T2ZmZXJQbGFuOjE"){offered{members}}}',
    "Query.reservations": "{reservations{nodes{id}}}",
    "Query.auditEvents": "{auditEvents{nodes{action}}}",
    "Query.ledgerVerify": "{ledgerVerify{ok}}",
    "Query.ledgerRoots": "{ledgerRoots{nodes{day}}}",
    "Query.ledgerProof": '{ledgerProof(entryId:"1"){file}}',
    "Query.metricsSummary": "{metricsSummary{members}}",
    "Query.apiKeys": "{apiKeys{name}}",
    "Query.webhookSources": "{webhookSources{name}}",
    "Mutation.rulesetPublish": 'mutation{rulesetPublish(input:{source:"x"}){userErrors{code}}}',
    "Mutation.memberUpdate": 'mutation{memberUpdate(input:{externalId:"ann"}){userErrors{code}}}',
    "Mutation.memberSuspend": 'mutation{memberSuspend(input:{externalId:"x"}){userErrors{code}}}',
    "Mutation.memberReactivate": (
        'mutation{memberReactivate(input:{externalId:"x"}){userErrors{code}}}'
    ),
    "Mutation.memberClose": 'mutation{memberClose(input:{externalId:"x"}){userErrors{code}}}',
    "Mutation.memberMerge": (
        'mutation{memberMerge(input:{idempotencyKey:"k",source:"x",target:"y"}){userErrors{code}}}'
    ),
    "Mutation.memberUnmerge": (
        'mutation{memberUnmerge(input:{idempotencyKey:"k",source:"x"}){userErrors{code}}}'
    ),
    "Mutation.memberErase": (
        'mutation{memberErase(input:{idempotencyKey:"k",externalId:"x"}){userErrors{code}}}'
    ),
    "Mutation.modelRollback": "mutation{modelRollback(input:{}){userErrors{code}}}",
    "Mutation.experimentStart": (
        'mutation{experimentStart(input:{candidate:"x",shareBp:1}){userErrors{code}}}'
    ),
    "Mutation.experimentStop": "mutation{experimentStop{userErrors{code}}}",
    "Mutation.offerPlanWithdraw": ('mutation{offerPlanWithdraw(input:{id:"x"}){userErrors{code}}}'),
    "Mutation.pointsAdjust": (
        'mutation{pointsAdjust(input:{idempotencyKey:"k",externalId:"x",points:1,reason:"r"})'
        "{userErrors{code}}}"
    ),
    "Mutation.adjustmentApprove": (
        'mutation{adjustmentApprove(input:{idempotencyKey:"k",id:"x"}){userErrors{code}}}'
    ),
    "Mutation.adjustmentDecline": (
        'mutation{adjustmentDecline(input:{idempotencyKey:"k",id:"x"}){userErrors{code}}}'
    ),
    "Mutation.couponIssue": (
        'mutation{couponIssue(input:{idempotencyKey:"k",reward:"x"}){userErrors{code}}}'
    ),
    "Mutation.couponRevoke": 'mutation{couponRevoke(input:{code:"x"}){userErrors{code}}}',
    "Mutation.rewardStockSet": (
        'mutation{rewardStockSet(input:{reward:"x",total:1}){userErrors{code}}}'
    ),
    "Mutation.giftCardIssue": (
        'mutation{giftCardIssue(input:{idempotencyKey:"k",'
        'amount:{amount:"0",currencyCode:"EUR"}}){userErrors{code}}}'
    ),
    "Mutation.giftCardBlock": 'mutation{giftCardBlock(input:{id:"x"}){userErrors{code}}}',
    "Mutation.giftCardUnblock": 'mutation{giftCardUnblock(input:{id:"x"}){userErrors{code}}}',
    "Mutation.productUpsert": 'mutation{productUpsert(input:{externalId:"x"}){userErrors{code}}}',
    "Mutation.apiKeyCreate": (
        'mutation{apiKeyCreate(input:{name:"x",scopes:["no"]}){userErrors{code}}}'
    ),
    "Mutation.apiKeyRevoke": 'mutation{apiKeyRevoke(input:{keyId:"x"}){userErrors{code}}}',
}


def root_fields(schema: Any) -> set[str]:
    core = schema._schema
    roots = [core.query_type, core.mutation_type, core.subscription_type]
    return {f"{root.name}.{name}" for root in roots if root is not None for name in root.fields}


def test_every_field_has_a_rule_and_a_row() -> None:
    assert set(RULES) == root_fields(storefront)
    assert set(TABLE) == root_fields(storefront)
    assert set(ADMIN_TABLE) == root_fields(admin)


async def callers(program: Program) -> dict[str, Caller]:
    await program.enrol("ann")
    made = {
        "anonymous": program.anonymous,
        "shopper": await program.shopper("ann"),
        "merchant": program.caller(program.tokens["merchant"]),
    }
    return made | {scope: await program.service(scope) for scope in SCOPES}


@pytest.mark.anyio
@pytest.mark.parametrize("field", TABLE)
async def test_a_field_answers_those_it_is_for(field: str, sqlite_shop: ApiShop) -> None:
    query, variables, expected = TABLE[field]
    answered: set[str] = set()

    for name, caller in (await callers(sqlite_shop.programs[0])).items():
        if field.startswith("Subscription."):
            codes = await refusal_of_stream(sqlite_shop, caller, query)
            assert codes in (["FORBIDDEN"], ["NOT_FOUND"])
        else:
            answer = await caller.ask(query, variables)
            codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
            assert codes in (["FORBIDDEN"], [])
        if codes != ["FORBIDDEN"]:
            answered.add(name)

    assert answered == expected


@pytest.mark.anyio
@pytest.mark.parametrize("field", ADMIN_TABLE)
async def test_the_admin_schema_answers_merchants_alone(field: str, sqlite_shop: ApiShop) -> None:
    statuses: dict[str, int] = {}

    for name, caller in (await callers(sqlite_shop.programs[0])).items():
        at_admin = Caller(sqlite_shop.admin, caller.headers)
        response = await at_admin.post(ADMIN_TABLE[field])
        statuses[name] = response.status_code
        if name == "merchant":
            assert "errors" not in response.json()
        else:
            assert "data" not in response.json()

    others = dict.fromkeys(["shopper", *SCOPES], 403)
    assert statuses == {"anonymous": 401, "merchant": 200, **others}


async def refusal_of_stream(shop: ApiShop, caller: Caller, query: str) -> list[str]:
    """Codes with which a subscription is refused before its first event."""
    headers = [(name.encode(), value.encode()) for name, value in caller.headers.items()]
    connection = HTTPConnection({"type": "websocket", "headers": headers})
    make = context_factory(shop.services)
    context = await make(connection, caller.headers.get("authorization"))
    engine = shop.storefront_endpoint.engine
    stream = engine.stream(engine.plan(Params(query), context), context)
    with pytest.raises(Refused) as refused:
        await anext(stream)
    return [error["extensions"]["code"] for error in refused.value.errors]
