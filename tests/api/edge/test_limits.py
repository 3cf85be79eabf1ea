"""Limits: counted in one pass, before anything is validated."""

import pytest
from graphql import get_introspection_query, parse

from loyalty_graphql import documents
from loyalty_graphql.documents import Documents
from loyalty_graphql.errors import LimitExceeded, Refused
from loyalty_graphql.limits import Limits, measure

OPEN = Limits(
    definitions=10_000,
    depth=10_000,
    nesting=100,
    aliases=10**9,
    root_fields=10**9,
    directives=10**9,
    nodes=10**13,
    overlap=10**13,
    cost=10**13,
)
"""Limits that nothing here exceeds."""


def chained_fragments(links: int) -> str:
    """Each fragment spreads the next one twice: 2^links fields when expanded."""
    chain = " ".join(f"fragment F{i} on Item{{...F{i + 1} ...F{i + 1}}}" for i in range(links))
    return f"{{item{{...F0}}}} {chain} fragment F{links} on Item{{name}}"


def shape_of(schema, text, limits=OPEN):
    return measure(parse(text), schema, limits)


def test_chained_fragments_are_looked_at_once_each(core_schema):
    attack = chained_fragments(20)

    shape = shape_of(core_schema, attack)

    assert len(attack) < 753
    assert shape.visits == 1 + 1 + 20 * 2 + 1
    figures = shape.operations[0].figures
    assert figures.nodes == 2 + 2 * (2**20 - 1) + 2**20
    assert shape.operations[0].cost({}, OPEN) == 1 + 2**20


def test_visits_grow_with_the_document_and_not_with_its_expansion(core_schema):
    visits = [shape_of(core_schema, chained_fragments(n)).visits for n in (20, 40, 80)]

    assert visits == [43, 83, 163]


def test_chained_fragments_are_refused(core_schema):
    with pytest.raises(LimitExceeded) as caught:
        shape_of(core_schema, chained_fragments(20), Limits())

    assert caught.value.code == "LIMIT_NODES"
    assert (caught.value.found, caught.value.allowed) == (2 + 3 * 2**20 - 2, 2_000)


@pytest.mark.parametrize("length", [1, 2, 90])
def test_fragments_in_a_circle_are_refused(core_schema, length):
    ring = " ".join(
        f"fragment F{i} on Item {{ name ...F{(i + 1) % length} }}" for i in range(length)
    )

    with pytest.raises(Refused) as caught:
        shape_of(core_schema, f"{{ item {{ ...F0 }} }} {ring}")

    assert caught.value.code == "GRAPHQL_VALIDATION_FAILED"
    assert "fragments spread each other in a circle: F0 → " in str(caught.value)


def test_a_long_chain_of_fragments_does_not_exhaust_the_stack(core_schema):
    chain = " ".join(f"fragment F{i} on Item {{ ...F{i + 1} }}" for i in range(5_000))

    with pytest.raises(LimitExceeded) as caught:
        shape_of(core_schema, f"{{ item {{ ...F0 }} }} {chain}")

    assert caught.value.code == "LIMIT_NESTING"


def nested(levels: int) -> str:
    return "{ item " + "{ child " * levels + "{ name }" + " }" * levels + " }"


