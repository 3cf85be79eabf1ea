"""GraphQL over HTTP: methods, media types, status codes, and every body that is not a request."""

import gzip

import pytest

from loyalty_graphql.limits import Limits

RESPONSE_JSON = "application/graphql-response+json"
JSON = "application/json"


@pytest.fixture
async def client(edge):
    async with edge.client() as client:
        yield client


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (RESPONSE_JSON, RESPONSE_JSON),
        (f"{JSON}, {RESPONSE_JSON}", JSON),
        (f"{RESPONSE_JSON}, {JSON};q=0.9", RESPONSE_JSON),
        (f"{JSON};q=0.5, {RESPONSE_JSON};q=0.6", RESPONSE_JSON),
        (f"*/*, {RESPONSE_JSON}", RESPONSE_JSON),
        (f"text/event-stream, {JSON}", JSON),
        (f"text/html, {RESPONSE_JSON}; charset=utf-8", RESPONSE_JSON),
    ],
)
async def test_accept_chooses_the_media_type(client, accept, answered):
    headers = {} if accept is None else {"accept": accept}
    request = client.build_request("POST", "/", json={"query": "{ hello }"}, headers=headers)
    if accept is None:
        del request.headers["accept"]

    response = await client.send(request)

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{answered}; charset=utf-8"
    assert response.json() == {"data": {"hello": "hello world"}}


@pytest.mark.anyio
@pytest.mark.parametrize("accept", ["text/html", f"{JSON};q=0", "image/*", f"{JSON};q=x"])
async def test_an_accept_we_cannot_serve_is_406(client, accept):
    response = await client.post("/", json={"query": "{ hello }"}, headers={"accept": accept})

    assert response.status_code == 406
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("case", "body", "code", "plain_status"),
    [
        ("syntax", {"query": "{ hello"}, "GRAPHQL_PARSE_FAILED", 200),
        ("unknown field", {"query": "{ hallo }"}, "GRAPHQL_VALIDATION_FAILED", 200),
        (
            "wrong variable",
            {"query": "query($v: Points!) { points(value: $v) }", "variables": {"v": "x"}},
            "BAD_USER_INPUT",
            200,
        ),
        (
            "missing variable",
            {"query": "query($v: Points!) { points(value: $v) }"},
            "BAD_USER_INPUT",
            200,
        ),
        (
            "unknown operation",
            {"query": "query A { hello }", "operationName": "B"},
            "OPERATION_RESOLUTION_FAILURE",
            200,
        ),
        (
            "two operations and no name",
            {"query": "query A { hello } query B { hello }"},
            "OPERATION_RESOLUTION_FAILURE",
            200,
        ),
        ("no operation", {"query": "fragment F on Item { name }"}, None, 200),
        ("introspection", {"query": "{ __schema { queryType { name } } }"}, None, 200),
        ("over a limit", {"query": "{ hello" + " hello" * 30 + "}"}, "LIMIT_ROOT_FIELDS", 400),
        ("subscription", {"query": "subscription { count }"}, "SUBSCRIPTION_NEEDS_SOCKET", 400),
    ],
)
async def test_a_request_that_does_not_run(client, case, body, code, plain_status):
    for accept, status in ((RESPONSE_JSON, 400), (JSON, plain_status)):
        response = await client.post("/", json=body, headers={"accept": accept})

        assert response.status_code == status, case
        answer = response.json()
        assert "data" not in answer
        assert answer["errors"][0]["message"]
        assert code in (None, answer["errors"][0]["extensions"]["code"])


@pytest.mark.anyio
@pytest.mark.parametrize("accept", [RESPONSE_JSON, JSON])
async def test_a_field_that_fails_leaves_the_answer_a_200(client, accept):
    body = {"query": "{ hello missing requiredBug }"}

    response = await client.post("/", json=body, headers={"accept": accept})

    assert response.status_code == 200
    assert response.json()["data"] is None


@pytest.mark.anyio
async def test_operation_name_chooses_among_operations(client):
    query = 'query A { hello } query B { hello(name: "B") }'

    response = await client.post("/", json={"query": query, "operationName": "B"})

    assert response.json() == {"data": {"hello": "hello B"}}


