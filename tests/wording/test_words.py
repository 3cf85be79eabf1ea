"""Who reads which language, and how its figures are written."""

from itertools import product
from pathlib import Path

import pytest
from corner_program import CORNER
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.money import Money
from loyalty.domain.quotes.quote_terms import Candidate, Outcome
from loyalty.domain.reasons import Gap, NearestChange, Reason
from loyalty.domain.registry import built_in
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.domain.rulesets.ruleset_file import read_ruleset
from loyalty.errors import BadInput
from loyalty.wording.languages import Languages, accepted

SPACE = "\u00a0"
LANGUAGES = Languages.load()
RULES: Ruleset = read_ruleset(CORNER.replace('name = "Gold"', 'name = "Gold {money}"'), built_in())


def candidate(
    reason: Reason | None,
    gap: Gap | None = None,
    outcome: Outcome = Outcome.REJECTED,
    capped_minor: int = 0,
) -> Candidate:
    return Candidate(
        "r", "R", "money_off", outcome, reason, gap, None, None, 0, 0, capped_minor=capped_minor
    )


def said(locale: str, reason: Reason, gap: Gap | None = None) -> str | None:
    return LANGUAGES.words(locale).reason(candidate(reason, gap), RULES)


@pytest.mark.parametrize(
    ("locale", "reason", "gap", "text"),
    [
        ("en", Reason.MINIMUM_NOT_MET, Gap(money_minor=420),
         "€4.20 short of the minimum purchase."),
        ("hu", Reason.MINIMUM_NOT_MET, Gap(money_minor=420),
         f"A minimális vásárlási értékhez még 4,20{SPACE}EUR hiányzik."),
        ("ru", Reason.MINIMUM_NOT_MET, Gap(money_minor=420),
         f"До минимальной суммы покупки не хватает 4,20{SPACE}€."),
        ("zh", Reason.MINIMUM_NOT_MET, Gap(money_minor=420), "距最低消费金额还差 €4.20。"),
        ("en", Reason.INSUFFICIENT_POINTS, Gap(points=120), "120 points short."),
        ("en", Reason.INSUFFICIENT_POINTS, Gap(points=1), "1 point short."),
        ("hu", Reason.INSUFFICIENT_POINTS, Gap(points=1), "Még 1 pont hiányzik."),
        ("ru", Reason.INSUFFICIENT_POINTS, Gap(points=1), "Не хватает 1 балла."),
        ("ru", Reason.INSUFFICIENT_POINTS, Gap(points=2), "Не хватает 2 баллов."),
        ("ru", Reason.INSUFFICIENT_POINTS, Gap(points=11), "Не хватает 11 баллов."),
        ("ru", Reason.INSUFFICIENT_POINTS, Gap(points=21), "Не хватает 21 балла."),
        ("ru", Reason.INSUFFICIENT_POINTS, Gap(points=12345), f"Не хватает 12{SPACE}345 баллов."),
        ("zh", Reason.INSUFFICIENT_POINTS, Gap(points=12345), "还差 12,345 积分。"),
        ("en", Reason.TIER_TOO_LOW, Gap(tier="gold"),
         "For members of the tier Gold {money} and above."),
        ("ru", Reason.TIER_TOO_LOW, Gap(tier="gone"), "Доступно начиная с уровня «gone»."),
        ("en", Reason.TIER_TOO_LOW, None, "For a higher tier."),
        ("en", Reason.NO_MATCHING_LINES, Gap(money_minor=5), "It covers nothing in this cart."),
        ("en", Reason.MARGIN_LIMIT, Gap(money_minor=5), "A limit of the shop keeps it out."),
        ("en-GB", Reason.INSUFFICIENT_CREDIT, Gap(money_minor=100_000),
         "€1,000.00 of credit short."),
        ("en-US", Reason.INSUFFICIENT_POINTS, Gap(points=1000), "1,000 points short."),
    ],
)  # fmt: skip
def test_a_reason_with_its_figure(locale: str, reason: Reason, gap: Gap | None, text: str) -> None:
    assert said(locale, reason, gap) == text


@pytest.mark.parametrize(
    ("locale", "nearest", "text"),
    [
        ("en", NearestChange("ADD_TO_CART", money_minor=420), "Add goods for €4.20 to the cart."),
        ("ru", NearestChange("USE_POINTS", points=21), "Оплатите 21 баллом."),
        ("ru", NearestChange("USE_POINTS", points=22), "Оплатите 22 баллами."),
        ("hu", NearestChange("USE_POINTS", points=5), "Fizessen 5 ponttal."),
        ("zh", NearestChange("ADD_CODE"), "输入适用的优惠券代码。"),
        ("zh", NearestChange("DANCE"), None),
    ],
)
def test_what_would_change_it(locale: str, nearest: NearestChange, text: str | None) -> None:
    assert LANGUAGES.words(locale).change(nearest, "EUR") == text


def test_what_was_applied_smaller_says_by_how_much_only_where_that_may_be_known() -> None:
    words = LANGUAGES.words("en")
    cut = candidate(Reason.MARGIN_LIMIT, None, Outcome.APPLIED, 300)
    capped = candidate(Reason.DISCOUNT_CAP, Gap(money_minor=300), Outcome.APPLIED, 300)

    assert words.reason(cut, RULES) == "A limit of the shop made it smaller."
    assert words.reason(capped, RULES) == "The limit on discounts made it €3.00 smaller."
    assert words.reason(capped, RULES, with_figures=False) == (
        "The limit on discounts made it smaller."
    )
    assert words.reason(candidate(None, None, Outcome.APPLIED), RULES) is None


