"""Credentials: shoppers' short-lived tokens, and keys of services and merchants."""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from loyalty.clock import Clock
from loyalty.domain.books.ledger import instant
from loyalty.errors import BadInput, LoyaltyError, NotFound
from loyalty.secrets import SecretKey
from loyalty.services.access import Scope, Viewer, ViewerKind
from loyalty.services.audit import COMMAND_LINE, Action, Subject, added, deed
from loyalty.storage import access as sql
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.statements import Unit

KNOWN_MAX = 10_000
"""Verified tokens and keys that one process remembers."""
KEY_TTL_S = 5
"""How long a verified key or token is believed without asking the database, in seconds: a
revoked key, or a token of a removed issuer, works no longer than this."""
LEEWAY_S = 30
"""How far a shop's clock may be ahead or behind, in seconds."""
TOKEN_LIFE_MAX = timedelta(hours=24)
"""How far ahead a shopper's token may run out. It cannot be revoked by itself, so a stolen one is
worth as long as it lives."""
ALGORITHMS = frozenset({"HS256", "RS256", "ES256", "EdDSA"})


class Unauthenticated(LoyaltyError):
    """The credential is missing, malformed, expired, revoked or not ours."""

    code = "UNAUTHENTICATED"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it is shown once; only its hash is stored."""

    key_id: str
    text: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key without its secret."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


class Credentials:
    """Verifies and makes credentials."""

    def __init__(self, database: Database, clock: Clock, key: SecretKey, environment: str) -> None:
        self._database = database
        self._clock = clock
        self._key = key
        self._environment = {"production": "live"}.get(environment, "test")
        self._known: OrderedDict[bytes, tuple[Viewer, datetime]] = OrderedDict()

    async def viewer(self, bearer: str) -> Viewer:
        """Who presents this token or key.

        Raises:
            Unauthenticated: it proves nobody; the message does not say how close it was.
        """
        now = self._clock.now()
        digest = hashlib.sha256(bearer.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(digest)
        if known is not None and now < known[1]:
            self._known.move_to_end(digest)
            return known[0]
        if bearer.startswith("lk_"):
            viewer, until = await self._of_key(bearer), now + timedelta(seconds=KEY_TTL_S)
        else:
            viewer, expires = await self._of_token(bearer, now)
            # Not for its whole life: the issuer may be removed meanwhile.
            until = min(expires, now + timedelta(seconds=KEY_TTL_S))
        self._known[digest] = (viewer, until)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return viewer

    async def mint(self, tenant_id: int, member: str, ttl_s: int) -> tuple[str, datetime]:
        """A shopper's token, as the shop would mint it, and when it runs out.

        Args:
            ttl_s: lifetime in seconds; one past ``TOKEN_LIFE_MAX`` makes a token that proves
                nobody.
        """
        rows = await self._database.read(sql.ISSUER_OF_TENANT(tenant_id))
        if not rows:
            raise NotFound("token issuer of tenant", str(tenant_id))
        issuer, algorithm, audience = rows[0]
        now = self._clock.now()
        expires = now + timedelta(seconds=ttl_s)
        claims: dict[str, object] = {"iss": issuer, "sub": member, "iat": now, "exp": expires}
        if audience:
            claims["aud"] = audience
        return jwt.encode(claims, self.shop_secret(tenant_id, issuer), algorithm), expires

    def shop_secret(self, tenant_id: int, issuer: str) -> str:
        """The HS256 secret a shop signs its shoppers' tokens with."""
        return self._key.derive_text("shopper-token", str(tenant_id), issuer)

    def webhook_secret(self, tenant_id: int, source: str) -> bytes:
        """The secret a webhook source signs its deliveries with."""
        return self._key.derive("webhook", str(tenant_id), source)

    async def create_key(
        self, tenant_id: int, name: str, scopes: Sequence[str], by: str = COMMAND_LINE
    ) -> NewKey:
        """Make a key; its text is never shown again.

        Raises:
            BadInput: no scope, or one that does not exist.
        """
        unknown = [scope for scope in scopes if scope not in set(Scope)]
        if unknown or not scopes:
            raise BadInput(
                f"found scopes {', '.join(unknown) or 'none'}, wanted some of {', '.join(Scope)}"
            )
        if not name.isprintable() or not 1 <= len(name) <= 60:
            raise BadInput(f"found key name {name[:80]!r}, wanted 1 to 60 printable characters")
        key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        now = self._clock.now()
        done = deed(by, Action.API_KEY_CREATE, Subject.API_KEY, key_id, name=name, scopes=scopes)

        def unit() -> Unit[None]:
            effects = Effects()
            added(effects, self._database.ids.next(), tenant_id, now, done)
            effects.insert(
                "api_key",
                {
                    "id": self._database.ids.next(),
                    "tenant_id": tenant_id,
                    "key_id": key_id,
                    "name": name,
                    "secret_hash": _hashed(secret),
                    "scopes": " ".join(scopes),
                    "created_at": now,
                },
            )
            yield effects

        await self._database.write(unit)
        return NewKey(key_id, f"lk_{self._environment}_{key_id}_{secret}", tuple(scopes))

    async def keys(self, tenant_id: int) -> list[KeyInfo]:
        rows = await self._database.read(sql.API_KEYS(tenant_id))
        return [
            KeyInfo(
                key_id,
                name,
                tuple(scopes.split()),
                instant(created_at),
                None if revoked_at is None else instant(revoked_at),
            )
            for _, key_id, name, scopes, created_at, revoked_at in rows
        ]

    async def revoke_key(self, tenant_id: int, key_id: str, by: str = COMMAND_LINE) -> None:
        """Raises NotFound when there is no such key in force."""
        now = self._clock.now()
        done = deed(by, Action.API_KEY_REVOKE, Subject.API_KEY, key_id)

        def unit() -> Unit[bool]:
            revoked = yield sql.REVOKE_KEY(tenant_id, key_id, now)
            if revoked:
                effects = Effects()
                added(effects, self._database.ids.next(), tenant_id, now, done)
                yield effects
            return bool(revoked)

        if not await self._database.write(unit):
            raise NotFound("key in force", key_id)
        self._known.clear()

    def forget(self, tenant_id: int, members: Collection[str]) -> None:
        """Drop what this process remembers of shoppers who are erased."""
        self._known = OrderedDict(
            (digest, known)
            for digest, known in self._known.items()
            if known[0].tenant_id != tenant_id or known[0].member_external_id not in members
        )

    async def _of_key(self, bearer: str) -> Viewer:
        parts = bearer.split("_", 3)
        rows = []
        if len(parts) == 4 and len(bearer) <= 200 and bearer.isascii():
            rows = await self._database.read(sql.API_KEY(parts[2]))
        if not rows:
            raise Unauthenticated("the key is not valid")
        tenant_id, _, name, secret_hash, scopes, revoked_at = rows[0]
        if revoked_at is not None or not hmac.compare_digest(secret_hash, _hashed(parts[3])):
            raise Unauthenticated("the key is not valid")
        held = frozenset(scopes.split())
        kind = ViewerKind.MERCHANT if Scope.ADMIN in held else ViewerKind.SERVICE
        # The name, not the key: a rotated key of the same name finds the same first outcomes.
        return Viewer(tenant_id, kind, None, held, f"key:{name}")

    async def _of_token(self, bearer: str, now: datetime) -> tuple[Viewer, datetime]:
        try:
            claims = jwt.decode(bearer, options={"verify_signature": False})
            issuer = claims.get("iss")
        except (jwt.PyJWTError, ValueError, UnicodeError) as problem:
            raise Unauthenticated("the token is not a JWT") from problem
        rows = []
        if isinstance(issuer, str) and len(issuer) <= 200 and issuer.isprintable():
            rows = await self._database.read(sql.ISSUER(issuer))
        if not rows:
            raise Unauthenticated("the token is not valid")
        tenant_id, algorithm, public_key, audience = rows[0]
        key = public_key or self.shop_secret(tenant_id, str(issuer))
        try:
            claims = jwt.decode(
                bearer,
                key,
                # The issuer's own algorithm and no other, whatever the token's header says.
                algorithms=[algorithm],
                audience=audience,
                leeway=LEEWAY_S,
                options={
                    "require": ["exp", "sub"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            expires = datetime.fromtimestamp(int(claims["exp"]), now.tzinfo)
            begins = datetime.fromtimestamp(int(claims.get("nbf", 0)), now.tzinfo)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, OSError) as problem:
            raise Unauthenticated("the token is not valid") from problem
        # Judged by our own clock, which tests and replays set; PyJWT would read the machine's.
        if expires + timedelta(seconds=LEEWAY_S) <= now:
            raise Unauthenticated("the token has expired")
        if now + TOKEN_LIFE_MAX + timedelta(seconds=LEEWAY_S) < expires:
            hours = TOKEN_LIFE_MAX // timedelta(hours=1)
            raise Unauthenticated(
                f"the token lives too long, wanted at most {hours} hours from now"
            )
        if now + timedelta(seconds=LEEWAY_S) < begins:
            raise Unauthenticated("the token is not valid yet")
        member = claims["sub"]
        if not isinstance(member, str) or not 1 <= len(member) <= 128 or not member.isprintable():
            raise Unauthenticated("the token is not valid")
        # The client column holds 64 characters, a member's name up to 128, and no personal data.
        client = "shopper:" + hashlib.sha256(member.encode()).hexdigest()[:40]
        viewer = Viewer(tenant_id, ViewerKind.SHOPPER, member, frozenset(), client)
        return viewer, expires + timedelta(seconds=LEEWAY_S)


def _hashed(secret: str) -> str:
    # A random secret of 256 bits needs no slow hash.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
