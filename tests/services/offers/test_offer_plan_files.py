"""A plan as a file: what is no plan is refused."""

from typing import Any

import orjson
import pytest

from loyalty.errors import BadInput
from loyalty.services.offers.offer_plan_file import read, written

from .conftest import Planner

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda value: value | {"format": 2}, "format '2'"),
        (lambda value: [], "format 'None'"),
        (lambda value: value | {"offers": {}}, "no list"),
        (lambda value: value | {"offers": [3]}, "offers\\[0\\]: found no table"),
        (lambda value: value | {"figures": [1]}, "figures"),
        (lambda value: value | {"figures": [{}]}, "figures\\[0\\].offer"),
        (lambda value: with_figures(value, usesPpm="1"), "figures\\[0\\].usesPpm"),
        (lambda value: with_figures(value, costMinor=-1), "figures\\[0\\].costMinor"),
        (lambda value: value | {"plannedAt": "2026-03-01"}, "with its offset"),
        (lambda value: value | {"plannedAt": "0001-01-01T00:00:00+14:00"}, "with its offset"),
        (lambda value: value | {"rulesetVersion": True}, "rulesetVersion"),
        (lambda value: value | {"tenant": "a\nb"}, "the plan.tenant"),
        (lambda value: with_offer(value, member="-1"), "number of a member"),
        (lambda value: with_offer(value, member="9" * 19), "number of a member"),
        (lambda value: with_offer(value, member="\u0661"), "number of a member"),
        (lambda value: with_offer(value, heldOut=1), "true or false"),
        (lambda value: with_offer(value, usesPpm=-1), "usesPpm"),
        (lambda value: with_offer(value, usesPpm=1.5), "usesPpm"),
        (lambda value: with_offer(value, discountMinor=10**19), "discountMinor"),
        (lambda value: with_offer(value, reason={"code": "WHIM", "times": 1}), "no reason"),
        (lambda value: with_offer(value, reason={}), "no reason"),
        (
            lambda value: with_offer(value, reason={"code": "BOUGHT_BEFORE", "times": 2**31}),
            "times",
        ),
        (lambda value: with_offer(value, reason={"code": "BOUGHT_BEFORE", "times": -1}), "times"),
        (lambda value: value | {"offers": value["offers"] * 2}, "same offer"),
    ],
)
async def test_a_file_that_is_no_plan_is_refused(desk: Planner, change: Any, words: str) -> None:
    await desk.member("m", buys=[20, 60, 100])
    value = orjson.loads(written(await desk.plan(), "corner"))

    with pytest.raises(BadInput, match=words):
        read(orjson.dumps(change(value)))


def with_offer(value: dict[str, Any], **changes: Any) -> dict[str, Any]:
    (offer,) = value["offers"]
    return value | {"offers": [offer | changes]}


def with_figures(value: dict[str, Any], **changes: Any) -> dict[str, Any]:
    first, *others = value["figures"]
    return value | {"figures": [first | changes, *others]}


def test_bytes_that_are_no_json_are_refused():
    for raw in (b"", b"\xff\xfe", b"{", b"[" * 100_000):
        with pytest.raises(BadInput):
            read(raw)


async def test_an_offer_that_the_program_has_not_is_refused(desk: Planner) -> None:
    await desk.member("m", buys=[20, 60, 100])
    value = orjson.loads(written(await desk.plan(), "corner"))

    with pytest.raises(BadInput, match="which the program has not"):
        await desk.publish(read(orjson.dumps(with_offer(value, target="jam"))))
