"""A member's balances and tier as they were at a past moment.

docs/concepts/ledger.md says what each figure means by either time; ``domain.as_of`` works it out.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from loyalty.clock import Clock
from loyalty.domain.books.as_of import AsOf, Booked, History, Reversed, Step, accounts_as_of
from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import Entry, instant
from loyalty.domain.books.settle import settle
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.domain.tiers import Standing
from loyalty.errors import BadInput, NotFound
from loyalty.services.checkout.views import TierStep
from loyalty.services.members.summary import Figures, figures
from loyalty.services.proof.verify import entry_of
from loyalty.services.rulesets import Rulesets
from loyalty.storage import as_of as sql
from loyalty.storage import verify as ledger_sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Unit


class Pasts:
    """Looks into the past of members."""

    def __init__(self, database: Database, clock: Clock, rulesets: Rulesets) -> None:
        self._database = database
        self._clock = clock
        self._rulesets = rulesets

    def check(self, as_of: AsOf) -> None:
        """Raises BadInput for a moment that is still to come."""
        now = self._clock.now()
        if as_of.at > now:
            raise BadInput(
                f"found asOf {as_of.at.isoformat()}, wanted a moment not after {now.isoformat()}",
                field=("asOf", "at"),
            )

    async def history(self, tenant_id: int, member_id: int) -> History:
        """All that ever happened to a member, read at one instant. Raises NotFound."""
        return await self._database.read_unit(lambda: _history(tenant_id, member_id))

    async def ruleset(self, tenant_id: int, as_of: AsOf) -> Ruleset:
        """The rules in force then; the first ones for a moment before them. Raises NotFound."""
        ((version,),) = await self._database.read(sql.VERSION_AT(tenant_id, as_of.at))
        if version is None:
            raise NotFound("published program of tenant", str(tenant_id))
        return await self._rulesets.version(tenant_id, version)


def figures_as_of(history: History, as_of: AsOf, ruleset: Ruleset) -> Figures:
    """Balances and tier by the clock of that moment."""
    past = accounts_as_of(history, as_of)
    book = Book(past.accounts, as_of.at, lambda: 0)
    at = settle(book, ruleset, as_of.at, judges_tier=past.judges_tier)
    return figures(book, ruleset, at)


def steps_as_of(history: History, as_of: AsOf, first: int) -> list[TierStep]:
    """The latest changes of tier by then, newest first."""
    steps = [step for step in history.steps if as_of.covers(step.at, step.booked_at)]
    return [
        TierStep(step.at, step.tier_from, step.after.tier, step.reason)
        for step in reversed(steps[-first:])
    ]


def _history(tenant_id: int, member_id: int) -> Unit[History]:
    standing = yield sql.STANDING(tenant_id, member_id)
    if not standing:
        raise NotFound("member")
    tier, since, grace, settled_at = standing[0]
    rows = yield sql.TRANSACTIONS(tenant_id, member_id)
    entries: dict[int, list[Entry]] = defaultdict(list)
    for row in (yield ledger_sql.ENTRIES(tenant_id, [member_id])):
        entries[row[2]].append(entry_of(row))
    reversed_: dict[int, int] = dict((yield sql.REVERSED(tenant_id, member_id)))
    reversals = [
        Reversed(lot_id, amount, instant(effective_at), instant(booked_at))
        for lot_id, amount, effective_at, booked_at in (yield sql.REVERSALS(tenant_id, member_id))
    ]
    for reversal in reversals:
        reversed_[reversal.lot_id] -= reversal.points
    reversals += [
        Reversed(lot_id, amount, instant(0), instant(0))
        for lot_id, amount in reversed_.items()
        if amount
    ]
    steps = yield sql.STEPS(tenant_id, member_id)
    ends = yield sql.HOLDS_END(tenant_id, member_id)
    return History(
        tenant_id=tenant_id,
        holder_id=member_id,
        transactions=tuple(
            Booked(
                kind, reservation, order, instant(effective), instant(booked), tuple(entries[id])
            )
            for id, kind, reservation, order, effective, booked in rows
        ),
        reversals=tuple(reversals),
        steps=tuple(map(_step, steps)),
        holds_end={id: instant(end) for id, end in ends},
        standing=Standing(tier, instant(since), None if grace is None else instant(grace)),
        settled_at=instant(settled_at),
    )


def _step(row: Sequence[Any]) -> Step:
    at, booked_at, tier_from, tier_to, reason, since_from, grace_until = row
    # An older version told less: then a step counts as booked when it happened.
    since_from = since_from or 0
    since = at if reason in ("QUALIFIED", "DOWNGRADED") else since_from
    grace = None if grace_until is None else instant(grace_until)
    return Step(
        at=instant(at),
        booked_at=instant(at if booked_at is None else booked_at),
        tier_from=tier_from or tier_to,
        since_from=instant(since_from),
        after=Standing(tier_to, instant(since), grace),
        reason=reason,
    )
