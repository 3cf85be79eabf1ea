"""One pass over a parsed document that says what it would cost.

Time is linear in the document: a fragment's selections are looked at once and its figures are
reused wherever it is spread, so that fragments that spread fragments cost nothing extra although
their expansion is exponential. The pass runs before validation, which has to be protected too, and
therefore trusts nothing: names may be unknown and fragments missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import GraphQLSchema
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
)
from graphql.language.ast import IntValueNode, ListValueNode, VariableNode
from graphql.type import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from loyalty_graphql.errors import LimitExceeded, refused
from loyalty_graphql.limits.cost import COUNT_MAX, Cost, Factor, bounded
from loyalty_graphql.limits.settings import Limits

_INTROSPECTION = {"__schema": "__Schema", "__type": "__Type"}
"""Introspection's root fields and their types, which no object type lists among its fields."""


@dataclass(slots=True)
class Figures:
    """What a selection set, or a whole operation, amounts to with its fragments expanded."""

    depth: int = 0
    top_fields: int = 0
    aliases: int = 0
    directives: int = 0
    nodes: int = 0
    introspects: bool = False
    cost: Cost = field(default_factory=Cost)

    def add(self, other: "Figures", *, below: int) -> None:
        """Count ``other`` in, ``below`` field levels further down."""
        if other.depth:
            self.depth = max(self.depth, other.depth + below)
        self.aliases = bounded(self.aliases + other.aliases)
        self.directives = bounded(self.directives + other.directives)
        self.nodes = bounded(self.nodes + other.nodes)
        self.introspects = self.introspects or other.introspects


_WINDOWS = frozenset({"Recommendations", "RankedProducts"})
"""Types that are a page of ``items`` and no connection: nothing comes after them."""


@dataclass(frozen=True, slots=True)
class OperationShape:
    """One operation of a document: what it is, and what it amounts to."""

    node: OperationDefinitionNode
    figures: Figures
    defaults: Mapping[str, ValueNode]

    def cost(self, variables: Mapping[str, object], limits: Limits) -> int:
        """Values that the answer may hold with these variables."""
        return self.figures.cost.value(variables, self.defaults, limits)


@dataclass(frozen=True, slots=True)
class DocumentShape:
    """A document's operations, all within the limits that do not depend on variables.

    ``visits`` counts the selections looked at: never more than the document holds.
    """

    operations: tuple[OperationShape, ...]
    visits: int


def measure(document: DocumentNode, schema: GraphQLSchema, limits: Limits) -> DocumentShape:
    """Measure every operation of a document.

    Raises:
        LimitExceeded: some figure is over its limit.
        Refused: fragments that spread each other in a circle.
    """
    if len(document.definitions) > limits.definitions:
        found = len(document.definitions)
        raise LimitExceeded("DEFINITIONS", "definitions", found, limits.definitions)
    pass_ = _Pass(document, schema, limits)
    operations = tuple(
        pass_.operation(node)
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    )
    # A fragment that nothing spreads never runs, but validation reads it.
    for name in pass_.fragments:
        pass_.fragment(name, 0)
    pass_.check_overlap()
    return DocumentShape(operations, pass_.visits)


