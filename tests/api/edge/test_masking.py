"""What callers read of errors, and what they never read."""

import re

import pytest
from structlog.testing import capture_logs

SECRET = "hunter2"


@pytest.mark.anyio
async def test_a_bug_is_one_masked_message_and_a_logged_traceback(ask):
    with capture_logs() as logs:
        response = await ask("query Home { hello bug }")

    assert SECRET not in response.text
    assert response.json()["data"] == {"hello": "hello world", "bug": None}
    (error,) = response.json()["errors"]
    error_id = error["extensions"]["errorId"]
    assert re.fullmatch(r"[0-9a-f]{16}", error_id)
    assert error == {
        "message": f"Something went wrong on our side; quote error {error_id} when you report it.",
        "locations": [{"line": 1, "column": 20}],
        "path": ["bug"],
        "extensions": {"code": "INTERNAL_ERROR", "errorId": error_id},
    }
    (entry,) = logs
    assert entry["event"] == "graphql.internal_error"
    assert entry["error_id"] == error_id
    assert entry["exc_info"][0] is RuntimeError
    assert SECRET in str(entry["exc_info"][1])
    assert entry["exc_info"][2] is not None


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("field", "message", "extensions"),
    [
        ("missing", "no member 'm-1'", {"code": "NOT_FOUND"}),
        ("forbidden", "not for you", {"code": "FORBIDDEN"}),
    ],
)
async def test_a_refusal_is_told_as_it_is(ask, field, message, extensions):
    with capture_logs() as logs:
        response = await ask(f"{{ {field} }}")

    (error,) = response.json()["errors"]
    assert (error["message"], error["extensions"]) == (message, extensions)
    assert error["path"] == [field]
    assert logs == []


@pytest.mark.anyio
async def test_a_domain_refusal_keeps_its_code(ask):
    response = await ask("{ short }")

    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INSUFFICIENT_POINTS"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("token", "query", "status"),
    [("bug", "{ hello }", 500), (None, "{ loneSurrogate }", 500)],
)
async def test_a_bug_outside_the_fields_is_masked_too(ask, token, query, status):
    with capture_logs() as logs:
        response = await ask(query, token=token)

    assert response.status_code == status
    assert SECRET not in response.text
    assert response.json()["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"
    assert len(logs) == 1


@pytest.mark.anyio
async def test_a_null_where_a_default_stood_is_bad_input(ask):
    query = "query($v: Points = 1) { points(value: $v) }"

    response = await ask(query, variables={"v": None})

    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["message"].startswith("Argument 'value' has invalid value: ")


@pytest.mark.anyio
async def test_a_permission_that_says_no_is_forbidden(ask):
    response = await ask("{ guarded coded }")

    assert [(error["message"], error["extensions"]) for error in response.json()["errors"]] == [
        ("services only", {"code": "FORBIDDEN"}),
        ("log in first", {"code": "UNAUTHENTICATED"}),
    ]
