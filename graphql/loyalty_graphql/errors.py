"""What the edge refuses, before and around the resolvers.

    Refused                 the request never reaches a resolver; carries the whole answer
    └── LimitExceeded       LIMIT_BODY, LIMIT_JSON_DEPTH, LIMIT_TEXT, LIMIT_TOKENS,
                            LIMIT_DEFINITIONS, LIMIT_DEPTH, LIMIT_NESTING, LIMIT_ALIASES,
                            LIMIT_ROOT_FIELDS, LIMIT_DIRECTIVES, LIMIT_NODES, LIMIT_OVERLAP,
                            LIMIT_COST, LIMIT_SUBSCRIPTIONS
    AuthenticationFailed    raised by a context factory; becomes 401 or a socket closed with 4403

A resolver refuses with a ``LoyaltyError`` or with ``public_error``; every other exception is a bug
and is masked (``masking.py``).
"""

from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from graphql import GraphQLError
from graphql.language import Node

FormattedError = dict[str, Any]
"""One entry of a response's ``errors``, as its specification says."""


def public_error(
    message: str, code: str, nodes: Collection[Node] | None = None, **details: object
) -> GraphQLError:
    """An error whose text is meant for the caller; ``details`` join the code in ``extensions``."""
    return GraphQLError(message, nodes, extensions={"code": code, **details})


def bad_input(message: str) -> GraphQLError:
    """A value the caller sent cannot be understood: says what was found and what was wanted."""
    return public_error(message, "BAD_USER_INPUT")


class Refused(Exception):
    """A request answered without executing anything.

    Args:
        errors: entries of the answer.
        status: HTTP status; for ``well_formed`` requests, the one under
            ``application/graphql-response+json``.
        well_formed: the request could be read and only its document is wrong, so that a client
            of the older ``application/json`` answer is told so with status 200.
        headers: further headers of the answer.
    """

    def __init__(
        self,
        errors: Sequence[FormattedError],
        *,
        status: int = HTTPStatus.BAD_REQUEST,
        well_formed: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(errors[0]["message"])
        self.errors = tuple(errors)
        self.status = int(status)
        self.well_formed = well_formed
        self.headers = dict(headers or {})

    @property
    def code(self) -> str:
        """Code of the first error."""
        return str(self.errors[0]["extensions"]["code"])


def refused(
    message: str,
    code: str = "BAD_REQUEST",
    *,
    status: int = HTTPStatus.BAD_REQUEST,
    well_formed: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Refused:
    """A refusal of one sentence."""
    error: FormattedError = {"message": message, "extensions": {"code": code}}
    return Refused([error], status=status, well_formed=well_formed, headers=headers)


class LimitExceeded(Refused):
    """A request larger than this server answers; ``found`` and ``allowed`` are in the answer.

    Args:
        limit: the limit's name, such as ``DEPTH``; the code is ``LIMIT_DEPTH``.
        noun: what was counted, in the plural.
        found: how many; None when counting stopped at the limit.
        allowed: how many are answered.
    """

    def __init__(
        self,
        limit: str,
        noun: str,
        found: int | None,
        allowed: int,
        *,
        status: int = HTTPStatus.BAD_REQUEST,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        count = f"more than {allowed}" if found is None else str(found)
        error: FormattedError = {
            "message": f"found {count} {noun}, at most {allowed} allowed",
            "extensions": {"code": f"LIMIT_{limit}", "found": found, "allowed": allowed},
        }
        super().__init__([error], status=status, headers=headers)
        self.found = found
        self.allowed = allowed


class AuthenticationFailed(Exception):
    """The caller's credentials are wrong, expired or revoked.

    Args:
        code: for the answer's ``extensions``, such as ``UNAUTHENTICATED`` or ``TOKEN_EXPIRED``.
        message: for the caller; never repeats the credential.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
