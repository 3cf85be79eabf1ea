"""The rules of a small shop, which tests extend with what they are about."""

CORNER = """
code = "corner"
name = "Corner"
currency = "EUR"
time_zone = "Europe/Budapest"
[[point_types]]
code = "points"
name = "Points"
pending_days = 14
expires_after_months = 12
[[point_types]]
code = "status"
name = "Status"
is_spendable = false
expires_after_months = 12
[[earning.rules]]
code = "base"
point_type = "points"
points = 1
per_minor = 100
uses_tier_multiplier = true
[[earning.rules]]
code = "status"
point_type = "status"
points = 1
per_minor = 100
[tier_policy]
point_type = "status"
grace_days = 30
[[tiers]]
code = "base"
name = "Base"
threshold = 0
[[tiers]]
code = "gold"
name = "Gold"
threshold = 500
multiplier_bp = 20000
[[rewards]]
code = "five-off"
name = "5.00 off"
points = 100
point_type = "points"
does = { kind = "money_off", off_minor = 500 }
"""
