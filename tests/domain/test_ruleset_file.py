from pathlib import Path
from time import perf_counter

import pytest

from loyalty.domain.registry import built_in
from loyalty.domain.rulesets.ruleset_file import SIZE_MAX, canonical, read_ruleset, ruleset_hash
from loyalty.errors import BadRuleset

ROOT = Path(__file__).parents[2]
MINIMAL = (ROOT / "examples" / "minimal.toml").read_text()
WHOLE = "9007199254740991"


def problems(text: str) -> tuple[str, ...]:
    """What is wrong with a ruleset; nothing if it reads."""
    try:
        read_ruleset(text, built_in())
    except BadRuleset as error:
        return error.problems
    return ()


NUMBER = f"a whole number from 1 to {WHOLE}"
NO_DECIMALS = "; no decimals: money is in minor units, rates are in basis points"
KEYS = (
    "code, point_type, points, per_minor, rounding, conditions, multipliers, "
    "uses_tier_multiplier, points_max_per_order"
)
KINDS = "brand, category, department, minimum_purchase, product, tier_at_least"
CODE = "a code: 1 to 64 of a-z, 0-9, - and _, the first a letter or digit"
TEXT = "text of 1 to 200 characters on one line"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("0", "0"),
        ("-5", "-5"),
        ("'100'", '"100"'),
        ("true", "true"),
        (f"{10**37}", f"{10**37}"),
        (f"{10**4000}", "a number of more than 38 digits"),
        (f"0x{'f' * 9000}", "a number of more than 38 digits"),
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31T07:30:00Z", "2026-01-31T07:30:00+00:00"),
        ("07:30:00", "07:30:00"),
        ("[]", "a list of 0"),
        ("{}", "a table"),
    ],
)
def test_what_is_no_whole_number_in_range_is_told(value, found):
    assert problems(MINIMAL.replace("per_minor = 100", f"per_minor = {value}")) == (
        f"earning.rules[0].per_minor: found {found}, wanted {NUMBER}",
    )


