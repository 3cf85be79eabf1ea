"""Files of members and products."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from import_shop import Shop

from loyalty.connectors.mapping import Kind, Mapping, Written
from loyalty.domain.books.ledger import micros

pytestmark = pytest.mark.anyio

MEMBERS = """member,name,email,locale,birthday,joinedAt,consentEmail,consentSms
anna,Anna Nagy,anna@example.com,hu-HU,1990-02-28,2024-05-01T09:00:00Z,true,no
berta,,,,,,,
carl,Carl,no address,,,,,
dora,Dora,,,1990-02-30,,,
,Nobody,,,,,,
emil,Emil,,,,,maybe,
"""


async def test_members_are_enrolled_with_what_is_known(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    path.write_text(MEMBERS)

    report = await shop.take(path, Kind.MEMBERS)

    assert (report.taken, report.run.accepted, report.run.rejected) == (2, 2, 4)
    assert report.refused == {
        "profile_unusable": 2,
        "member_missing": 1,
        "consentEmail_unusable": 1,
    }
    rows = await shop.rows(
        """SELECT external_id, state, name, email, locale, birthday, joined_at, consent_email,
                  consent_sms, consent_profiling, settled_at FROM member ORDER BY external_id"""
    )
    joined = micros(datetime(2024, 5, 1, 9, tzinfo=UTC))
    now = micros(shop.clock.now())
    assert [tuple(row) for row in rows] == [
        ("anna", "ACTIVE", "Anna Nagy", "anna@example.com", "hu-HU", "1990-02-28", joined,
         True, False, False, 0),
        ("berta", "ACTIVE", None, None, None, None, now, False, False, False, 0),
    ]  # fmt: skip
    assert [line.split(",")[0:2] for line in shop.rejected(path)] == [
        ["4", "profile_unusable"],
        ["5", "profile_unusable"],
        ["6", "member_missing"],
        ["7", "consentEmail_unusable"],
    ]


async def test_members_known_already_are_updated_and_keep_what_the_file_leaves_out(
    shop: Shop, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("member,name,email\nanna,Anna,anna@example.com\n")
    second.write_text("member,name,email\nanna,Anna Nagy,\nberta,Berta,\n")
    await shop.take(first, Kind.MEMBERS)

    report = await shop.take(second, Kind.MEMBERS)

    assert (report.taken, report.known) == (1, 1)
    assert sorted(await shop.rows("SELECT external_id, name, email FROM member")) == [
        ("anna", "Anna Nagy", "anna@example.com"),
        ("berta", "Berta", None),
    ]


async def test_orders_may_come_before_or_after_their_members(shop: Shop, tmp_path: Path) -> None:
    orders, members = tmp_path / "orders.csv", tmp_path / "members.csv"
    orders.write_text(
        "order,member,product,quantity,amount,occurredAt\n"
        "o1,anna,tea,1,10.00,2026-03-01T10:00:00Z\n"
        "o2,berta,tea,1,10.00,2026-03-01T10:00:00Z\n"
    )
    members.write_text("member\nanna\n")
    await shop.take(members, Kind.MEMBERS)
    await shop.take(orders)
    members.write_text("member\nberta\n")
    await shop.take(members, Kind.MEMBERS)

    rows = await shop.rows(
        "SELECT external_id, state, tier_since, settled_at FROM member ORDER BY external_id"
    )
    at = micros(datetime(2026, 3, 1, 10, tzinfo=UTC))
    assert rows == [("anna", "ACTIVE", at, at), ("berta", "ACTIVE", at, at)]


async def test_products_with_everything_and_with_little(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text(
        "product,name,price,cost,stock,category,department,type,brand,image,tiers,active,invented\n"
        'tea,"Tea, green",3.50,2.00,7,hot,drinks,leaves,Leaf,/tea.png,gold silver,true,'
        '"cost stock"\n'
        "cup,Cup,,,,,,,,,,,\n"
        "jug,,1.00,,,,,,,,,,\n"
        "pot,Pot,1.001,,,,,,,,,,\n"
        "pan,Pan,1.00,,,,,,,ftp://pan,,,\n"
    )

    report = await shop.take(path, Kind.PRODUCTS)

    assert report.refused == {"name_missing": 1, "price_unusable": 1, "product_unusable": 1}
    tea = await shop.catalogue.one(shop.tenant.id, "tea")
    cup = await shop.catalogue.one(shop.tenant.id, "cup")
    assert tea is not None
    assert cup is not None
    assert (
        tea.name, tea.price_minor, tea.cost_minor, tea.stock, tea.category, tea.department,
        tea.type, tea.brand, tea.image_url, tea.tiers, tea.invented, tea.is_active,
    ) == (
        "Tea, green", 350, 200, 7, "hot", "drinks", "leaves", "Leaf", "/tea.png",
        ("gold", "silver"), ("cost_minor", "stock"), True,
    )  # fmt: skip
    assert (cup.price_minor, cup.stock, cup.tiers, cup.is_active) == (None, None, (), True)


async def test_a_product_is_for_its_tiers_until_the_time_the_file_says(
    shop: Shop, tmp_path: Path
) -> None:
    path = tmp_path / "products.csv"
    path.write_text(
        "product,name,tiers,tiersUntil\n"
        "day,Day,gold,2100-03-01\n"
        "hour,Hour,gold,2100-03-01T10:00:00Z\n"
        "never,Never,gold,\n"
        "open,Open,,2100-03-01\n"
        "soon,Soon,gold,tomorrow\n"
    )

    report = await shop.take(path, Kind.PRODUCTS)

    assert report.refused == {"product_unusable": 1, "tiersUntil_unusable": 1}
    found = await shop.catalogue.many(shop.tenant.id, ["day", "hour", "never"])
    # A date alone is its first moment in the program's time zone.
    assert {name: product.tiers_until for name, product in found.items()} == {
        "day": datetime(2100, 3, 1, 5, tzinfo=UTC),
        "hour": datetime(2100, 3, 1, 10, tzinfo=UTC),
        "never": None,
    }


async def test_lines_count_by_the_file_s_category_and_else_by_the_catalogue_s(
    shop: Shop, tmp_path: Path
) -> None:
    products, orders = tmp_path / "products.parquet", tmp_path / "orders.csv"
    pq.write_table(
        pa.table({"product": ["apple", "smoke"], "name": ["Apple", "Smoke"],
                  "category": ["APPLES", "CIGARETTES"], "price": [100, 900]}),
        products,
    )  # fmt: skip
    await shop.take(products, Kind.PRODUCTS, Mapping(written=Written.MINOR))
    orders.write_text(
        "order,member,product,quantity,amount,occurredAt,category\n"
        "o1,anna,apple,1,10.00,2026-03-01T10:00:00Z,\n"
        "o2,anna,smoke,1,10.00,2026-03-01T10:00:00Z,\n"
        "o3,anna,smoke,1,10.00,2026-03-01T10:00:00Z,APPLES\n"
        "o4,anna,unknown,1,10.00,2026-03-01T10:00:00Z,\n"
    )

    await shop.take(orders)

    assert await shop.rows(
        "SELECT external_id, points_earned FROM shop_order ORDER BY external_id"
    ) == [("o1", 200), ("o2", 0), ("o3", 200), ("o4", 100)]


async def test_orders_of_guests_are_kept_and_earn_nothing(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "order,product,quantity,amount,occurredAt\no1,tea,1,10.00,2026-03-01T10:00:00Z\n"
    )

    report = await shop.take(path)

    assert report.taken == 1
    assert await shop.rows("SELECT member_id, points_earned, total_minor FROM shop_order") == [
        (None, 0, 1000)
    ]
    assert await shop.rows("SELECT id FROM ledger_entry") == []


async def test_an_order_that_no_amount_can_hold_is_refused_alone(
    shop: Shop, tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv"
    most = "90071992547409.91"
    path.write_text(
        "order,member,product,quantity,amount,occurredAt\n"
        "o1,anna,tea,1,1.00,2026-03-01T10:00:00Z\n"
        f"o2,anna,tea,1,{most},2026-03-01T10:00:00Z\n"
        f"o2,anna,cup,1,{most},2026-03-01T10:00:00Z\n"
        "o3,anna,tea,1,1.00,2026-03-01T10:00:00Z\n"
    )

    report = await shop.take(path)

    assert (report.taken, report.refused) == (2, {"total_too_large": 1})
    assert (report.run.accepted, report.run.rejected) == (2, 2)
    assert shop.rejected(path) == [
        "3-4,total_too_large,\"order o2: found 18014398509481982 minor units together, wanted at "
        "most 9007199254740991\",1"
    ]  # fmt: skip
