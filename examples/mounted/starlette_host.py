"""A shop of your own in Starlette, with the loyalty program below ``/loyalty``.

LOYALTY_SECRET_KEY=… uvicorn --factory starlette_host:create_host
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from loyalty.app import create_app, services_of
from loyalty.settings import Settings


def create_host(settings: Settings | None = None, prefix: str = "/loyalty") -> Starlette:
    """The shop. Settings come from the environment unless they are given."""
    loyalty = create_app(settings or Settings())

    @asynccontextmanager
    async def lifespan(host: Starlette) -> AsyncIterator[None]:
        # Nobody runs the lifespan of a mounted application but its host.
        async with loyalty.router.lifespan_context(loyalty):
            yield

    async def basket(request: Request) -> JSONResponse:
        # In the same process the use cases may be called without HTTP.
        tenant = await services_of(loyalty).tenants.named(request.path_params["program"])
        ruleset = await services_of(loyalty).rulesets.current(tenant.id)
        return JSONResponse({"program": ruleset.name, "api": f"{prefix}/graphql"})

    return Starlette(
        routes=[Route("/basket/{program}", basket), Mount(prefix, loyalty)], lifespan=lifespan
    )
