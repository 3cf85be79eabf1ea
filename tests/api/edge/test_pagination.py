"""A list read page by page."""

import pytest

QUERY = """
query($first: Int, $after: String) {
  items(first: $first, after: $after) {
    nodes { name }
    edges { cursor node { name } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


@pytest.mark.anyio
async def test_pages_cover_the_list_once(ask):
    names: list[str] = []
    after = None
    while True:
        response = await ask(QUERY, variables={"first": 100, "after": after})
        items = response.json()["data"]["items"]
        names += [node["name"] for node in items["nodes"]]
        assert [edge["node"] for edge in items["edges"]] == items["nodes"]
        assert items["pageInfo"]["hasPreviousPage"] is (after is not None)
        assert items["pageInfo"]["startCursor"] == items["edges"][0]["cursor"]
        after = items["pageInfo"]["endCursor"]
        if not items["pageInfo"]["hasNextPage"]:
            break

    assert names == [f"i{place}" for place in range(250)]


@pytest.mark.anyio
async def test_an_unasked_page_size_is_twenty(ask):
    response = await ask("{ items { nodes { name } } }")

    assert len(response.json()["data"]["items"]["nodes"]) == 20


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("variables", "said", "field"),
    [
        ({"first": 0}, "found first: 0, wanted 1 to 100", "first"),
        ({"first": 101}, "found first: 101, wanted 1 to 100", "first"),
        ({"after": "nonsense"}, "found cursor 'nonsense'", "after"),
    ],
)
async def test_a_bad_page_is_bad_input(ask, variables, said, field):
    response = await ask(QUERY, variables=variables)

    (error,) = response.json()["errors"]
    assert said in error["message"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": [field]}
