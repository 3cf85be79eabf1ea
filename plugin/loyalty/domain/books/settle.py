"""What has happened by itself since the accounts were last touched.

Whether a lot has expired, a hold has timed out or a tier has ended is decided by the clock at
the moment of the question. A booking first settles what is due, then decides.
"""

from dataclasses import replace
from datetime import datetime

from loyalty.domain import tiers
from loyalty.domain.books.accounts import Accounts
from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import instant
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.domain.tier_rules import is_own, moved, next_publication

NEVER_SETTLED = instant(0)
"""``settled_at`` of a member of whom nothing is booked yet."""


def settle(book: Book, ruleset: Ruleset, at: datetime, *, judges_tier: bool = True) -> datetime:
    """Release holds that timed out, pay deficits, expire lots, move the tier; returns the moment.

    The moment is the later of ``at`` and the last settling: time does not run back. Without
    ``judges_tier`` the standing stays as it is: for a look at a past whose tiers are on record.
    """
    accounts = book.accounts
    moment = max(at, accounts.settled_at)
    book.ruleset_version = ruleset.version
    if accounts.settled_at == NEVER_SETTLED:
        # A member's first moment: nothing is due, and the lowest tier begins here.
        accounts.settled_at = moment
        accounts.outlook = None
        accounts.standing = replace(accounts.standing, since=moment)
        return moment
    if _is_quiet(accounts, ruleset, moment):
        accounts.settled_at = moment
        return moment
    accounts.outlook = None
    given_back_at: dict[int, datetime] = {}
    due = [hold for hold in accounts.holds.values() if hold.expires_at <= moment]
    for hold in sorted(due, key=lambda hold: (hold.expires_at, hold.reservation_id)):
        book.release(hold.reservation_id, hold.expires_at)
        if accounts.is_member:
            # A reservation's own state is its member's to say; a gift card only pays for it.
            book.changes.holds_expired.append(hold.reservation_id)
        for draw in hold.draws:
            given_back_at[draw.lot_id] = hold.expires_at
    if any(accounts.deficits.values()):
        _repay(book, moment, given_back_at)
    over = [lot for lot in accounts.lots.values() if lot.remaining and lot.ends_at <= moment]
    for lot in sorted(over, key=lambda lot: (lot.ends_at, lot.id)):
        # A lot may expire while it is held; what comes back then expires on its return.
        book.expire([lot], max(lot.ends_at, given_back_at.get(lot.id, lot.ends_at)))
    if judges_tier:
        _move_tier(book, ruleset, accounts.settled_at, moment)
    accounts.settled_at = moment
    return moment


def _repay(book: Book, moment: datetime, given_back_at: dict[int, datetime]) -> None:
    """Pay deficits from lots in the order in which they became active.

    By the lots' own instants, so that the outcome does not depend on when somebody looks.
    """
    start = book.accounts.settled_at
    active = [
        (max(lot.available_at, given_back_at.get(lot.id, start), start), lot)
        for lot in book.accounts.lots.values()
        if lot.remaining and lot.available_at <= moment
    ]
    for at, lot in sorted(active, key=lambda item: (item[0], item[1].ends_at, item[1].id)):
        if at < lot.ends_at:
            book.repay(lot, at)


def evaluate_tier(book: Book, ruleset: Ruleset) -> None:
    """See whether what was just booked moves the tier."""
    policy, accounts = ruleset.tier_policy, book.accounts
    at = accounts.settled_at
    if is_own(ruleset, at):
        count = accounts.outlook_under(ruleset.version, policy.point_type).qualifying
        accounts.standing, changes = tiers.judged(
            policy, accounts.standing, count, at, ruleset.time_zone
        )
        book.changes.tier_changes.extend(changes)
    else:
        _move_tier(book, ruleset, at, at)


def next_change_at(accounts: Accounts, ruleset: Ruleset) -> datetime:
    """The next instant at which the member's accounts change by themselves; NEVER if none."""
    after, grace = accounts.settled_at, accounts.standing.grace_until
    outlook = accounts.outlook_under(ruleset.version, ruleset.tier_policy.point_type)
    moments = [outlook.next_change_at(after), next_publication(ruleset, after)]
    if grace is not None and after < grace:
        moments.append(grace)
    return min(moment for moment in moments if moment is not None)


def _is_quiet(accounts: Accounts, ruleset: Ruleset, moment: datetime) -> bool:
    """Whether it is known that nothing happens by itself until ``moment``."""
    outlook, grace = accounts.outlook, accounts.standing.grace_until
    return (
        outlook is not None
        and outlook.ruleset_version == ruleset.version
        and outlook.is_quiet_until(moment)
        and (grace is None or moment < grace)
        and next_publication(ruleset, accounts.settled_at) is None
    )


def _move_tier(book: Book, ruleset: Ruleset, start: datetime, at: datetime) -> None:
    accounts = book.accounts
    accounts.standing, changes = moved(ruleset, accounts.standing, book.qualifying, start, at)
    book.changes.tier_changes.extend(changes)