class _Pass:
    def __init__(self, document: DocumentNode, schema: GraphQLSchema, limits: Limits) -> None:
        self.schema = schema
        self.limits = limits
        self.fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self.visits = 0
        self._measured: dict[str, Figures] = {}
        self._open: list[str] = []
        self._same_name: dict[str, tuple[int, int]] = {}

    def operation(self, node: OperationDefinitionNode) -> OperationShape:
        figures = Figures(directives=len(node.directives or ()))
        root = self.schema.get_root_type(node.operation)
        self._selections(node.selection_set, root, figures, 0)
        _check(figures, self.limits)
        defaults = {
            definition.variable.name.value: definition.default_value
            for definition in node.variable_definitions or ()
            if definition.default_value is not None
        }
        return OperationShape(node, figures, defaults)

    def fragment(self, name: str, nesting: int) -> Figures:
        """Figures of a fragment, measured at its first use."""
        known = self._measured.get(name)
        if known is not None:
            return known
        node = self.fragments.get(name)
        if node is None:
            return Figures()
        if name in self._open:
            circle = " → ".join([*self._open[self._open.index(name) :], name])
            raise refused(
                f"fragments spread each other in a circle: {circle}",
                "GRAPHQL_VALIDATION_FAILED",
                well_formed=True,
            )
        self._open.append(name)
        figures = Figures(directives=len(node.directives or ()))
        parent = self.schema.get_type(node.type_condition.name.value)
        self._selections(node.selection_set, parent, figures, nesting)
        self._open.pop()
        self._measured[name] = figures
        return figures

    def check_overlap(self) -> None:
        """Refuse what would keep validation busy comparing fields of one name with each other."""
        pairs = sum((count - 1) * weight for count, weight in self._same_name.values())
        if pairs > self.limits.overlap:
            raise LimitExceeded(
                "OVERLAP", "pairs of fields with the same name", pairs, self.limits.overlap
            )

    def _selections(
        self,
        selection_set: SelectionSetNode,
        parent: GraphQLNamedType | None,
        into: Figures,
        nesting: int,
    ) -> None:
        if nesting > self.limits.nesting:
            raise LimitExceeded("NESTING", "nested selections", None, self.limits.nesting)
        for selection in selection_set.selections:
            self.visits += 1
            into.nodes = bounded(into.nodes + 1)
            into.directives = bounded(into.directives + len(selection.directives or ()))
            if isinstance(selection, FieldNode):
                self._field(selection, parent, into, nesting)
            elif isinstance(selection, FragmentSpreadNode):
                self._merge(into, self.fragment(selection.name.value, nesting + 1))
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = parent if condition is None else self.schema.get_type(condition.name.value)
                figures = Figures()
                self._selections(selection.selection_set, inner, figures, nesting + 1)
                self._merge(into, figures)

    @staticmethod
    def _merge(into: Figures, fragment: Figures) -> None:
        into.add(fragment, below=0)
        into.top_fields = bounded(into.top_fields + fragment.top_fields)
        into.cost.add(fragment.cost)

    def _field(
        self, node: FieldNode, parent: GraphQLNamedType | None, into: Figures, nesting: int
    ) -> None:
        name = node.name.value
        key = node.alias.value if node.alias else name
        count, weight = self._same_name.get(key, (0, 0))
        self._same_name[key] = (count + 1, weight + 1 + len(node.arguments or ()))
        # Introspection has a rule of its own against depth, within validation.
        own_level = 0 if parent is not None and parent.name.startswith("__") else 1
        into.depth = max(into.depth, own_level)
        into.top_fields = bounded(into.top_fields + 1)
        into.aliases = bounded(into.aliases + (1 if node.alias else 0))
        into.introspects = into.introspects or name in _INTROSPECTION
        into.cost.add_constant(1)
        if node.selection_set is None:
            return
        definition = self._definition(parent, name)
        inner = Figures()
        if name in _INTROSPECTION:
            type_ = self.schema.get_type(_INTROSPECTION[name])
        else:
            type_ = get_named_type(definition.type) if definition is not None else None
        self._selections(node.selection_set, type_, inner, nesting + 1)
        into.add(inner, below=own_level)
        into.cost.add_times(_factor(node, definition, parent, self.limits), inner.cost)

    @staticmethod
    def _definition(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            fields: Mapping[str, GraphQLField] = parent.fields
            return fields.get(name)
        return None


def _factor(
    node: FieldNode,
    definition: GraphQLField | None,
    parent: GraphQLNamedType | None,
    limits: Limits,
) -> Factor:
    """How many items a field's own selections are answered for: so many as are asked for, or
    named.
    """
    for argument in node.arguments or ():
        if argument.name.value in ("first", "last", "ids"):
            if isinstance(argument.value, IntValueNode):
                return _page_size(argument.value)
            if isinstance(argument.value, ListValueNode):
                return max(len(argument.value.values), 1)
            if isinstance(argument.value, VariableNode):
                return argument.value.name.value
            return limits.page_default
    if definition is None or (parent is not None and parent.name.startswith("__")):
        return 1
    if "first" in definition.args or "last" in definition.args:
        return limits.page_default
    is_list = is_list_type(get_nullable_type(definition.type))
    if not is_list or is_leaf_type(get_named_type(definition.type)):
        return 1
    # What is around these has multiplied already.
    return (
        1 if parent is not None and _is_page(parent.name, node.name.value) else limits.list_default
    )


def _is_page(parent: str, field: str) -> bool:
    """Whether a field lists as many items as the ``first`` of the field around it asked for."""
    if parent in _WINDOWS:
        return field == "items"
    return parent.endswith("Connection") and field in ("nodes", "edges")


def _page_size(node: IntValueNode) -> int:
    return max(int(node.value), 1) if len(node.value) <= 9 else COUNT_MAX


def _check(figures: Figures, limits: Limits) -> None:
    for limit, noun, found, allowed in (
        ("NODES", "selections with fragments expanded", figures.nodes, limits.nodes),
        ("DEPTH", "levels of fields", figures.depth, limits.depth),
        ("ROOT_FIELDS", "root fields", figures.top_fields, limits.root_fields),
        ("ALIASES", "aliases", figures.aliases, limits.aliases),
        ("DIRECTIVES", "directives", figures.directives, limits.directives),
    ):
        if found > allowed:
            raise LimitExceeded(limit, noun, found, allowed)
