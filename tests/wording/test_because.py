"""Why a product is recommended, in the reader's words."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.recommendations.because import Because, BecauseCode
from loyalty.wording.because import NAME_MAX, because
from loyalty.wording.language import BECAUSE
from loyalty.wording.languages import Languages
from loyalty_recommender.reasons import ReasonCode

LANGUAGES = Languages.load()
TODAY = date(2026, 11, 28)
RHYTHM = Because(BecauseCode.BOUGHT_BEFORE, times=6, every_days=12, last_days=11)


def said(locale: str, reason: Because, about: str | None = None, *, in_cart: bool = False) -> str:
    words = LANGUAGES.words(locale)
    return because(words, reason, today=TODAY, about=about, in_cart=in_cart)


def before(times: int, every: int | None, last: int) -> Because:
    return Because(BecauseCode.BOUGHT_BEFORE, times=times, every_days=every, last_days=last)


@pytest.mark.parametrize(
    ("locale", "reason", "text"),
    [
        ("en", RHYTHM, "Bought 6 times, about every 12 days, last 11 days ago."),
        ("en", before(2, 1, 1), "Bought 2 times, about every day, last yesterday."),
        ("en", before(1, None, 0), "Bought once, today."),
        ("en", before(1, None, 40), "Bought once, 40 days ago."),
        ("en", before(1_200, 1, 0), "Bought 1,200 times, about every day, last today."),
        ("hu", RHYTHM, "Ön 6 alkalommal vette, nagyjából 12 naponta, legutóbb 11 napja."),
        ("hu", before(1, None, 1), "Ön egyszer vette, tegnap."),
        ("ru", RHYTHM,
         "Вы покупали это 6 раз, примерно раз в 12 дней, последний раз 11 дней назад."),
        ("ru", before(22, 2, 21),
         "Вы покупали это 22 раза, примерно раз в 2 дня, последний раз 21 день назад."),
        ("ru", before(1, None, 3), "Вы покупали это один раз, 3 дня назад."),
        ("zh", RHYTHM, "买过 6 次，大约每 12 天一次，最近一次：11 天前。"),
        ("zh", before(1, None, 0), "买过一次：今天。"),
        ("en", Because(BecauseCode.NEW, last_days=16), "New since November 12."),
        ("en-GB", Because(BecauseCode.NEW, last_days=16), "New since 12 November."),
        ("hu", Because(BecauseCode.NEW, last_days=16), "Újdonság november 12. óta."),
        ("ru", Because(BecauseCode.NEW, last_days=16), "Новинка с 12 ноября."),
        ("zh", Because(BecauseCode.NEW, last_days=16), "11月12日上架的新品。"),
        ("en", Because(BecauseCode.NEW), "New in the shop."),
        ("en", Because(BecauseCode.POPULAR, times=900), "Popular now."),
    ],
)  # fmt: skip
def test_what_was_counted_is_said_with_the_plurals_of_the_language(
    locale: str, reason: Because, text: str
) -> None:
    assert said(locale, reason) == text


@pytest.mark.parametrize(
    ("code", "in_cart", "named", "unnamed"),
    [
        (BecauseCode.BECAUSE_YOU_BUY, False, "Because you buy Tea.", "It goes with what you buy."),
        (BecauseCode.GOES_WITH, False, "Goes with Tea.", "Often bought together."),
        (BecauseCode.GOES_WITH, True, "Goes with Tea in your cart.", "Often bought together."),
        (BecauseCode.SIMILAR_TO, False, "Like Tea.", "Like the product you look at."),
    ],
)
def test_another_product_is_named_where_the_reader_may_see_it(
    code: BecauseCode, in_cart: bool, named: str, unnamed: str
) -> None:
    reason = Because(code, about="tea-1")

    assert said("en", reason, "Tea", in_cart=in_cart) == named
    assert said("en", reason, None, in_cart=in_cart) == unnamed


def test_a_name_is_no_template_and_no_novel() -> None:
    reason = Because(BecauseCode.SIMILAR_TO, about="x")

    assert said("en", reason, "{times} {0}") == "Like {times} {0}."
    assert said("en", reason, "a" * 300) == "Like " + "a" * (NAME_MAX - 1) + "…."


@given(
    st.sampled_from(["en", "hu", "ru", "zh"]),
    st.sampled_from(list(BecauseCode)),
    st.integers(1, 10**9),
    st.none() | st.integers(1, 10**9),
    st.integers(0, 10**9),
    st.none() | st.just("Tea"),
)
def test_every_reason_is_a_sentence_in_every_language(
    locale: str, code: BecauseCode, times: int, every: int | None, last: int, about: str | None
) -> None:
    text = said(locale, Because(code, "tea", times, every, last), about, in_cart=True)

    assert text.endswith("。" if locale == "zh" else ".")
    assert not {"{", "}"} & set(text)


def test_the_page_about_recommendations_names_every_reason() -> None:
    page = Path(__file__).parents[2] / "docs/concepts/recommendations.md"

    told = re.findall(r"^\| `([A-Z_]+)` \| [A-Z][^|]+\. \|", page.read_text(encoding="utf-8"), re.M)

    assert told == list(BecauseCode)


def test_the_recommender_gives_these_reasons_and_no_other() -> None:
    assert list(BecauseCode) == list(BECAUSE) == [str(code) for code in ReasonCode]
