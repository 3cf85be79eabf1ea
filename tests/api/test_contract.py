"""What the two schemas promise: their published form, words on everything, closed sets in step."""

from enum import Enum

import pytest
from api_shop import ROOT
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
)

from loyalty import errors
from loyalty.domain import reasons, tiers
from loyalty.domain.books import ledger
from loyalty.domain.offers import offer_states
from loyalty.domain.quotes import quote_terms
from loyalty.domain.recommendations.because import BecauseCode
from loyalty.domain.recommendations.boosts import BoostedWindow
from loyalty.services import access, audit
from loyalty.services.members.members import MOVES
from loyalty.services.proof import member_ledger
from loyalty.services.recommendations.recommendation_id import ANSWERED_IN, RANK_PRODUCTS
from loyalty_graphql.admin.schema import schema as admin
from loyalty_graphql.admin.types.audit import AuditSubject
from loyalty_graphql.admin.types.member_ledger import LedgerCause
from loyalty_graphql.storefront.carts import Objective
from loyalty_graphql.storefront.schema import schema as storefront
from loyalty_graphql.types.access import ViewerKind
from loyalty_graphql.types.candidates import Outcome
from loyalty_graphql.types.ledger import TransactionKind
from loyalty_graphql.types.members import MemberState
from loyalty_graphql.types.offers import OfferReasonCode, OfferState
from loyalty_graphql.types.quotes import UseKind
from loyalty_graphql.types.reasons import ReasonCode
from loyalty_graphql.types.recommendations import RecommendationWindow
from loyalty_graphql.types.recommended_products import RecommendationReasonCode
from loyalty_graphql.types.tiers import TierChangeReason, TierState
from loyalty_graphql.user_errors import ErrorCode
from loyalty_recommender.windows import Window

SCHEMAS = {"storefront": storefront, "admin": admin}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_file_is_the_schema(name: str) -> None:
    published = (ROOT / f"graphql/{name}.graphql").read_text(encoding="utf-8")

    assert SCHEMAS[name].as_str() + "\n" == published, (
        f"the schema changed; if that is meant: loyalty schema {name} > graphql/{name}.graphql"
    )


@pytest.mark.parametrize("name", SCHEMAS)
def test_everything_has_words(name: str) -> None:
    missing = sorted(without_words(SCHEMAS[name]._schema))

    assert missing == []


def without_words(schema: GraphQLSchema) -> list[str]:
    """Everything of a schema that has no description, or one that says nothing."""
    found: dict[str, str | None] = {}
    for type_ in schema.type_map.values():
        if type_.name.startswith("__") or type_.name in ("Int", "String", "Boolean", "ID", "Float"):
            continue
        found[type_.name] = type_.description
        if isinstance(type_, GraphQLEnumType):
            for name, value in type_.values.items():
                found[f"{type_.name}.{name}"] = value.description
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for name, field in type_.fields.items():
                found[f"{type_.name}.{name}"] = field.description
                for argument, value in getattr(field, "args", {}).items():
                    found[f"{type_.name}.{name}({argument})"] = value.description
    return [name for name, words in found.items() if not words or len(words.strip()) < 4]


def codes_of(error: type[errors.LoyaltyError]) -> set[str]:
    own = set() if error in (errors.LoyaltyError, errors.StoredRefusal) else {error.code}
    return own.union(
        *(codes_of(below) for below in vars(errors).values() if is_below(below, error))
    )


def is_below(value: object, error: type[errors.LoyaltyError]) -> bool:
    return isinstance(value, type) and value is not error and error in value.__bases__


def test_every_code_of_the_tree_is_an_error_code() -> None:
    assert {code.name for code in ErrorCode} == codes_of(errors.LoyaltyError)
    assert {code.name for code in ErrorCode} == {code.value for code in ErrorCode}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ViewerKind, access.ViewerKind),
        (Outcome, quote_terms.Outcome),
        (Objective, quote_terms.Objective),
        (ReasonCode, reasons.Reason),
        (OfferState, offer_states.OfferState),
        (OfferReasonCode, offer_states.WhyOffered),
        (TierState, tiers.TierState),
        (TierChangeReason, tiers.TierChangeReason),
        (RecommendationWindow, Window),
        (RecommendationReasonCode, BecauseCode),
    ],
)
def test_closed_sets_are_those_of_the_domain(ours: type[Enum], theirs: type[Enum]) -> None:
    assert [item.name for item in ours] == [item.name for item in theirs]
    assert [item.value for item in ours] == [item.name for item in ours]


def test_boosts_are_declared_for_the_windows_there_are_and_for_lists_of_the_shops() -> None:
    assert {*BoostedWindow} == {*Window, RANK_PRODUCTS} == {*ANSWERED_IN}


def test_uses_are_told_of_but_not_budgets() -> None:
    kept = {kind.name for kind in quote_terms.QuotaKind} - {"BUDGET"}

    assert {kind.name for kind in UseKind} == {*kept, "OFFER"}


def test_every_act_of_a_merchant_has_its_word_in_the_trail() -> None:
    mutations = admin._schema.mutation_type
    assert mutations is not None

    assert set(mutations.fields) <= set(audit.Action)
    assert [item.name for item in AuditSubject] == [item.name for item in audit.Subject]
    assert [item.name for item in LedgerCause] == [item.name for item in member_ledger.LedgerCause]


def test_closed_sets_of_the_database_are_covered() -> None:
    assert {kind.name for kind in ledger.TransactionKind} <= {kind.name for kind in TransactionKind}
    assert set(MOVES) <= {state.name for state in MemberState}
