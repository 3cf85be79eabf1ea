"""Changes of an order after it was paid: what became less came back, what is more was bought.

The lines an order was paid with stay; a change says what part of each is still bought, and adds
lines for what is more. Changes say the whole order, so only the latest counts, whatever the
sequence in which they arrive.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from loyalty.domain.order import Earned, OrderLine
from loyalty.domain.refunds.order_facts import FactsLine, OrderFacts
from loyalty.domain.refunds.refund_asks import Asked, Edit, gone_lines, kept_parts
from loyalty.domain.refunds.refund_targets import ONE, ZERO

NAME_MAX = 120
"""Most characters of a change's name."""
MORE_SHIPPING = "+shipping"
"""The id of the line that stands for shipping beyond what was paid first."""


class Edited(NamedTuple):
    """An order after a change. ``added`` are the lines that came new, at the end of its lines.

    ``is_news``: it says something else than the change before.
    """

    facts: OrderFacts
    asked: Asked
    added: tuple[FactsLine, ...]
    products: tuple[str, ...]
    is_news: bool = True


def edited(
    facts: OrderFacts,
    asked: Asked,
    lines: Sequence[OrderLine],
    shipping_minor: int,
    at: int,
    name: str,
) -> Edited | None:
    """The order as ``lines`` and ``shipping_minor`` say it is now; None for an older word.

    Refunds are apart from this: a change says what was bought, not what came back of it. What
    earlier changes said counts no more: the lines that they added are gone, and what they took
    off the lines that were paid with is there again.

    Args:
        lines: with their ids.
        at, name: when it was changed, in microseconds, and the change's name, to tell which of
            two changes is the later.
    """
    before = asked.edit
    if before is not None and (at, name) <= (before.at, before.name):
        return None
    paid = facts.lines if before is None else facts.lines[: before.paid]
    wanted = {line.id or "": line for line in lines}
    left = {id: line.amount_minor - line.discount_minor for id, line in wanted.items()}
    current = {line.id: (0, 0) for line in facts.lines}
    current |= {id: (line.quantity, left[id]) for id, line in wanted.items()}
    kept: list[Fraction] = []
    pieces = {id: line.quantity for id, line in wanted.items()}
    for line in paid:
        kept.append(_still(line, left.get(line.id), pieces.get(line.id, 0)))
        if line.id in wanted:
            left[line.id] -= int(line.net_minor * kept[-1])
            pieces[line.id] = max(pieces[line.id] - line.quantity, 0)
    added: list[FactsLine] = []
    products: list[str] = []
    known = {line.id for line in paid}
    for id, item in wanted.items():
        if left[id] > 0 or id not in known:
            added.append(FactsLine(id, pieces[id], left[id], left[id]))
            products.append(item.product)
    shipped = facts.shipping.net_minor
    kept_shipping = Fraction(min(shipping_minor, shipped), shipped) if shipped else ONE
    more = shipping_minor - int(shipped * kept_shipping)
    if more > 0:
        added.append(FactsLine(MORE_SHIPPING, 0, more, more))
        products.append(MORE_SHIPPING)
    edit = Edit(at, name, tuple(kept), kept_shipping, current, len(paid))
    if _is_said_already(edit, added, facts, asked):
        assert before is not None
        return Edited(facts, replace(asked, edit=_as_late(before, edit)), (), (), False)
    gone = [FactsLine(line.id, 0, 0, 0) for line in facts.lines[len(paid) :]]
    edit = edit._replace(kept=(*kept, *(ZERO for _ in gone)))
    return Edited(
        replace(facts, lines=(*paid, *gone, *added)), replace(asked, edit=edit), tuple(added),
        tuple(products),
    )  # fmt: skip


def _is_said_already(
    edit: Edit, added: Sequence[FactsLine], facts: OrderFacts, asked: Asked
) -> bool:
    """Whether the change before was of the same lines: shops tell of changes that are none."""
    before = asked.edit
    if before is None or list(added) != [facts.lines[at] for at in live_places(facts, asked)]:
        return False
    return _as_late(before, edit)._replace(kept=before.kept[: before.paid]) == edit


def _as_late(before: Edit, edit: Edit) -> Edit:
    return before._replace(at=edit.at, name=edit.name)


def live_places(facts: OrderFacts, asked: Asked) -> list[int]:
    """Places of the lines that the latest change added."""
    if asked.edit is None:
        return []
    gone = gone_lines(facts, asked)
    return [at for at in range(asked.edit.paid, len(facts.lines)) if at not in gone]


def _still(line: FactsLine, net_minor: int | None, quantity: int) -> Fraction:
    """The part of a line that is still bought."""
    if net_minor is None:
        return ZERO
    if line.net_minor:
        return Fraction(min(net_minor, line.net_minor), line.net_minor)
    if line.quantity:
        return Fraction(min(quantity, line.quantity), line.quantity)
    return ONE


def still_earned(earned: Sequence[Earned], facts: OrderFacts, asked: Asked) -> dict[str, int]:
    """Points by type that the lines still bought have earned, refunds aside."""
    kept = kept_parts(facts, asked)
    points: dict[str, int] = {}
    for item in earned:
        by_shipping = item.points - sum(item.by_line)
        lost = sum((p * (1 - part) for p, part in zip(item.by_line, kept, strict=False)), ZERO)
        lost += by_shipping * (1 - kept[-1])
        points[item.point_type] = points.get(item.point_type, 0) + item.points - int(lost)
    return points


def padded(earned: Sequence[Earned], lines: int) -> tuple[Earned, ...]:
    """What was earned, for an order of so many lines: the new ones have earned nothing of it."""
    return tuple(
        replace(item, by_line=(*item.by_line, *(0,) * (lines - len(item.by_line))))
        for item in earned
    )
