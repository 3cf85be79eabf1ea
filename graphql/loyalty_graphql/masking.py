"""Which errors a caller may read, and what it reads of the others.

Text written for callers passes: refusals with a code (``LoyaltyError``, ``public_error``) and the
library's own sentences about a document. Any other exception is a bug: the caller gets one sentence
with an id, the log gets the traceback under the same id.
"""

import re
import secrets
from collections.abc import Iterable

import structlog
from graphql import GraphQLError
from strawberry.exceptions import StrawberryGraphQLError, StrawberryInputCoercionError

from loyalty.errors import LoyaltyError
from loyalty_graphql.errors import FormattedError

_BAD_ARGUMENT = re.compile(r"Argument '[^']*' (?:has invalid value|of required type)")

_log = structlog.get_logger("loyalty.graphql")


def request_errors(errors: Iterable[GraphQLError], code: str) -> list[FormattedError]:
    """Errors found before execution: every one is the caller's to mend.

    Args:
        errors: from parsing, validation or the coercion of variables.
        code: for those that carry none of their own.
    """
    return [_request_error(error, code) for error in errors]


def execution_errors(
    errors: Iterable[GraphQLError], operation: str | None = None
) -> list[FormattedError]:
    """Errors raised while fields were resolved, with their paths."""
    return [_execution_error(error, operation) for error in errors]


def masked(error: BaseException, operation: str | None = None) -> FormattedError:
    """The one message for a bug; logs the bug itself under the message's id."""
    error_id = secrets.token_hex(8)
    _log.error(
        "graphql.internal_error",
        error_id=error_id,
        operation=operation,
        exc_info=(type(error), error, error.__traceback__),
    )
    return {
        "message": f"Something went wrong on our side; quote error {error_id} when you report it.",
        "extensions": {"code": "INTERNAL_ERROR", "errorId": error_id},
    }


def loyalty_error(error: LoyaltyError) -> FormattedError:
    """A refusal by the engine, as a top-level error."""
    extensions: FormattedError = {"code": error.code}
    if error.field:
        extensions["field"] = list(error.field)
    return {"message": error.message, "extensions": extensions}


def _request_error(error: GraphQLError, code: str) -> FormattedError:
    cause = _cause(error)
    formatted = dict(error.formatted)
    if not isinstance(cause, GraphQLError):
        at = f" of {error.nodes[0].kind.replace('_', ' ')}" if error.nodes else ""
        # A scalar's parser failed in a way it did not foresee; the library quotes the exception.
        # Without its traceback: a caller can send such a value as often as it likes.
        _log.warning("graphql.unforeseen_input", exception=type(cause).__name__, at=at.strip())
        formatted["message"] = f"the value{at} cannot be understood"
    formatted["extensions"] = {"code": code, **(error.extensions or {})}
    return formatted


def _execution_error(error: GraphQLError, operation: str | None) -> FormattedError:
    formatted = _for_caller(_cause(error)) or masked(_cause(error), operation)
    if error.locations:
        formatted["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        formatted["path"] = list(error.path)
    return formatted


def _for_caller(cause: Exception) -> FormattedError | None:
    """Message and code of what was written for callers; None of anything else."""
    if isinstance(cause, LoyaltyError):
        return loyalty_error(cause)
    if not isinstance(cause, GraphQLError):
        return None
    extensions = dict(cause.extensions or {})
    if "code" in extensions:
        return {"message": cause.message, "extensions": extensions}
    # A variable may be null, or absent, where its default made it fit: found only on use.
    bad_argument = cause.original_error is None and _BAD_ARGUMENT.match(cause.message)
    if bad_argument or isinstance(cause, StrawberryInputCoercionError):
        return {"message": cause.message, "extensions": {"code": "BAD_USER_INPUT"}}
    if isinstance(cause, StrawberryGraphQLError):
        # What a permission class raises unless it says otherwise.
        return {"message": cause.message or "not allowed", "extensions": {"code": "FORBIDDEN"}}
    return None


def _cause(error: GraphQLError) -> Exception:
    """What was raised, below the library's wrappings; a coded error is taken as it is."""
    cause: Exception = error.original_error or error
    while (
        isinstance(cause, GraphQLError)
        and cause.original_error is not None
        and "code" not in (cause.extensions or {})
    ):
        cause = cause.original_error
    return cause
