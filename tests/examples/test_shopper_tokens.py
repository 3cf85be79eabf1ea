"""The recipe's snippets, as a shop's backend runs them, mint tokens that are taken."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ROOT, SECRET, CommandLine, clean_environment

from loyalty.clock import SystemClock
from loyalty.secrets import SecretKey
from loyalty.services.access import Viewer, ViewerKind
from loyalty.services.credentials import Credentials
from loyalty.storage.database import open_database

RECIPE = ROOT / "docs" / "recipes" / "sign-shopper-tokens.md"
RUNS = {
    "python": ([sys.executable, "-c"], 'print(shopper_token("m-1"))'),
    "js": (["node", "-e"], 'console.log(shopperToken("m-1"))'),
}


@pytest.fixture
def shop(tmp_path: Path) -> CommandLine:
    command = CommandLine(tmp_path, clean_environment(LOYALTY_SECRET_KEY=SECRET))
    command.ok("migrate")
    command.ok("tenant", "create", "acme", "--name", "Acme")
    return command


def viewer(folder: Path, token: str) -> Viewer:
    async def asked() -> Viewer:
        clock = SystemClock()
        database = await open_database(f"sqlite:///{folder}/var/loyalty.sqlite3", clock)
        try:
            key = SecretKey(SECRET)
            return await Credentials(database, clock, key, "production").viewer(token)
        finally:
            await database.close()

    return asyncio.run(asked())


@pytest.mark.parametrize("language", RUNS)
def test_a_backends_token_is_taken(shop: CommandLine, language: str) -> None:
    words, call = RUNS[language]
    if shutil.which(words[0]) is None:
        pytest.skip(f"there is no {words[0]} here")
    secret = shop.ok("issuer", "show", "acme").out.strip()
    (snippet,) = re.findall(rf"^```{language}\n(.*?)^```", RECIPE.read_text(), re.M | re.S)

    minted = subprocess.run(
        [*words, f"{snippet}\n{call}"],
        env=os.environ | {"LOYALTY_ISSUER_SECRET": secret},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()

    found = viewer(shop.folder, minted)
    assert (found.tenant_id, found.kind, found.member_external_id) == (
        1,
        ViewerKind.SHOPPER,
        "m-1",
    )
