"""Every language says everything, with the same figures and no secrets."""

import re
from collections.abc import Iterator

import pytest

from loyalty.domain.reasons import Reason
from loyalty.errors import BadInput
from loyalty.wording.language import (
    BECAUSE,
    CHANGES,
    OFFERED,
    PHRASES,
    PLACEHOLDERS,
    REASONS,
    Language,
    placeholders,
    read_language,
)
from loyalty.wording.languages import Languages

LANGUAGES = Languages.load().known
WRITTEN = {
    "en": re.compile(r"[A-Za-z ,.:{}_]+"),
    "hu": re.compile(r"[A-Za-záéíóöőúüűÁÉÍÓÖŐÚÜŰ ,.:{}_]+"),
    "ru": re.compile(r"[А-Яа-яёЁ ,.:«»-]+"),
    "zh": re.compile(r"[\u4e00-\u9fff ，。：]+"),
}


PARTS = ("reasons", "changes", "offered", "because", "phrases")


def texts(language: Language) -> Iterator[tuple[str, str, str]]:
    """Where, kind and text of everything it says."""
    for part in PARTS:
        said = getattr(language, part)
        for code, kinds in said.items():
            for kind, text in kinds.items():
                forms = {"": text} if isinstance(text, str) else text
                for form, each in forms.items():
                    yield f"{part}.{code}.{kind}.{form}", kind, each


def test_the_languages_to_begin_with() -> None:
    assert {tag: language.name for tag, language in LANGUAGES.items()} == {
        "en": "English",
        "hu": "magyar",
        "ru": "русский",
        "zh": "简体中文",
    }


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_reason_and_change_has_every_text(tag: str) -> None:
    language = LANGUAGES[tag]

    assert list(language.reasons) == [str(reason) for reason in Reason]
    for reason, kinds in REASONS.items():
        assert tuple(language.reasons[reason]) == kinds, reason
    for part, wanted in (
        ("changes", CHANGES),
        ("offered", OFFERED),
        ("because", BECAUSE),
        ("phrases", PHRASES),
    ):
        said = getattr(language, part)
        assert {code: tuple(kinds) for code, kinds in said.items()} == wanted


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_placeholders_are_the_same_everywhere(tag: str) -> None:
    wrong = [
        where
        for where, kind, text in texts(LANGUAGES[tag])
        if placeholders(text) != PLACEHOLDERS[kind]
        # "once" is for one number alone, which a phrase in English and Hungarian may leave out.
        and not (kind == "count" and where.endswith(".one") and tag in ("en", "hu"))
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("tag", "forms"),
    [
        ("en", {"one", "other"}),
        ("hu", {"one", "other"}),
        ("ru", {"one", "few", "many", "other"}),
        ("zh", {"other"}),
    ],
)
def test_points_have_the_forms_of_the_language(tag: str, forms: set[str]) -> None:
    plurals = [
        kinds["points"] for kinds in LANGUAGES[tag].reasons.values() if "points" in kinds
    ] + [LANGUAGES[tag].changes["USE_POINTS"]["points"]]

    assert len(plurals) == 4
    assert [set(each) for each in plurals] == [forms] * 4


@pytest.mark.parametrize("tag", LANGUAGES)
def test_what_the_margin_decided_has_no_figure(tag: str) -> None:
    """Decision 25: whoever sees how much was cut can reckon the cost."""
    said = LANGUAGES[tag].reasons[Reason.MARGIN_LIMIT]

    assert set(said) == {"says", "applied"}
    for text in said.values():
        assert isinstance(text, str)
        assert placeholders(text) == frozenset()
        assert not re.search(r"\d|margin|cost|árrés|költség|марж|себестоим|利润|成本", text)


@pytest.mark.parametrize("tag", WRITTEN)
def test_texts_are_in_their_own_script_and_whole_sentences(tag: str) -> None:
    for where, _, text in texts(LANGUAGES[tag]):
        bare = re.sub(r"\{[a-z]+\}", "", text)
        assert WRITTEN[tag].fullmatch(bare), (where, text)
        is_sentence = not where.startswith("phrases.")
        assert text.endswith("。" if tag == "zh" else ".") is is_sentence, where
        assert "  " not in text, where
        assert text == text.strip(), where


@pytest.mark.parametrize("tag", LANGUAGES)
def test_no_two_reasons_are_told_alike(tag: str) -> None:
    plain = [kinds["says"] for kinds in LANGUAGES[tag].reasons.values()]

    assert len(set(map(str, plain))) == len(plain)


def written(tag: str = "en") -> str:
    """A whole file of texts."""
    language, lines = LANGUAGES[tag], ['name = "X"']
    for part in PARTS:
        said = getattr(language, part)
        for code, kinds in said.items():
            lines.append(f"[{part}.{code}]")
            for kind, text in kinds.items():
                forms = (
                    {kind: text}
                    if isinstance(text, str)
                    else {f"{kind}.{form}": each for form, each in text.items()}
                )
                lines += [f'{name} = "{each}"' for name, each in forms.items()]
    return "\n".join(lines)


def test_a_whole_file_is_a_language() -> None:
    assert read_language("de", written()).name == "X"


@pytest.mark.parametrize(
    ("case", "tag", "old", "new", "said"),
    [
        ("no TOML", "de", 'name = "X"', "name =", "found no TOML"),
        ("no name", "de", 'name = "X"', "", "found no name"),
        ("no such locale", "xx", "", "", "wanted one such as pt or pt-BR"),
        ("a path", "../de", "", "", "wanted one such as pt or pt-BR"),
        ("a reason less", "de", "[reasons.NOT_PINNED]", "[reasons.PINNED]", "reasons.NOT_PINNED"),
        ("a reason more", "de", "[reasons.NOT_PINNED]", "[reasons.X]", "reasons.X, which there"),
        ("a form less", "de", 'points.one = "{points} point short."', "", "found ['other']"),
        ("other forms", "pl", "", "", "wanted the forms ['few', 'many', 'one', 'other']"),
        ("no figure", "de", "{points} points short.", "Short.", "found [] in braces"),
        ("another figure", "de", "{points} points short.", "{money} short.", "found ['money']"),
        (
            "a stray brace",
            "de",
            "{points} points short.",
            "{points} {short.",
            "found ['points', '{']",
        ),
        (
            "code in braces",
            "de",
            "{points} points short.",
            "{points.real}.",
            "found ['points.real']",
        ),
        ("a figure of the margin", "de", "A limit of the shop", "{money}", "reasons.MARGIN_LIMIT"),
        ("an empty text", "de", '"It was not asked for."', '""', "reasons.NOT_ASKED_FOR.says"),
        ("no text", "de", '"It was not asked for."', "7", "reasons.NOT_ASKED_FOR.says: found 7"),
        ("a line break", "de", "not asked for.", "\\n.", "wanted 1 to 300 printable"),
        ("a phrase less", "de", "[phrases.EVERY]", "[phrases.X]", "phrases.EVERY: found []"),
        ("a count less", "de", '"{count} times"', '"often"', "phrases.TIMES.count: found [] in"),
        ("the count of many", "is", '"once"', '"une fois"', "phrases.TIMES.count: found [] in"),
        ("no name of a product", "de", "Like {product}.", "Like it.", "because.SIMILAR_TO.product"),
        ("something else", "de", 'name = "X"', 'name = "X"\nauthor = "Y"', "found 'author'"),
    ],
)
def test_a_language_that_is_not_whole_is_refused(
    case: str, tag: str, old: str, new: str, said: str
) -> None:
    with pytest.raises(BadInput) as refused:
        read_language(tag, written().replace(old, new, 1))

    assert said in refused.value.message
