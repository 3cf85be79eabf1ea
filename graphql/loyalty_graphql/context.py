"""Who asks, and what one operation may use to answer."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import strawberry
from starlette.requests import HTTPConnection

from loyalty.errors import NotAllowed, NotFound
from loyalty.services.access import Viewer, ViewerKind
from loyalty.services.credentials import Unauthenticated
from loyalty.services.services import Services
from loyalty.wording.reasons import Words
from loyalty_graphql.errors import AuthenticationFailed, refused
from loyalty_graphql.loaders import Loaders
from loyalty_graphql.transport.endpoint import ContextFactory

PROGRAM_HEADER = "x-loyalty-program"
"""Header that names the program for callers without credentials; its value is a tenant's code."""


@dataclass(slots=True)
class Context:
    """What the resolvers of one operation share.

    ``bearer`` is the caller's credential, kept to ask again whether it still holds; None for
    anonymous callers. ``accept_language``: the caller's header, as it came.
    """

    services: Services
    viewer: Viewer
    loaders: Loaders
    bearer: str | None = None
    accept_language: str | None = None

    def words(self, locale: str | None = None, *, member: str | None = None) -> Words:
        """In what language the caller is answered.

        Args:
            locale: what the caller asks for.
            member: the locale of the member that the answer is about.
        """
        accept = self.accept_language
        return self.services.languages.words(locale, member=member, accept=accept)

    @property
    def tenant_id(self) -> int:
        return self.viewer.tenant_id

    def refresh(self) -> None:
        """Forget what was loaded: something was just written, or a new event is answered."""
        self.loaders = Loaders(self.services, self.tenant_id)

    async def still_holds(self) -> bool:
        """Whether the caller's credential is still one; for operations that last."""
        if self.bearer is None:
            return True
        try:
            return await self.services.credentials.viewer(self.bearer) == self.viewer
        except Unauthenticated:
            return False


Info = strawberry.Info[Context, None]
"""What every resolver gets beside its arguments."""


def context_factory(services: Services) -> ContextFactory:
    """Contexts of the storefront schema; hand it to ``GraphQLEndpoint``."""
    codes: dict[str, int] = {}

    async def tenant_named(code: str) -> int:
        # A tenant keeps its code for ever, so each is asked for once in a process.
        if code not in codes:
            codes[code] = (await services.tenants.named(code)).id
        return codes[code]

    async def make(connection: HTTPConnection, authorization: str | None) -> Context:
        if authorization is not None:
            return await _authenticated(services, connection, authorization)
        code = connection.headers.get(PROGRAM_HEADER)
        if not code:
            raise AuthenticationFailed(
                "UNAUTHENTICATED",
                "found neither an Authorization header nor X-Loyalty-Program, wanted one of them",
            )
        try:
            tenant_id = await tenant_named(code)
        except NotFound as missing:
            raise AuthenticationFailed(
                "UNAUTHENTICATED", f"there is no program {code[:64]!a}"
            ) from missing
        viewer = Viewer(tenant_id, ViewerKind.ANONYMOUS, None, frozenset(), "anonymous")
        loaders = Loaders(services, tenant_id)
        return Context(services, viewer, loaders, accept_language=_accepted(connection))

    return make


def admin_context_factory(services: Services) -> ContextFactory:
    """Contexts of the admin schema: merchants alone, whatever is asked."""

    async def make(connection: HTTPConnection, authorization: str | None) -> Context:
        if authorization is None:
            raise AuthenticationFailed(
                "UNAUTHENTICATED", "found no Authorization header, wanted a merchant's key"
            )
        context = await _authenticated(services, connection, authorization)
        if context.viewer.kind is not ViewerKind.MERCHANT:
            message = f"found a {context.viewer.kind.lower()} caller, wanted a merchant"
            if connection.scope["type"] == "http":
                raise refused(message, "FORBIDDEN", status=HTTPStatus.FORBIDDEN)
            raise NotAllowed(message)
        return context

    return make


def may_introspect(services: Services) -> Callable[[Context], bool]:
    """Whether a caller may introspect: in production, only one that shows credentials."""
    is_production = services.settings.environment == "production"

    def may(context: Context) -> bool:
        return not is_production or context.viewer.kind is not ViewerKind.ANONYMOUS

    return may


def _accepted(connection: HTTPConnection) -> str | None:
    return connection.headers.get("accept-language")


async def _authenticated(
    services: Services, connection: HTTPConnection, authorization: str
) -> Context:
    scheme, _, bearer = authorization.partition(" ")
    bearer = bearer.strip()
    if scheme.lower() != "bearer" or not bearer:
        raise AuthenticationFailed(
            "UNAUTHENTICATED", "found another Authorization, wanted: Bearer and a token or key"
        )
    try:
        viewer = await services.credentials.viewer(bearer)
    except Unauthenticated as failure:
        raise AuthenticationFailed(failure.code, failure.message) from failure
    loaders = Loaders(services, viewer.tenant_id)
    return Context(services, viewer, loaders, bearer, _accepted(connection))
