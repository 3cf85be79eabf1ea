"""`loyalty issuer`: a shop is given its secret, or brings the public half of its own pair."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@pytest.fixture
def loyalty(loyalty: CommandLine) -> CommandLine:
    loyalty.ok("tenant", "create", "demo", "--name", "Demo")
    return loyalty


def pem(private: bool = False) -> bytes:
    pair = Ed25519PrivateKey.generate()
    if private:
        return pair.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    return pair.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def written(command: CommandLine, content: bytes) -> Path:
    file = command.folder / "key.pem"
    file.write_bytes(content)
    return file


def test_a_tenant_begins_with_one_that_shares_a_secret(loyalty: CommandLine) -> None:
    listed = loyalty.ok("issuer", "list", "--json").json
    shown = loyalty.ok("issuer", "show", "demo")
    as_json = loyalty.ok("issuer", "show", "demo", "--json").json

    assert listed == [{"name": "demo", "algorithm": "HS256", "audience": None}]
    assert "shared secret" in loyalty.ok("issuer", "list").out
    # One line that is the secret and nothing else, the same whenever it is asked for.
    assert len(shown.lines) == 1
    assert shown.error == "its tokens are signed with HS256, with iss 'demo'\n"
    assert as_json == listed[0] | {"publicKey": None, "secret": shown.out.strip()}
    assert shown.out.strip() not in loyalty.ok("issuer", "list").out


def test_an_issuers_life(loyalty: CommandLine) -> None:
    key = pem()
    words = ("--algorithm", "EdDSA", "--public-key", written(loyalty, key), "--audience", "loyalty")

    assert loyalty.ok("issuer", "add", "https://id.shop", *words).out == "added https://id.shop\n"

    again = loyalty("issuer", "add", "https://id.shop", *words)
    shown = loyalty.ok("issuer", "show", "https://id.shop")
    assert (again.status, again.error) == (
        1,
        "error: there is an issuer 'https://id.shop' already\n",
    )
    assert loyalty.ok("issuer", "list", "--json").json[1] == {
        "name": "https://id.shop",
        "algorithm": "EdDSA",
        "audience": "loyalty",
    }
    assert shown.out.encode() == key
    assert shown.error.endswith("with EdDSA, with iss 'https://id.shop' and aud 'loyalty'\n")

    assert loyalty.ok("issuer", "remove", "https://id.shop").out == "removed https://id.shop\n"

    for command in ("show", "remove"):
        gone = loyalty("issuer", command, "https://id.shop")
        assert (gone.status, gone.out) == (1, "")
        assert gone.error == "error: no issuer 'https://id.shop'\n"
    assert [one["name"] for one in loyalty.ok("issuer", "list", "--json").json] == ["demo"]


def test_a_second_shared_secret_is_another(shop: CommandLine) -> None:
    added = shop.ok("issuer", "add", "app", "--algorithm", "HS256")

    assert (added.out, added.error) == (
        "added app\n",
        "for the secret that it signs with: loyalty issuer show NAME\n",
    )
    assert shop.ok("issuer", "show", "app").out != shop.ok("issuer", "show", "demo").out


def test_another_tenants_is_none(shop: CommandLine) -> None:
    shop.ok("tenant", "create", "other", "--name", "Other")

    for command in ("show", "remove"):
        done = shop("issuer", command, "demo", "--tenant", "other")
        assert (done.status, done.out, done.error) == (1, "", "error: no issuer 'demo'\n")
    taken = shop("issuer", "add", "demo", "--algorithm", "HS256", "--tenant", "other")
    assert (taken.status, taken.error) == (1, "error: there is an issuer 'demo' already\n")
    assert shop.ok("issuer", "list", "--tenant", "demo", "--json").json[0]["name"] == "demo"


@pytest.mark.parametrize(
    ("algorithm", "content", "error"),
    [
        ("none", None, "found algorithm 'none', wanted one of ES256, EdDSA, HS256, RS256"),
        ("EdDSA", None, "found no public key, wanted the one that EdDSA is checked with"),
        ("HS256", pem(), "found a public key, wanted none: HS256 has a shared secret"),
        ("EdDSA", pem(private=True), "found a private key, wanted its public half; make a new"),
        ("RS256", pem(), "found no key that fits RS256, wanted PEM text"),
        ("RS256", b"\xff\x00", "key.pem is not PEM text: byte 0 cannot be read"),
        ("RS256", b"-" * 100_000, "key.pem has more than 65,536 bytes, wanted a key as PEM text"),
    ],
)
def test_what_proves_nobody_is_refused(
    shop: CommandLine, algorithm: str, content: bytes | None, error: str
) -> None:
    words = () if content is None else ("--public-key", written(shop, content))

    done = shop("issuer", "add", "new", "--algorithm", algorithm, *words)

    assert (done.status, done.out) == (1, "")
    assert error in done.error
    assert len(shop.ok("issuer", "list", "--json").json) == 1


def test_a_file_that_is_not_there(shop: CommandLine) -> None:
    done = shop("issuer", "add", "new", "--algorithm", "RS256", "--public-key", "nowhere.pem")

    assert done.status == 2
    assert "nowhere.pem" in done.error
