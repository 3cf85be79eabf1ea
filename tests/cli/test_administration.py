"""Coupons, gift cards, stock and the trail from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import ROOT, CommandLine

MINIMAL = ROOT / "examples" / "minimal.toml"
MORE = """
[[rewards]]
code = "spring"
name = "Spring"
does = { kind = "money_off", off_minor = 300 }
needs_coupon = true
[[rewards]]
code = "mug"
name = "Mug"
does = { kind = "money_off", off_minor = 400 }
stocked = true
"""


@pytest.fixture
def corner(bare: CommandLine, tmp_path: Path) -> CommandLine:
    """A tenant with a reward that needs a coupon and one that has a stock."""
    rules = tmp_path / "rules.toml"
    rules.write_text(MINIMAL.read_text(encoding="utf-8") + MORE, encoding="utf-8")
    bare.ok("migrate")
    bare.ok("tenant", "create", "corner", "--name", "Corner")
    bare.ok("program", "publish", rules)
    return bare


def test_coupons_are_issued_listed_and_revoked(corner: CommandLine) -> None:
    days = ("--from", "2026-03-01", "--until", "2026-03-31")
    own = corner.ok("coupon", "issue", "spring", "--code", "spring-26", "--uses", "5", *days)
    many = corner.ok("coupon", "issue", "spring", "--count", "3", "--prefix", "vip-", "--json")
    revoked = corner.ok("coupon", "revoke", "Spring-26")
    listed = corner.ok("coupon", "list", "--json").json

    assert own.out == "SPRING-26\n"
    assert own.error == "1 coupons for spring\n"
    assert revoked.out == "revoked SPRING-26\n"
    first = {name: listed[0][name] for name in ("code", "state", "usesMax", "startsAt", "endsAt")}
    # Days of Budapest: the last of them ends in summer time.
    assert first == {
        "code": "SPRING-26",
        "state": "REVOKED",
        "usesMax": 5,
        "startsAt": "2026-02-28T23:00:00+00:00",
        "endsAt": "2026-03-31T22:00:00+00:00",
    }
    assert [each["code"] for each in listed[1:]] == many.json["codes"]
    assert "SPRING-26" in corner.ok("coupon", "list").out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("issue", "none", "--count", "1"), "error: no reward 'none'\n"),
        (("issue", "spring"), "error: found 0 codes, wanted 1 to 1000\n"),
        (("revoke", "NONE"), "error: no coupon 'NONE'\n"),
        (
            ("issue", "spring", "--count", "1", "--until", "tomorrow"),
            "error: found day 'tomorrow', wanted one such as 2026-12-24\n",
        ),
    ],
)
def test_what_is_wrong_is_said(
    corner: CommandLine, arguments: tuple[str, ...], sentence: str
) -> None:
    done = corner("coupon", *arguments)

    assert (done.status, done.out, done.error) == (1, "", sentence)


def test_a_gift_card_is_shown_once_and_blocked(corner: CommandLine) -> None:
    issued = corner.ok("gift-card", "issue", "50.00")
    code = issued.out.strip()

    shown = corner.ok("gift-card", "show", code)
    blocked = corner.ok("gift-card", "block", code)
    late = corner.ok("gift-card", "show", code, "--json").json
    back = corner.ok("gift-card", "unblock", code)
    (listed,) = corner.ok("gift-card", "list", "--json").json

    label = "…" + code[-4:]
    assert issued.error == "keep it now: it is never shown again\n"
    assert shown.out == f"{label} is active, 50.00 EUR left\n"
    assert (blocked.out, back.out) == (f"blocked {label}\n", f"unblocked {label}\n")
    assert (late["state"], listed["state"], listed["available"]) == ("BLOCKED", "ACTIVE", "50.00")
    assert code not in corner.ok("gift-card", "list").out
    nobody = corner("gift-card", "block", "ABCD-EFGH-JKLM-NPQR")
    assert (nobody.status, nobody.error) == (1, "error: no such gift card\n")


def test_stock_is_set_and_listed(corner: CommandLine) -> None:
    done = corner.ok("stock", "set", "mug", "500")

    assert done.out == "mug: 500 in all, 0 used, 0 held\n"
    assert corner.ok("stock", "list", "--json").json == [
        {"reward": "mug", "total": 500, "used": 0, "held": 0}
    ]
    assert "mug" in corner.ok("stock", "list").out


def test_the_trail_tells_what_the_command_line_did(corner: CommandLine) -> None:
    corner.ok("key", "create", "--name", "till", "--scopes", "checkout:quote")
    corner.ok("issuer", "add", "sso", "--algorithm", "HS256")
    corner.ok("issuer", "remove", "sso")
    corner.ok("webhook", "create", "shop-1")
    corner.ok("stock", "set", "mug", "5")

    trail = corner.ok("audit", "--json").json
    (stock,) = corner.ok("audit", "--action", "rewardStockSet", "--json").json

    assert [(each["action"], each["subjectKind"]) for each in trail] == [
        ("rewardStockSet", "REWARD"),
        ("webhookSourceCreate", "WEBHOOK_SOURCE"),
        ("issuerRemove", "ISSUER"),
        ("issuerAdd", "ISSUER"),
        ("apiKeyCreate", "API_KEY"),
        ("rulesetPublish", "RULESET"),
        ("tenantCreate", "TENANT"),
    ]
    assert {each["actor"] for each in trail} == {"command line"}
    assert (stock["subjectId"], stock["detail"]) == ("mug", {"before": None, "after": 5})
    assert "rewardStockSet" in corner.ok("audit", "--first", "1").out


def test_old_keys_are_forgotten_by_a_job(corner: CommandLine) -> None:
    assert corner.ok("jobs", "run", "purge", "--json").json == {"corner": 0}
    assert corner.ok("jobs", "run", "purge").out == "corner: 0 keys forgotten\n"