@pytest.mark.parametrize(
    ("limit", "largest", "next_one"),
    [
        ("depth", nested(10), nested(11)),
        (
            "aliases",
            "{" + " ".join(f"a{i}: hello" for i in range(12)) + "}",
            "{" + " ".join(f"a{i}: hello" for i in range(13)) + "}",
        ),
        (
            "root_fields",
            "{ ...F } fragment F on Query {" + " hello" * 12 + "}",
            "{ ...F } fragment F on Query {" + " hello" * 13 + "}",
        ),
        (
            "directives",
            "{ ...F ...F } fragment F on Query { hello" + " @include(if: true)" * 6 + "}",
            "{ ...F ...F ...F } fragment F on Query { hello" + " @include(if: true)" * 6 + "}",
        ),
        (
            "nodes",
            "{ ...F ...F } fragment F on Query { item { name child { name } } }",
            "{ ...F ...F } fragment F on Query { item { name child { name } ... { name } } }",
        ),
        ("definitions", "{hello}" * 12, "{hello}" * 13),
        ("overlap", "{ hello hello hello(name: 1) }", "{ hello hello hello(name: 1) item }{item}"),
    ],
)
def test_one_more_than_allowed_is_refused(core_schema, limit, largest, next_one):
    allowed = 8 if limit == "overlap" else 12 if limit != "nodes" else 10
    limits = Limits(**{limit: allowed})
    shape_of(core_schema, largest, limits)

    with pytest.raises(LimitExceeded) as caught:
        shape_of(core_schema, next_one, limits)

    assert caught.value.code == f"LIMIT_{limit.upper()}"
    assert caught.value.found > caught.value.allowed == allowed
    assert f"found {caught.value.found} " in str(caught.value)
    assert f", at most {allowed} allowed" in str(caught.value)


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ hello }", {}, 1),
        ("{ items { nodes { name } } }", {}, 1 + 20 * 2),
        ("{ items(first: 3) { nodes { name } edges { node { name } } } }", {}, 1 + 3 * 5),
        ("query($n: Int) { items(first: $n) { nodes { name } } }", {"n": 7}, 1 + 7 * 2),
        ("query($n: Int = 5) { items(first: $n) { nodes { name } } }", {}, 1 + 5 * 2),
        ("query($n: Int = 5) { items(first: $n) { nodes { name } } }", {"n": None}, 1 + 5 * 2),
        ("query($n: Int) { items(first: $n) { nodes { name } } }", {"n": "x"}, 1 + 20 * 2),
        ("query($n: Int) { items(first: $n) { nodes { name } } }", {"n": True}, 1 + 20 * 2),
        ("query($n: Int) { items(first: $n) { nodes { name } } }", {"n": -5}, 1 + 2),
        ("{ items(first: 0) { nodes { name } } }", {}, 1 + 2),
        ("{ item { children { name children { name } } } }", {}, 1 + 1 + 10 * (2 + 10)),
        (
            "query($n: Int) { items(first: $n) { ...F } item { ...G } }"
            "fragment F on ItemConnection { nodes { ...G } } fragment G on Item { name }",
            {"n": 4},
            1 + 4 * (1 + 1) + 1 + 1,
        ),
        ("{ unknown(first: 9) { worse } }", {}, 1 + 9),
        ("{ unknown(ids: [1, 2, 3]) { worse } }", {}, 1 + 3),
        ("{ unknown(ids: []) { worse } }", {}, 1 + 1),
        ("query($i: [Int!]) { unknown(ids: $i) { worse } }", {"i": [1, 2, 3, 4]}, 1 + 4),
        ("query($i: [Int!]) { unknown(ids: $i) { worse } }", {"i": []}, 1 + 1),
        ("query($i: [Int!] = [1, 2]) { unknown(ids: $i) { worse } }", {}, 1 + 2),
        ("{ items(first: " + "9" * 5_000 + ") { nodes { name } } }", {}, 10**12),
    ],
)
def test_cost_counts_the_values_of_the_answer(core_schema, query, variables, cost):
    (operation,) = shape_of(core_schema, query).operations

    assert operation.cost(variables, OPEN) == cost


def test_the_usual_introspection_query_is_within_the_limits(core_schema):
    (operation,) = shape_of(core_schema, get_introspection_query(), Limits()).operations

    assert operation.figures.introspects
    assert operation.cost({}, Limits()) <= Limits().cost


@pytest.fixture
def validated(monkeypatch):
    """Counts documents that reach validation."""
    calls = []
    validate = documents.validate
    monkeypatch.setattr(
        documents, "validate", lambda *args, **kwargs: calls.append(1) or validate(*args, **kwargs)
    )
    return calls


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("LIMIT_TOKENS", "{" + " a" * 5_000 + "}"),
        ("LIMIT_TEXT", '{ hello(name: "' + "x" * 16_384 + '") }'),
        ("LIMIT_OVERLAP", "{ item {" + " name" * 1_900 + "} }"),
        ("LIMIT_NODES", chained_fragments(30)),
        ("LIMIT_DEFINITIONS", "query {hello} " * 300),
        ("LIMIT_DEPTH", nested(100)),
        ("GRAPHQL_PARSE_FAILED", "{" * 10_000),
        ("BAD_TEXT", '{ hello(name: "\\u0000") }'),
    ],
)
def test_hostile_text_is_refused_before_validation(core_schema, validated, code, text):
    store = Documents(core_schema, Limits())

    with pytest.raises(Refused) as caught:
        store.read(text, suggest=True)

    assert caught.value.code == code
    assert validated == []


def test_a_repeated_document_skips_parsing_and_validation(core_schema, validated):
    store = Documents(core_schema, Limits())

    first = store.read("{ hello }", suggest=True)
    second = store.read("{ hello }", suggest=True)

    assert first is second
    assert validated == [1]
    assert (store.hits, store.misses) == (1, 1)


def test_a_repeated_invalid_document_skips_validation_too(core_schema, validated):
    store = Documents(core_schema, Limits())
    refusals = []
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            store.read("{ hallo }", suggest=True)
        refusals.append(caught.value.errors)

    assert refusals[0] == refusals[1]
    assert validated == [1]


def test_remembered_documents_are_bounded(core_schema):
    store = Documents(core_schema, Limits(), count_max=3, chars_max=60)
    texts = [f"{{ a{i}: hello }}" for i in range(4)]
    for text in texts:
        store.read(text, suggest=True)

    store.read(texts[3], suggest=True)
    assert store.hits == 1
    store.read(texts[0], suggest=True)
    assert store.hits == 1

    store.read('{ hello(name: "' + "x" * 60 + '") }', suggest=True)
    store.read(texts[0], suggest=True)
    assert store.hits == 1


def test_names_are_suggested_only_where_the_schema_is_open(core_schema):
    store = Documents(core_schema, Limits())
    said = []
    for suggest in (True, False):
        with pytest.raises(Refused) as caught:
            store.read("{ hallo }", suggest=suggest)
        said.append(str(caught.value))

    assert "Did you mean 'hello'?" in said[0]
    assert said[1] == "Cannot query field 'hallo' on type 'Query'."
