"""Which members the demo proposes: such as have something to see."""

from __future__ import annotations

from loyalty.cli.demo.session import DemoMember
from loyalty.services.members.summary import Member
from loyalty.services.services import Services
from loyalty.services.tenants import Tenant

LOOKED_AT = 400
"""Members looked at; reading all of them would take seconds."""
PER_TIER = 3


async def proposed(services: Services, tenant: Tenant) -> list[DemoMember]:
    """Some members of each tier, the highest first; the very first has the most to show."""
    ruleset = await services.rulesets.current(tenant.id)
    unit = ruleset.spendable.code
    found = await services.summaries.listed(tenant.id, LOOKED_AT, 0, None)
    chosen = []
    for tier in reversed(ruleset.tier_policy.tiers):
        members = [one for one in found if one.tier.current.code == tier.code]
        ranked = sorted(members, key=lambda one: _interest(one, unit), reverse=True)
        best = ranked[: PER_TIER - 1]
        # And one so near to the next tier that a few products lead up to it.
        best += sorted(ranked[PER_TIER - 1 :], key=_missing)[:1]
        # Without points: a label is as old as the demo.
        chosen += [
            DemoMember(one.external_id, f"Household {one.external_id} ({tier.name})")
            for one in best
        ]
    return chosen


def _missing(member: Member) -> int:
    """Points to the next tier; 0 in the highest."""
    return member.tier.next.points_missing if member.tier.next else 0


def _interest(member: Member, unit: str) -> tuple[bool, int]:
    balance = member.balance(unit)
    # Points that expire soon and points that wait are there to be seen, then the more the better.
    return bool(balance.expiring_soon) and balance.pending > 0, balance.available
