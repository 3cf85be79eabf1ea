"""The table of keys."""

import pytest

from loyalty.cache import keys


@pytest.mark.parametrize(
    ("family", "key"),
    [
        (keys.SUMMARY, keys.summary(1, 5)),
        (keys.CATALOGUE, keys.catalogue(1, 3, "a9f0")),
        (keys.RULESET, keys.ruleset(1, 3)),
        (keys.RECOMMENDATIONS, keys.recommendations(1, 5, "for_you", "als-7")),
        (keys.RECOMMENDATIONS, keys.recommendations_popular(1, "trending", "als-7")),
        (keys.MISSES, keys.misses(1, "c4")),
        (keys.VIEWS, keys.views(1, "s9")),
        (keys.VIEWS, keys.views_begun(1)),
        (keys.CHANGES, keys.changes(1, 5)),
    ],
)
def test_a_key_looks_as_the_table_says(family: keys.Family, key: str):
    values = {
        "<tenant>": "1",
        "<member>": "5",
        "<revision>": "3",
        "<listing>": "a9f0",
        "<version>": "3",
        "<model>": "als-7",
        "<caller>": "c4",
        "<session>": "s9",
    }
    shapes = family.pattern
    for name, value in values.items():
        shapes = shapes.replace(name, value)
    windows = {shapes.replace("<window>", w) for w in ("for_you", "trending")}

    assert any(key in shape.split(" | ") for shape in windows)
    assert keys.family(key) == family.name
    assert key.startswith(keys.prefix(family.name))


def test_no_two_things_share_a_key():
    made = [
        build
        for tenant in (1, 11)
        for number in (1, 11)
        for build in (
            keys.summary(tenant, number),
            keys.catalogue(tenant, number, "1"),
            keys.ruleset(tenant, number),
            keys.recommendations(tenant, number, "popular", "m"),
            keys.recommendations_popular(tenant, "w", f"m{number}"),
            keys.misses(tenant, str(number)),
            keys.views(tenant, str(number)),
            keys.changes(tenant, number),
        )
    ]

    assert len(set(made)) == len(made)


def test_every_family_names_its_lifetime_and_no_prefix_hides_another():
    prefixes = [keys.prefix(family.name) for family in keys.TABLE]

    assert [family.name for family in keys.TABLE if family.ttl_s is None] == ["changes"]
    assert all(family.holds and family.written_by for family in keys.TABLE)
    assert not [a for a in prefixes for b in prefixes if a != b and b.startswith(a)]
    assert sorted(keys.LAYERED) == ["catalogue"]


def test_what_is_versioned_is_copied_nowhere():
    """Copies are compared with nothing: only the store all share tells an older value."""
    assert [family.name for family in keys.TABLE if family.is_versioned and family.is_layered] == []


def test_a_value_outlives_the_tombstone_that_let_it_in():
    short = [f.name for f in keys.TABLE if f.is_versioned and (f.ttl_s or 0) < keys.TOMBSTONE_TTL_S]

    assert short == []


@pytest.mark.parametrize("text", ["", "a:b", "a b", "{t1}", "é", "x" * 129, "a\n"])
def test_text_that_would_break_a_key_is_refused(text: str):
    with pytest.raises(ValueError, match="cannot be part of a cache key"):
        keys.recommendations(1, 5, text, "m")


@pytest.mark.parametrize("key", ["", "x", "l1:", "l1:nothing:{t1}", "other:text:here"])
def test_a_key_of_no_family_is_counted_as_other(key: str):
    assert keys.family(key) == "other"
