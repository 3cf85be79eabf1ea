"""Documents parsed, measured and validated once, then remembered.

Storefronts send the same few documents over and over; parsing and validating one takes several
times as long as answering it. Refused documents are remembered too, so that repeating a hostile one
is cheap for us.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass

from graphql import GraphQLSchema, GraphQLSyntaxError, parse, specified_rules, validate
from graphql.language import DocumentNode
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from loyalty_graphql.errors import LimitExceeded, Refused, refused
from loyalty_graphql.limits import DocumentShape, Limits, measure
from loyalty_graphql.limits.measure import OperationShape
from loyalty_graphql.masking import request_errors

_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
_NUL = re.compile(r"\\u(?:0000|\{0+\})")
_TOO_MANY_TOKENS = re.compile(r"contains more than \d+ tokens")


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document within the limits."""

    node: DocumentNode
    shape: DocumentShape

    def operation(self, name: str | None) -> OperationShape:
        """The operation to run.

        Raises:
            Refused: the name is missing or unknown.
        """
        operations = self.shape.operations
        if name is None and len(operations) == 1:
            return operations[0]
        names = [shape.node.name.value for shape in operations if shape.node.name is not None]
        for shape in operations:
            if name is not None and shape.node.name is not None and shape.node.name.value == name:
                return shape
        found = "no operationName" if name is None else f"operationName {name[:80]!r}"
        wanted = f"one of {', '.join(names[:10])}" if names else "a document with an operation"
        raise refused(
            f"found {found}, wanted {wanted}", "OPERATION_RESOLUTION_FAILURE", well_formed=True
        )


class Documents:
    """Reads documents for one schema.

    Args:
        schema: what documents are validated against.
        limits: what they are measured against.
        count_max: documents remembered; the least recently used goes first.
        chars_max: characters of all remembered documents together. Parsed, one takes 110 to
            260 times its characters in bytes, so these are some 80 MB at the very worst.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        *,
        count_max: int = 256,
        chars_max: int = 300_000,
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._count_max = count_max
        self._chars_max = chars_max
        self._chars = 0
        self._known: OrderedDict[tuple[str, bool], Document | Refused] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def read(self, text: str, *, suggest: bool) -> Document:
        """Parse, measure and validate a document, or recall it.

        Args:
            text: at most ``limits.text_chars`` characters, else refused.
            suggest: whether errors may suggest names of the schema.

        Raises:
            Refused: a syntax error, over a limit, or not valid for the schema.
        """
        if len(text) > self._limits.text_chars:
            raise LimitExceeded(
                "TEXT", "characters of document", len(text), self._limits.text_chars
            )
        key = (text, suggest)
        known = self._known.get(key)
        if known is not None:
            self.hits += 1
            self._known.move_to_end(key)
        else:
            self.misses += 1
            try:
                known = self._fresh(text, suggest)
            except Refused as refusal:
                known = refusal.with_traceback(None)
            self._remember(key, known)
        if isinstance(known, Refused):
            # Raising the remembered one again would grow its traceback with each request.
            raise _again(known)
        return known

    def _fresh(self, text: str, suggest: bool) -> Document:
        limits = self._limits
        if _NUL.search(text):
            raise refused("found a NUL character in the document, wanted text without", "BAD_TEXT")
        try:
            node = parse(text, max_lexical_tokens=limits.tokens, max_comments=limits.tokens)
        except GraphQLSyntaxError as error:
            if _TOO_MANY_TOKENS.search(error.message):
                raise LimitExceeded("TOKENS", "tokens", None, limits.tokens) from None
            raise Refused(
                request_errors([error], "GRAPHQL_PARSE_FAILED"), well_formed=True
            ) from None
        shape = measure(node, self._schema, limits)
        errors = validate(
            self._schema,
            node,
            _RULES,
            max_errors=limits.validation_errors,
            hide_suggestions=not suggest,
        )
        if errors:
            raise Refused(request_errors(errors, "GRAPHQL_VALIDATION_FAILED"), well_formed=True)
        for operation in shape.operations:
            kind = operation.node.operation
            if self._schema.get_root_type(kind) is None:
                raise refused(f"this schema has no {kind.value}", well_formed=True)
        return Document(node, shape)

    def _remember(self, key: tuple[str, bool], known: Document | Refused) -> None:
        self._known[key] = known
        self._chars += len(key[0])
        while len(self._known) > self._count_max or self._chars > self._chars_max:
            (text, _), _ = self._known.popitem(last=False)
            self._chars -= len(text)


def _again(refusal: Refused) -> Refused:
    return Refused(
        refusal.errors,
        status=refusal.status,
        well_formed=refusal.well_formed,
        headers=refusal.headers,
    )
