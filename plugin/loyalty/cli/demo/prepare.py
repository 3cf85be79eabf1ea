"""Making the demo shop ready. Every step finds out what was done before and does the rest."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from loyalty.cli.context import opened, secret_of, wired
from loyalty.cli.demo.folder import DemoFolder, project_folder
from loyalty.cli.demo.session import DemoCode, DemoMember
from loyalty.cli.demo.steps import Steps
from loyalty.clock import SystemClock
from loyalty.errors import NotFound
from loyalty.services.access import Scope
from loyalty.services.credentials import Credentials, Unauthenticated
from loyalty.services.tenants import Tenant, Tenants

if TYPE_CHECKING:
    from pathlib import Path

    from loyalty.cli.demo.data import DemoData
    from loyalty.services.services import Services
    from loyalty.settings import Settings

TENANT = "demo"
TENANT_NAME = "Corner Grocery"
SHOP = "shop.json"
KEYS = "keys.json"
TOKEN_TTL_S = 86_400
"""Lifetime of the member's token that is printed, in seconds."""
CHECKOUT_SCOPES = (
    Scope.CATALOGUE_READ,
    Scope.MEMBERS_READ,
    Scope.MEMBERS_WRITE,
    Scope.CHECKOUT_QUOTE,
    Scope.CHECKOUT_WRITE,
    Scope.EVENTS_WRITE,
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the server of the demo, and whoever reads its banner, need to know."""

    tenant: Tenant
    members: tuple[DemoMember, ...]
    member_token: str
    token_expires: datetime
    checkout_key: str
    merchant_key: str
    codes: tuple[DemoCode, ...]
    notice: str


async def prepared(
    folder: DemoFolder, settings: Settings, households: int | None, steps: Steps
) -> Prepared:
    """Bring the demo shop to where it can be served.

    Raises:
        LoyaltyError: something is missing; what was done so far is kept for the next start.
    """
    shop = folder.read(SHOP)
    # One that was made before there were codes is gone through again.
    if not shop or "codes" not in shop or not await _is_trained(settings):
        shop = await _made(folder, settings, households, steps)
    async with opened(settings, migrate=True) as database:
        clock = SystemClock()
        tenant = await Tenants(database, clock).named(TENANT)
        credentials = Credentials(database, clock, secret_of(settings), settings.environment)
        keys = await _keys(folder, credentials, tenant)
        members = tuple(DemoMember(**member) for member in shop["members"])
        if not members:
            raise NotFound("member in the demo shop of", str(folder.path))
        token, expires = await credentials.mint(tenant.id, members[0].external_id, TOKEN_TTL_S)
    return Prepared(
        tenant=tenant,
        members=members,
        member_token=token,
        token_expires=expires,
        checkout_key=keys["checkout"],
        merchant_key=keys["merchant"],
        codes=tuple(DemoCode(**code) for code in shop["codes"]),
        notice=shop["notice"],
    )


async def _is_trained(settings: Settings) -> bool:
    """Whether there is a model that can be read: another version may have left one that cannot."""
    from loyalty.services.recommendations.models import Models

    root = settings.data_dir / "models"
    if not any(root.glob("*/current")):
        return False
    async with opened(settings, migrate=True) as database:
        clock = SystemClock()
        tenant = await Tenants(database, clock).named(TENANT)
        models = await Models(database, clock, root).listed(tenant.id)
    return any(model.is_in_service and model.card is not None for model in models)


async def _made(
    folder: DemoFolder, settings: Settings, households: int | None, steps: Steps
) -> dict[str, Any]:
    """The data, the model, and what to say of them; kept so that the next start asks nobody."""
    from loyalty.cli.demo.data import prepare_demo
    from loyalty.cli.demo.early import shown_early
    from loyalty.cli.demo.gifts import handed_out
    from loyalty.cli.demo.members import proposed
    from loyalty.cli.demo.offers import offered

    examples = _examples()
    async with AsyncExitStack() as stack:
        with steps.step("making the tables, publishing the program"):
            services = await stack.enter_async_context(wired(settings, migrate=True))
            tenant = await _tenant(services)
            program = (examples / "grocery.toml").read_text(encoding="utf-8")
            await services.rulesets.publish(tenant.id, program, "the demo")
        data = await prepare_demo(
            services,
            tenant,
            folder.path,
            examples / "complete-journey",
            households=households,
            steps=steps,
        )
        with steps.step("training the recommender") as say:
            # Measuring a first model takes as long again, and who looks at a demo waits for it.
            await services.trainer.train(
                tenant.id, gate=None, progress=lambda doing, share: say(f"{doing} ({share:.0%})")
            )
        with steps.step("choosing members with something to see"):
            members = await proposed(services, tenant)
        with steps.step("handing out coupons, a gift card and credit"):
            codes = await handed_out(services, tenant, members)
        with steps.step("showing some products to the higher tiers first"):
            await shown_early(services, tenant, members)
        with steps.step("choosing personal offers"):
            members = await offered(services, tenant, members)
    shop = {
        "households": households,
        "members": [asdict(member) for member in members],
        "codes": [asdict(code) for code in codes],
        "notice": f"{_counted(data)}\n{data.notice}",
    }
    folder.keep(SHOP, shop)
    return shop


def _counted(data: DemoData) -> str:
    return (
        f"{data.orders:,} orders of {data.members:,} households, {data.products:,} products. "
        f"All times are {data.shifted_weeks} weeks later than in the data, so that its year ends "
        f"on {data.ends_at:%Y-%m-%d}."
    )


async def _tenant(services: Services) -> Tenant:
    try:
        return await services.tenants.named(TENANT)
    except NotFound:
        return await services.tenants.create(TENANT, TENANT_NAME)


def _examples() -> Path:
    """Raises NotFound where only the wheel is installed."""
    root = project_folder()
    if root is None:
        raise NotFound("project folder with", "examples; run scripts/demo of a checkout")
    return root / "examples"


async def _keys(folder: DemoFolder, credentials: Credentials, tenant: Tenant) -> dict[str, str]:
    """The texts of both keys, as kept; made anew when one is lost or was revoked."""
    kept = folder.read(KEYS)
    wanted = {"checkout": CHECKOUT_SCOPES, "merchant": (Scope.ADMIN,)}
    found: dict[str, str] = {}
    for name, scopes in wanted.items():
        text = kept.get(name)
        if not isinstance(text, str) or not await _is_valid(credentials, text, tenant):
            text = (await credentials.create_key(tenant.id, f"demo-{name}", scopes)).text
        found[name] = text
    if found != kept:
        folder.keep(KEYS, dict(found))
    return found


async def _is_valid(credentials: Credentials, text: str, tenant: Tenant) -> bool:
    try:
        return (await credentials.viewer(text)).tenant_id == tenant.id
    except Unauthenticated:
        return False
