"""Why a product is recommended, in a sentence."""

from datetime import date, timedelta

from loyalty.domain.recommendations.because import Because, BecauseCode
from loyalty.wording.reasons import Words

NAME_MAX = 80
"""Longest name of a product that is written out; a longer one is cut, with an ellipsis."""


def because(
    words: Words, reason: Because, *, today: date, about: str | None, in_cart: bool = False
) -> str:
    """One sentence.

    Args:
        today: the shop's day, from which days are counted back.
        about: name of the product that the reason is about; None where the reader may not see it.
        in_cart: whether that product is in the reader's cart.
    """
    texts = words.language.because[reason.code]
    if reason.code is BecauseCode.BOUGHT_BEFORE:
        kind = "once" if reason.every_days is None else "rhythm"
        shown = {
            "times": _counted(words, "TIMES", reason.times or 1),
            "every": _counted(words, "EVERY", reason.every_days or 1),
            "last": _ago(words, reason.last_days or 0),
        }
    elif reason.code is BecauseCode.NEW and reason.last_days is not None:
        since = today - timedelta(days=min(reason.last_days, today.toordinal() - 1))
        kind, shown = "date", {"date": words.figures.day(since)}
    elif about is not None and "product" in texts:
        kind = "cart" if in_cart and "cart" in texts else "product"
        name = about if len(about) <= NAME_MAX else about[: NAME_MAX - 1].rstrip() + "…"
        shown = {"product": name}
    else:
        kind, shown = "says", {}
    text = texts[kind]
    assert isinstance(text, str)
    # One pass: a product's name that holds braces is no placeholder.
    return text.format_map(shown)


def _ago(words: Words, days: int) -> str:
    if days:
        return _counted(words, "AGO", days)
    today = words.language.phrases["AGO"]["says"]
    assert isinstance(today, str)
    return today


def _counted(words: Words, phrase: str, count: int) -> str:
    forms = words.language.phrases[phrase]["count"]
    assert not isinstance(forms, str)
    plural = words.language.locale.plural_form(count)
    text = forms[plural] if plural in forms else forms["other"]
    return text.format_map({"count": words.figures.count(count)})
