"""Runs operations: what HTTP and WebSocket have in common.

Order: text → limits → validation → introspection switch → cost with these variables → execution.
Execution goes straight to graphql-core with Strawberry's execution context: resolvers, permissions
and field extensions work as ever, Strawberry's *schema* extensions are not run.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import strawberry
from graphql import ExecutionResult, GraphQLError
from graphql.execution import ExperimentalIncrementalExecutionResults, subscribe
from graphql.language import OperationType
from strawberry.execution import optimized_is_awaitable

from loyalty_graphql.documents import Document, Documents
from loyalty_graphql.errors import FormattedError, LimitExceeded, Refused, refused
from loyalty_graphql.limits import Limits
from loyalty_graphql.masking import execution_errors, masked, request_errors

# Strawberry types its faster check as returning bool, graphql-core asks for a type guard.
_IS_AWAITABLE = cast(Any, optimized_is_awaitable)


@dataclass(frozen=True, slots=True)
class Params:
    """One GraphQL request, read but not judged."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """An operation that may run."""

    document: Document
    kind: OperationType
    operation_name: str | None
    variables: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """Data of an operation that was executed, and what went wrong on the way."""

    data: dict[str, Any] | None
    errors: list[FormattedError]

    def body(self) -> dict[str, Any]:
        """The response as its specification says: no ``errors`` entry when there are none."""
        if self.errors:
            return {"errors": self.errors, "data": self.data}
        return {"data": self.data}


class Engine:
    """Plans and runs operations of one schema.

    Args:
        schema: the Strawberry schema.
        limits: what a request may cost.
        allow_introspection: asked with the request's context for documents that introspect, and
            before an error may suggest names.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        limits: Limits,
        allow_introspection: Callable[[Any], bool],
    ) -> None:
        self.limits = limits
        self.documents = Documents(schema._schema, limits)
        self._schema = schema._schema
        self._executor = schema.execution_context_class
        self._allow_introspection = allow_introspection

    def plan(self, params: Params, context: object) -> Plan:
        """Judge a request.

        Raises:
            Refused: over a limit, not a valid document, or not allowed to introspect.
        """
        open_schema = self._allow_introspection(context)
        document = self.documents.read(params.query, suggest=open_schema)
        operation = document.operation(params.operation_name)
        if operation.figures.introspects and not open_schema:
            raise refused(
                "introspection is not open to this caller; the schema is published as a file",
                "INTROSPECTION_DISABLED",
                well_formed=True,
            )
        variables = dict(params.variables)
        cost = operation.cost(variables, self.limits)
        if cost > self.limits.cost:
            raise LimitExceeded(
                "COST", "values in the answer (lower `first`?)", cost, self.limits.cost
            )
        return Plan(document, operation.node.operation, params.operation_name, variables)

    async def run(self, plan: Plan, context: object) -> Answer:
        """Execute a query or mutation.

        Raises:
            Refused: a variable has a value of another type than declared.
        """
        executor = self._executor.build(
            self._schema,
            plan.document.node,
            context_value=context,
            raw_variable_values=plan.variables,
            operation_name=plan.operation_name,
            is_awaitable=_IS_AWAITABLE,
            operation_extensions=None,
        )
        if isinstance(executor, list):
            raise Refused(request_errors(executor, "BAD_USER_INPUT"), well_formed=True)
        outcome = executor.execute_operation()
        if isinstance(outcome, Awaitable):
            outcome = await outcome
        # Only @defer and @stream answer in parts, and no schema of this API has them.
        assert not isinstance(outcome, ExperimentalIncrementalExecutionResults)
        return self._answer(outcome, plan)

    async def stream(self, plan: Plan, context: object) -> AsyncGenerator[Answer, None]:
        """Execute a subscription: one answer per event.

        Raises:
            Refused: a variable has a value of another type than declared, or the source of events
                could not be opened.
        """
        source = subscribe(
            self._schema,
            plan.document.node,
            context_value=context,
            variable_values=plan.variables,
            operation_name=plan.operation_name,
            executor_class=self._executor,
            operation_extensions=None,
        )
        if isinstance(source, Awaitable):
            source = await source
        if isinstance(source, ExecutionResult):
            raise Refused(_opening_errors(source.errors or [], plan), well_formed=True)
        try:
            async for event in source:
                yield self._answer(event, plan)
        except Exception as error:  # the event source itself broke; the caller may only know that
            yield Answer(None, [masked(error, plan.operation_name)])
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()

    @staticmethod
    def _answer(outcome: ExecutionResult, plan: Plan) -> Answer:
        errors = execution_errors(outcome.errors, plan.operation_name) if outcome.errors else []
        return Answer(outcome.data, errors)


def _opening_errors(errors: list[GraphQLError], plan: Plan) -> list[FormattedError]:
    """Errors with a path come from the resolver, the others from the variables."""
    formatted: list[FormattedError] = []
    for error in errors:
        if error.path is None:
            formatted += request_errors([error], "BAD_USER_INPUT")
        else:
            formatted += execution_errors([error], plan.operation_name)
    return formatted
