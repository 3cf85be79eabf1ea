"""A cart ready to be chosen for, and one reward applied to what is left of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import gt, itemgetter, lt, mul, sub
from typing import NamedTuple

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.money import allocated
from loyalty.domain.quotes.quote_holdings import CouponFacts
from loyalty.domain.quotes.quote_margin import Guard, Room, capped, guarded
from loyalty.domain.quotes.quote_tax import TaxTable
from loyalty.domain.rewards import MoneyOff, OpenLine, PercentageOff
from loyalty.domain.rulesets.ruleset import PointsTender, Reward

_UNIT_BP = 10_000
_NO_LINES: list[int] = []


@dataclass(frozen=True, slots=True)
class Basket:
    """What the search chooses for.

    ``lines`` and ``gross`` have shipping as their last, so whatever is reckoned by position
    is. ``tender`` is None where paying with points is no option. ``credit_minor``: credit that
    may be asked for by an exact amount, with ``credit_share_bp`` of the total at most.
    """

    lines: tuple[CartLine, ...]
    gross: tuple[int, ...]
    guard: Guard
    taxes: TaxTable
    available: Mapping[str, int]
    expiring: Mapping[str, int]
    tender: PointsTender | None
    credit_minor: int = 0
    credit_share_bp: int = 0

    @property
    def shipping(self) -> int:
        """The position of shipping."""
        return len(self.lines) - 1

    def total(self, left: Sequence[int]) -> int:
        """What the order costs, given what is left of its lines and shipping."""
        return sum(left) + self.taxes.added(left)

    def owed(self, left: Sequence[int]) -> Sequence[int]:
        """What is charged for each line: what is left of it, and tax where that is added."""
        if not self.taxes.is_added:
            return left
        return [net + tax for net, tax in zip(left, self.taxes.by_line(left), strict=True)]


@dataclass(frozen=True, slots=True)
class Entrant:
    """A reward and what it takes off.

    ``covered``: positions of its lines, or of shipping alone; ``of_covered`` takes their
    figures out of all. ``off``: its kind reckons by amounts alone. ``most_minor``: what it takes
    off at most in any choice. ``coupon``: the one that opens it. ``ends_soon``: that coupon's
    time is over soon, or the offer's that it is. ``leasts``, ``weights`` and ``unknown`` (1 for a
    line of unknown cost) are the guard's figures for its lines. ``budget_minor``: no more may be
    taken off; None for no limit.
    """

    reward: Reward
    covered: tuple[int, ...]
    of_covered: Callable[[Sequence[int]], Sequence[int]]
    off: Callable[[Sequence[int]], list[int]] | None
    most_minor: int
    coupon: CouponFacts | None
    ends_soon: bool
    leasts: tuple[int, ...]
    weights: tuple[int, ...]
    unknown: tuple[int, ...]
    budget_minor: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Under which it can be pinned."""
        code = self.reward.code
        return (code,) if self.coupon is None else (code, self.coupon.code)


class Taken(NamedTuple):
    """A reward applied: what it takes off each covered line, and what was kept back of it.

    ``capped`` by the caps, ``cut`` by the margin. ``shaped``: the margin had a say, be it only
    in which lines the sum comes off.
    """

    entrant: Entrant
    parts: list[int]
    given: int
    capped: int
    cut: int
    shaped: bool


