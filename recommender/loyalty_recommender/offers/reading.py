"""Campaigns from a folder: in a neutral shape, or as Complete Journey publishes them.

| file (``.csv`` or ``.parquet``) | columns |
|---|---|
| ``campaign_dates`` | ``campaign, startsAt, endsAt`` and, if there, ``kind`` |
| ``campaigns`` | ``member, campaign``: who received it |
| ``offers`` | ``offer, campaign, product``: what each offer of a campaign is for |
| ``redemptions`` | ``member, offer, campaign, redeemedAt`` |

Times are dates or instants, taken as UTC; a campaign runs in ``[startsAt, endsAt)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from loyalty_recommender.arrays import DAY_S, AnyArray
from loyalty_recommender.errors import BadInteractions
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.offers.campaigns import Campaign, redemption_days

SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True, slots=True)
class Shape:
    """Names of files and, for our columns, the names in them."""

    files: Mapping[str, str]
    columns: Mapping[str, str]
    last_day_included: bool
    """Whether a campaign's end is its last day, or the first after it."""


NEUTRAL = Shape(
    {each: each for each in ("campaign_dates", "campaigns", "offers", "redemptions")}, {}, False
)
COMPLETE_JOURNEY = Shape(
    {
        "campaign_dates": "campaign_descriptions",
        "campaigns": "campaigns",
        "offers": "coupons",
        "redemptions": "coupon_redemptions",
    },
    {
        "campaign": "campaign_id",
        "kind": "campaign_type",
        "startsAt": "start_date",
        "endsAt": "end_date",
        "member": "household_id",
        "offer": "coupon_upc",
        "product": "product_id",
        "redeemedAt": "redemption_date",
    },
    True,
)


def read_campaigns(folder: Path, purchases: Interactions) -> list[Campaign]:
    """Read all campaigns of a folder.

    Args:
        purchases: whose members and products the campaigns are about. Products that it does not
            know, such as those nobody bought, are left out of the offers.

    Redemptions by a member that did not receive the campaign, or of an offer that it does not
    hold, are left out.

    Raises:
        BadInteractions: a file or a column is missing, or of the wrong type.
        OSError: a file cannot be read.
    """
    shape = COMPLETE_JOURNEY if _file(folder, "campaign_descriptions") else NEUTRAL
    dates = _table(folder, shape, "campaign_dates", ("campaign", "startsAt", "endsAt"), "kind")
    received = _table(folder, shape, "campaigns", ("member", "campaign"))
    offered = _table(folder, shape, "offers", ("offer", "campaign", "product"))
    redeemed = _table(folder, shape, "redemptions", ("member", "offer", "campaign", "redeemedAt"))
    product_at = {each: at for at, each in enumerate(purchases.products.texts())}
    member_at = {each: at for at, each in enumerate(purchases.members.texts())}
    for member in sorted(set(received["member"].tolist()) - member_at.keys()):
        member_at[member] = len(member_at)
    starts, ends = _days(dates["startsAt"]), _days(dates["endsAt"])
    found = []
    for at, campaign in enumerate(dates["campaign"].tolist()):
        members, row_of = _members(received, campaign, member_at)
        offers, sets = _offers(offered, campaign, product_at)
        column_of = {each: column for column, each in enumerate(offers)}
        lines = np.flatnonzero(redeemed["campaign"] == campaign)
        pairs = [
            (row_of.get(member, -1), column_of.get(offer, -1))
            for member, offer in zip(
                redeemed["member"][lines].tolist(), redeemed["offer"][lines].tolist(), strict=True
            )
        ]
        row, column = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        inside = (row >= 0) & (column >= 0)
        days = _days(redeemed["redeemedAt"][lines])
        found.append(
            Campaign(
                id=campaign,
                kind=str(dates["kind"][at]) if "kind" in dates else "",
                starts=int(starts[at]),
                ends=int(ends[at]) + shape.last_day_included,
                members=members,
                offers=offers,
                sets=sets,
                redeemed=redemption_days(
                    row[inside], column[inside], days[inside], len(members), len(offers)
                ),
            )
        )
    return found


