"""Which errors a caller may read, and what it reads of the others.

Text written for callers passes: refusals with a code (``LoyaltyError``, ``public_error``) and the
library's own sentences about a document. Any other exception is a bug: the caller gets one sentence
with an id, the log gets the traceback under the same id.
"""

import secrets
from collections.abc import Iterable

import structlog
from graphql import GraphQLError
from strawberry.exceptions import StrawberryInputCoercionError

from loyalty.errors import LoyaltyError
from loyalty_graphql.errors import FormattedError

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
    if cause is not None and not isinstance(cause, GraphQLError):
        # A scalar's parser failed in a way it did not foresee; the library quotes the exception.
        _log.warning("graphql.unforeseen_input", exc_info=(type(cause), cause, cause.__traceback__))
        at = f" of {error.nodes[0].kind.replace('_', ' ')}" if error.nodes else ""
        formatted["message"] = f"the value{at} cannot be understood"
    formatted["extensions"] = {"code": code, **(error.extensions or {})}
    return formatted


def _execution_error(error: GraphQLError, operation: str | None) -> FormattedError:
    cause = _cause(error)
    if isinstance(cause, LoyaltyError):
        formatted = loyalty_error(cause)
    elif isinstance(cause, StrawberryInputCoercionError):
        formatted = {"message": cause.message, "extensions": {"code": "BAD_USER_INPUT"}}
    elif isinstance(cause, GraphQLError) and (cause.extensions or {}).get("code"):
        formatted = {"message": cause.message, "extensions": dict(cause.extensions or {})}
    else:
        formatted = masked(cause or error, operation)
    if error.locations:
        formatted["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        formatted["path"] = list(error.path)
    return formatted


def _cause(error: GraphQLError) -> Exception | None:
    """The innermost exception that an error was made from; None for the library's own sentence.

    A ``GraphQLError`` with a code counts as written for the caller, whatever it wraps.
    """
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if cause is error and not (error.extensions or {}).get("code"):
        return None
    return cause