def entrant(
    basket: Basket,
    reward: Reward,
    coupon: CouponFacts | None = None,
    *,
    ends_soon: bool = False,
    budget_minor: int | None = None,
) -> Entrant:
    """A reward with the lines of this cart that all its conditions cover."""
    lines, does = basket.lines, reward.does
    covered = list(range(basket.shipping))
    for condition in reward.conditions:
        covered = [at for at in covered if condition.covers(lines[at])]
    products = getattr(does, "products", None)
    if products is not None:
        covered = [at for at in covered if lines[at].product in products]
    # Whatever takes off shipping still asks for the goods that its conditions name.
    if covered and getattr(does, "on_shipping", False):
        covered = [basket.shipping]
    most = whole = sum([basket.gross[at] for at in covered])
    if does.value_minor is not None:
        most = min(most, does.value_minor)
    if does.percent_bp is not None:
        most = min(most, -(-whole * does.percent_bp // _UNIT_BP))
    off = None
    # A subclass may offer otherwise, so only the kinds themselves are taken at their word.
    if isinstance(does, MoneyOff | PercentageOff) and type(does) in (MoneyOff, PercentageOff):
        off = does.off
    guard = basket.guard
    found = Entrant(
        reward,
        tuple(covered),
        _taking_out(covered),
        off,
        most,
        coupon,
        ends_soon,
        tuple([guard.leasts[at] for at in covered]),
        tuple([guard.weights[at] for at in covered]),
        tuple([guard.unknown[at] for at in covered]),
        budget_minor,
    )
    if getattr(does, "shrinks", False):
        most = min(most, sum(offered(basket, found, basket.gross)))
        found = replace(found, most_minor=most)
    return found


def _taking_out(positions: Sequence[int]) -> Callable[[Sequence[int]], Sequence[int]]:
    """A function that takes the figures at these positions out of a list."""
    if len(positions) > 1:
        return itemgetter(*positions)
    return lambda figures: [figures[at] for at in positions]


def offered(basket: Basket, entrant: Entrant, left: Sequence[int]) -> list[int]:
    """What a reward would take off its lines if no limit had to be kept.

    Raises:
        ValueError: its kind breaks its promise of parts between nothing and what is left.
    """
    covered = entrant.covered
    if not covered:
        return _NO_LINES
    if entrant.off is not None:
        return entrant.off(entrant.of_covered(left))
    lines, does = basket.lines, entrant.reward.does
    open_lines = [OpenLine(lines[at], left[at]) for at in covered]
    parts = does.offer(open_lines)
    is_whole = len(parts) == len(open_lines) and min(parts) >= 0
    if not is_whole or any(map(gt, parts, entrant.of_covered(left))):
        raise ValueError(
            f"reward {entrant.reward.code!r} of kind {does.kind!r} offered {parts[:20]}, wanted "
            "one part per line, between 0 and what is left of the line"
        )
    return parts


def take(basket: Basket, entrant: Entrant, left: Sequence[int], room: Room) -> tuple[Taken, Room]:
    """Apply a reward. It gives nothing where nothing is left or a limit forbids it."""
    parts = offered(basket, entrant, left)
    guard = basket.guard
    if guard.is_open or not parts or entrant.covered[0] == basket.shipping:
        return Taken(entrant, parts, sum(parts), 0, 0, False), room
    after = _if_it_fits(guard, entrant, parts, left, room)
    wanted = sum(parts)
    if after is not None:
        return Taken(entrant, parts, wanted, 0, 0, False), after
    covered, does = entrant.covered, entrant.reward.does
    let = capped(guard, covered, parts, left, room)
    kept = guarded(guard, covered, let, left, room)
    if kept is not parts and not does.may_cut:
        return _whole(basket, entrant, left, room, parts, let, kept)
    given, by_caps = sum(kept), wanted - sum(let)
    cut = wanted - by_caps - given
    taken = Taken(entrant, kept, given, by_caps, cut, kept is not let)
    return taken, _after(guard, covered, kept, given, room)


def _if_it_fits(
    guard: Guard, entrant: Entrant, parts: Sequence[int], left: Sequence[int], room: Room
) -> Room | None:
    """What room a discount leaves that no limit touches; None for one that some limit does.

    That is by far the most frequent case, so it is found in one go over the lines.
    """
    rest = map(sub, entrant.of_covered(left), parts)
    if any(map(lt, rest, entrant.leasts)):
        # A line that is below its least by its price is only a matter where something comes off.
        for at, part in zip(entrant.covered, parts, strict=True):
            if part and left[at] - part < guard.leasts[at]:
                return None
    given = sum(parts)
    if guard.policy is None:
        if given > room.cap:
            return None
        return Room(room.known, room.unknown - given, room.cap - given)
    weighted = sum(map(mul, parts, entrant.weights))
    unknown = sum(map(mul, parts, entrant.unknown))
    if weighted > room.known or given > room.cap or unknown > room.unknown:
        return None
    return Room(room.known - weighted, room.unknown - unknown, room.cap - given)


def _whole(
    basket: Basket,
    entrant: Entrant,
    left: Sequence[int],
    room: Room,
    parts: list[int],
    let: list[int],
    kept: list[int],
) -> tuple[Taken, Room]:
    """A reward that is given whole or not at all, and that some line cannot take its part of.

    A sum that may move comes off the lines in proportion to what each can take.
    """
    guard, covered, wanted = basket.guard, entrant.covered, sum(parts)
    nothing = [0] * len(parts)
    is_shaped = False
    if getattr(entrant.reward.does, "may_move", False):
        rest = [left[at] for at in covered]
        by_caps = capped(guard, covered, rest, left, room)
        if sum(by_caps) < wanted:
            return Taken(entrant, nothing, 0, wanted - sum(by_caps), 0, False), room
        if let is not parts:
            let = allocated(wanted, by_caps)
            kept = guarded(guard, covered, let, left, room)
        if kept is not let:
            is_shaped = True
            allowed = guarded(guard, covered, by_caps, left, room)
            if sum(allowed) < wanted:
                return Taken(entrant, nothing, 0, 0, wanted - sum(allowed), True), room
            kept = allocated(wanted, allowed)
    elif let is not parts:
        return Taken(entrant, nothing, 0, wanted - sum(let), 0, False), room
    else:
        return Taken(entrant, nothing, 0, 0, wanted - sum(kept), True), room
    return (
        Taken(entrant, kept, wanted, 0, 0, is_shaped),
        _after(guard, covered, kept, wanted, room),
    )


def _after(
    guard: Guard, covered: Sequence[int], parts: Sequence[int], given: int, room: Room
) -> Room:
    if guard.policy is None:
        return Room(room.known, room.unknown - given, room.cap - given)
    is_known, weights = guard.is_known, guard.weights
    known = weighted = 0
    for at, part in zip(covered, parts, strict=True):
        if is_known[at]:
            known += part
            weighted += part * weights[at]
    return Room(room.known - weighted, room.unknown - given + known, room.cap - given)


def basket_lines(cart: Cart) -> tuple[CartLine, ...]:
    """The cart's lines, and shipping as one more."""
    shipping = CartLine("", "", 1, cart.shipping_minor, tax_bp=cart.shipping_tax_bp)
    return (*cart.lines, shipping)
