"""Campaigns from files of both shapes."""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.errors import BadInteractions
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.offers.campaigns import NEVER
from loyalty_recommender.offers.reading import read_campaigns

PURCHASES = Interactions.from_columns(
    np.array(["7", "8"]), np.array(["10", "11"]), np.array([0, DAY_S])
)


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


NEUTRAL = {
    "campaign_dates": "campaign,startsAt,endsAt,kind\nc,1970-01-10,1970-01-20,letter\n",
    "campaigns": "member,campaign\n8,c\n7,c\n007,c\n7,c\n",
    "offers": "offer,campaign,product\nb,c,11\na,c,10\na,c,11\na,c,99\n",
    "redemptions": "member,offer,campaign,redeemedAt\n"
    "8,a,c,1970-01-12T10:00:00\n8,a,c,1970-01-11T09:00:00\n9,a,c,1970-01-12T10:00:00\n"
    "8,x,c,1970-01-12T10:00:00\n",
}


def test_the_neutral_shape(tmp_path: Path) -> None:
    (found,) = read_campaigns(written(tmp_path, **NEUTRAL), PURCHASES)

    assert (found.id, found.kind, found.starts, found.ends) == ("c", "letter", 9, 19)
    # 7 and 8 are known buyers; 007 never bought anything and comes after them.
    assert found.members.tolist() == [0, 1, 2]
    assert found.offers == ("a", "b")
    assert [each.tolist() for each in found.sets] == [[0, 1], [1]]
    # A stranger's redemption, and one of an offer that is not the campaign's, are left out.
    assert found.redeemed.tolist() == [[NEVER, NEVER], [10, NEVER], [NEVER, NEVER]]


def test_complete_journeys_end_is_the_last_day(tmp_path: Path) -> None:
    tables = {
        "campaign_descriptions": {
            "campaign_id": [3],
            "campaign_type": ["Type A"],
            "start_date": [date(1970, 1, 10)],
            "end_date": [date(1970, 1, 19)],
        },
        "campaigns": {"campaign_id": [3, 3], "household_id": [7, 8]},
        "coupons": {"coupon_upc": [51, 51], "product_id": [10, 11], "campaign_id": [3, 3]},
        "coupon_redemptions": {
            "household_id": [7],
            "coupon_upc": [51],
            "campaign_id": [3],
            "redemption_date": [date(1970, 1, 19)],
        },
    }
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")

    (found,) = read_campaigns(tmp_path, PURCHASES)

    assert (found.id, found.kind, found.starts, found.ends) == ("3", "Type A", 9, 19)
    assert found.redeemed.tolist() == [[18], [NEVER]]


def test_a_campaign_nobody_received_is_read_as_such(tmp_path: Path) -> None:
    folder = written(tmp_path, **{**NEUTRAL, "campaigns": "member,campaign\n8,other\n"})

    (found,) = read_campaigns(folder, PURCHASES)

    assert found.members.tolist() == []
    assert found.redeemed.shape == (0, 2)


@pytest.mark.parametrize(
    ("case", "spoilt", "says"),
    [
        ("no file", {"offers": None}, "offers.parquet or offers.csv"),
        ("no column", {"campaigns": "who,campaign\n1,c\n"}, "lacks member"),
        ("no time", {"campaign_dates": "campaign,startsAt,endsAt\nc,soon,late\n"}, "soon"),
    ],
)
def test_a_broken_folder_is_refused(
    case: str, spoilt: dict[str, str | None], says: str, tmp_path: Path
) -> None:
    files = {name: text for name, text in {**NEUTRAL, **spoilt}.items() if text is not None}

    with pytest.raises(BadInteractions, match=says):
        read_campaigns(written(tmp_path, **files), PURCHASES)
