"""Personal offers from the command line: planned, published, listed, withdrawn."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from command_line import ROOT, CommandLine

MINIMAL = ROOT / "examples" / "minimal.toml"
POOL = """
[[rewards]]
code = "fifth"
name = "A fifth off"
needs_offer = true
does = { kind = "percentage_off", rate_bp = 500 }
[offer_policy]
holdout_bp = 0
margin_bp = 5000
uplift_bp = 30000
[[offers]]
code = "fresh"
name = "A fifth off {target}"
reward = "fifth"
budget_minor = 1000
targets = [{ code = "tea", name = "tea", products = ["tea"] }]
"""


@pytest.fixture
def corner(bare: CommandLine, tmp_path: Path) -> CommandLine:
    """A tenant with a pool, and a member who buys tea now and then."""
    rules, members, orders = (tmp_path / name for name in ("rules.toml", "m.csv", "o.csv"))
    rules.write_text(MINIMAL.read_text(encoding="utf-8") + POOL, encoding="utf-8")
    bare.ok("migrate")
    bare.ok("tenant", "create", "corner", "--name", "Corner")
    bare.ok("program", "publish", rules)
    members.write_text("member,consentProfiling\nm-1742,true\n", encoding="utf-8")
    bare.ok("import", "members", members)
    rows = [f"o-{day},m-1742,2026-0{day}-03T12:00:00Z,tea,2,20.00,EUR" for day in (1, 2, 3)]
    header = "order,member,occurredAt,product,quantity,amount,currency"
    orders.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    bare.ok("import", "orders", orders)
    return bare


def test_offers_are_planned_published_listed_and_withdrawn(
    corner: CommandLine, tmp_path: Path
) -> None:
    file, before = tmp_path / "plan.json", tmp_path / "before.json"
    before.write_text("{}")
    before.chmod(0o644)
    moment = ("--at", "2026-03-20T12:00:00+01:00")

    planned = corner.ok("offers", "plan", *moment, "--out", file)
    again = corner.ok("offers", "plan", *moment, "--json", "--out", before).json
    assert "fresh" in planned.out
    assert "1 members considered, by prior-1" in planned.error
    assert "the prior answers: no model has been published" in planned.error
    assert again["propensity"] == "prior-1"
    (figures,) = again["figures"]
    assert (figures["members"], figures["heldOut"]) == (1, 0)
    assert figures["budgetMinorLeft"] == 1_000
    assert 0 < figures["costMinor"] < 100
    assert {stat.S_IMODE(each.stat().st_mode) for each in (file, before)} == {0o600}
    assert "m-1742" not in file.read_text(encoding="utf-8")
    assert corner.ok("offers", "list", "--json").json == []

    done = corner.ok("offers", "publish", file)
    twice = corner.ok("offers", "publish", file, "--json").json
    (listed,) = corner.ok("offers", "list", "--json").json
    assert done.out.endswith(": 1 offers published, 0 held out, 0 skipped\n")
    assert twice == {
        "plan": listed["plan"], "offers": 0, "heldOut": 0, "skipped": 0, "replayed": True,
    }  # fmt: skip
    assert (listed["state"], listed["offers"][0]["offered"]) == ("PUBLISHED", 1)
    assert listed["plan"] in corner.ok("offers", "list").out

    gone = corner.ok("offers", "withdraw", listed["plan"])
    assert gone.out == f"withdrew plan {listed['plan']}\n"
    assert "already" in corner.ok("offers", "withdraw", listed["plan"]).out
    refused = corner("offers", "publish", file)
    assert (refused.status, refused.error) == (
        1,
        "error: the plan was withdrawn; make another one\n",
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("plan", "--at", "yesterday"), "--at: found 'yesterday', wanted a moment such as"),
        (("plan", "--at", "2026-03-01"), "--at: found '2026-03-01', wanted a moment such as"),
        (("publish", "nothing.json"), "No such file or directory: nothing.json"),
        (("withdraw", "12"), "no such offer plan"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    corner: CommandLine, arguments: tuple[str, ...], sentence: str
) -> None:
    done = corner("offers", *arguments)

    assert done.status == 1
    assert done.error.startswith(f"error: {sentence}")
