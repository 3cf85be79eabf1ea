"""``loyalty gift-card``: money on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from loyalty.cli.context import (
    AsJson,
    Folder,
    TenantCode,
    merchant,
    note,
    print_json,
    print_table,
    run,
)
from loyalty.cli.days import LastDay, end_of

if TYPE_CHECKING:
    from pathlib import Path

    from loyalty.services.coupons.gift_cards import GiftCard, Issued

app = typer.Typer(help="Gift cards: issue, list, block. Their codes are stored nowhere.")

LISTED_MAX = 1_000
Code = Annotated[str, typer.Argument(metavar="CODE", help="With or without dashes.")]


@app.command()
def issue(
    amount: Annotated[str, typer.Argument(help='In the program\'s currency, such as "50.00".')],
    last_day: LastDay = None,
    tenant: TenantCode = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Put money on a new card and print its code, this once."""
    import secrets

    from loyalty.domain.money import Money
    from loyalty.services.checkout.checkout import idempotent

    async def work() -> Issued:
        async with merchant(folder, tenant) as (services, viewer):
            rules = await services.rulesets.current(viewer.tenant_id)
            money, ends = Money.parse(amount, rules.currency), end_of(last_day, rules.time_zone)
            once = idempotent(viewer, "giftCardIssue", f"cli-{secrets.token_hex(12)}", [])
            return await services.gift_cards.issue(
                viewer.tenant_id, once, money, ends, viewer.client
            )

    made = run(work())
    if as_json:
        print_json(_fields(made.card) | {"code": made.code})
    else:
        print(made.code)
        note("keep it now: it is never shown again")


@app.command("list")
def listed(tenant: TenantCode = None, folder: Folder = None, as_json: AsJson = False) -> None:
    """List the cards and what is left on them, at most 1,000."""

    async def work() -> list[GiftCard]:
        async with merchant(folder, tenant) as (services, viewer):
            return await services.gift_cards.listed(viewer.tenant_id, LISTED_MAX)

    found = run(work())
    if as_json:
        print_json([_fields(one) for one in found])
        return
    rows = [
        [one.label, one.state, _money(one.available_minor, one), _money(one.held_minor, one),
         _money(one.initial_minor, one),
         f"{one.expires_at:%Y-%m-%d %H:%M}" if one.expires_at else ""]
        for one in found
    ]  # fmt: skip
    print_table(["card", "state", "available", "held", "at first", "expires (UTC)"], rows)


@app.command()
def show(
    code: Code, tenant: TenantCode = None, folder: Folder = None, as_json: AsJson = False
) -> None:
    """Tell what is left on the card of a code."""

    async def work() -> GiftCard:
        async with merchant(folder, tenant) as (services, viewer):
            return await services.gift_cards.by_code(viewer.tenant_id, code)

    card = run(work())
    if as_json:
        print_json(_fields(card))
    else:
        left = _money(card.available_minor, card)
        print(f"{card.label} is {card.state.lower()}, {left} {card.currency} left")


@app.command()
def block(code: Code, tenant: TenantCode = None, folder: Folder = None) -> None:
    """Let a card pay nothing."""
    print(f"blocked {_set(code, 'BLOCKED', tenant, folder).label}")


@app.command()
def unblock(code: Code, tenant: TenantCode = None, folder: Folder = None) -> None:
    """Let a blocked card pay again."""
    print(f"unblocked {_set(code, 'ACTIVE', tenant, folder).label}")


def _set(code: str, state: str, tenant: str | None, folder: Path | None) -> GiftCard:
    async def work() -> GiftCard:
        async with merchant(folder, tenant) as (services, viewer):
            cards = services.gift_cards
            card = await cards.by_code(viewer.tenant_id, code)
            return await cards.set_state(viewer.tenant_id, None, card.id, state, viewer.client)

    return run(work())


def _money(minor: int, card: GiftCard) -> str:
    from loyalty.domain.money import Money

    return Money(minor, card.currency).text()


def _fields(one: GiftCard) -> dict[str, Any]:
    return {
        "label": one.label,
        "state": one.state,
        "currency": one.currency,
        "initial": _money(one.initial_minor, one),
        "available": _money(one.available_minor, one),
        "held": _money(one.held_minor, one),
        "expiresAt": one.expires_at and one.expires_at.isoformat(),
    }