def _members(
    received: Mapping[str, AnyArray], campaign: str, member_at: Mapping[str, int]
) -> tuple[AnyArray, dict[str, int]]:
    """Rising positions of who received it, and the row of each id."""
    ids = sorted(set(received["member"][received["campaign"] == campaign].tolist()))
    ids.sort(key=lambda each: member_at[each])
    positions = np.array([member_at[each] for each in ids], dtype=np.int32)
    return positions, {each: row for row, each in enumerate(ids)}


def _offers(
    offered: Mapping[str, AnyArray], campaign: str, product_at: Mapping[str, int]
) -> tuple[tuple[str, ...], tuple[AnyArray, ...]]:
    """Ids of its offers in order, and each one's known products."""
    lines = offered["campaign"] == campaign
    of: dict[str, list[int]] = {each: [] for each in sorted(set(offered["offer"][lines].tolist()))}
    for offer, product in zip(
        offered["offer"][lines].tolist(), offered["product"][lines].tolist(), strict=True
    ):
        if product in product_at:
            of[offer].append(product_at[product])
    return tuple(of), tuple(np.unique(np.array(each, dtype=np.int32)) for each in of.values())


def _file(folder: Path, name: str) -> Path | None:
    paths = (folder / f"{name}{suffix}" for suffix in SUFFIXES)
    return next((each for each in paths if each.is_file()), None)


def _table(
    folder: Path, shape: Shape, ours: str, wanted: tuple[str, ...], optional: str | None = None
) -> dict[str, AnyArray]:
    """Columns by our names: ids as text, times as whole seconds; lines with a gap left out."""
    path = _file(folder, shape.files[ours])
    if path is None:
        raise BadInteractions(
            f"{folder} should hold {shape.files[ours]}.parquet or {shape.files[ours]}.csv"
        )
    names = {each: shape.columns.get(each, each) for each in wanted}
    try:
        table = _read(path)
        missing = [each for each in names.values() if each not in table.column_names]
        if missing:
            raise BadInteractions(
                f"{path} lacks {', '.join(missing)}; its columns are "
                f"{', '.join(table.column_names)}"
            )
        whole = None
        for each in names.values():
            valid = pc.is_valid(table.column(each))
            whole = valid if whole is None else pc.and_(whole, valid)
        table = table.filter(whole)
        if optional is not None and shape.columns.get(optional, optional) in table.column_names:
            names[optional] = shape.columns.get(optional, optional)
        return {each: _column(table.column(name), each) for each, name in names.items()}
    except pa.ArrowInvalid as error:
        raise BadInteractions(f"{path} cannot be read as a table: {error}") from error


def _read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    options = pyarrow.csv.ConvertOptions(
        # Ids stay text, so that "007" does not become 7, and may well be "NA".
        column_types=dict.fromkeys(columns_in(path), pa.string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    return pyarrow.csv.read_csv(path, convert_options=options)


def columns_in(path: Path) -> list[str]:
    """Names of a table's columns."""
    try:
        if path.suffix == ".parquet":
            return list(pq.read_schema(path).names)
        with pyarrow.csv.open_csv(path) as reader:
            return list(reader.schema.names)
    except pa.ArrowInvalid as error:
        raise BadInteractions(f"{path} cannot be read as a table: {error}") from error


def _column(column: pa.ChunkedArray, ours: str) -> AnyArray:
    if not ours.endswith("At"):
        texts = pc.fill_null(pc.cast(column, pa.string()), "")
        return np.array(texts.to_pylist(), dtype=object)
    zone = getattr(column.type, "tz", None)
    times = pc.cast(column, pa.timestamp("s", zone), safe=False)
    seconds: AnyArray = pc.cast(times, pa.int64()).to_numpy()
    return seconds


def _days(seconds: AnyArray) -> AnyArray:
    return np.floor_divide(seconds, DAY_S)