@pytest.mark.parametrize("value", ["1.5", "1.0", "100e0", "nan", "-inf"])
def test_decimals_are_refused_with_a_hint(value):
    assert problems(MINIMAL.replace("per_minor = 100", f"per_minor = {value}")) == (
        f"earning.rules[0].per_minor: found {value}, wanted {NUMBER}{NO_DECIMALS}",
    )


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        ("per_minr = 100", "per_minr: unknown key, did you mean per_minor?"),
        (r'"a\nb" = 1', rf'"a\nb": unknown key, wanted one of {KEYS}'),
        ("rounding = 'nearest'", 'rounding: found "nearest", wanted one of down, half_up, up'),
        ("uses_tier_multiplier = 1", "uses_tier_multiplier: found 1, wanted true or false"),
        ("conditions = {}", "conditions: found a table, wanted a list of 0 to 50"),
        ("conditions = [7]", "conditions[0]: found 7, wanted a table with kind and its settings"),
        ("conditions = [{}]", f"conditions[0].kind: missing, wanted one of {KINDS}"),
        ("conditions = [{kind = 4}]", f"conditions[0].kind: found 4, wanted one of {KINDS}"),
        (
            "conditions = [{kind = 'weekend'}]",
            f'conditions[0].kind: found "weekend", wanted one of {KINDS}',
        ),
        (
            "conditions = [{kind = 'category', any_of = []}]",
            "conditions[0].any_of: found an empty list, wanted at least one",
        ),
        (
            "conditions = [{kind = 'category', any_of = ['A', 4]}]",
            f"conditions[0].any_of[1]: found 4, wanted {TEXT}",
        ),
        (
            "conditions = [{kind = 'category', any_of = 'A'}]",
            'conditions[0].any_of: found "A", wanted a list of 0 to 5000',
        ),
        (
            "conditions = [{kind = 'minimum_purchase', minor = 0}]",
            f"conditions[0].minor: found 0, wanted {NUMBER}",
        ),
        (
            "conditions = [{kind = 'tier_at_least', tier = 'gold'}]",
            'conditions[0].tier: found "gold", wanted one of member',
        ),
        (
            "multipliers = [{rate_bp = 2, conditions = []}]",
            "multipliers[0].conditions: found a list of 0, wanted a list of 1 to 50",
        ),
        (
            "[[earning.rules.multipliers]]\nrate_bp = 1000001\n"
            "conditions = [{kind = 'brand', any_of = ['A']}]",
            "multipliers[0].rate_bp: found 1000001, wanted a whole number from 0 to 1000000",
        ),
        ("multipliers = [3]", "multipliers[0]: found 3, wanted a table"),
    ],
)
def test_a_wrong_setting_is_told_by_path_value_and_what_was_wanted(added, problem):
    text = MINIMAL.replace("per_minor = 100", f"per_minor = 100\n{added}")

    assert problems(text) == (f"earning.rules[0].{problem}",)


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('"minimal"', '"Minimal"', f'code: found "Minimal", wanted {CODE}'),
        ('"minimal"', '""', f'code: found "", wanted {CODE}'),
        ('"Our points"', '"  "', f'name: found "  ", wanted {TEXT}'),
        ('"Our points"', r'"a\nb"', rf'name: found "a\nb", wanted {TEXT}'),
        ('"Our points"', r'"a\u0000b"', rf'name: found "a\u0000b", wanted {TEXT}'),
        ('"Our points"', r'"a\u2028b"', rf'name: found "a\u2028b", wanted {TEXT}'),
        ('"Our points"', f'"{"x" * 201}"', f'name: found "{"x" * 60}…", wanted {TEXT}'),
        ('"EUR"', '"EURO"', 'currency: found "EURO", wanted an ISO 4217 code such as EUR'),
        ('"EUR"', '"eur"', 'currency: found "eur", wanted an ISO 4217 code such as EUR'),
        ('"EUR"', '"XAU"', 'currency: found "XAU", wanted an ISO 4217 code such as EUR'),
        *(
            (
                '"Europe/Budapest"',
                f'"{zone}"',
                f'time_zone: found "{zone}", wanted a name of the IANA time zone database',
            )
            for zone in ("Europe/Atlantis", "Europe", "../passwd", "localtime", "+01:00")
        ),
        (
            "threshold = 0",
            "threshold = 5",
            "tiers[0].threshold: found 5, wanted 0: the first tier is everybody's",
        ),
        (
            "threshold = 0",
            "threshold = 0\ntreshold = 0",
            "tiers[0].treshold: unknown key, did you mean threshold?",
        ),
        (
            '[tier_policy]\npoint_type = "points"',
            '[tier_policy]\npoint_type = "status"',
            'tier_policy.point_type: found "status", wanted one of points',
        ),
        (
            'name = "Points"',
            'name = "Points"\nis_spendable = false',
            "point_types: found none that is spendable, wanted is_spendable = true for one",
        ),
        (
            'name = "Points"',
            'name = "Points"\npending_days = 56\nexpires_after_months = 2',
            "point_types[0].pending_days: found 56, wanted fewer than 56: the points would expire "
            "before they are active",
        ),
    ],
)
def test_a_wrong_part_is_told(before, after, problem):
    assert MINIMAL.count(before) == 1

    assert problems(MINIMAL.replace(before, after)) == (problem,)


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ("tender = 5", ["tender: found 5, wanted a table"]),
        (
            "[tender]\npoint_type = 'stars'\npoints = 1\nminor = 1\nshare_bp_max = 10001",
            [
                "tender.share_bp_max: found 10001, wanted a whole number from 1 to 10000",
                'tender.point_type: found "stars", wanted one of the spendable point types: points',
            ],
        ),
        (
            "[margin]\nfloor_bp = 0\nunknown_cost = 'cap'",
            [
                "margin.unknown_cap_bp: found 0, wanted from 1 to 10000, because unknown_cost is "
                '"cap"'
            ],
        ),
        (
            "[margin]\nfloor_bp = 0\nunknown_cap_bp = 7",
            ['margin.unknown_cap_bp: found 7, wanted it only with unknown_cost = "cap"'],
        ),
        (
            "[margin]\nfloor_bp = 0\nunknown_cost = 'maybe'\nunknown_cap_bp = 7",
            ['margin.unknown_cost: found "maybe", wanted one of allow, cap, deny'],
        ),
        (
            "[holds]\nttl_s = 1801",
            ["holds.ttl_s: found 1801, wanted a whole number from 1 to 1800"],
        ),
        (
            "[holds]\nttl_s = 1000\nttl_s_max = 999\nextended_ttl_s_max = 998",
            [
                "holds.ttl_s: found 1000, wanted at most ttl_s_max, 999",
                "holds.ttl_s_max: found 999, wanted at most extended_ttl_s_max, 998",
            ],
        ),
        (
            "[[tiers]]\ncode = 'member'\nname = 'B'\nthreshold = 0",
            [
                'tiers[1].code: found "member", wanted another code than tiers[0] has',
                "tiers[1].threshold: found 0, wanted more than 0, the threshold of the tier before "
                "it",
            ],
        ),
        (
            "[[tiers]]\ncode = 'b'\nname = 'B'\nthreshold = 9\n"
            "benefits = [{code = 'x', name = 'X'}, {code = 'x', name = 'Y'}]",
            [
                'tiers[1].benefits[1].code: found "x", wanted another code than '
                "tiers[1].benefits[0] has"
            ],
        ),
        (
            "[[rewards]]\ncode = 'r'\nname = 'R'",
            ["rewards[0].does: missing, wanted a table with kind and its settings"],
        ),
        *(
            (f"[[rewards]]\ncode = 'r'\nname = 'R'\n{reward}", [f"rewards[0].{problem}"])
            for reward, problem in [
                (
                    "does = {kind = 'money_off', off_minor = 0}",
                    f"does.off_minor: found 0, wanted a whole number from 1 to {WHOLE}",
                ),
                (
                    "does = {kind = 'percentage_off', rate_bp = 10001}",
                    "does.rate_bp: found 10001, wanted a whole number from 1 to 10000",
                ),
                (
                    "does = {kind = 'percentage_off', rate_bp = 1, off_minor_max = 0}",
                    f"does.off_minor_max: found 0, wanted a whole number from 1 to {WHOLE}",
                ),
                (
                    "does = {kind = 'percentage_off', rate_bp = 1}\npoints = 10",
                    "point_type: missing, wanted one, because the reward costs points",
                ),
                (
                    "does = {kind = 'percentage_off', rate_bp = 1}\npoint_type = 'points'",
                    'point_type: found "points", wanted none, because the reward costs 0 points',
                ),
                (
                    "does = {kind = 'percentage_off', rate_bp = 1}\npoints = 1\npoint_type = 'p'",
                    'point_type: found "p", wanted one of the spendable point types: points',
                ),
                (
                    "does = {kind = 'percentage_off', rate_bp = 1}\nexclusive_group = 'a b'",
                    f'exclusive_group: found "a b", wanted {CODE}',
                ),
            ]
        ),
    ],
)
def test_parts_that_do_not_go_together_are_told(added, expected):
    head, *tables = MINIMAL.partition("[[point_types]]")
    # A bare key belongs to the top of the file, a table to its end.
    text = "\n".join([head, added, *tables] if added[0] != "[" else [MINIMAL, added])

    assert list(problems(text)) == expected


