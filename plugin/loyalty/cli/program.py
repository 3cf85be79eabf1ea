"""``loyalty program``: check, publish and show a tenant's ruleset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loyalty.cli.context import (
    AsJson,
    Folder,
    TenantCode,
    opened,
    print_json,
    print_table,
    run,
    settings_of,
    tenant_of,
)

if TYPE_CHECKING:
    from loyalty.services.rulesets import Published, Rulesets
    from loyalty.storage.database import Database

app = typer.Typer(help="The program's rules: one TOML file, published as immutable versions.")

File = Annotated[
    Path, typer.Argument(help="The TOML file.", exists=True, dir_okay=False, readable=True)
]
HISTORY_MAX = 100
"""Versions that ``program show --history`` lists at most."""


Explain = Annotated[bool, typer.Option("--explain", help="Tell the rules in plain words.")]


@app.command()
def validate(file: File, explain: Explain = False, as_json: AsJson = False) -> None:
    """Check a file without publishing it: every problem on a line of its own."""
    from loyalty.domain.registry import installed
    from loyalty.domain.rulesets.ruleset_file import read_ruleset
    from loyalty.domain.rulesets.ruleset_text import describe
    from loyalty.errors import BadRuleset

    try:
        ruleset = read_ruleset(_text(file), installed())
    except BadRuleset as error:
        if not as_json:
            raise
        print_json({"valid": False, "problems": list(error.problems)})
        raise typer.Exit(1) from error
    if as_json:
        print_json({"valid": True, "problems": []})
    elif explain:
        print(*describe(ruleset), sep="\n")
    else:
        tiers = ", ".join(tier.code for tier in ruleset.tier_policy.tiers)
        print(
            f"{file} is valid: {ruleset.name} in {ruleset.currency}, tiers {tiers}, "
            f"{len(ruleset.rewards)} rewards, days of {ruleset.time_zone}"
        )


@app.command()
def publish(
    file: File,
    tenant: TenantCode = None,
    expected_version: Annotated[
        int | None,
        typer.Option(help="Refuse unless this version is current; 0 before the first."),
    ] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make a file the next version. The text that is current already changes nothing."""
    source = _text(file)

    async def work() -> Published:
        async with opened(settings_of(folder)) as database:
            found = await tenant_of(database, tenant)
            return await _rulesets(database).publish(
                found.id, source, "command line", expected_version=expected_version
            )

    published = run(work())
    if as_json:
        print_json(_shown(published))
    else:
        print(f"version {published.version} is in force (hash {published.hash[:12]})")


@app.command()
def show(
    tenant: TenantCode = None,
    version: Annotated[int | None, typer.Option(min=1, help="Default: the one in force.")] = None,
    history: Annotated[bool, typer.Option("--history", help="List versions instead.")] = False,
    explain: Explain = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Print a version's TOML as it was published, or the list of versions."""
    from loyalty.domain.registry import installed
    from loyalty.domain.rulesets.ruleset_file import read_ruleset
    from loyalty.domain.rulesets.ruleset_text import describe
    from loyalty.errors import NotFound

    async def work() -> list[Published]:
        async with opened(settings_of(folder)) as database:
            found = await tenant_of(database, tenant)
            rulesets = _rulesets(database)
            if history:
                return list(await rulesets.history(found.id, HISTORY_MAX))
            latest = await rulesets.history(found.id, 1)
            if not latest:
                raise NotFound("published program of tenant", found.code)
            # Versions count up by one, newest first.
            back = 0 if version is None else latest[0].version - version
            if back < 0:
                raise NotFound(f"program of tenant {found.code!r} with version", str(version))
            return [(await rulesets.history(found.id, back + 1))[-1]]

    found = run(work())
    if history and as_json:
        print_json([_shown(one) for one in found])
    elif history:
        print_table(
            ["version", "published", "by", "hash"],
            [
                [str(one.version), f"{one.published_at:%Y-%m-%d %H:%M}", one.published_by,
                 one.hash[:12]]
                for one in found
            ],
        )  # fmt: skip
    elif as_json:
        print_json(_shown(found[0]) | {"source": found[0].source})
    elif explain:
        ruleset = read_ruleset(found[0].source, installed(), version=found[0].version)
        print(*describe(ruleset), sep="\n")
    else:
        print(found[0].source, end="")


def _text(file: Path) -> str:
    from loyalty.errors import BadInput

    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is not UTF-8 text: byte {error.start} cannot be read") from error


def _rulesets(database: Database) -> Rulesets:
    from loyalty.cache.null import NullCache
    from loyalty.clock import SystemClock
    from loyalty.domain.registry import installed
    from loyalty.services.rulesets import Rulesets

    return Rulesets(database, NullCache(), installed(), SystemClock())


def _shown(one: Published) -> dict[str, Any]:
    return {
        "version": one.version,
        "hash": one.hash,
        "publishedAt": one.published_at.isoformat(),
        "publishedBy": one.published_by,
    }