def test_figures_are_left_out_where_they_may_not_be_known() -> None:
    words = LANGUAGES.words("en")
    short = candidate(Reason.MINIMUM_NOT_MET, Gap(money_minor=420))

    assert words.reason(short, RULES, with_figures=False) == "The cart is worth too little."


@pytest.mark.parametrize("tag", LANGUAGES.known)
def test_every_reason_can_be_said_with_any_gap(tag: str) -> None:
    words = LANGUAGES.words(tag)
    gaps = [None, Gap(points=3), Gap(money_minor=7), Gap(tier="gold")]

    for reason, outcome, gap in product(Reason, Outcome, gaps):
        text = words.reason(candidate(reason, gap, outcome, 5), RULES)
        assert text
        assert "{" not in text.replace("Gold {money}", "")


@pytest.mark.parametrize(
    ("currency", "minor", "text"),
    [
        ("RSD", 420, f"4,20{SPACE}RSD"),
        ("IQD", 4_200, f"4,200{SPACE}IQD"),
        ("LBP", 420, f"4,20{SPACE}LBP"),
        ("JPY", 420, f"420{SPACE}¥"),
        ("KWD", 1_234_567, f"1234,567{SPACE}KWD"),
        ("HUF", 499_000, f"4990,00{SPACE}HUF"),
        ("USD", 5, f"0,05{SPACE}$"),
    ],
)
def test_minor_units_are_the_standards(currency: str, minor: int, text: str) -> None:
    """Locale data shows RSD, IQD and LBP without any."""
    shown = LANGUAGES.words("ru").figures.money(Money(minor, currency))

    assert shown.replace(f"1{SPACE}234", "1234").replace(f"4{SPACE}990", "4990") == text


@given(st.sampled_from(["en", "hu", "ru", "zh", "en-GB", "ru-KZ"]), st.integers(0, 2**53 - 1))
def test_no_digit_of_an_amount_is_lost(locale: str, minor: int) -> None:
    shown = LANGUAGES.words(locale).figures.money(Money(minor, "EUR"))

    assert int("".join(digit for digit in shown if digit.isdecimal())) == minor


@pytest.mark.parametrize(
    ("case", "locale", "member", "accept", "tag"),
    [
        ("nobody says anything", None, None, None, "en"),
        ("the request decides", "hu", "ru", "zh", "hu"),
        ("then the member", None, "ru", "zh", "ru"),
        ("then the browser", None, None, "de-DE,de;q=0.9,zh-CN;q=0.8,en;q=0.7", "zh"),
        ("a request for what there is not", "de", "ru", "zh", "en"),
        ("a member's that there is not", None, "de", "ru", "ru"),
        ("nothing that there is", None, "de", "fr,*;q=0.1", "en"),
        ("an empty request is none", "", "ru", None, "ru"),
        ("regions", "hu-HU", None, None, "hu"),
        ("underscores and capitals", "RU_ru", None, None, "ru"),
        ("an encoding", "hu_HU.UTF-8", None, None, "en"),
        ("extensions", "ru-RU-u-nu-latn", None, None, "ru"),
        ("simplified", "zh-Hans", None, None, "zh"),
        ("simplified by region", "zh-SG", None, None, "zh"),
        ("traditional is another script", "zh-Hant", None, None, "en"),
        ("traditional by region", "zh-TW", None, None, "en"),
        ("what is no language", "'; --", None, None, "en"),
        ("weights", None, None, "en;q=0.1, hu;q=0.5, ru;q=0.55", "ru"),
        ("not wanted", None, None, "hu;q=0, ru;q=0.1", "ru"),
        ("malformed parts", None, None, "hu;q=7, ;;, ru", "ru"),
    ],
)
def test_who_reads_which_language(
    case: str, locale: str | None, member: str | None, accept: str | None, tag: str
) -> None:
    assert LANGUAGES.words(locale, member=member, accept=accept).language.tag == tag


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=200))
def test_no_text_is_an_accident(locale: str, member: str, accept: str) -> None:
    assert LANGUAGES.words(locale, member=member, accept=accept).language.tag in LANGUAGES.known


@given(st.from_regex(r"[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{1,8}){0,4}", fullmatch=True))
def test_no_tag_is_an_accident(tag: str) -> None:
    words = LANGUAGES.words(tag, accept=tag)

    assert words.reason(candidate(Reason.MINIMUM_NOT_MET, Gap(money_minor=1)), RULES)


def test_a_long_header_is_read_to_a_length() -> None:
    assert len(list(accepted("hu," * 100_000))) <= 400


def test_a_merchant_adds_a_language_and_words_another_otherwise(tmp_path: Path) -> None:
    texts = Path(__file__).parents[2] / "plugin/loyalty/wording/texts"
    english = (texts / "en.toml").read_text("utf-8")
    (tmp_path / "de.toml").write_text(english.replace("For members only.", "Nur für Mitglieder."))
    (tmp_path / "en.toml").write_text(english.replace("For members only.", "Join the club."))
    (tmp_path / "notes.txt").write_text("no language")

    languages = Languages.load(tmp_path)

    only = candidate(Reason.NOT_A_MEMBER)
    assert languages.words("de-AT").reason(only, RULES) == "Nur für Mitglieder."
    assert languages.words("en").reason(only, RULES) == "Join the club."
    assert languages.words("hu").language.tag == "hu"


def test_a_folder_that_holds_no_languages_is_refused(tmp_path: Path) -> None:
    (tmp_path / "de.toml").write_text("name = 'Deutsch'")

    with pytest.raises(BadInput, match=r"LOYALTY_LANGUAGES_DIR: de\.toml: found no reasons"):
        Languages.load(tmp_path)
    with pytest.raises(BadInput, match="LOYALTY_LANGUAGES_DIR: found no folder"):
        Languages.load(tmp_path / "none")
