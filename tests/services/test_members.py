"""Members and rulesets: edits that are refused change nothing, versions never change."""

from datetime import timedelta

import pytest

from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.errors import (
    AlreadyExists,
    BadInput,
    BadRuleset,
    Conflict,
    LoyaltyError,
    NotFound,
    VersionConflict,
)
from loyalty.services.books.desk import Command
from loyalty.services.members.members import Enrol, Profile, SetState, UpdateMember
from loyalty.services.orders.orders import BookOrder
from loyalty.storage.statements import Sql, Unit

from .conftest import PROGRAM, Shop

pytestmark = pytest.mark.anyio
GONE = Sql("UPDATE member SET state = $2 WHERE tenant_id = $1 RETURNING id")


async def refusal(shop: Shop, command: Command) -> LoyaltyError:
    found = (await shop.door.submit(command)).refusal
    assert isinstance(found, LoyaltyError)
    return found


async def test_a_prospect_becomes_a_member_and_keeps_its_points(shop: Shop) -> None:
    await shop.paid("o-1", "ann", 30_000)
    assert (await shop.member("ann")).state == "PROSPECT"

    profile = Profile({"name": "Ann", "email": "ann@example.org"}, {"email": True})
    await shop.door.submit(Enrol(shop.tenant_id, None, "ann", profile))

    member = await shop.member("ann")
    assert (member.state, member.name, member.consents.email) == ("ACTIVE", "Ann", True)
    assert await shop.points("ann") == (0, 300, 0)
    again = await refusal(shop, Enrol(shop.tenant_id, None, "ann", profile))
    assert isinstance(again, AlreadyExists)


@pytest.mark.parametrize("state", ["CLOSED", "ERASED"])
async def test_a_member_that_is_gone_is_not_enrolled_again(shop: Shop, state: str) -> None:
    await shop.enrol("ann")

    def unit() -> Unit[None]:
        yield GONE(shop.tenant_id, state)

    await shop.database.write(unit)

    for or_update in (False, True):
        again = Enrol(shop.tenant_id, None, "ann", Profile({"name": "Ann"}), or_update=or_update)
        found = await refusal(shop, again)
        assert isinstance(found, AlreadyExists)
        assert found.message == f"member 'ann' is {state.lower()} already"

    assert (await shop.member("ann")).name is None


async def test_older_words_on_a_profile_change_nothing(shop: Shop) -> None:
    now = shop.clock.now()
    for name, said_at in (("New", now), ("Old", now - timedelta(days=1))):
        await shop.door.submit(
            Enrol(
                shop.tenant_id, None, "ann", Profile({"name": name}),
                joined_at=said_at, or_update=True, said_at=said_at,
            )
        )  # fmt: skip

    member = await shop.member("ann")
    assert (member.name, member.joined_at) == ("New", now - timedelta(days=1))


async def test_an_edit_based_on_an_old_version_is_refused(shop: Shop) -> None:
    await shop.enrol("ann")
    version = (await shop.member("ann")).version
    edit = UpdateMember(shop.tenant_id, None, "ann", Profile({"name": "Ann"}), version)
    assert (await shop.door.submit(edit)).refusal is None

    late = UpdateMember(shop.tenant_id, None, "ann", Profile({"name": "Bob"}), version)
    refused = await refusal(shop, late)

    assert isinstance(refused, VersionConflict)
    member = await shop.member("ann")
    assert (member.name, member.version) == ("Ann", version + 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", "a\x00b"),
        ("email", "nobody"),
        ("birthday", "1990-02-30"),
        ("birthday", "soon"),
        ("locale", "e" * 36),
    ],
)
def test_a_bad_profile_is_refused_with_its_field(field: str, value: str) -> None:
    with pytest.raises(BadInput, match="wanted") as refused:
        Profile({field: value}).checked()
    assert refused.value.field == ("input", field)