def test_every_problem_is_told_at_once():
    text = """
    code = "Bad"
    currency = "EUR"
    time_zone = "Mars/Olympus"
    tier_polcy = "red"
    point_types = [{ code = "points" }, 3]
    tiers = [{ code = "a", name = "A", threshold = 1 }]
    tier_policy = { point_type = "nothing" }
    [earning]
    rules = [{ code = "x", point_type = "y", points = 1.0, per_minor = 0 }]
    """

    # What refers to point types is not judged: their list itself is not known.
    assert problems(text) == (
        f'code: found "Bad", wanted {CODE}',
        f"name: missing, wanted {TEXT}",
        f"point_types[0].name: missing, wanted {TEXT}",
        "point_types[1]: found 3, wanted a table",
        "earning.rules[0].points: found 1.0, wanted a whole number from 1 to 1000000" + NO_DECIMALS,
        f"earning.rules[0].per_minor: found 0, wanted {NUMBER}",
        "tier_polcy: unknown key, did you mean tier_policy?",
        'time_zone: found "Mars/Olympus", wanted a name of the IANA time zone database',
        "tiers[0].threshold: found 1, wanted 0: the first tier is everybody's",
    )


def test_of_thousands_of_problems_the_first_hundred_are_told():
    text = MINIMAL.replace("currency", "\n".join(f"k{n} = 1" for n in range(5_000)) + "\ncurrency")

    found = problems(text)

    assert len(found) == 101
    assert found[-1] == "and 4900 more problems"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("code = ", "line 1, column 8: not TOML: Invalid value"),
        ('code = "a"\ncode = "b"', "line 2, column 11: not TOML: Cannot overwrite a value"),
        ("a = [1", "the end of the file: not TOML: Unclosed array"),
        ("a = " + "[" * 50_000, "the file: tables or lists are nested too deeply"),
        ("a = " + "{a=" * 50_000, "the file: tables or lists are nested too deeply"),
        ("x = 1\na = " + "9" * 5_000, "line 2: found a number of thousands of digits"),
        (
            "x = 1\n" + ".".join(["a"] * 17) + " = 1",
            "line 2: found a key of more than 16 parts, wanted at most 16",
        ),
        (
            ".".join(['"a b"', "'.'", r'"\""'] * 9) + " = 1",
            "line 1: found a key of more than 16 parts, wanted at most 16",
        ),
        ("# " + "x" * SIZE_MAX, f"the file: found {SIZE_MAX + 3} bytes, wanted at most {SIZE_MAX}"),
        ("a = '\ud800'", "the file: found half of a surrogate pair, wanted Unicode text"),
    ],
    ids=range(10),
)
def test_what_is_no_toml_is_told_with_its_line(text, problem):
    assert problems(text) == (problem,)


