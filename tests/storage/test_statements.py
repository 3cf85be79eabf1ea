"""One text for both databases."""

from __future__ import annotations

import pytest

from loyalty.storage.statements import (
    Sql,
    Statement,
    Together,
    Unit,
    merged,
    side_by_side,
    together,
)


@pytest.mark.parametrize(
    ("postgres", "sqlite"),
    [
        ("SELECT $1, $2, $1", "SELECT ?1, ?2, ?1"),
        (
            "a = ANY($12::bigint[]) AND b =any( $2 )",
            "a IN (SELECT value FROM json_each(?12)) AND b IN (SELECT value FROM json_each(?2))",
        ),
        ("SELECT sum(x)::bigint, $1::text FROM t", "SELECT sum(x), ?1 FROM t"),
        ("SELECT 1 FOR UPDATE", "SELECT 1 "),
        ("SELECT 1 FOR NO KEY UPDATE OF m SKIP LOCKED LIMIT 1", "SELECT 1  LIMIT 1"),
        ("SELECT 1\n  FOR KEY SHARE NOWAIT", "SELECT 1\n  "),
        ("UPDATE t SET a = a + 1 WHERE b = $1", "UPDATE t SET a = a + 1 WHERE b = ?1"),
    ],
)
def test_what_postgres_says_is_said_to_sqlite(postgres: str, sqlite: str) -> None:
    assert Sql(postgres).sqlite == sqlite


def test_a_text_of_its_own_is_taken_as_it_is() -> None:
    statement = Sql("SELECT now()", sqlite="SELECT 'x::y FOR UPDATE'")("a", [1, 2])

    assert statement.sql.sqlite == "SELECT 'x::y FOR UPDATE'"
    assert statement.parameters == ("a", [1, 2])


def test_statements_asked_together_are_one_text_with_parameters_in_a_row() -> None:
    first, second = Sql("SELECT a FROM t WHERE b = $2 AND c = $1"), Sql("SELECT $1::int + $10")

    assert merged((first, second), (2, 10)) == (
        "SELECT ARRAY(SELECT q FROM (SELECT a FROM t WHERE b = $2 AND c = $1) AS q), "
        "ARRAY(SELECT q FROM (SELECT $3::int + $12) AS q)"
    )


def test_units_side_by_side_ask_each_step_in_one_go() -> None:
    one, two, three = Sql("SELECT 1"), Sql("SELECT 2"), Sql("SELECT 3")
    order: list[str] = []

    def short() -> Unit[str]:
        rows = yield one()
        order.append("short")
        return f"short {rows}"

    def long() -> Unit[str]:
        first, second = yield from together(two(), three())
        order.append("long")
        last = yield one()
        return f"long {first} {second} {last}"

    def silent() -> Unit[str]:
        return "silent"
        yield one()

    unit = side_by_side(short(), silent(), long())
    step = next(unit)
    assert isinstance(step, Together)
    assert [each.sql for each in step.statements] == [one, two, three]
    last = unit.send([([(1,)], [(2,)], [(3,)])])
    assert last == Statement(one, ())
    with pytest.raises(StopIteration) as end:
        unit.send([(4,)])

    assert end.value.value == ("short [(1,)]", "silent", "long [(2,)] [(3,)] [(4,)]")
    assert order == ["short", "long"]
