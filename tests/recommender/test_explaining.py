"""The likest product is found for all of an answer at once, as one by one."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_recommender.attributes import Attributes
from loyalty_recommender.explaining import Explainer, ProductFacts, nearest
from loyalty_recommender.history import History
from loyalty_recommender.models import Query
from loyalty_recommender.reasons import Reason, ReasonCode
from loyalty_recommender.rows import Rows
from loyalty_recommender.windows import Window

PRODUCTS = 9

products = st.lists(st.integers(0, PRODUCTS - 1), unique=True, min_size=1, max_size=6)
neighbours = st.dictionaries(
    st.tuples(st.integers(0, PRODUCTS - 1), st.integers(0, PRODUCTS - 1)),
    st.sampled_from([0.25, 0.5, 0.75]),
)


def one_by_one(likeness: dict[tuple[int, int], float], wanted: int, among: list[int]) -> int:
    """The largest likeness either way; of equal ones the product that comes first."""
    found = [
        (max(likeness.get((wanted, each), 0.0), likeness.get((each, wanted), 0.0)), -each)
        for each in among
    ]
    value, product = max(found)
    return -product if value > 0 else -1


@given(neighbours, products, products)
def test_as_one_by_one(
    likeness: dict[tuple[int, int], float], wanted: list[int], among: list[int]
) -> None:
    pairs = sorted(likeness)
    rows = Rows.of(
        np.array([each for each, _ in pairs], dtype=np.int64),
        np.array([each for _, each in pairs], dtype=np.int64),
        np.array([likeness[each] for each in pairs]),
        PRODUCTS,
    )

    found = nearest(
        rows,
        np.array(wanted, dtype=np.int32),
        np.array(sorted(among), dtype=np.int32),
        PRODUCTS,
    )

    assert found.tolist() == [one_by_one(likeness, each, among) for each in wanted]


NAMES = ("bananas", "bread", "cola", "crisps", "diet cola", "lemonade", "soap", "tonic")
CATEGORIES = (
    "FRUIT", "BREAD", "SOFT DRINKS", "SNACKS", "SOFT DRINKS", "SOFT DRINKS", None, "SOFT DRINKS",
)  # fmt: skip
DEPARTMENTS = (
    "PRODUCE", "GROCERY", "GROCERY", "GROCERY", "GROCERY", "GROCERY", None, "GROCERY",
)  # fmt: skip
LIKE_COLA = {
    "bananas": 0.9,
    "soap": 0.8,
    "bread": 0.4,
    "crisps": 0.3,
    "tonic": 0.2,
    "lemonade": 0.1,
}
LIKE_SOAP = {"bananas": 0.95, "bread": 0.9}


def facts_of(categories: Sequence[str | None], departments: Sequence[str | None]) -> ProductFacts:
    nothing = [None] * len(NAMES)
    told = Attributes.of_names(departments, categories, nothing, nothing)
    zero = np.zeros(len(NAMES), dtype=np.int32)
    return ProductFacts(zero, zero, told.category, told.department)


def why(facts: ProductFacts, product: str, *bought: str) -> str | None:
    """What the reason for a product names, to whoever bought these on one day."""
    return reason_for(facts, product, bought).about


def reason_for(
    facts: ProductFacts, product: str, bought: Sequence[str], hidden: Sequence[str] | None = None
) -> Reason:
    """``hidden``: what a reason may not name; None: it may name all."""
    at = {name: place for place, name in enumerate(NAMES)}
    found = [("cola", *each) for each in LIKE_COLA.items()]
    found += [("soap", *each) for each in LIKE_SOAP.items()]
    rows = Rows.of(
        np.array([at[name] for name, _, _ in found]),
        np.array([at[name] for _, name, _ in found]),
        np.array([likeness for _, _, likeness in found]),
        len(NAMES),
    )
    past = np.array([at[name] for name in bought])
    query = Query(History.of(past, np.full(len(past), 9)), 10)
    explainer = Explainer.of(NAMES, facts, rows, rows)
    nameable = None if hidden is None else np.array([name not in hidden for name in NAMES])
    answered = np.array([at[product]], dtype=np.int32)
    (reason,) = explainer.reasons(Window.FOR_YOU, query, answered, nameable)
    return reason


@pytest.mark.parametrize(
    ("bought", "named"),
    [
        (("bananas", "bread", "crisps", "lemonade", "soap", "tonic"), "tonic"),
        (("bananas", "bread", "lemonade"), "lemonade"),
        (("bananas", "bread", "crisps", "soap"), "bread"),
        (("bananas", "soap"), "bananas"),
        (("diet cola",), None),
    ],
)
def test_a_reason_names_the_nearest_on_the_shelves(bought: tuple[str, ...], named: str) -> None:
    """Everybody buys bananas; who buys tonic buys cola, too."""
    assert why(facts_of(CATEGORIES, DEPARTMENTS), "cola", *bought) == named


@pytest.mark.parametrize(
    ("hidden", "found"),
    [
        ((), Reason(ReasonCode.BECAUSE_YOU_BUY, about="tonic")),
        (("soap",), Reason(ReasonCode.BECAUSE_YOU_BUY, about="tonic")),
        (("tonic",), Reason(ReasonCode.BECAUSE_YOU_BUY, about="lemonade")),
        (("tonic", "lemonade"), Reason(ReasonCode.BECAUSE_YOU_BUY, about="bananas")),
        (("tonic", "lemonade", "bananas"), Reason(ReasonCode.BECAUSE_YOU_BUY)),
    ],
)
def test_a_reason_names_the_nearest_that_may_be_named(
    hidden: tuple[str, ...], found: Reason
) -> None:
    bought = ("bananas", "diet cola", "lemonade", "tonic")

    facts = facts_of(CATEGORIES, DEPARTMENTS)

    assert reason_for(facts, "cola", bought, hidden) == found
    # What is near to nothing that was bought is no more so where that is hidden.
    assert reason_for(facts, "cola", ("diet cola",), ("diet cola",)).code is ReasonCode.POPULAR


def test_of_a_shop_without_categories_the_likest_is_named() -> None:
    nothing = [None] * len(NAMES)

    assert why(facts_of(nothing, nothing), "cola", "bananas", "bread", "tonic") == "bananas"


def test_what_has_no_category_is_of_none() -> None:
    """Soap and bread without one are not of the same."""
    categories = [None if name in ("bread", "soap") else "REST" for name in NAMES]
    facts = facts_of(categories, [None] * len(NAMES))

    assert why(facts, "soap", "bananas", "bread") == "bananas"
    assert why(facts, "cola", "bananas", "bread", "tonic") == "bananas"


def test_facts_are_read_back_as_they_were() -> None:
    facts = facts_of(CATEGORIES, DEPARTMENTS)

    assert why(ProductFacts.from_arrays(facts.arrays()), "cola", "bananas", "tonic") == "tonic"