def test_an_empty_file_misses_everything_that_has_no_default():
    assert problems("") == (
        f"code: missing, wanted {CODE}",
        f"name: missing, wanted {TEXT}",
        f"currency: missing, wanted {TEXT}",
        f"time_zone: missing, wanted {TEXT}",
        "point_types: missing, wanted a list of 1 to 20",
        "earning: missing, wanted a table",
        "tier_policy: missing, wanted a table",
        "tiers: missing, wanted a list of 1 to 20",
    )


def test_the_hash_is_that_of_the_text_and_not_of_its_line_ends():
    dos = "\ufeff" + MINIMAL.replace("\n", "\r\n") + "\r\n"

    assert canonical(dos) == MINIMAL
    assert ruleset_hash(dos) == ruleset_hash(MINIMAL)
    assert ruleset_hash(MINIMAL) != ruleset_hash(MINIMAL.replace("100", "101"))
    assert read_ruleset(dos, built_in()) == read_ruleset(MINIMAL, built_in())
    assert ruleset_hash("") == "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b"


@pytest.mark.parametrize(
    "text",
    [
        '"\\' * 131_000,
        ".".join(['"' + r"\"" * 201 + '"'] * 640) + " = 1",
        "[[rewards]]\n" * 20_000,
        "\n".join(f"k{number} = 1" for number in range(20_000)),
        "point_types = [" + "1," * 130_000 + "]",
    ],
    ids=range(5),
)
def test_hostile_texts_are_refused_soon(text):
    start = perf_counter()

    assert problems(text)
    # They take less than a second each; before they were bounded the first took minutes.
    assert perf_counter() - start < 20
