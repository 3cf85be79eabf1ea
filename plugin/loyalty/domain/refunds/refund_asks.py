"""What refunds of an order ask for: pieces or amounts of its lines, or all that is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, NamedTuple

from loyalty.domain.money import Money
from loyalty.domain.refunds.order_facts import FactsLine, OrderFacts
from loyalty.domain.refunds.refund_targets import ONE, ZERO, Portion
from loyalty.errors import BadInput, RefundTooLarge


class LineAsk(NamedTuple):
    """One line of a refund: pieces, an amount of the line's net, or (neither) all its rest.

    ``line`` is the id of the order's line, ``SHIPPING`` for shipping.
    """

    line: str
    quantity: int = 0
    amount_minor: int = 0

    @property
    def is_rest(self) -> bool:
        return not self.quantity and not self.amount_minor


class Edit(NamedTuple):
    """What changes of an order after it was paid left of it (``refund_edits``).

    ``at`` (in microseconds) and ``name`` are the latest change's. ``kept`` is the part of each
    of the order's lines that is still bought, by place; of lines after those, all. ``current``
    are pieces and net by id as the latest change has them; what refunds ask is a part of that.
    ``paid`` is how many lines the order was paid with; those after them came with changes.
    """

    at: int
    name: str
    kept: tuple[Fraction, ...]
    kept_shipping: Fraction
    current: Mapping[str, tuple[int, int]]
    paid: int


@dataclass(frozen=True, slots=True)
class Asked:
    """All that was asked for so far: sums by line, and whether it was everything.

    The sums may exceed the line where a shop reports more than it sold; no more than the line
    counts. ``edit`` is what the shop's changes of the order made of its lines.
    """

    lines: Mapping[str, LineAsk] = field(default_factory=dict)
    rests: frozenset[str] = frozenset()
    is_all: bool = False
    edit: "Edit | None" = None

    def adding(self, asks: Sequence[LineAsk] | None) -> "Asked":
        """With one more step; None asks for all that is left."""
        if asks is None:
            return replace(self, is_all=True)
        lines = dict(self.lines)
        for ask in asks:
            known = lines.get(ask.line, LineAsk(ask.line))
            lines[ask.line] = LineAsk(
                ask.line, known.quantity + ask.quantity, known.amount_minor + ask.amount_minor
            )
        rests = self.rests | {ask.line for ask in asks if ask.is_rest}
        return replace(self, lines=lines, rests=rests)


def share_asked(quantity: int, net_minor: int, ask: LineAsk) -> Fraction | None:
    """The part of a line that an ask comes to, more than 1 where it is too much.

    None: it cannot be told, because the line has no pieces or costs nothing.
    """
    part = ZERO
    if ask.quantity:
        if not quantity:
            return None
        part += Fraction(ask.quantity, quantity)
    if ask.amount_minor:
        if not net_minor:
            return None
        part += Fraction(ask.amount_minor, net_minor)
    return part


def basis(line: FactsLine, asked: Asked) -> tuple[int, int]:
    """Pieces and net of a line that refunds ask a part of."""
    current = asked.edit.current.get(line.id) if asked.edit else None
    return (line.quantity, line.net_minor) if current is None else current


def portion_of(facts: OrderFacts, asked: Asked) -> Portion:
    """How much of the order came back by all that was asked, and by changes of the order.

    What has neither pieces nor a price to be asked for comes back with all the rest.
    """
    found: list[Fraction | None] = []
    for line, kept in zip(facts.all_lines, kept_parts(facts, asked), strict=True):
        part = _part_asked(line, asked) if kept else ONE
        found.append(None if part is None else 1 - kept * (1 - part))
    gone = gone_lines(facts, asked)
    lines = [part for at, part in enumerate(found[:-1]) if at not in gone]
    others = ONE if all(part in (None, ONE) for part in lines) and ONE in lines else ZERO
    told = [others if part is None else part for part in found]
    return Portion(tuple(told[:-1]), told[-1])


def kept_parts(facts: OrderFacts, asked: Asked) -> list[Fraction]:
    """The part of each line, and of shipping, that changes of the order left."""
    if asked.edit is None:
        return [ONE] * (len(facts.lines) + 1)
    kept = asked.edit.kept[: len(facts.lines)]
    later = [ONE] * (len(facts.lines) - len(kept))
    return [*kept, *later, asked.edit.kept_shipping]


def gone_lines(facts: OrderFacts, asked: Asked) -> frozenset[int]:
    """Places of lines that came with a change of the order and went with a later one."""
    if asked.edit is None:
        return frozenset()
    kept = kept_parts(facts, asked)
    return frozenset(at for at in range(asked.edit.paid, len(facts.lines)) if not kept[at])


def has_come_back(facts: OrderFacts, asked: Asked) -> bool:
    """Whether anything of the order as it was paid, or as it is now, came back."""
    gone = gone_lines(facts, asked)
    parts = portion_of(facts, asked).all_lines
    return any(part for at, part in enumerate(parts) if at not in gone)


def _part_asked(line: FactsLine, asked: Asked) -> Fraction | None:
    """The part of what is bought of a line that refunds asked for; None: it has nothing to ask."""
    if asked.is_all or line.id in asked.rests:
        return ONE
    quantity, net_minor = basis(line, asked)
    if not quantity and not net_minor:
        return None
    # What is asked of what the line does not have takes nothing from what was asked else.
    ask = asked.lines.get(line.id, LineAsk(line.id))
    shares = [
        share_asked(quantity, net_minor, ask._replace(amount_minor=0)),
        share_asked(quantity, net_minor, ask._replace(quantity=0)),
    ]
    return min(sum((share for share in shares if share is not None), ZERO), ONE)


def is_too_much(facts: OrderFacts, asked: Asked) -> bool:
    """Whether more was asked of a line than it has, or anything of a line that is not there."""
    lines = {line.id: line for line in facts.all_lines}
    for ask in asked.lines.values():
        line = lines.get(ask.line)
        part = None if line is None else share_asked(*basis(line, asked), ask)
        if part is None or part > 1:
            return True
    return False


def check(facts: OrderFacts, asked: Asked, asks: Sequence[LineAsk], currency: str) -> None:
    """Refuse a step that is no step, or asks for more than is left.

    Raises:
        BadInput: no lines, a line twice, or one the order does not have. RefundTooLarge: more
            than is left of a line.
    """
    if not asks:
        raise BadInput("found no lines, wanted at least one, or none named for a whole refund")
    lines = {line.id: line for line in facts.all_lines}
    seen: set[str] = set()
    for position, ask in enumerate(asks):
        at = ("lines", str(position))
        if ask.line not in lines:
            known = ", ".join(repr(id) for id in list(lines)[:-1][:10])
            raise BadInput(f"found line {ask.line!r}, wanted one of {known}", field=at)
        if ask.line in seen:
            raise BadInput(f"found line {ask.line!r} twice, wanted each once", field=at)
        seen.add(ask.line)
        if ask.quantity < 0 or ask.amount_minor < 0:
            raise BadInput(f"found less than nothing of line {ask.line!r}", field=at)
        _check_left(lines[ask.line], asked, ask, currency, at)


def _check_left(
    line: FactsLine, asked: Asked, ask: LineAsk, currency: str, at: tuple[str, ...]
) -> None:
    quantity, net_minor = basis(line, asked)
    before = _part_asked(line, asked) or ZERO
    part = share_asked(quantity, net_minor, ask)
    if part is not None and before + part <= 1 and (before < 1 or not ask.is_rest):
        return
    found = [f"{ask.quantity} pieces"] if ask.quantity else []
    if ask.amount_minor:
        found.append(f"{Money(ask.amount_minor, currency).text()} {currency}")
    left = Money(net_minor - int(net_minor * before), currency)
    raise RefundTooLarge(
        " and ".join(found) or "the rest",
        line.id,
        int(quantity * (1 - before)),
        f"{left.text()} {currency}",
        field=at,
    )


def asked_to_json(asked: Asked) -> dict[str, Any]:
    """JSON-able values; ``asked_from_json`` reads them back."""
    value: dict[str, Any] = {
        "lines": [list(ask) for ask in asked.lines.values()],
        "rests": sorted(asked.rests),
        "all": asked.is_all,
    }
    if asked.edit is not None:
        at, name, kept, shipping, current, paid = asked.edit
        value["edit"] = [
            at,
            name,
            [[part.numerator, part.denominator] for part in (*kept, shipping)],
            [[id, *counted] for id, counted in current.items()],
            paid,
        ]
    return value


def asked_from_json(value: dict[str, Any]) -> Asked:
    lines = {line: LineAsk(line, quantity, minor) for line, quantity, minor in value["lines"]}
    edit = None
    if "edit" in value:
        at, name, parts, current, paid = value["edit"]
        *kept, shipping = [Fraction(*part) for part in parts]
        counted = {id: (quantity, net) for id, quantity, net in current}
        edit = Edit(at, name, tuple(kept), shipping, counted, paid)
    return Asked(lines, frozenset(value["rests"]), value["all"], edit)


def asks_to_json(asks: Sequence[LineAsk], currency: str | None) -> Any:
    """The lines of one step, as its refund keeps them; with the currency of amounts, if any."""
    lines = [list(ask) for ask in asks]
    return lines if currency is None else {"lines": lines, "currency": currency}


def asks_from_json(value: Any) -> tuple[LineAsk, ...]:
    lines = value["lines"] if isinstance(value, dict) else value
    return tuple(LineAsk(*ask) for ask in lines)