@pytest.mark.anyio
async def test_null_parameters_and_unknown_ones_are_as_absent(client):
    body = {
        "query": "{ hello }",
        "operationName": None,
        "variables": None,
        "extensions": None,
        "id": 7,
    }

    response = await client.post("/", json=body, headers={"accept": RESPONSE_JSON})

    assert (response.status_code, response.json()) == (200, {"data": {"hello": "hello world"}})


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("case", "content", "said"),
    [
        ("nothing", b"", "found: nothing"),
        ("null", b"null", "found null, wanted a JSON object with a query"),
        ("scalar", b"5", "found a number, wanted a JSON object with a query"),
        ("text", b'"{ hello }"', "found text, wanted a JSON object"),
        ("boolean", b"true", "found a boolean, wanted a JSON object"),
        ("batch", b'[{"query": "{ hello }"}]', "found a batch of 1 requests, wanted one"),
        ("no query", b"{}", "found null as query, wanted the text of a GraphQL document"),
        ("empty query", b'{"query": " "}', "found an empty text as query"),
        ("number as query", b'{"query": 5}', "found a number as query"),
        ("list as query", b'{"query": []}', "found a list as query"),
        ("operationName", b'{"query": "{hello}", "operationName": 5}', "a number as operationName"),
        ("variables", b'{"query": "{hello}", "variables": "x"}', "found text as variables"),
        ("variables list", b'{"query": "{hello}", "variables": []}', "found a list as variables"),
        ("extensions", b'{"query": "{hello}", "extensions": 1}', "found a number as extensions"),
        ("not JSON", b"{query}", "wanted JSON in UTF-8 in the body"),
        ("not UTF-8", b'{"query": "\xff"}', "wanted JSON in UTF-8 in the body"),
        ("UTF-16", '{"query": "{hello}"}'.encode("utf-16"), "wanted JSON in UTF-8 in the body"),
        ("compressed", gzip.compress(b'{"query": "{hello}"}', mtime=0), "wanted JSON in UTF-8"),
        ("NaN", b'{"query": "{hello}", "variables": {"a": NaN}}', "wanted JSON in UTF-8"),
        (
            "integer of 5,000 digits",
            b'{"query": "{hello}", "variables": {"a": ' + b"9" * 5_000 + b"}}",
            "number is infinity",
        ),
        (
            "lone surrogate",
            b'{"query": "{hello}", "operationName": "\\ud800"}',
            "wanted JSON in UTF-8 in the body",
        ),
        (
            "NUL",
            b'{"query": "{hello}", "variables": {"a": ["x\\u0000"]}}',
            "found a NUL character in the body",
        ),
        ("deep", b'{"query":' * 5_000, "found more than 32 levels of JSON in the body"),
        (
            "deep variables",
            b'{"query": "{hello}", "variables": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}",
            "found more than 32 levels of JSON in the body, at most 32 allowed",
        ),
    ],
)
@pytest.mark.parametrize("accept", [RESPONSE_JSON, JSON])
async def test_a_body_that_is_no_request_is_a_400_that_says_so(client, accept, case, content, said):
    headers = {"content-type": JSON, "accept": accept}

    response = await client.post("/", content=content, headers=headers)

    assert response.status_code == 400, case
    (error,) = response.json()["errors"]
    assert said in error["message"]
    assert error["extensions"]["code"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "found no Content-Type, wanted application/json"),
        ({"content-type": "text/plain"}, "found Content-Type: text/plain"),
        ({"content-type": "application/graphql"}, "found Content-Type: application/graphql"),
        ({"content-type": "multipart/form-data; boundary=x"}, "found Content-Type: multipart"),
        ({"content-type": "application/json; charset=latin1"}, "found charset 'latin1'"),
        ({"content-type": JSON, "content-encoding": "gzip"}, "found Content-Encoding: gzip"),
    ],
)
async def test_a_body_of_another_kind_is_415(client, headers, said):
    response = await client.post("/", content=b'{"query": "{ hello }"}', headers=headers)

    assert response.status_code == 415
    assert said in response.json()["errors"][0]["message"]


@pytest.mark.anyio
async def test_utf_8_goes_both_ways(client):
    headers = {"content-type": "application/json; charset=UTF-8"}
    content = '{"query": "{ hello(name: \\"Zoë 🦉\\") }"}'.encode()

    response = await client.post("/", content=content, headers=headers)

    assert response.json() == {"data": {"hello": "hello Zoë 🦉"}}


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods_are_405(client, method):
    response = await client.request(method, "/")

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


class TestGet:
    """Queries by GET, only as no other site can send them."""

    params = (("query", "query($n: String!) { hello(name: $n) }"), ("variables", '{"n": "GET"}'))

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        "headers",
        [
            {"authorization": "Bearer ann"},
            {"content-type": JSON},
            {"graphql-require-preflight": "1"},
        ],
    )
    async def test_a_query_is_answered(self, client, headers):
        response = await client.get("/", params=self.params, headers=headers)

        assert (response.status_code, response.json()) == (200, {"data": {"hello": "hello GET"}})

    @pytest.mark.anyio
    @pytest.mark.parametrize("headers", [{}, {"content-type": "text/plain"}])
    async def test_what_a_foreign_page_could_send_is_refused(self, client, headers):
        response = await client.get("/", params=self.params, headers=headers)

        assert response.status_code == 400
        assert response.json()["errors"][0]["extensions"]["code"] == "CSRF_PREVENTION"

    @pytest.mark.anyio
    async def test_a_mutation_is_405_and_not_run(self, client, edge):
        headers = {"authorization": "Bearer ann"}

        response = await client.get("/", params={"query": "mutation { touch }"}, headers=headers)

        assert (response.status_code, response.headers["allow"]) == (405, "POST")
        assert edge.touched == []

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("query_string", "said"),
        [
            ("", "found null as query"),
            ("query=%ff", "not UTF-8"),
            ("query={hello}&query={hello}", "found parameter 'query' twice"),
            ("query={hello}&variables=[", "wanted JSON in UTF-8 in the variables"),
            ("query={hello}&variables=5", "found a number as variables"),
            ("query={hello}&variables=" + "[" * 40 + "]" * 40, "levels of JSON"),
            ("&".join(f"a{i}=" for i in range(30)), "more than 20 parameters"),
        ],
    )
    async def test_a_bad_query_string_is_400(self, client, query_string, said):
        response = await client.get("/?" + query_string, headers={"authorization": "Bearer ann"})

        assert response.status_code == 400
        assert said in response.json()["errors"][0]["message"]

    @pytest.mark.anyio
    async def test_a_query_string_over_the_limit_is_413(self, make_edge):
        async with make_edge(Limits(body_bytes=100)).client() as client:
            response = await client.get(
                "/?query=" + "x" * 100, headers={"authorization": "Bearer ann"}
            )

        assert response.status_code == 413


