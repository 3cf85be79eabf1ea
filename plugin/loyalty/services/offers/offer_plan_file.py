"""A plan as a file between making and publishing it: JSON that people can look into.

It names members by our row ids alone, so it says nothing of who they are; what it says of their
purchases is the reason of each offer.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from loyalty.domain.books.ledger import micros
from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.domain.offers.offer_plan import PPM, OfferFigures
from loyalty.domain.offers.offer_states import reason_from_json, reason_to_json
from loyalty.domain.quotes.quote_holdings import NO_BUDGET
from loyalty.errors import BadInput
from loyalty.services.offers.offer_planning import OfferPlan

FORMAT = 1
OFFERS_MAX = 5_000_000
"""Most offers of one plan."""
SIZE_MAX = 1 << 30
"""Largest file, in bytes."""
USES_MAX = 100
_ROW_ID_MAX = 2**63 - 1
_TIMES_MAX = 100_000


@dataclass(frozen=True, slots=True)
class FiledOffer:
    """One offer of a file, checked."""

    member_id: int
    offer: str
    target: str
    is_held_out: bool
    uses_ppm: int
    discount_minor: int
    reason: str


@dataclass(frozen=True, slots=True)
class FiledPlan:
    """A plan read from its file. ``key`` is a digest of all of it, ``figures`` JSON."""

    key: str
    tenant: str
    ruleset_version: int
    planned_at: datetime
    figures: str
    offers: tuple[FiledOffer, ...]


def written(plan: OfferPlan, tenant: str) -> bytes:
    """The file of a plan."""
    return orjson.dumps(
        {
            "format": FORMAT,
            "tenant": tenant,
            "rulesetVersion": plan.ruleset_version,
            "currency": plan.currency,
            "plannedAt": plan.planned_at.astimezone(UTC).isoformat(),
            "propensity": plan.propensity,
            "considered": plan.considered,
            "figures": [figures_to_json(plan, each) for each in plan.figures],
            "offers": [
                {
                    "member": str(item.prospect.member_id),
                    "offer": item.prospect.offer,
                    "target": item.prospect.target,
                    "heldOut": item.is_held_out,
                    "usesPpm": item.uses_ppm,
                    "discountMinor": item.prospect.discount_minor,
                    "worthPpm": item.worth_ppm,
                    "reason": reason_to_json(item.prospect.reason),
                }
                for item in plan.chosen
            ],
        },
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )


def figures_to_json(plan: OfferPlan, figures: OfferFigures) -> dict[str, Any]:
    """What one offer is expected to come to."""
    budget = plan.budgets.get(figures.offer, NO_BUDGET)
    return {
        "offer": figures.offer,
        "members": figures.members,
        "heldOut": figures.held_out,
        "usesPpm": figures.uses_ppm,
        "costMinor": figures.cost_minor,
        "points": figures.points,
        "worthMinor": figures.worth_ppm // PPM,
        "budgetMinorLeft": budget.minor,
        "budgetPointsLeft": budget.points,
    }


def read(raw: bytes) -> FiledPlan:
    """The plan of a file.

    Raises:
        BadInput: it is none; says what was found where.
    """
    if len(raw) > SIZE_MAX:
        raise BadInput(f"found a plan of {len(raw)} bytes, wanted at most {SIZE_MAX}")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"found no plan: it is no JSON ({error})") from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        found = value.get("format") if isinstance(value, dict) else None
        raise BadInput(f"found a plan of format {str(found)[:20]!r}, wanted {FORMAT}")
    offers = value.get("offers")
    if not isinstance(offers, list) or len(offers) > OFFERS_MAX:
        raise BadInput(f"found no list of at most {OFFERS_MAX} offers in the plan")
    seen: set[tuple[int, str, str]] = set()
    made = []
    for place, each in enumerate(offers):
        offer = _offer(each, place)
        name = offer.member_id, offer.offer, offer.target
        if name in seen:
            raise BadInput(f"offers[{place}]: found the same offer of this member before")
        seen.add(name)
        made.append(offer)
    figures = value.get("figures")
    if not isinstance(figures, list) or not all(isinstance(each, dict) for each in figures):
        raise BadInput("found no list of figures in the plan")
    for place, each in enumerate(figures):
        _text(each, "offer", f"figures[{place}]")
        for figure in ("usesPpm", "costMinor"):
            _number(each, figure, 0, _ROW_ID_MAX, f"figures[{place}]")
    return FiledPlan(
        key=hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        tenant=_text(value, "tenant", "the plan"),
        ruleset_version=_number(value, "rulesetVersion", 1, 2**31 - 1, "the plan"),
        planned_at=_moment(value),
        figures=orjson.dumps(
            {
                "offers": figures,
                "propensity": _text(value, "propensity", "the plan"),
                "considered": _number(value, "considered", 0, _ROW_ID_MAX, "the plan"),
            }
        ).decode(),
        offers=tuple(made),
    )


def row_of(
    offer: FiledOffer, id: int, starts_at: datetime, ends_at: datetime, uses_max: int
) -> dict[str, Any]:
    """A ``member_offer``, but for its plan and its place in it."""
    return {
        "id": id,
        "member_id": offer.member_id,
        "offer": offer.offer,
        "target": offer.target,
        "state": "HELD_OUT" if offer.is_held_out else "OFFERED",
        "starts_at": micros(starts_at),
        "ends_at": micros(ends_at),
        "uses_max": uses_max,
        "use_ppm": offer.uses_ppm,
        "cost_minor": offer.discount_minor,
        "reason": offer.reason,
    }


def _offer(value: object, place: int) -> FiledOffer:
    where = f"offers[{place}]"
    if not isinstance(value, dict):
        raise BadInput(f"{where}: found no table")
    member = _text(value, "member", where)
    if not (member.isascii() and member.isdigit() and len(member) <= 19):
        raise BadInput(f"{where}.member: found {member[:40]!r}, wanted the number of a member")
    held_out, reason = value.get("heldOut"), value.get("reason")
    if not isinstance(held_out, bool):
        raise BadInput(f"{where}.heldOut: found {str(held_out)[:40]!r}, wanted true or false")
    try:
        known = reason_from_json(reason) if isinstance(reason, dict) else None
    except (KeyError, TypeError, ValueError):
        known = None
    if known is None:
        raise BadInput(f"{where}.reason: found no reason of an offer")
    _number({"times": known.times}, "times", 0, _TIMES_MAX, f"{where}.reason")
    member_id = int(member)
    if not 0 < member_id <= _ROW_ID_MAX:
        raise BadInput(f"{where}.member: found {member[:40]!r}, wanted the number of a member")
    return FiledOffer(
        member_id,
        _text(value, "offer", where),
        _text(value, "target", where),
        held_out,
        _number(value, "usesPpm", 0, USES_MAX * PPM, where),
        _number(value, "discountMinor", 0, AMOUNT_MINOR_MAX, where),
        orjson.dumps(reason_to_json(known)).decode(),
    )


def _text(value: Mapping[str, Any], name: str, where: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not 1 <= len(found) <= 200 or not found.isprintable():
        raise BadInput(f"{where}.{name}: found {str(found)[:40]!r}, wanted a text")
    return found


def _number(value: Mapping[str, Any], name: str, low: int, high: int, where: str) -> int:
    found = value.get(name)
    if type(found) is not int or not low <= found <= high:
        raise BadInput(
            f"{where}.{name}: found {str(found)[:40]!r}, wanted a whole number from {low} to {high}"
        )
    return found


def _moment(value: Mapping[str, Any]) -> datetime:
    text = _text(value, "plannedAt", "the plan")
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadInput(f"the plan.plannedAt: found {text[:40]!r}, wanted a moment with its offset")
