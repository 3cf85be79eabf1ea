"""A shop signs its shoppers' tokens, with a shared secret or a key pair of its own."""

from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from loyalty.errors import AlreadyExists, BadInput, NotFound
from loyalty.secrets import SecretKey
from loyalty.services.credentials import Credentials, Unauthenticated
from loyalty.services.issuers import Issuer, Issuers

from .conftest import Shop

pytestmark = pytest.mark.anyio
PAIR = Ed25519PrivateKey.generate()
PUBLIC = (
    PAIR.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
PRIVATE = PAIR.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()


@pytest.fixture
def credentials(shop: Shop) -> Credentials:
    secret = SecretKey("0123456789abcdef0123456789abcdef")
    return Credentials(shop.database, shop.clock, secret, "demo")


@pytest.fixture
def issuers(shop: Shop, credentials: Credentials) -> Issuers:
    return Issuers(shop.database, shop.clock, credentials)


async def test_a_shop_signs_with_the_secret_it_is_shown(
    shop: Shop, issuers: Issuers, credentials: Credentials
) -> None:
    secret = await issuers.secret(shop.tenant_id, "corner")
    claims = {"iss": "corner", "sub": "ann", "exp": shop.clock.now() + timedelta(hours=1)}

    viewer = await credentials.viewer(jwt.encode(claims, secret, "HS256"))

    assert (viewer.tenant_id, viewer.member_external_id) == (shop.tenant_id, "ann")
    assert await issuers.all(shop.tenant_id) == [Issuer("corner", "HS256", None, None)]


async def test_a_key_pair_of_the_shops_own_is_taken_until_it_is_removed(
    shop: Shop, issuers: Issuers, credentials: Credentials
) -> None:
    await issuers.add(shop.tenant_id, "https://id.shop", "EdDSA", PUBLIC, "loyalty")
    claims = {
        "iss": "https://id.shop",
        "sub": "ann",
        "aud": "loyalty",
        "exp": shop.clock.now() + timedelta(hours=1),
    }
    signed = jwt.encode(claims, PAIR, "EdDSA")
    assert (await credentials.viewer(signed)).member_external_id == "ann"
    for wrong in (claims | {"aud": "another"}, {k: v for k, v in claims.items() if k != "aud"}):
        with pytest.raises(Unauthenticated):
            await credentials.viewer(jwt.encode(wrong, PAIR, "EdDSA"))
    # The public key is public: signed with it as if it were a shared secret, a token proves
    # nothing, because the algorithm is the issuer's.
    forged = jwt.encode(claims, PUBLIC.replace("-", ""), "HS256")
    with pytest.raises(Unauthenticated):
        await credentials.viewer(forged)

    await issuers.remove(shop.tenant_id, "https://id.shop")
    shop.clock.advance(timedelta(seconds=6))

    with pytest.raises(Unauthenticated):
        await credentials.viewer(signed)


@pytest.mark.parametrize(
    ("algorithm", "key", "wanted"),
    [
        ("none", None, "wanted one of"),
        ("HS512", None, "wanted one of"),
        ("HS256", PUBLIC, "wanted none"),
        ("EdDSA", None, "wanted the one"),
        ("EdDSA", PRIVATE, "wanted its public half"),
        ("RS256", PUBLIC, "wanted PEM"),
        ("RS256", "not a key", "wanted PEM"),
        ("EdDSA", "", "wanted PEM"),
    ],
)
async def test_keys_that_do_not_fit_are_refused(
    shop: Shop, issuers: Issuers, algorithm: str, key: str | None, wanted: str
) -> None:
    with pytest.raises(BadInput, match=wanted):
        await issuers.add(shop.tenant_id, "new", algorithm, key, None)
    assert [issuer.name for issuer in await issuers.all(shop.tenant_id)] == ["corner"]


async def test_a_name_belongs_to_one_tenant(shops: tuple[Shop, Shop], issuers: Issuers) -> None:
    mine, other = shops
    with pytest.raises(AlreadyExists):
        await issuers.add(mine.tenant_id, "other", "HS256", None, None)
    with pytest.raises(NotFound):
        await issuers.remove(mine.tenant_id, "other")
    with pytest.raises(NotFound):
        await issuers.secret(mine.tenant_id, "other")
    assert [issuer.name for issuer in await issuers.all(other.tenant_id)] == ["other"]
