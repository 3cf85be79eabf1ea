"""The rulesets that the shops of ``driven_shop`` publish in turn, as text and as their figures."""

from typing import Any

PROGRAM = """
code = "driven"
name = "Driven"
currency = "EUR"
time_zone = "Europe/Budapest"
[[point_types]]
code = "points"
name = "Points"
pending_days = {pending}
expires_after_months = {months}
[[point_types]]
code = "status"
name = "Status"
is_spendable = false
expires_after_months = {status_months}
[[earning.rules]]
code = "base"
point_type = "points"
points = 1
per_minor = {per_minor}
uses_tier_multiplier = true
[[earning.rules]]
code = "status"
point_type = "status"
points = 1
per_minor = 100
[tier_policy]
point_type = "status"
grace_days = {tier_grace}
[[tiers]]
code = "base"
name = "Base"
threshold = 0
[[tiers]]
code = "silver"
name = "Silver"
threshold = {tiers[1][1]}
multiplier_bp = {tiers[1][2]}
[[tiers]]
code = "gold"
name = "Gold"
threshold = {tiers[2][1]}
multiplier_bp = {tiers[2][2]}
[tender]
point_type = "points"
points = {tender_points}
minor = {tender_minor}
[credit]
enabled = true
[adjustments]
approval_above = {approval}
approval_above_minor = {approval_minor}
[refunds]
clawback = "{clawback}"
expired_lot_grace_days = {grace}
broken_minimum = "{broken}"
[[rewards]]
code = "five-off"
name = "5.00 off"
points = 40
point_type = "points"
does = {{ kind = "money_off", off_minor = 500 }}
[[rewards]]
code = "mug"
name = "1.00 off with a mug"
points = 5
point_type = "points"
stocked = true
does = {{ kind = "money_off", off_minor = 100 }}
[[rewards]]
code = "big"
name = "9.00 off from 50.00"
points = 10
point_type = "points"
stocked = true
conditions = [{{ kind = "minimum_purchase", minor = 5000 }}]
does = {{ kind = "money_off", off_minor = 900 }}
[[rewards]]
code = "once"
name = "0.50 off, once"
uses_per_member_max = 1
does = {{ kind = "money_off", off_minor = 50 }}
[[rewards]]
code = "ten-off"
name = "10 % off"
needs_coupon = true
does = {{ kind = "percentage_off", rate_bp = 1000 }}
"""


def _figures(silver: tuple[int, int], gold: tuple[int, int], **own: Any) -> dict[str, Any]:
    """What ``shop_model`` has to know of a ruleset; of a tier, its threshold and multiplier."""
    return own | {
        "tiers": [("base", 0, 10_000), ("silver", *silver), ("gold", *gold)],
        "tender_points": 3, "tender_minor": 2, "stocked": {"mug", "big"}, "each": {"once": 1},
        "minimum": {"big": 5_000},
    }  # fmt: skip


RULES = [
    _figures(
        silver=(95, 15_000), gold=(160, 20_000), tier_grace=3, status_months=12,
        pending=0, months=1, per_minor=50, clawback="allow_deficit", grace=3, broken="reverse",
        approval=200, approval_minor=2_000,
    ),
    _figures(
        silver=(95, 12_500), gold=(160, 30_000), tier_grace=3, status_months=1,
        pending=2, months=12, per_minor=100, clawback="clamp", grace=0, broken="prorate",
        approval=9_999, approval_minor=100,
    ),
    _figures(
        silver=(60, 10_000), gold=(200, 11_111), tier_grace=0, status_months=2,
        pending=14, months=2, per_minor=20, clawback="deduct", grace=30, broken="keep",
        approval=50, approval_minor=400,
    ),
    _figures(
        silver=(120, 20_000), gold=(130, 20_000), tier_grace=10, status_months=1,
        pending=0, months=2, per_minor=30, clawback="deduct", grace=1, broken="reverse",
        approval=300, approval_minor=5_000,
    ),
    _figures(
        silver=(95, 5_000), gold=(300, 40_000), tier_grace=1, status_months=3,
        pending=1, months=1, per_minor=70, clawback="allow_deficit", grace=0, broken="prorate",
        approval=0, approval_minor=300,
    ),
]  # fmt: skip
