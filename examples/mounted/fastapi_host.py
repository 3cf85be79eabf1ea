"""A shop of your own in FastAPI, with the loyalty program below ``/loyalty``.

LOYALTY_SECRET_KEY=… uvicorn --factory fastapi_host:create_host
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from loyalty.app import create_app, services_of
from loyalty.settings import Settings


def create_host(settings: Settings | None = None, prefix: str = "/loyalty") -> FastAPI:
    """The shop. Settings come from the environment unless they are given."""
    loyalty = create_app(settings or Settings())

    @asynccontextmanager
    async def lifespan(host: FastAPI) -> AsyncIterator[None]:
        # Nobody runs the lifespan of a mounted application but its host.
        async with loyalty.router.lifespan_context(loyalty):
            yield

    host = FastAPI(lifespan=lifespan)

    @host.get("/basket/{program}")
    async def basket(program: str) -> dict[str, str]:
        # In the same process the use cases may be called without HTTP.
        tenant = await services_of(loyalty).tenants.named(program)
        ruleset = await services_of(loyalty).rulesets.current(tenant.id)
        return {"program": ruleset.name, "api": f"{prefix}/graphql"}

    host.mount(prefix, loyalty)
    return host
