"""The application: a service of its own, or mounted in a host's Starlette or FastAPI.

``create_app`` makes routes and nothing else; the lifespan opens database and cache and closes them.
A host that mounts the application does not run its lifespan, so the host wraps it::

    async with app.router.lifespan_context(app): ...
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from loyalty.cache import open_cache
from loyalty.cache.metrics import CacheCollector, Counters
from loyalty.clock import Clock, SystemClock
from loyalty.domain.registry import Registry, installed
from loyalty.errors import BadInput
from loyalty.jobs import periodic
from loyalty.jobs.attributing import attribute_due
from loyalty.jobs.purging import purge_due
from loyalty.jobs.roots import make_roots
from loyalty.jobs.settling import settle_due
from loyalty.secrets import SecretKey
from loyalty.services.books.door import Door
from loyalty.services.services import Services, wire
from loyalty.settings import Settings
from loyalty.storage.database import open_database
from loyalty.web.answers import http_refusal
from loyalty.web.health import health_routes
from loyalty.web.metrics import DocumentCollector, DoorCollector, Metrics
from loyalty.web.requests import Requests, note_viewer
from loyalty.web.webhooks import webhook_routes
from loyalty_graphql.admin.schema import schema as admin_schema
from loyalty_graphql.context import admin_context_factory, context_factory, may_introspect
from loyalty_graphql.graphiql import GraphiQL, TabSource, no_tabs
from loyalty_graphql.limits import Limits
from loyalty_graphql.storefront.schema import schema as storefront_schema
from loyalty_graphql.transport import ContextFactory, GraphQLEndpoint, Origins, with_cors


def create_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    registry: Registry | None = None,
    services: Services | None = None,
    extra_routes: Sequence[BaseRoute] = (),
    tabs: TabSource = no_tabs,
    admin_tabs: TabSource = no_tabs,
) -> Starlette:
    """An ASGI application for these settings.

    Args:
        clock: the machine's unless told otherwise.
        registry: kinds of conditions and rewards; the installed ones unless told otherwise.
        services: already open, and closed by whoever opened them; else the lifespan does both.
        extra_routes: further pages, such as the demo shop's. ``services_of`` gives them the
            use cases once the lifespan has run.
        tabs: ready tabs of GraphiQL over the storefront's schema.
        admin_tabs: the same over the merchant's.

    Raises:
        BadInput: a setting that is none; names it, what was found and what was wanted.
    """
    running = _Running()
    counters = Counters()
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if services is not None:
            with running.with_services(services):
                yield
            return
        async with opened(settings, clock=clock, registry=registry, counters=counters) as own:
            settle = partial(settle_due, own.tenants, own.settling)
            purge = partial(purge_due, own.tenants, own.purging)
            roots = partial(make_roots, own.tenants, own.roots)
            attribute = partial(attribute_due, own.tenants, own.feedback.attribution)
            with running.with_services(own):
                async with (
                    periodic.running("settle", settle, settings.settle_every_s),
                    periodic.running("purge", purge, settings.purge_every_s),
                    periodic.running("roots", roots, settings.roots_every_s),
                    periodic.running("attribute", attribute, settings.attribute_every_s),
                ):
                    yield

    endpoints = _endpoints(settings, running)
    metrics.register(CacheCollector(counters, running.is_cache_up))
    metrics.register(DoorCollector(running.door))
    metrics.register(DocumentCollector({name: _counts(e) for name, e in endpoints.items()}))
    app = Starlette(
        routes=[
            *health_routes(running.services_or_none),
            Route("/metrics", metrics.endpoint, methods=["GET"], name="metrics"),
            *webhook_routes(running.services, metrics),
            *_graphql_routes(settings, endpoints),
            *_graphiql_routes(settings, tabs, admin_tabs),
            *extra_routes,
        ],
        middleware=[Middleware(Requests, metrics=metrics, is_started=running.is_started)],
        exception_handlers={HTTPException: http_refusal},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.running = running
    return app


def services_of(app: Starlette) -> Services:
    """The use cases of a started application.

    Raises:
        RuntimeError: its lifespan has not run, or has ended.
    """
    running: _Running = app.state.running
    return running.services()


@asynccontextmanager
async def opened(
    settings: Settings,
    *,
    clock: Clock | None = None,
    registry: Registry | None = None,
    counters: Counters | None = None,
) -> AsyncIterator[Services]:
    """Database and cache open, and every use case wired, for a server process.

    At the end what waits for the ledger is booked first. On SQLite only one server may run.

    Raises:
        BadInput: a setting that is none. DatabaseProblem: see ``open_database`` and
        ``Database.claim_server``.
    """
    secret = _secret(settings)
    clock = clock or SystemClock()
    try:
        cache = open_cache(
            settings.redis_url,
            counters=counters,
            deadline_s=settings.cache_timeout_ms / 1_000,
        )
    except ValueError as error:
        raise BadInput(f"LOYALTY_REDIS_URL: {error}") from None
    try:
        database = await open_database(settings.database_url, clock, pool_size=settings.pool_size)
        async with database:
            database.claim_server()
            services = wire(
                settings,
                clock=clock,
                database=database,
                cache=cache,
                registry=registry or installed(),
                secret=secret,
            )
            try:
                yield services
            finally:
                await services.door.drained()
    finally:
        await cache.close()


def _secret(settings: Settings) -> SecretKey:
    try:
        return SecretKey(settings.secret_key.get_secret_value())
    except ValueError as error:
        advice = "make one with: openssl rand -hex 32"
        raise BadInput(f"LOYALTY_SECRET_KEY: {error}; {advice}") from None


class _Running:
    """What the lifespan opened, for handlers that were made before it."""

    def __init__(self) -> None:
        self._services: Services | None = None
        self._contexts: dict[str, ContextFactory] = {}
        self._may_introspect: Callable[[Any], bool] = lambda _context: False

    @contextmanager
    def with_services(self, services: Services) -> Iterator[None]:
        self._contexts = {
            "storefront": context_factory(services),
            "admin": admin_context_factory(services),
        }
        self._may_introspect = may_introspect(services)
        self._services = services
        try:
            yield
        finally:
            self._services = None

    def services(self) -> Services:
        if self._services is None:
            raise RuntimeError("the application's lifespan has not run, or has ended")
        return self._services

    def services_or_none(self) -> Services | None:
        return self._services

    def is_started(self) -> bool:
        return self._services is not None

    def is_cache_up(self) -> bool:
        return self._services is not None and self._services.cache.is_up

    def door(self) -> Door | None:
        return None if self._services is None else self._services.door

    def may_introspect(self, context: Any) -> bool:
        return self._may_introspect(context)

    def context_factory(self, schema: str) -> ContextFactory:
        """Contexts of that schema; tells the log what kind of caller each is made for."""

        async def make(connection: HTTPConnection, authorization: str | None) -> Any:
            context = await self._contexts[schema](connection, authorization)
            note_viewer(connection.scope, context.viewer.kind.lower())
            return context

        return make


def _endpoints(settings: Settings, running: _Running) -> dict[str, GraphQLEndpoint]:
    return {
        name: GraphQLEndpoint(
            schema,
            running.context_factory(name),
            limits=Limits(body_bytes=settings.body_bytes_max),
            allow_introspection=running.may_introspect,
            origins=_origins(settings),
        )
        for name, schema in (("storefront", storefront_schema), ("admin", admin_schema))
    }


def _graphql_routes(settings: Settings, endpoints: dict[str, GraphQLEndpoint]) -> list[BaseRoute]:
    routes: list[BaseRoute] = []
    for name, path in (("storefront", "/graphql"), ("admin", "/admin/graphql")):
        endpoint = endpoints[name]
        routes += [
            Route(path, with_cors(endpoint, _origins(settings)), name=name),
            WebSocketRoute(path, endpoint, name=f"{name}-socket"),
        ]
    return routes


def _graphiql_routes(settings: Settings, tabs: TabSource, admin_tabs: TabSource) -> list[BaseRoute]:
    """None in production. Addresses are relative, so that any prefix of a host's is right."""
    if settings.environment == "production":
        return []
    return [
        Route("/graphiql", _to_folder, methods=["GET"], name="graphiql-folder"),
        Mount("/graphiql", GraphiQL("../graphql", tabs), name="graphiql"),
        Route("/admin/graphiql", _to_folder, methods=["GET"], name="admin-graphiql-folder"),
        Mount(
            "/admin/graphiql",
            GraphiQL("../graphql", admin_tabs, title="Loyalty admin GraphiQL"),
            name="admin-graphiql",
        ),
    ]


async def _to_folder(request: Request) -> Response:
    return RedirectResponse("graphiql/", status_code=308)


def _origins(settings: Settings) -> Origins:
    try:
        return Origins(settings.cors_origins)
    except ValueError as error:
        raise BadInput(f"LOYALTY_CORS_ORIGINS: {error}") from None


def _counts(endpoint: GraphQLEndpoint) -> Callable[[], tuple[int, int]]:
    documents = endpoint.engine.documents
    return lambda: (documents.hits, documents.misses)
