"""Token issuers: whose word on who a shopper is we take, and how it is signed."""

from dataclasses import dataclass

import jwt
from jwt.exceptions import InvalidKeyError

from loyalty.clock import Clock
from loyalty.errors import AlreadyExists, BadInput, NotFound
from loyalty.services.audit import COMMAND_LINE, Action, Subject, added, deed
from loyalty.services.credentials import ALGORITHMS, Credentials
from loyalty.storage import access as sql
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.problems import DuplicateKey
from loyalty.storage.statements import Unit

SHARED = "HS256"
"""The algorithm whose secret both sides hold; ours is derived, so that it is never stored."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A shop's signer of shopper tokens; ``name`` is the token's ``iss``."""

    name: str
    algorithm: str
    audience: str | None
    public_key: str | None
    """PEM text; None where a secret is shared."""


class Issuers:
    """Lists, adds and removes the issuers of a tenant."""

    def __init__(self, database: Database, clock: Clock, credentials: Credentials) -> None:
        self._database = database
        self._clock = clock
        self._credentials = credentials

    async def all(self, tenant_id: int) -> list[Issuer]:
        rows = await self._database.read(sql.ISSUERS(tenant_id))
        return [Issuer(name, alg, aud, key) for _, name, alg, aud, key in rows]

    async def one(self, tenant_id: int, name: str) -> Issuer:
        """Raises NotFound."""
        for issuer in await self.all(tenant_id):
            if issuer.name == name:
                return issuer
        raise NotFound("issuer", name)

    async def secret(self, tenant_id: int, name: str) -> str:
        """The secret a shop signs with, for an issuer that shares one.

        Raises:
            NotFound: no such issuer. BadInput: it signs with a private key of its own.
        """
        issuer = await self.one(tenant_id, name)
        if issuer.algorithm != SHARED:
            raise BadInput(
                f"issuer {name!r} signs with {issuer.algorithm} and a private key of its "
                f"own; only {SHARED} has a secret here"
            )
        return self._credentials.shop_secret(tenant_id, name)

    async def add(
        self,
        tenant_id: int,
        name: str,
        algorithm: str,
        public_key: str | None,
        audience: str | None,
        by: str = COMMAND_LINE,
    ) -> None:
        """Take an issuer's word from now on.

        Raises:
            BadInput: an algorithm we do not take, or a key that does not fit it.
            AlreadyExists: the name is taken, by this tenant or another.
        """
        if not name.isprintable() or not 1 <= len(name) <= 200:
            raise BadInput(f"found issuer {name[:80]!r}, wanted 1 to 200 printable characters")
        if audience is not None and (not audience.isprintable() or not 1 <= len(audience) <= 200):
            raise BadInput("found another audience, wanted 1 to 200 printable characters")
        _check_key(algorithm, public_key)
        row = {
            "id": self._database.ids.next(),
            "tenant_id": tenant_id,
            "issuer": name,
            "algorithm": algorithm,
            "public_key": public_key,
            "audience": audience,
        }

        done = deed(by, Action.ISSUER_ADD, Subject.ISSUER, name, algorithm=algorithm)

        def unit() -> Unit[None]:
            effects = Effects()
            effects.insert("token_issuer", row)
            added(effects, self._database.ids.next(), tenant_id, self._clock.now(), done)
            yield effects

        try:
            await self._database.write(unit)
        except DuplicateKey as duplicate:
            raise AlreadyExists(f"there is an issuer {name!r} already") from duplicate

    async def remove(self, tenant_id: int, name: str, by: str = COMMAND_LINE) -> None:
        """Take its word no longer. Raises NotFound."""
        done = deed(by, Action.ISSUER_REMOVE, Subject.ISSUER, name)

        def unit() -> Unit[bool]:
            rows = yield sql.ISSUERS(tenant_id)
            ids = [row[0] for row in rows if row[1] == name]
            effects = Effects()
            for id in ids:
                effects.delete("token_issuer", tenant_id, id)
                added(effects, self._database.ids.next(), tenant_id, self._clock.now(), done)
            yield effects
            return bool(ids)

        if not await self._database.write(unit):
            raise NotFound("issuer", name)


def _check_key(algorithm: str, public_key: str | None) -> None:
    if algorithm not in ALGORITHMS:
        wanted = ", ".join(sorted(ALGORITHMS))
        raise BadInput(f"found algorithm {algorithm[:20]!r}, wanted one of {wanted}")
    if algorithm == SHARED:
        if public_key is not None:
            raise BadInput(f"found a public key, wanted none: {SHARED} has a shared secret")
        return
    if public_key is None:
        raise BadInput(f"found no public key, wanted the one that {algorithm} is checked with")
    if "PRIVATE" in public_key:
        raise BadInput("found a private key, wanted its public half; make a new pair")
    try:
        jwt.get_algorithm_by_name(algorithm).prepare_key(public_key)
    except (InvalidKeyError, ValueError, TypeError) as problem:
        raise BadInput(f"found no key that fits {algorithm}, wanted PEM text") from problem
