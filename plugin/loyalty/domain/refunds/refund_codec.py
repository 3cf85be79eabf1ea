"""An order's refunds as JSON-able values and back: what ``shop_order.refunds`` holds."""

from dataclasses import asdict
from typing import Any

from loyalty.domain.refunds.refund import Booked, Refunded
from loyalty.domain.refunds.refund_asks import asked_from_json, asked_to_json
from loyalty.domain.refunds.refund_takes import took_from_json, took_to_json

FORMAT = 1


def refunded_to_json(refunded: Refunded) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "asked": asked_to_json(refunded.asked),
        "booked": booked_to_json(refunded.booked),
        "took": {unit: took_to_json(took) for unit, took in refunded.took.items()},
        "flagged": refunded.is_flagged,
    }


def refunded_from_json(value: dict[str, Any]) -> Refunded:
    return Refunded(
        asked_from_json(value["asked"]),
        booked_from_json(value["booked"]),
        {unit: took_from_json(took) for unit, took in value["took"].items()},
        value["flagged"],
    )


def booked_to_json(booked: Booked) -> dict[str, Any]:
    """Those figures that are not nothing."""
    return {name: value for name, value in asdict(booked).items() if value}


def booked_from_json(value: dict[str, Any]) -> Booked:
    by_line, restored = value.get("by_line", ()), value.get("restored", ())
    return Booked(**value | {"by_line": tuple(by_line), "restored": tuple(restored)})