@pytest.mark.parametrize(
    ("steps", "last"),
    [
        (["SUSPENDED", "ACTIVE"], None),
        (["SUSPENDED", "CLOSED"], None),
        (["CLOSED", "ACTIVE"], Conflict),
        (["CLOSED", "SUSPENDED"], Conflict),
        (["SUSPENDED", "SUSPENDED"], None),
    ],
)
async def test_states_follow_their_order(
    shop: Shop, steps: list[str], last: type[LoyaltyError] | None
) -> None:
    await shop.enrol("ann")

    verdicts = [
        await shop.door.submit(SetState(shop.tenant_id, None, "ann", state)) for state in steps
    ]

    assert verdicts[0].refusal is None
    assert type(verdicts[-1].refusal) is (last or type(None))
    expected = steps[0] if last else steps[-1]
    assert (await shop.member("ann")).state == expected


async def test_an_unknown_member_is_not_found(shop: Shop) -> None:
    for command in (
        UpdateMember(shop.tenant_id, None, "nobody", Profile({"name": "A"})),
        SetState(shop.tenant_id, None, "nobody", "CLOSED"),
    ):
        assert isinstance(await refusal(shop, command), NotFound)
    with pytest.raises(NotFound):
        await shop.member("nobody")


async def test_a_ruleset_is_published_as_the_next_version(shop: Shop) -> None:
    edited = PROGRAM.replace("points = 1\n", "points = 2\n", 1)

    same = await shop.rulesets.publish(shop.tenant_id, PROGRAM, "me")
    published = await shop.rulesets.publish(shop.tenant_id, edited, "me", expected_version=1)

    assert (same.version, published.version) == (1, 2)
    assert (await shop.rulesets.version(shop.tenant_id, 1)).earning_rules[0].points == 1
    assert (await shop.rulesets.current(shop.tenant_id)).earning_rules[0].points == 2
    with pytest.raises(VersionConflict):
        await shop.rulesets.publish(shop.tenant_id, PROGRAM, "me", expected_version=1)


async def test_a_bad_ruleset_is_not_published(shop: Shop) -> None:
    bad = PROGRAM.replace("per_minor = 100", "per_minor = 0", 1)

    with pytest.raises(BadRuleset, match="per_minor: found 0"):
        await shop.rulesets.publish(shop.tenant_id, bad, "me")

    assert [item.version for item in await shop.rulesets.history(shop.tenant_id, 10)] == [1]


async def test_an_order_keeps_the_rules_it_was_judged_by(shop: Shop) -> None:
    await shop.paid("o-1", "ann", 30_000)
    edited = PROGRAM.replace("points = 1\n", "points = 9\n", 1)
    await shop.rulesets.publish(shop.tenant_id, edited, "me")

    await shop.paid("o-2", "ann", 10_000)
    await shop.refund("o-1", "r-1")

    assert await shop.points("ann") == (0, 900, 0)
    assert await shop.problems() == []


async def test_another_currency_and_the_future_earn_nothing(shop: Shop) -> None:
    now = shop.clock.now()
    line = (OrderLine("tea", 1, 170_000),)
    for paid in (
        PaidOrder("o-1", "ann", "ZAR", line, now),
        PaidOrder("o-2", "ann", "EUR", line, now + timedelta(hours=1)),
    ):
        assert isinstance(await refusal(shop, BookOrder(shop.tenant_id, paid, "t")), BadInput)

    with pytest.raises(NotFound):
        await shop.member("ann")


async def test_a_line_counts_in_full_though_its_price_does_not_divide(shop: Shop) -> None:
    before = PROGRAM.replace(
        "[[earning.rules]]", '[earning]\ndiscounts = "before"\n[[earning.rules]]', 1
    )
    await shop.rulesets.publish(shop.tenant_id, before, "me")
    lines = (OrderLine("fuel", 33_000, 12_345, discount_minor=345),)
    paid = PaidOrder("o-1", "ann", "EUR", lines, shop.clock.now())

    await shop.door.submit(BookOrder(shop.tenant_id, paid, "test"))

    assert await shop.points("ann") == (0, 123, 0)
