"""A distribution that is not ours brings kinds, and a ruleset uses them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loyalty.domain.registry import built_in
from loyalty.domain.rulesets.ruleset_file import read_ruleset
from loyalty.errors import BadRuleset

EXAMPLE = Path(__file__).parents[2] / "examples" / "loyalty-happy-hour"

# Runs in a process of its own, because entry points are found on the path of the process.
PROGRAM = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.conditions import Facts
from loyalty.domain.registry import installed
from loyalty.domain.rewards import OpenLine
from loyalty.domain.rulesets.ruleset_file import read_ruleset
from loyalty.domain.rulesets.ruleset_text import describe
from loyalty.errors import BadRuleset

registry = installed()
text = sys.stdin.read()
ruleset = read_ruleset(text, registry)
reward = ruleset.rewards[0]
[happy_hour] = reward.conditions

def is_met(hour):
    at = datetime(2026, 7, 1, hour, tzinfo=UTC)
    local = at.astimezone(ZoneInfo(ruleset.time_zone))
    return happy_hour.unmet(Facts(Cart("c", "EUR", ()), None, ("member",), at, local)) is None

lines = [
    OpenLine(CartLine("1", "coffee", 6, 250), 1_500),
    OpenLine(CartLine("2", "tea", 2, 300), 600),
]
try:
    read_ruleset(text.replace("nth = 3", "nth = 1").replace("until_hour", "untl_hour"), registry)
    problems = []
except BadRuleset as error:
    problems = list(error.problems)
print(json.dumps({
    "from": Path(sys.modules[type(reward.does).__module__].__file__).parent.name,
    "met_at_utc": [hour for hour in range(24) if is_met(hour)],
    "off": reward.does.offer(lines),
    "told": [line.strip() for line in describe(ruleset) if "happy" in line or "nth" in line],
    "problems": problems,
}))
"""

RULESET = """
code = "cafe"
name = "Cafe"
currency = "EUR"
time_zone = "Europe/Budapest"
point_types = [{ code = "points", name = "Points" }]
tier_policy = { point_type = "points" }
tiers = [{ code = "member", name = "Member", threshold = 0 }]

[[earning.rules]]
code = "shopping"
point_type = "points"
points = 1
per_minor = 100

[[rewards]]
code = "third-coffee"
name = "Every third coffee is free"
does = { kind = "nth_free", nth = 3 }
conditions = [{ kind = "happy_hour", from_hour = 14, until_hour = 16 }]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example is installed, really, by pip and with nothing downloaded."""
    target = tmp_path_factory.mktemp("third-party") / "site"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-index", "--no-deps", "--no-build-isolation", "--no-cache-dir"),
            *("--target", str(target), str(EXAMPLE)),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return target


def run(folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        input=stdin,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_installed_kinds_are_found_read_checked_and_computed(folder):
    done = run(folder, "-c", PROGRAM, stdin=RULESET)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "from": "site",
        "met_at_utc": [12, 13],
        "off": [500, 0],
        "told": [
            "third-coffee: Every third coffee is free, nth_free (nth 3), free, priority 100",
            "if happy_hour (from hour 14, until hour 16)",
        ],
        "problems": [
            "rewards[0].does.nth: found 1, wanted a whole number from 2 to 1000",
            "rewards[0].conditions[0].until_hour: missing, "
            "wanted a whole number from -9007199254740991 to 9007199254740991",
            "rewards[0].conditions[0].untl_hour: unknown key, did you mean until_hour?",
        ],
    }


def test_the_readme_shows_a_reward_that_reads(folder):
    readme = (EXAMPLE / "README.md").read_text()
    shown = readme.split("```toml\n")[1].split("```")[0]
    text = RULESET.split("[[rewards]]")[0] + shown

    done = run(
        folder,
        "-c",
        "import sys; from loyalty.domain.registry import installed;"
        "from loyalty.domain.rulesets.ruleset_file import read_ruleset;"
        "print(read_ruleset(sys.stdin.read(), installed()).rewards[0].does)",
        stdin=text,
    )

    assert (done.stdout, done.stderr) == ("NthFree(nth=3)\n", "")


def test_its_own_tests_pass(folder):
    done = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "18 passed" in done.stdout


def test_without_it_its_kinds_are_unknown():
    with pytest.raises(BadRuleset) as bad:
        read_ruleset(RULESET, built_in())

    assert bad.value.problems == (
        'rewards[0].does.kind: found "nth_free", wanted one of free_product, free_shipping, '
        "money_off, percentage_off",
        'rewards[0].conditions[0].kind: found "happy_hour", wanted one of brand, category, '
        "department, minimum_purchase, product, tier_at_least",
    )