@pytest.mark.anyio
async def test_an_endless_body_is_dropped_at_the_limit(make_edge):
    taken = []

    async def endless():
        while True:
            taken.append(1)
            yield b"x" * 1_000

    async with make_edge(Limits(body_bytes=10_000)).client() as client:
        response = await client.post("/", content=endless(), headers={"content-type": JSON})

    assert response.status_code == 413
    assert response.headers["connection"] == "close"
    assert response.json()["errors"][0]["extensions"] == {
        "code": "LIMIT_BODY",
        "found": 11_000,
        "allowed": 10_000,
    }
    assert len(taken) <= 12


@pytest.mark.anyio
async def test_a_declared_length_over_the_limit_is_refused_unread(make_edge):
    endpoint = make_edge(Limits(body_bytes=10_000)).endpoint
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"10001")],
    }
    sent = []

    async def receive():
        raise AssertionError("the body was read")

    async def send(message):
        sent.append(message)

    await endpoint(scope, receive, send)

    assert sent[0]["status"] == 413


@pytest.mark.anyio
async def test_a_body_of_exactly_the_limit_is_read(make_edge):
    content = b'{"query": "{ hello }"}'
    async with make_edge(Limits(body_bytes=len(content))).client() as client:
        response = await client.post("/", content=content, headers={"content-type": JSON})

    assert response.status_code == 200


class TestCaller:
    """Who asks, and what is answered to whom."""

    @pytest.mark.anyio
    async def test_the_context_knows_the_caller(self, ask):
        response = await ask("{ viewer }", token="ann")

        assert response.json() == {"data": {"viewer": "ann"}}

    @pytest.mark.anyio
    async def test_failed_authentication_is_401(self, ask):
        response = await ask("{ viewer }", token="stale")

        assert response.status_code == 401
        assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert response.json()["errors"] == [
            {
                "message": "the token ran out; ask for a new one",
                "extensions": {"code": "TOKEN_EXPIRED"},
            }
        ]

    @pytest.mark.anyio
    async def test_an_unavailable_database_is_503_with_a_time(self, ask):
        response = await ask("{ viewer }", token="down")

        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.json()["errors"][0]["extensions"] == {"code": "UNAVAILABLE"}

    @pytest.mark.anyio
    async def test_introspection_is_for_known_callers(self, ask):
        query = "{ __schema { queryType { name } } ...F } fragment F on Query { __typename }"

        refused = await ask(query)
        answered = await ask(query, token="ann")

        assert refused.json()["errors"][0]["extensions"] == {"code": "INTROSPECTION_DISABLED"}
        assert "introspection is not open to this caller" in refused.text
        assert answered.json() == {
            "data": {"__schema": {"queryType": {"name": "Query"}}, "__typename": "Query"}
        }

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        "query",
        [
            '{ __type(name: "Item") { name } }',
            "{ a: __schema { description } }",
            "{ ...F } fragment F on Query { ... { __schema { description } } }",
        ],
    )
    async def test_no_way_round_the_introspection_switch(self, ask, query):
        response = await ask(query)

        assert response.json()["errors"][0]["extensions"] == {"code": "INTROSPECTION_DISABLED"}

    @pytest.mark.anyio
    async def test_an_anonymous_caller_learns_no_names_from_errors(self, ask):
        anonymous = await ask("{ hallo }")
        known = await ask("{ hallo }", token="ann")

        assert "Did you mean" not in anonymous.text
        assert "Did you mean 'hello'?" in known.text


@pytest.mark.anyio
async def test_an_answer_over_the_cost_limit_is_refused_by_its_variables(make_edge):
    query = "query($n: Int!) { items(first: $n) { nodes { name } } }"
    async with make_edge(Limits(cost=21)).client() as client:
        small = await client.post("/", json={"query": query, "variables": {"n": 10}})
        large = await client.post("/", json={"query": query, "variables": {"n": 11}})

    assert small.status_code == 200
    assert (large.status_code, large.json()["errors"][0]["extensions"]) == (
        400,
        {"code": "LIMIT_COST", "found": 23, "allowed": 21},
    )
